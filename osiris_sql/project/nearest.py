"""Guesses what somebody meant to write."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """Return the one of `names` that is most like `name`, compared without case, or None."""
    folded = {known.lower(): known for known in sorted(names, reverse=True)}
    found = get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def did_you_mean(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """Return `did you mean "…"?`, or `otherwise` where nothing is near."""
    found = nearest_name(name, names)
    return f'did you mean "{found}"?' if found else otherwise
