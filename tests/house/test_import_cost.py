"""A command starts fast: what it does not need, it does not load."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(sys.executable).with_name("osiris-sql")
DRIVERS = {"pymysql", "psycopg2"}


def loaded(*arguments: str | Path) -> set[str]:
    """Return the top-level modules that a fresh Python loads for these arguments."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in re.findall(r"^import time:.*\| +(\S+)$", run.stderr, re.M)}


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_asking_for_words_loads_no_engine_parser_or_driver(option: str) -> None:
    modules = loaded(SCRIPT, option)
    assert "osiris_sql" in modules
    assert not modules & {"duckdb", "sqlglot", "pyarrow", "pandas", "numpy", *DRIVERS}


def test_the_worker_has_never_heard_of_authoring() -> None:
    modules = loaded("-c", "import osiris_sql.worker")
    assert "osiris_sql" in modules
    assert not modules & {"sqlglot", "jinja2", "yaml", "typer", "rich"}


def test_a_process_that_compiles_ahead_loads_what_models_without_config_need() -> None:
    modules = loaded("-c", "import osiris_sql.compile.ahead.compiling")
    assert "sqlglot" in modules
    assert not modules & {"pydantic", "yaml", "typer", "rich"}


@pytest.mark.parametrize("kind", ["sources", "targets", "engines", "launchers", "sinks"])
def test_a_plugin_loads_its_driver_only_when_it_is_used(kind: str) -> None:
    ask = "from osiris_sql.support.plugins import load_plugin, plugin_names\n"
    ask += f"for name in plugin_names({kind!r}): load_plugin({kind!r}, name)"
    assert not loaded("-c", ask) & {"sqlglot", "jinja2", *DRIVERS}
