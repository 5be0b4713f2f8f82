"""What is asked for words answers at once: nothing heavy is loaded for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import osiris_sql

HEAVY = {"duckdb", "sqlglot", "pyarrow", "pydantic", "jinja2", "yaml", "pymysql", "psycopg2", "cryptography"}
LIST_MODULES = """
import atexit, sys
from osiris_sql.cli import main
name_modules = lambda: print("MODULES", *sorted({n.partition(".")[0] for n in sys.modules}), file=sys.stderr)
atexit.register(name_modules)
sys.argv = ["osiris-sql", *sys.argv[1:]]
main()
"""


def loaded(*arguments: str, folder: Path | None = None, **environ: str) -> tuple[str, set[str]]:
    """What a fresh Python prints for a call, and the top-level modules that it loads."""
    run = subprocess.run(
        [sys.executable, "-c", LIST_MODULES, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, **environ},
    )
    return run.stdout, set(run.stderr.rpartition("MODULES ")[2].split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--version"], osiris_sql.__version__), (["--help"], "│ build "), ([], "│ build ")],
)
def test_what_people_see_first_loads_not_even_what_commands_are_made_with(arguments, said):
    printed, modules = loaded(*arguments)
    assert said in printed
    assert "osiris_sql" in modules
    assert modules & (HEAVY | {"typer", "rich"}) == set()


@pytest.mark.parametrize("command", ["build", "init", "lint"])
def test_nor_does_the_help_of_a_command(command):
    printed, modules = loaded(command, "--help")
    assert "Examples" in printed
    assert modules & HEAVY == set()


@pytest.mark.parametrize("command", ["compile", "lint", "ls"])
def test_a_command_with_nothing_new_loads_no_more_than_it_says(command, tmp_path):
    (tmp_path / "osiris-sql.toml").write_text('name = "x"\n')
    (tmp_path / "models").mkdir()
    (tmp_path / "models/orders.sql").write_text("select 1 as id, '{{ env_var('HOME') }}' as home")
    first, _ = loaded(command, "--json", folder=tmp_path)
    again, modules = loaded(command, "--json", folder=tmp_path)
    assert first == again != ""
    assert modules & (HEAVY | {"rich"}) == set()


def test_completion_loads_neither(tmp_path):
    (tmp_path / "osiris-sql.toml").write_text('name = "x"\n')
    (tmp_path / "models").mkdir()
    (tmp_path / "models/orders.sql").write_text("select 1")
    printed, modules = loaded(
        _OSIRIS_SQL_COMPLETE="complete_bash",
        COMP_WORDS=f"osiris-sql build --project-dir {tmp_path} --select o",
        COMP_CWORD="5",
    )
    assert printed.split() == ["orders"]
    assert modules & HEAVY <= {"pydantic"}, "typer itself checks the values of options with pydantic"
