"""SET and GET through each proxy to two Redis servers: throughput, CPU per operation, memory, start."""
import contextlib
import csv
import dataclasses
import io
import os
import pathlib
import shutil
import statistics
import subprocess
import time

import churn
import comparison
import footprint
import programs
import redis_peers as peers
import rounds


@dataclasses.dataclass(frozen=True)
class Case:
    clients: int
    pipelined: int
    operations: int  # of each kind
    workers: bool = False  # the proxy with one worker and with two, instead of its peers

    @property
    def options(self):
        return f"-c {self.clients} -P {self.pipelined}"


CASES = {case.options + (", one worker and two" if case.workers else ""): case for case in (
    Case(50, 1, 60_000), Case(50, 16, 600_000), Case(1, 1, 8_000), Case(50, 16, 600_000, workers=True))}
UNPIPELINED, PIPELINED, ONE_CLIENT, WORKERS = CASES
ONE_WORKER, TWO_WORKERS = "1 worker", "2 workers"
VALUE_BYTES = 64
KEYS = 100_000
CPU_OF = {"of twemproxy": peers.TWEMPROXY, "of predixy": peers.PREDIXY, "of Envoy": peers.ENVOY,
          "of HAProxy": peers.HAPROXY, "of one worker": ONE_WORKER}
BARS = [comparison.Bar(case, program, what, other, bound) for case, program, what, other, bound in (
    (UNPIPELINED, peers.AMBASSADOR, "CPU", peers.PREDIXY, 1.0),
    (UNPIPELINED, peers.AMBASSADOR, "CPU", peers.TWEMPROXY, 1.0),
    (PIPELINED, peers.AMBASSADOR, "CPU", peers.PREDIXY, 0.7),
    (PIPELINED, peers.AMBASSADOR, "CPU", peers.TWEMPROXY, 0.3),
    (PIPELINED, peers.AMBASSADOR, "CPU", peers.ENVOY, 0.3),
    (PIPELINED, peers.AMBASSADOR, "throughput", peers.PREDIXY, 1.0),
    (ONE_CLIENT, peers.AMBASSADOR, "latency", peers.HAPROXY, 1.0),
    (WORKERS, TWO_WORKERS, "CPU", ONE_WORKER, 1.15))]


def add_arguments(parser):
    parser.add_argument("--rounds", type=int, default=5, help="runs of each program and case; odd, 3 at least")
    parser.add_argument("--scale", type=float, default=1.0, help="operations, as a factor")
    parser.add_argument("--case", action="append", choices=list(CASES), help="only this one; may be repeated")
    parser.add_argument("--binary", type=pathlib.Path, default=programs.ROOT / "build/release/bin/ambassador-proxy")
    parser.add_argument("--baseline", type=pathlib.Path, help="another build of the proxy, measured beside it")
    parser.add_argument("--predixy", type=pathlib.Path, metavar="BINARY", default=shutil.which("predixy"),
                        help="predixy, which no package registry has; default: the one in PATH")
    parser.add_argument("--churn", type=float, metavar="MINUTES",
                        help=f"instead: the proxy's memory while {churn.CLIENTS:,} clients come, work and go")
    parser.add_argument("--json", type=pathlib.Path, default=programs.ROOT / "build/bench/redis.json")


def load(port, case, operations):
    """One redis-benchmark: (operations a second, p50 latency in microseconds)."""
    began = time.monotonic()
    output = subprocess.run(
        ["redis-benchmark", "-h", "127.0.0.1", "-p", str(port), "-t", "set,get", *case.options.split(),
         "-n", str(operations), "-d", str(VALUE_BYTES), "-r", str(KEYS), "--csv"],
        check=True, capture_output=True, text=True, timeout=300).stdout
    seconds = time.monotonic() - began
    rows = [row for row in csv.DictReader(io.StringIO(output)) if row.get("test") in ("SET", "GET")]
    if len(rows) != 2:
        raise SystemExit(f"redis-benchmark said:\n{output}")
    p50 = statistics.mean(float(row["p50_latency_ms"]) for row in rows) * 1000
    return 2 * operations / seconds, p50


def compare(folder, servers, makers, arguments, cases):
    results = {}  # (program, case) -> its runs: operations a second, CPU us of each or None, p50 us
    with contextlib.ExitStack() as stack:
        def workers(count, name):
            return stack.enter_context(peers.ambassador(folder, servers, arguments.binary, count, name))
        proxies = [programs.Direct(servers[0].port), *(stack.enter_context(make()) for make in makers.values())]
        by_workers = [workers(1, ONE_WORKER), workers(2, TWO_WORKERS)]
        for name, subject in rounds.turns(arguments.rounds, cases,
                                          lambda name: by_workers if CASES[name].workers else proxies):
            operations = max(1000, int(CASES[name].operations * arguments.scale))
            before = subject.cpu_seconds()
            rate, p50 = load(subject.port, CASES[name], operations)
            cpu = None if before is None else (subject.cpu_seconds() - before) / (2 * operations) * 1e6
            results.setdefault((subject.name, name), []).append((rate, cpu, p50))
    return results


def run(arguments):
    peers.require(arguments)
    programs.allow_open_files()
    if arguments.churn:
        return churn.run(arguments)
    cases = arguments.case or list(CASES)
    load_before = os.getloadavg()
    with peers.two_servers() as (folder, servers):
        makers = peers.makers(folder, servers, arguments)
        results = compare(folder, servers, makers, arguments, cases)
        footprints = {name: footprint.measure(make) for name, make in makers.items()}
    summary = comparison.summarise(results, cases)
    for name, rows in summary.items():
        print(f"redis-benchmark -t set,get -d {VALUE_BYTES} {name}\n")
        print(comparison.table(rows, "ops", "p50 us", 0, CPU_OF))
    print(footprint.table(footprints))
    print(comparison.verdicts(summary, BARS))
    print(footprint.verdicts(footprints[peers.AMBASSADOR]))
    comparison.write(arguments, summary, results, load_before, footprints=footprints)
    return 0
