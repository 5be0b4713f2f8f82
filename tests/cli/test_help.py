"""Help that is worth reading, and the words that scripts rely on."""

import re
from importlib import import_module

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import osiris_sql
from osiris_sql.cli.app import make_app
from osiris_sql.cli.front import OPTIONS, first_page

COMMANDS = [
    "init",
    "discover",
    "doctor",
    "lint",
    "compile",
    "plan",
    "build",
    "test",
    "verify",
    "show",
    "ls",
    "lineage",
    "runs",
    "clean",
]


def call(*arguments: str):
    env = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    return CliRunner().invoke(make_app(), list(arguments), env=env, prog_name="osiris-sql")


def test_the_version():
    assert call("--version").stdout == f"osiris-sql {osiris_sql.__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["-h"]])
def test_the_help_lists_every_command_in_order(arguments):
    listed = re.findall(r"^│ ([a-z]+) +[A-Z]", call(*arguments).output, re.M)
    assert listed == COMMANDS


def test_the_first_page_names_the_options_that_the_program_has():
    options = {name for option in get_command(make_app()).params for name in option.opts}
    assert {name for names, _ in OPTIONS for name in names.split(", ")} - {"--help", "-h"} == options


def test_the_first_page_is_coloured_where_it_may_be(monkeypatch):
    for name, value in {"FORCE_COLOR": "1", "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    coloured = first_page()
    monkeypatch.setenv("NO_COLOR", "1")
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == first_page() != coloured
    assert max(map(len, first_page().splitlines())) == 80


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_what_it_does_with_examples_and_exit_codes(command):
    shown = call(command, "--help")
    assert shown.exit_code == 0
    assert "Examples" in shown.stdout
    unwrapped = " ".join(shown.stdout.split())
    examples = import_module(f"osiris_sql.cli.commands.{command}").EXAMPLES
    assert [example for example in examples if example not in unwrapped] == []
    assert "Exit codes: 0 ok, 1 a step or check failed, 2" in shown.stdout
    assert "--json" in shown.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_one_line_in_the_list_at_80_columns(command):
    lines = CliRunner().invoke(make_app(), ["--help"], env={"COLUMNS": "80", "NO_COLOR": "1"}).stdout
    assert re.search(rf"^│ {command} +[A-Z].*\. +│$", lines, re.M)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["biuld"], "No such command 'biuld'"),
        (["build", "--selct", "a"], "No such option: --selct"),
        (["show"], "Missing argument 'MODEL'"),
        (["show", "a", "--limit", "0"], "Invalid value for '--limit'"),
        (["lint", "--format", "xml"], "Invalid value for '--format'"),
    ],
)
def test_a_wrong_call_exits_2_and_says_what_is_wrong(arguments, said):
    answer = call(*arguments)
    assert answer.exit_code == 2
    assert said in answer.stderr
    assert answer.stdout == ""
