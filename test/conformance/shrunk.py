"""A failure again, with less of what led to it."""
import time


def shrunk(turns, fails, bound=120):
    """Fewer turns that fail too; `fails` plays them. Ends after `bound` seconds."""
    end, size = time.monotonic() + bound, max(1, len(turns) // 2)
    while True:
        at = 0
        while at < len(turns) and time.monotonic() < end:
            fewer = turns[:at] + turns[at + size:]
            if fails(fewer):
                turns = fewer
            else:
                at += size
        if size == 1 or time.monotonic() >= end:
            return turns
        size = max(1, size // 2)
