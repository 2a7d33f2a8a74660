"""Progress for people, on standard error, so that standard output stays data."""

import sys
import time

_START = time.monotonic()


class ClusterError(Exception):
    """Something that the user can act on; the message says what, and the way out."""


def say(text: str) -> None:
    print(f"[{time.monotonic() - _START:6.1f}s] {text}", file=sys.stderr, flush=True)
