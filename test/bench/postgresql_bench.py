"""pgbench's select-only transactions through each proxy to one server: throughput, and the proxy's CPU for each.

The proxy and pgbouncer pool transactions on 10 connections to the server. HAProxy and the bare relay have no pool: they
need a connection for each client, and are left out where the server does not take so many.
"""
import contextlib
import dataclasses
import os
import pathlib
import re
import subprocess
import tempfile

import comparison
import postgresql_peers as peers
import programs
import rounds


@dataclasses.dataclass(frozen=True)
class Case:
    options: str  # of pgbench
    clients: int
    transactions: int  # all clients together
    tls: bool = False  # to the server
    named: bool = False  # prepared statements have names


CASES = {
    "simple": Case("-M simple", 16, 48_000),
    "extended": Case("-M extended", 16, 48_000),
    "prepared": Case("-M prepared", 16, 48_000, named=True),
    "reconnect": Case("-M simple -C", 16, 4_000),
    "200 clients": Case("-M simple", 200, 48_000),
    "1000 clients": Case("-M simple", 1000, 48_000),
    "TLS to the server": Case("-M simple", 16, 48_000, tls=True),
}
PROXY, POOLER, HAPROXY, RELAY = "ambassador", "pgbouncer", programs.HAPROXY, "bare relay"
CPU_OF = {"of the relay": RELAY, "of pgbouncer": POOLER, "of HAProxy": HAPROXY}
BARS = [comparison.Bar(case, PROXY, "CPU", other, bound) for case, other, bound in (
    ("simple", POOLER, 1.05), ("simple", RELAY, 1.15), ("extended", POOLER, 1.05), ("extended", RELAY, 1.15),
    ("prepared", HAPROXY, 0.95), ("prepared", RELAY, 1.15))]


def add_arguments(parser):
    parser.add_argument("--rounds", type=int, default=5, help="runs of each program and case; odd, 3 at least")
    parser.add_argument("--scale", type=float, default=1.0, help="transactions, as a factor")
    parser.add_argument("--case", action="append", choices=list(CASES), help="only this one; may be repeated")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this program; may be repeated")
    parser.add_argument("--binary", type=pathlib.Path, default=programs.ROOT / "build/release/bin/ambassador-proxy")
    parser.add_argument("--baseline", type=pathlib.Path, help="another build of the proxy, measured beside it")
    parser.add_argument("--json", type=pathlib.Path, default=programs.ROOT / "build/bench/postgresql.json")


def said(pattern, output):
    found = re.search(pattern, output)
    if not found:
        raise SystemExit(f"pgbench said:\n{output}")
    return float(found[1])


def load(subject, case, scale):
    """One pgbench: (transactions, transactions a second, average latency in milliseconds)."""
    encrypted = case.tls and isinstance(subject, programs.Direct)
    each = max(2, int(case.transactions * scale / case.clients))
    command = [peers.PGBENCH, "-n", "-S", "-c", str(case.clients), "-j", "1", *case.options.split(), "-t", str(each),
               "-p", str(subject.port), peers.DATABASE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False,
                          env=peers.environment(encrypted))
    if done.returncode != 0:
        raise SystemExit(f"pgbench through {subject.name}: {done.stderr[-800:]}")
    return (said(r"actually processed: (\d+)", done.stdout), said(r"tps = ([\d.]+)", done.stdout),
            said(r"latency average = ([\d.]+)", done.stdout))


@contextlib.contextmanager
def running(arguments, cases):
    """{case: whom it measures}"""
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        os.chmod(folder, 0o755)  # some run as another user
        database = peers.Postgresql(folder, "server")
        stack.callback(database.end)
        peers.server(database)

        def pooled(tls):
            own = [peers.ambassador(folder, database, arguments.binary, tls),
                   peers.pgbouncer(folder, database, tls)]
            if arguments.baseline:
                own.append(peers.ambassador(folder, database, arguments.baseline, tls, "baseline"))
            return [stack.enter_context(one) for one in own]
        direct = programs.Direct(database.port)
        plain = pooled(False)
        encrypted = pooled(True) if any(CASES[case].tls for case in cases) else []
        relays = [stack.enter_context(one) for one in (programs.haproxy(folder, [database]),
                                                       peers.relay(folder, database))]
        yield {case: [one for one in chosen(CASES[case], direct, plain, encrypted, relays)
                      if not arguments.only or one.name in arguments.only] for case in cases}


def chosen(case, direct, plain, encrypted, relays):
    if case.tls:  # who passes bytes on leaves encryption to the client
        return [direct, *encrypted]
    fits = case.clients < peers.SERVER_CONNECTIONS - 3 * peers.POOL
    pools = [one for one in plain if not (case.named and one.name == POOLER)]
    return [direct, *pools, *relays] if fits else pools


def measure(arguments, cases):
    results = {}  # (program, case) -> list of (transactions a second, CPU us of each or None, average ms)
    with running(arguments, cases) as subjects:
        for case, subject in rounds.turns(arguments.rounds, cases, subjects.get):
            before = subject.cpu_seconds()
            count, rate, latency = load(subject, CASES[case], arguments.scale)
            cpu = None if before is None else (subject.cpu_seconds() - before) / count * 1e6
            results.setdefault((subject.name, case), []).append((rate, cpu, latency))
    return results


def run(arguments):
    peers.require()
    if not arguments.binary.exists():
        raise SystemExit(f"{arguments.binary} is not there: run ./run build release")
    cases = arguments.case or list(CASES)
    load_before = os.getloadavg()
    results = measure(arguments, cases)
    summary = comparison.summarise(results, cases)
    for name, rows in summary.items():
        it = CASES[name]
        print(f"pgbench -S -c {it.clients} {it.options}" + (", TLS to the server" if it.tls else "") + "\n")
        print(comparison.table(rows, "tx", "latency ms", 2, CPU_OF))
    print(comparison.verdicts(summary, BARS))
    comparison.write(arguments, summary, results, load_before)
    return 0
