"""SET and GET through each proxy to two Redis servers: throughput, and the proxy's CPU per operation."""
import csv
import io
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import programs
import rounds

#          name of the case: connections, pipelined requests, operations of each kind
CASES = {"-c 50 -P 1": (50, 1, 60_000), "-c 50 -P 16": (50, 16, 600_000), "-c 1 -P 1": (1, 1, 8_000)}
VALUE_BYTES = 64
KEYS = 100_000


def add_arguments(parser):
    parser.add_argument("--rounds", type=int, default=5, help="runs of each program and case; odd, 3 at least")
    parser.add_argument("--scale", type=float, default=1.0, help="operations, as a factor")
    parser.add_argument("--case", action="append", choices=list(CASES), help="only this one; may be repeated")
    parser.add_argument("--binary", type=pathlib.Path, default=programs.ROOT / "build/release/bin/ambassador-proxy")
    parser.add_argument("--baseline", type=pathlib.Path, help="another build of the proxy, measured beside it")
    parser.add_argument("--json", type=pathlib.Path, default=programs.ROOT / "build/bench/redis.json")


def load(port, clients, depth, operations):
    """One redis-benchmark: (operations a second, p50 latency in microseconds)."""
    began = time.monotonic()
    output = subprocess.run(
        ["redis-benchmark", "-h", "127.0.0.1", "-p", str(port), "-t", "set,get", "-c", str(clients), "-P", str(depth),
         "-n", str(operations), "-d", str(VALUE_BYTES), "-r", str(KEYS), "--csv"],
        check=True, capture_output=True, text=True, timeout=300).stdout
    seconds = time.monotonic() - began
    rows = [row for row in csv.DictReader(io.StringIO(output)) if row.get("test") in ("SET", "GET")]
    if len(rows) != 2:
        raise SystemExit(f"redis-benchmark said:\n{output}")
    p50 = statistics.mean(float(row["p50_latency_ms"]) for row in rows) * 1000
    return 2 * operations / seconds, p50


def measure(arguments, cases):
    results = {}  # (program, case) -> list of (operations a second, CPU us per operation or None, p50 us)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = pathlib.Path(name)
        running = []
        try:
            servers = [programs.redis_server(folder), programs.redis_server(folder)]
            running += servers
            subjects = [programs.ambassador(folder, servers, arguments.binary), programs.twemproxy(folder, servers),
                        programs.haproxy(folder, servers)]
            running += subjects
            if arguments.baseline:
                baseline = programs.ambassador(folder, servers, arguments.baseline)
                baseline.name = "baseline"
                subjects.append(baseline)
                running.append(baseline)
            for case, subject in rounds.turns(arguments.rounds, cases, lambda _: [None] + subjects):
                clients, depth, operations = CASES[case]
                operations = max(1000, int(operations * arguments.scale))
                before = subject.cpu_seconds() if subject else 0
                rate, p50 = load(subject.port if subject else servers[0].port, clients, depth, operations)
                cpu = (subject.cpu_seconds() - before) / (2 * operations) * 1e6 if subject else None
                results.setdefault((subject.name if subject else "direct", case), []).append((rate, cpu, p50))
        finally:
            for program in reversed(running):
                program.end()
    return results


def summarise(results, cases):
    summary = {}
    for case in cases:
        rows = {}
        for (name, its_case), runs in results.items():
            if its_case != case:
                continue
            cpus = [cpu for _, cpu, _ in runs if cpu is not None]
            rows[name] = {"operations_per_second": statistics.median(rate for rate, _, _ in runs),
                          "cpu_us_per_operation": statistics.median(cpus) if cpus else None,
                          "p50_us": statistics.median(p50 for _, _, p50 in runs)}
        def column(name, which, case=case):
            return [run[which] for run in results[(name, case)]]
        for name, row in rows.items():
            row["cpu_of_twemproxy"] = rounds.ratio(column(name, 1), column("twemproxy", 1))
            row["throughput_of_direct"] = rounds.ratio(column(name, 0), column("direct", 0))
        summary[case] = rows
    return summary


def table(summary):
    lines = []
    for case, rows in summary.items():
        lines += [f"redis-benchmark -t set,get {case} -d {VALUE_BYTES}", "",
                  "| | ops/s | of direct | proxy CPU us/op | of twemproxy | p50 us |", "|---|---|---|---|---|---|"]
        for name, row in rows.items():
            cpu = f"{row['cpu_us_per_operation']:.2f}" if row["cpu_us_per_operation"] is not None else "-"
            ratio = f"{row['cpu_of_twemproxy']:.2f}" if row["cpu_of_twemproxy"] is not None else "-"
            lines.append(f"| {name} | {row['operations_per_second']:,.0f} | {row['throughput_of_direct']:.2f} | {cpu} | "
                         f"{ratio} | {row['p50_us']:.0f} |")
        lines.append("")
    return "\n".join(lines)


def run(arguments):
    programs.require("redis-server", "redis-benchmark", "nutcracker", "haproxy")
    if not arguments.binary.exists():
        raise SystemExit(f"{arguments.binary} is not there: run ./run build release")
    cases = arguments.case or list(CASES)
    results = measure(arguments, cases)
    summary = summarise(results, cases)
    print(table(summary))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps({
        "machine": {"cores": os.cpu_count(), "kernel": platform.release(), "load": os.getloadavg()},
        "rounds": arguments.rounds, "scale": arguments.scale, "summary": summary,
        "runs": {f"{name} {case}": runs for (name, case), runs in results.items()}}, indent=1) + "\n")
    print(f"written: {arguments.json}", file=sys.stderr)
    return 0
