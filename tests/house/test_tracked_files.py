"""What is committed names no machine and no registry: it works wherever pip and apt work."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs|--(extra-)?index-url|--find-links|--trusted-host", re.I
)
# A person's folder or a workspace. E2B's sandboxes have the home folder that is left out.
MACHINE = re.compile(r"(?<![\w.}])/(work|root|Users|home(?!/user\b))/\w")


def tracked_files() -> list[Path]:
    run = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in run.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def places(pattern: re.Pattern[str]) -> list[str]:
    """Return file:line of each match in the tracked text files, this file left out."""
    found = []
    for path in tracked_files():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        if path != Path(__file__):
            name = path.relative_to(ROOT)
            found += [f"{name}:{number}" for number, line in enumerate(lines, 1) if pattern.search(line)]
    return found


def test_no_registry_is_named() -> None:
    assert not places(REGISTRY)


def test_no_path_of_a_machine_is_named() -> None:
    assert not places(MACHINE)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("open('/home/me/a.csv')", True),
        ("cd /root/project", True),
        ("/usr/lib/postgresql/15/bin", False),
        ("HOME=/home/user", False),
        ("{folder}/work/a", False),
        ("the /rootless case", False),
    ],
)
def test_a_path_of_a_machine_is_recognized(line: str, named: bool) -> None:
    assert bool(MACHINE.search(line)) is named


def test_every_script_may_be_run() -> None:
    scripts = [path for path in tracked_files() if path.parent.name in {"scripts", ".ci"}]
    assert scripts
    for path in scripts:
        assert path.read_text().startswith("#!/usr/bin/env bash")
        assert path.stat().st_mode & 0o111
