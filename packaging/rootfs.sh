#!/bin/sh
# Run inside an image build (operator/Dockerfile, proxy/Dockerfile): gathers in /rootfs
# one program and exactly what it needs at run time, for a small final image.
#
#   rootfs.sh PROGRAM [busybox]
#
# The libraries are those that ldd names, so a forgotten package fails here and not in
# a cluster. Of each package whose files go in, the licence and the entry that
# vulnerability scanners read go in too, and an SPDX document names them all.
set -eu

program=$1
shell=${2:-}
root=/rootfs

mkdir -p $root/usr/bin $root/usr/lib $root/usr/lib64 $root/usr/sbin $root/usr/local/bin $root/etc/ssl/certs \
    $root/usr/lib/ssl $root/tmp $root/proc $root/sys $root/dev $root/run $root/var/lib/dpkg/status.d
for folder in bin lib lib64 sbin; do ln -s usr/$folder $root/$folder; done
ln -s ../run $root/var/run
chmod 1777 $root/tmp

packages=
remember() { # the package that owns this file; merged /usr hides it under either name
    name=${1#/usr}
    owner=$(dpkg -S "/usr$name" 2>/dev/null || dpkg -S "$name" 2>/dev/null || true)
    packages="$packages ${owner%%:*}"
}

need() { # a file and the libraries it is linked with
    lines=$(ldd "$1" 2>&1) || return 0 # static: needs nothing
    if echo "$lines" | grep 'not found' >&2; then
        echo "$1 needs libraries that no installed package holds: add them to the Dockerfile" >&2
        exit 1
    fi
    for library in $(echo "$lines" | grep -o '/[^ ]*'); do
        target=$root/usr${library#/usr}
        [ "$library" = "$1" ] || [ -e "$target" ] || {
            mkdir -p "${target%/*}"
            cp -L "$library" "$target"
            remember "$(readlink -f "$library")"
        }
    done
}

need "/usr/local/bin/$program"
cp "/usr/local/bin/$program" $root/usr/local/bin/
strip --strip-debug "$root/usr/local/bin/$program"

if [ "$shell" = busybox ]; then
    need /bin/busybox
    cp /bin/busybox $root/usr/bin/
    remember /bin/busybox
    for applet in $(/bin/busybox --list); do
        [ -e "$root/usr/bin/$applet" ] || ln -s busybox "$root/usr/bin/$applet"
    done
fi

# who we are, where names come from, whom TLS trusts
echo 'nonroot:x:65532:65532:nonroot:/tmp:/bin/sh' >$root/etc/passwd
echo 'nonroot:x:65532:' >$root/etc/group
echo 'hosts: files dns' >$root/etc/nsswitch.conf
cp -L /usr/lib/os-release $root/usr/lib/os-release
ln -s ../usr/lib/os-release $root/etc/os-release
cp -L /etc/ssl/certs/ca-certificates.crt $root/etc/ssl/certs/
cp -L /etc/ssl/openssl.cnf $root/etc/ssl/
ln -s /etc/ssl/certs $root/usr/lib/ssl/certs
ln -s /etc/ssl/certs/ca-certificates.crt $root/usr/lib/ssl/cert.pem
ln -s /etc/ssl/openssl.cnf $root/usr/lib/ssl/openssl.cnf
packages="$packages ca-certificates base-files"

licence() { # slim Debian lacks the links from packages of one source to their common folder
    source=$(dpkg-query -W -f '${source:Package}' "$1")
    for other in "$1" "$source" $(dpkg-query -W -f '${source:Package} ${Package}\n' |
        sed -n "s/^$source //p"); do
        if [ -e "/usr/share/doc/$other/copyright" ]; then
            mkdir -p "$root/usr/share/doc/$1"
            cp -L "/usr/share/doc/$other/copyright" "$root/usr/share/doc/$1/"
            return
        fi
    done
    echo "no licence found for package $1" >&2
    exit 1
}

# of dpkg-query's own variables
entry='{"name":"${Package}","SPDXID":"SPDXRef-${Package}","versionInfo":"${Version}",'
entry=$entry'"downloadLocation":"NOASSERTION","supplier":"Organization: Debian",'
entry=$entry'"externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl",'
entry=$entry'"referenceLocator":"pkg:deb/debian/${Package}@${Version}?arch=${Architecture}"}]}'

document=$root/usr/share/sbom/$program.spdx.json
mkdir -p "${document%/*}"
{
    printf '{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":"%s",' "$program"
    printf '"documentNamespace":"urn:ambassador-operator:%s:%s",' "$program" \
        "$(sha256sum "/usr/local/bin/$program" | cut -c1-32)"
    printf '"creationInfo":{"created":"%s","creators":["Tool: rootfs.sh"]},"packages":[' "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    separator=
    for package in $(echo "$packages" | tr ' ' '\n' | sort -u); do
        licence "$package"
        dpkg-query -s "$package" >"$root/var/lib/dpkg/status.d/$package"
        dpkg-query -W -f "$separator$entry" "$package"
        separator=,
    done
    printf ']}\n'
} >"$document"
