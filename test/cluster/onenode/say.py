"""Progress for people, on standard error, so that standard output stays data."""

import sys
import threading
import time
from contextlib import contextmanager

_START = time.monotonic()


class ClusterError(Exception):
    """Something that the user can act on; the message says what, and the way out."""


SIGN_OF_LIFE_SECONDS = 15


def say(text: str) -> None:
    print(f"[{time.monotonic() - _START:6.1f}s] {text}", file=sys.stderr, flush=True)


@contextmanager
def long_work(text: str, detail=lambda: "still at it"):
    """Says what is being done, and every 15 s that it is still being done."""
    done = threading.Event()
    started = time.monotonic()

    def tick() -> None:
        while not done.wait(SIGN_OF_LIFE_SECONDS):
            say(f"  {text.split(' (')[0]}: {time.monotonic() - started:.0f} s, {detail()}")

    say(text)
    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()
