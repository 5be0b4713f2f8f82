"""What a driver says over several lines, in one."""

from __future__ import annotations

_ENDS = (".", "?", "!", ":", ";", ",")


def one_line(said: object) -> str:
    """Return a driver's words in one line; what stood on lines of its own becomes a sentence."""
    lines = [" ".join(line.split()) for line in str(said).splitlines()]
    told = [line for line in lines if line]
    ended = [line if line.endswith(_ENDS) else f"{line}." for line in told[:-1]]
    return " ".join([*ended, *told[-1:]])
