"""PostgreSQL: clients whose queries are cancelled at random times. Every reply carries its query's tag, and who is never
cancelled must never notice."""
import dataclasses
import random
import socket
import struct
import threading
import time

import psycopg2

import stage
from postgresql_server import DATABASE

VICTIMS, BYSTANDERS, CANCELLERS = 16, 8, 8
CONNECTIONS = {"Transaction": 8, "Session": VICTIMS + BYSTANDERS}
LONGEST_QUERY = 0.01  # seconds
LONGEST_PAUSE = 0.01  # of a canceller, between two
FORGED_EVERY = 8  # one of so many cancels has another client's number, and a key that is nobody's
CANCELLED = "57014"
CANCEL_REQUEST = 80877102


@dataclasses.dataclass
class Query:
    began: float
    ended: float
    error: str


class Asker(threading.Thread):
    """A client that asks until it is told to stop; of its queries those stay that failed."""

    def __init__(self, number, port, stopping):
        super().__init__(daemon=True)
        self.number, self.stopping = number, stopping
        self.connection = psycopg2.connect(host="127.0.0.1", port=port, user="anybody", dbname=DATABASE)
        self.connection.autocommit = True
        self.pid = self.connection.info.backend_pid
        self.answered, self.foreign, self.failed = 0, [], []
        self.aimed = []  # (began, ended) of the cancels that meant it

    def run(self):
        chance = random.Random(self.number)
        with self.connection.cursor() as cursor:
            count = 0
            while not self.stopping.is_set():
                count += 1
                tag = f"client {self.number} query {count}"
                began = time.monotonic()
                try:
                    cursor.execute("SELECT %s, pg_sleep(%s)", (tag, chance.uniform(0, LONGEST_QUERY)))
                    rows = cursor.fetchall()
                except psycopg2.Error as error:
                    code = error.pgcode or ""
                    self.failed.append(Query(began, time.monotonic(), f"{code} {error}".strip()))
                    if not code:
                        return  # the connection is gone
                    continue
                self.answered += 1
                if [row[0] for row in rows] != [tag]:
                    self.foreign.append((tag, rows))

    def meant(self, query):
        """A cancel that meant it was on its way while the query ran."""
        return any(began <= query.ended and ended >= query.began for began, ended in list(self.aimed))


def forged(port, pid, chance):
    with socket.create_connection(("127.0.0.1", port), 10) as to:
        to.sendall(struct.pack("!IIII", 16, CANCEL_REQUEST, pid, chance.getrandbits(32)))
        to.recv(1)  # closed when it is dealt with


def cancels(play, scene, pooling):
    """Nobody is answered with another's reply or cancelled by another's wish; nor does a wish whose connection has closed
    meet what its client asks next."""
    outcome = stage.Outcome()
    with scene(play) as on:
        port = on.proxy([on.primary()], pooling, connections=CONNECTIONS[pooling]).port
        stopping = threading.Event()
        victims = [Asker(number, port, stopping) for number in range(VICTIMS)]
        bystanders = [Asker(VICTIMS + number, port, stopping) for number in range(BYSTANDERS)]
        left = iter(range(play.cancels))  # next() of it is atomic

        def cancel(seed):
            chance = random.Random(seed)
            for number in left:
                time.sleep(chance.uniform(0, LONGEST_PAUSE))
                if number % FORGED_EVERY == 0:
                    forged(port, chance.choice(bystanders + victims).pid, chance)
                    continue
                victim = chance.choice(victims)
                aim = [time.monotonic(), float("inf")]
                victim.aimed.append(aim)
                try:
                    victim.connection.cancel()
                except psycopg2.Error as error:
                    outcome.expect("a cancel is taken", False, error)
                aim[1] = time.monotonic()

        cancellers = [threading.Thread(target=cancel, args=(seed,), daemon=True) for seed in range(CANCELLERS)]
        for thread in victims + bystanders + cancellers:
            thread.start()
        for thread in cancellers:
            thread.join(play.cancels * 0.1 + 30)
        stopping.set()
        for thread in victims + bystanders:
            thread.join(10)
        alive = sum(thread.is_alive() for thread in victims + bystanders + cancellers)
        outcome.expect("everything ends", alive == 0, f"{alive} threads do not")

    everybody = victims + bystanders
    hits = [(one, query) for one in victims for query in one.failed if query.error.startswith(CANCELLED)]
    others = [query.error for one in everybody for query in one.failed if not query.error.startswith(CANCELLED)]
    foreign = [some for one in everybody for some in one.foreign]
    strangers = [query.error for one in bystanders for query in one.failed]
    strays = [f"{query.error}, {query.ended - query.began:.4f} s" for one, query in hits if not one.meant(query)]
    outcome.verdict.ok = sum(one.answered for one in everybody)
    outcome.verdict.errors = len(others)
    outcome.remark = (f"{play.cancels:,} cancels, {len(hits):,} hit; {len(foreign)} foreign replies, "
                      f"{len(strangers) + len(strays)} hit another query")
    outcome.details.append(outcome.remark)
    outcome.expect("every reply is the asker's own", not foreign, foreign[:3])
    outcome.expect("a cancel hits nobody else", not strangers, strangers[:3])
    outcome.expect("a cancel hits no later query", not strays, strays[:3])
    outcome.expect("a cancelled query has no other error", not others, others[:3])
    outcome.expect("some cancels hit", len(hits) >= play.cancels // 100, len(hits))
    return outcome
