"""The packages that osiris-sql needs, as its own metadata says: no list that could go stale."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution

NAME = re.compile(r"[A-Za-z0-9._-]+")


def needed() -> dict[str, str]:
    """Return what osiris-sql requires, each in the version that runs here."""
    return dict(sorted(_required("osiris-sql")))


def pinned() -> dict[str, str]:
    """Return all that osiris-sql requires, and what that requires in turn, in the versions that run here."""
    found: dict[str, str] = {}
    waiting = ["osiris-sql"]
    while waiting:
        for name, number in _required(waiting.pop()):
            if name not in found:
                found[name] = number
                waiting.append(name)
    return dict(sorted(found.items()))


def python_version() -> str:
    """Return the minor version of Python that runs here."""
    return ".".join(map(str, sys.version_info[:2]))


def lock_text() -> str:
    """Return the versions that run here as a requirements file."""
    return "".join(f"{name}=={number}\n" for name, number in pinned().items())


def name_template(lock: str) -> str:
    """Return the name of the template with exactly this Python and this lock: told by its content."""
    digest = hashlib.sha256(f"python {python_version()}\n{lock}".encode()).hexdigest()
    return f"osiris-sql-{digest[:12]}"


def _required(package: str) -> Iterator[tuple[str, str]]:
    for line in distribution(package).requires or ():
        requirement, _, marker = line.partition(";")
        name = NAME.match(requirement)
        # A marker of platform or Python holds here if the package is here; extras are for others.
        if name and "extra ==" not in marker and (found := _find(name[0])):
            yield re.sub(r"[-_.]+", "-", name[0]).lower(), found.version


def _find(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None
