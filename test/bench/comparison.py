"""Programs beside each other: medians of their runs, ratios within each round, tables, and which bars are met."""
import dataclasses
import json
import os
import platform
import statistics
import sys

import rounds

MEASURED = ("throughput", "CPU", "latency")  # of a run, in this order: operations a second, us of each or None, latency


@dataclasses.dataclass(frozen=True)
class Bar:
    """What `program` may take of what `other` takes in the same round; of throughput: what it must reach."""
    case: str
    program: str
    what: str  # of MEASURED
    other: str
    bound: float

    def met(self, seen):
        return seen >= self.bound if self.what == "throughput" else seen <= self.bound

    def told(self, seen):
        verdict = "met" if self.met(seen) else "NOT MET"
        side = "least" if self.what == "throughput" else "most"
        return (f"{verdict}: {self.case}: {self.what} of {self.program} at {side} {self.bound:.2f} "
                f"of that of {self.other}: {seen:.3f}")


def summarise(results, cases):
    """{case: {program: medians, and ratios to each other program}}; results: (program, case) to its runs (MEASURED)."""
    def medians(columns):
        return {what: None if None in column else statistics.median(column) for what, column in columns.items()}

    def ratios(mine, theirs):
        return {what: rounds.ratio(mine[what], theirs[what]) for what in MEASURED}
    summary = {}
    for case in cases:
        measured = {name: dict(zip(MEASURED, zip(*runs)))
                    for (name, its_case), runs in results.items() if its_case == case}
        summary[case] = {
            name: {**medians(mine), "of": {other: ratios(mine, theirs) for other, theirs in measured.items()}}
            for name, mine in measured.items()}
    return summary


def shown(value, digits=2):
    return "-" if value is None else f"{value:,.{digits}f}"


def table(rows, operation, latency, digits, others):
    """The programs of a case, a row each. latency: its column's heading; digits: what is shown of it; others: a heading
    to whose CPU its column divides by, left out where the case does not measure it."""
    others = {heading: other for heading, other in others.items() if other in rows}
    headings = [f"{operation}/s", "of direct", f"proxy CPU us/{operation.removesuffix('s')}", *others, latency]
    lines = [f"| | {' | '.join(headings)} |", "|---" * (1 + len(headings)) + "|"]
    for name, row in rows.items():
        cells = [shown(row["throughput"], 0), shown(row["of"].get("direct", {}).get("throughput")), shown(row["CPU"]),
                 *(shown(row["of"][other]["CPU"]) for other in others.values()), shown(row["latency"], digits)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines + [""])


def verdicts(summary, bars):
    """A line for each bar whose case and programs were measured."""
    seen = [(bar, summary.get(bar.case, {}).get(bar.program, {}).get("of", {}).get(bar.other, {}).get(bar.what))
            for bar in bars]
    return "\n".join(bar.told(value) for bar, value in seen if value is not None)


def write(arguments, summary, results, load, **more):
    """Into the file of --json; load: of the machine, before."""
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps({
        "machine": {"cores": os.cpu_count(), "kernel": platform.release(), "load": load},
        "rounds": arguments.rounds, "scale": arguments.scale, "summary": summary,
        "runs": {f"{name} {case}": runs for (name, case), runs in results.items()}, **more}, indent=1) + "\n")
    print(f"written: {arguments.json}", file=sys.stderr)
