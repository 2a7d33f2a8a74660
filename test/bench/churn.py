"""Memory under churn: clients that connect, work for a while and leave, some without reading what they asked for."""
import asyncio
import itertools
import random
import statistics

import redis_peers

CLIENTS = 1000
KEYS = 10_000
VALUE_BYTES = (64, 64, 64, 1024, 16_384)
PIPELINES = (1, 1, 4, 16)
PIPELINES_OF_A_CLIENT = (1, 20)  # before it leaves
PAUSE_SECONDS = 1.0  # between them, the mean
ABORTED = 0.1  # of the clients: they leave without reading
REPLIES_AT_MOST = 4 << 20  # bytes of a pipeline's replies
STEPS = 30  # what memory is after a third of the time, and in the end, is its median over a step
SAMPLE_SECONDS = 0.5
BOUND = 1.05


class Tally:
    def __init__(self):
        self.connections = self.commands = self.errors = 0


def command(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def pipeline(chance, last):
    """Its commands, and one more that is answered with `last`."""
    def key():
        return b"churn:%d" % chance.randrange(KEYS)
    commands = []
    for _ in range(chance.choice(PIPELINES)):
        kind = chance.choice(("get", "get", "set", "mget", "del"))
        if kind == "set":
            commands.append(command(b"SET", key(), b"x" * chance.choice(VALUE_BYTES)))
        elif kind == "mget":
            commands.append(command(b"MGET", *(key() for _ in range(5))))
        else:
            commands.append(command(kind.upper().encode(), key()))
    return commands + [command(b"ECHO", last)]


async def one_client(port, chance, number, tally):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=REPLIES_AT_MOST)
    tally.connections += 1
    try:
        for count in range(chance.randint(*PIPELINES_OF_A_CLIENT)):
            last = b"last-%d-%d" % (number, count)
            commands = pipeline(chance, last)
            writer.write(b"".join(commands))
            await writer.drain()
            replies = await reader.readuntil(last + b"\r\n")
            tally.commands += len(commands)
            tally.errors += replies.startswith(b"-") + replies.count(b"\r\n-")
            await asyncio.sleep(chance.expovariate(1 / PAUSE_SECONDS))
        if chance.random() < ABORTED:
            writer.write(b"".join(pipeline(chance, b"nobody reads this")))
            await writer.drain()
            writer.transport.abort()
    finally:
        writer.close()


async def place(port, numbers, tally):
    """A client after another."""
    while True:
        number = next(numbers)
        await one_client(port, random.Random(number), number, tally)


async def watch(program, minutes, tally):
    """Median KiB of each step, printed as they come."""
    print(f"| minute | RSS KiB | connections | commands | errors |\n|{'---|' * 5}", flush=True)
    samples, medians = max(1, round(minutes * 60 / STEPS / SAMPLE_SECONDS)), []
    for step in range(1, STEPS + 1):
        seen = []
        for _ in range(samples):
            await asyncio.sleep(SAMPLE_SECONDS)
            seen.append(program.resident_kib())
        medians.append(statistics.median(seen))
        print(f"| {step * minutes / STEPS:.1f} | {medians[-1]:,.0f} | {tally.connections:,} | {tally.commands:,} | "
              f"{tally.errors} |", flush=True)
    return medians


async def play(program, minutes):
    tally, numbers = Tally(), itertools.count()
    places = [asyncio.create_task(place(program.port, numbers, tally)) for _ in range(CLIENTS)]
    watching = asyncio.create_task(watch(program, minutes, tally))
    await asyncio.wait([watching, *places], return_when=asyncio.FIRST_COMPLETED)
    if not watching.done():  # a client failed
        watching.cancel()
    for one in places:
        one.cancel()
    failures = [one for one in await asyncio.gather(*places, return_exceptions=True)
                if not isinstance(one, asyncio.CancelledError)]
    if failures:
        raise SystemExit(f"{len(failures)} clients failed, one with: {failures[0]!r}")
    return watching.result()


def run(arguments):
    with redis_peers.two_servers() as (folder, servers), \
            redis_peers.ambassador(folder, servers, arguments.binary) as program:
        medians = asyncio.run(play(program, arguments.churn))
    third, end = medians[STEPS // 3 - 1], medians[-1]
    verdict = "met" if end <= BOUND * third else "NOT MET"
    print(f"\n{verdict}: RSS at most {BOUND} of that after a third of the time: {end:,.0f} of {third:,.0f} KiB, "
          f"{end / third:.3f}")
    return 0
