"""The import contracts of pyproject.toml hold, and they bite."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TYPES = sorted((ROOT / "osiris_sql" / "types").glob("*.py"))


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    command = (
        "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command as run; run()"
    )
    return subprocess.run(
        [sys.executable, "-c", command, "--no-cache"], cwd=root, capture_output=True, text=True, check=False
    )


def test_the_tree_keeps_every_contract() -> None:
    run = lint_imports(ROOT)
    assert run.returncode == 0, run.stdout
    assert "0 broken" in run.stdout


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("run", "import sqlglot", "Execution knows only the plan"),
        ("sources", "import jinja2", "Execution knows only the plan"),
        ("sinks", "from osiris_sql.support import yamlfile", "Execution knows only the plan"),
        ("engines", "from osiris_sql import compile", "Execution knows only the plan"),
        ("plan", "from osiris_sql import engines", "Authoring opens no connection"),
        ("lint", "from osiris_sql import plan", "Authoring is built in floors"),
        ("sources", "from osiris_sql import targets", "Execution is built in floors"),
        ("support", "from osiris_sql import protocols", "Execution is built in floors"),
        ("stray", "", "Authoring is built in floors"),
        ("types", "import duckdb", "The nouns need nothing"),
        ("compile", "import pydantic", "pydantic stays at the borders"),
    ],
)
def test_a_wrong_import_is_found(module: str, line: str, broken: str, tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "osiris_sql", tmp_path / "osiris_sql", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    folder = tmp_path / "osiris_sql" / module
    folder.mkdir(exist_ok=True)
    with (folder / "__init__.py").open("a") as file:
        file.write(f"\n{line}\n")
    run = lint_imports(tmp_path)
    assert run.returncode == 1
    assert broken in run.stdout.split("Broken contracts")[-1]


@pytest.mark.parametrize("path", TYPES, ids=lambda path: path.name)
def test_the_nouns_import_only_the_standard_library(path: Path) -> None:
    allowed = {*sys.stdlib_module_names, "osiris_sql"}
    for node in ast.parse(path.read_text()).body:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert {name.split(".")[0] for name in names} <= allowed
