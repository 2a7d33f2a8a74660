"""Clients that begin to log in and never end, of whatever protocol: silent, in the middle of a message, a byte a second.
"""
import select
import socket
import time

EVERY = 1.0  # seconds between two bytes of those that drip


class SlowLogins:
    """`greetings`: what they send at once, each in turn; `drip`: what some of them send byte by byte."""

    def __init__(self, port, count, greetings, drip):
        self.drip, self.dripped, self.next_drip = drip, 0, 0.0
        self.opened = time.monotonic()
        self.ended = {}  # socket number: when
        self.open = {}
        for number in range(count):
            one = socket.create_connection(("127.0.0.1", port), 10)
            kind = number % (len(greetings) + 1)
            if kind < len(greetings):
                one.sendall(greetings[kind])
            one.setblocking(False)
            self.open[one] = kind == len(greetings)
        self.count = count

    def wait_until_closed(self, bound):
        """Seconds until the last one was closed; infinite when some are open after `bound`."""
        poller = select.poll()
        known = {one.fileno(): one for one in self.open}
        for number in known:
            poller.register(number, select.POLLIN)
        last = self.opened
        while self.open and time.monotonic() < self.opened + bound:
            self._drip()
            for number, _ in poller.poll(100):
                if self._closed(known[number]):
                    last = time.monotonic()
                    poller.unregister(number)
                    known[number].close()
                    del self.open[known[number]]
        return float("inf") if self.open else last - self.opened

    def close(self):
        for one in self.open:
            one.close()
        self.open = {}

    def _drip(self):
        now = time.monotonic()
        if now < self.next_drip or self.dripped >= len(self.drip):
            return
        self.next_drip = now + EVERY
        for one, drips in self.open.items():
            if drips:
                try:
                    one.send(self.drip[self.dripped:self.dripped + 1])
                except OSError:
                    pass  # it is closed, which is read next
        self.dripped += 1

    @staticmethod
    def _closed(one):
        try:
            return one.recv(4096) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
