"""Guesses what somebody meant to write."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest_names(name: str, names: Iterable[str], most: int) -> list[str]:
    """Return those of `names` that are like `name`, compared without case, the most like first."""
    folded = {known.lower(): known for known in sorted(names, reverse=True)}
    return [folded[found] for found in get_close_matches(name.lower(), folded, n=most)]


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """Return the one of `names` that is most like `name`, compared without case, or None."""
    return next(iter(nearest_names(name, names, 1)), None)


def did_you_mean(name: str, names: Iterable[str], otherwise: str = "", *, also: str = "") -> str:
    """Return `did you mean "…"?`, or `otherwise` where nothing is near; `also` is said in any case."""
    found = nearest_name(name, names)
    guess = f'did you mean "{found}"?' if found else otherwise
    return f"{guess} {also}".strip()
