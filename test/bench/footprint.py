"""What a proxy takes before it works: the time from exec until it accepts, memory idle and for each idle client."""
import contextlib
import socket
import statistics
import time

STARTS = 5
CLIENTS = 1000
BARS = {"accepting_ms": ("ms from exec until it accepts", 50), "idle_mib": ("MiB of RSS idle", 12),
        "kib_per_idle_client": ("KiB of RSS for each idle client", 20)}
GET = b"*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"


def client(port, stack):
    """Has asked once, as one that is idle has."""
    its = stack.enter_context(socket.create_connection(("127.0.0.1", port), 10))
    its.sendall(GET)
    if not its.recv(4096).startswith(b"$"):
        raise SystemExit(f"the {CLIENTS} clients of the proxy on port {port} do not all get what they ask for")


def measure(make):
    """Of the program that make() starts."""
    accepting = []
    for _ in range(STARTS):
        with make() as program:
            accepting.append(program.accepting_after)
    with make() as program, contextlib.ExitStack() as clients:
        time.sleep(1)  # what a start needs once is over
        idle = program.resident_kib()
        for _ in range(CLIENTS):
            client(program.port, clients)
        time.sleep(1)
        with_clients = program.resident_kib()
    return {"accepting_ms": statistics.median(accepting) * 1000, "idle_mib": idle / 1024,
            "kib_per_idle_client": (with_clients - idle) / CLIENTS}


def table(footprints):
    lines = [f"| | accepting after ms | RSS idle MiB | KiB per idle client ({CLIENTS:,}) |", "|---|---|---|---|"]
    for name, its in footprints.items():
        cells = [f"{its[what]:.1f}" for what in BARS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines + [""])


def verdicts(its):
    """A line for each bar."""
    return "\n".join(f"{'met' if its[what] <= most else 'NOT MET'}: at most {most} {told}: {its[what]:.1f}"
                     for what, (told, most) in BARS.items())
