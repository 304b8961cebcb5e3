"""Numbers as people say them, for the terminal."""

from __future__ import annotations

_GIB = 1 << 30


def gib(count: int) -> str:
    """Return bytes as GiB, MiB below one."""
    return f"{count / _GIB:.1f} GiB" if count >= _GIB else f"{count / (1 << 20):.1f} MiB"


def amount(count: float) -> str:
    """Return a count with B, M or k, such as 1.3 B."""
    for size, letter in ((1e9, " B"), (1e6, " M"), (1e3, " k")):
        if abs(count) >= size:
            return f"{count / size:.3g}{letter}"
    return f"{count:g}"


def duration(seconds: float) -> str:
    """Return seconds as 3 h 12 min, 4 min 05 s or 12 s."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {left:02d} s" if minutes else f"{left} s"
