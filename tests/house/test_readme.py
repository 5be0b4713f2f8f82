"""What the README tells people to type exists."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "CONTRIBUTING.md"]
SCRIPT = Path(sys.executable).with_name("osiris-sql")


def code_of(page: str) -> str:
    """Return the fenced blocks and inline code of a page."""
    text = (ROOT / page).read_text()
    return "\n".join(re.findall(r"^```.*?^```|`[^`\n]+`", text, re.M | re.S))


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_exists(page: str) -> None:
    named = set(re.findall(r"\bmake ([a-z-]+)", code_of(page)))
    assert named
    assert named <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))


@pytest.mark.parametrize("page", PAGES)
def test_every_command_exists(page: str) -> None:
    for command in sorted(set(re.findall(r"\bosiris-sql ([a-z]+)", code_of(page)))):
        subprocess.run([SCRIPT, command, "--help"], check=True, capture_output=True)


@pytest.mark.parametrize("page", PAGES)
def test_every_linked_file_exists(page: str) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text()):
        assert (ROOT / link).exists(), link


def test_the_first_two_commands_are_demo_and_test() -> None:
    commands = re.findall(r"^make ([a-z-]+)", (ROOT / "README.md").read_text(), re.M)
    assert commands[:2] == ["demo", "test"]
