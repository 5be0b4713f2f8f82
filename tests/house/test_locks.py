"""The locks pin what pyproject.toml asks for, each file by its hash. `make lock` writes them."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DEPENDENCIES = PROJECT["dependencies"]
EXTRAS = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]


def read_lock(name: str) -> dict[str, str]:
    """Return version by name."""
    text = (ROOT / "requirements" / name).read_text()
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+) \\$", text, re.M))


@pytest.mark.parametrize("line", DEPENDENCIES)
def test_what_the_tool_needs_is_pinned(line: str) -> None:
    wanted = Requirement(line)
    assert read_lock("runtime.txt")[canonicalize_name(wanted.name)] in wanted.specifier


@pytest.mark.parametrize("line", [*DEPENDENCIES, *EXTRAS])
def test_what_developers_need_is_pinned(line: str) -> None:
    wanted = Requirement(line)
    assert read_lock("dev.txt")[canonicalize_name(wanted.name)] in wanted.specifier


def test_developers_run_the_versions_of_the_tool() -> None:
    assert read_lock("runtime.txt").items() <= read_lock("dev.txt").items()


def test_the_previous_line_of_duckdb_is_the_oldest_that_is_allowed() -> None:
    (wanted,) = (Requirement(line) for line in DEPENDENCIES if line.startswith("duckdb"))
    oldest = next(bound.version for bound in wanted.specifier if bound.operator == ">=")
    names = ("duckdb", "duckdb-extension-tpcds", "duckdb-extension-tpch")
    assert read_lock("duckdb-previous.txt") == dict.fromkeys(names, oldest)


@pytest.mark.parametrize("name", ["runtime.txt", "dev.txt", "duckdb-previous.txt"])
def test_every_pin_has_a_hash(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text()
    pins = re.findall(r"^[a-z0-9.-]+==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", text, re.M)
    assert len(pins) == len(re.findall(r"^[^\s#]", text, re.M))
