"""What the machine is that a plan runs on, and whether it computes what every other one does."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, PackagePath, distribution
from pathlib import Path

from osiris_sql.support.plugins import load_plugin
from osiris_sql.types.relation import RelationRef
from osiris_sql.types.settings import PINNED_SETTINGS

CLOCK = "2026-01-31T12:00:00+00:00"
# Integers, exact decimals, text, time, and floats summed in an order of their own.
SELF_TEST = """
SELECT range AS id, md5(range::VARCHAR) AS t, (range * 7 % 1000)::DECIMAL(18, 3) / 7 AS d,
    TIMESTAMP '2000-01-01' + to_seconds(range * 86399) AS at,
    sum(sqrt(range)) OVER (ORDER BY range ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) AS f,
    list_sort(['ä', 'b', 'Č', range::VARCHAR]) AS l
FROM range(20000)"""


def describe_machine(folder: Path) -> dict[str, str]:
    """Return Python, processors, memory and free disk where a run works."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "python": ".".join(map(str, sys.version_info[:3])),
        "cpus": str(os.cpu_count()),
        "memory": f"{pages >> 20} MB",
        "free disk": f"{shutil.disk_usage(folder).free >> 20} MB",
    }


def describe_packages(names: Iterable[str]) -> dict[str, str]:
    """Return version and content of each package: equal for equal files, "changed" if a file is not as it
    was installed."""
    return {name: _describe_package(name) for name in names}


def _describe_package(name: str) -> str:
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return "not installed"
    # What installing writes itself differs from place to place: scripts, and notes beside the package.
    files = [
        file
        for file in found.files or ()
        if file.hash and ".." not in file.parts and not file.parts[0].endswith(".dist-info")
    ]
    lines = sorted(f"{file.as_posix()} {file.hash.value}" for file in files if file.hash)
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]
    changed = sum(not _is_intact(file) for file in files)
    return f"{found.version} {digest}" + (f", {changed} files changed" if changed else "")


def _is_intact(file: PackagePath) -> bool:
    place = Path(str(file.locate()))
    if file.hash is None or not place.is_file():
        return False
    with place.open("rb") as opened:
        digest = hashlib.file_digest(opened, file.hash.mode).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=") == file.hash.value


def self_test() -> str:
    """Build a table of many types in a warehouse, open it again, and return the identity of its rows."""
    relation = RelationRef("main", "self_test")
    with tempfile.TemporaryDirectory(prefix="osiris-self-test-") as folder:
        file = Path(folder) / "self_test.duckdb"
        engine = load_plugin("engines", "duckdb")(file, dict(PINNED_SETTINGS), read_only=False)
        with engine.transaction() as transaction:
            transaction.replace_table(relation, SELF_TEST, CLOCK)
        engine.close()
        engine = load_plugin("engines", "duckdb")(file, dict(PINNED_SETTINGS), read_only=True)
        with engine.transaction() as transaction:
            found = transaction.fingerprint(relation)
        engine.close()
    return str(found)
