"""The proxy beside its peers, in one run: ./run bench redis | postgresql | operator [--help].

Everything runs on this machine, on free loopback ports, started and ended here. A shared machine is noisy:
runs of all programs are interleaved, medians are compared, and what counts are ratios within one run.
"""
import argparse
import sys

import operator_bench
import postgresql_bench
import redis_bench


def main():
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    redis_bench.add_arguments(kinds.add_parser("redis", help="Redis: SET and GET over two servers"))
    postgresql_bench.add_arguments(kinds.add_parser("postgresql", help="PostgreSQL: pgbench, select-only"))
    operator_bench.add_arguments(kinds.add_parser("operator", help="admission latency, memory with many Pods"))
    arguments = parser.parse_args()
    benches = {"redis": redis_bench, "postgresql": postgresql_bench, "operator": operator_bench}
    return benches[arguments.kind].run(arguments)


if __name__ == "__main__":
    sys.exit(main())
