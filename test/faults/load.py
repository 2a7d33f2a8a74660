"""Clients that work while something breaks, and write down what each was told. Knows no protocol.

A protocol gives what connects: a function without arguments that returns an object with

    write(id)         one write that is acknowledged or not
    transaction(ids)  several writes, all or nothing
    read()            one read
    alive             False: the connection is of no use any more
    close()

whose methods raise Refused when they are told an error.
"""
import itertools
import threading
import time

from checker import Operation


class Refused(Exception):
    """`code`: the protocol's own for the kind of error (SQLSTATE); empty: the connection just ended."""

    def __init__(self, code, text):
        super().__init__(f"{code} {text}".strip())
        self.code = code


class Load:
    """`workers`: {kind: how many}; kinds are write, transaction, read, and rest: one that does something, lies idle
    until wake(), then reads."""

    PAUSE = 0.003  # seconds between two operations of a worker: many clients, not a full machine
    RECONNECT = 0.02  # after a connection that was refused

    def __init__(self, connect, workers):
        self.connect = connect
        self.ids = itertools.count(1)  # next() of it is atomic
        self.operations = []
        self.woken = threading.Event()
        self.stopping = threading.Event()
        kinds = [kind for kind, count in workers.items() for _ in range(count)]
        self.threads = [threading.Thread(target=self._work, args=(number, kind), daemon=True)
                        for number, kind in enumerate(kinds)]
        self.kinds = kinds

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def wake(self):
        self.woken.set()

    def stop(self, bound=20):
        """What has not ended by then stays as never answered."""
        self.stopping.set()
        self.woken.set()
        end = time.monotonic() + bound
        for thread in self.threads:
            thread.join(max(0.0, end - time.monotonic()))

    def every_worker_did(self, count, since=0.0, bound=30, kinds=("write", "transaction", "read", "rest")):
        """Waits until each worker of these kinds has had so many successes; False: it took too long."""
        wanted = {number for number, kind in enumerate(self.kinds) if kind in kinds}
        end = time.monotonic() + bound
        while time.monotonic() < end:
            done = {}
            for one in list(self.operations):
                if one.ok and one.began >= since:
                    done[one.worker] = done.get(one.worker, 0) + 1
            if all(done.get(number, 0) >= (1 if self.kinds[number] == "rest" else count) for number in wanted):
                return True
            time.sleep(0.02)
        return False

    def _work(self, number, kind):
        client = None
        rested = False
        while not self.stopping.is_set():
            ids = ()
            if kind == "write":
                ids = (next(self.ids),)
            elif kind == "transaction":
                ids = (next(self.ids), next(self.ids))
            one = Operation(number, kind, ids, time.monotonic())
            one.at_rest, rested = rested, False
            self.operations.append(one)
            try:
                if client is None:
                    client = self.connect()
                if kind == "write":
                    client.write(ids[0])
                elif kind == "transaction":
                    client.transaction(ids)
                else:
                    client.read()
            except Refused as refused:
                one.error = str(refused)
            one.ended = time.monotonic()
            if one.error is not None and (client is None or not client.alive):
                if client is None:
                    time.sleep(self.RECONNECT)
                else:
                    client.close()
                client = None
            if kind == "rest" and not self.woken.is_set():
                self.woken.wait()
                rested = client is not None
            time.sleep(self.PAUSE)
        if client is not None:
            client.close()
