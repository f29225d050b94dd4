"""One line of progress with rate and time left: rewritten on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time


def spoken(seconds: float) -> str:
    """72 -> "1 min 12 s"."""
    seconds = int(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


class Progress:
    def __init__(self, total: int, done: int = 0, every_seconds: float = 15.0, out=sys.stderr):
        self.total, self.first, self.out = total, done, out
        self.started = time.monotonic()
        self.terminal = out.isatty()
        self.every = 0.5 if self.terminal else every_seconds
        self.last = -1e9

    def show(self, done: int, note: str = "") -> None:
        now = time.monotonic()
        if now - self.last < self.every and done < self.total:
            return
        self.last = now
        rate = (done - self.first) / max(1e-9, now - self.started)
        left = spoken((self.total - done) / rate) if rate > 0 else "?"
        line = f"{done}/{self.total}  {rate:.2f} steps/s  {left} left  {note}"
        self.out.write(f"\r\x1b[K{line}" if self.terminal else line + "\n")
        if self.terminal and done >= self.total:
            self.out.write("\n")
        self.out.flush()
