"""Completion in bash and zsh: the scripts, and the names that they offer."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(sys.executable).with_name("osiris-sql")


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[tool.osiris-sql]\nname = "x"\nenvironments = ["dev", "prod"]\n'
    )
    for name in ("staging/stg_orders", "marts/orders", "marts/order_lines"):
        path = tmp_path / "models" / f"{name}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("this is not SQL: nothing is compiled")
    return tmp_path


def offered(folder: Path, *words: str) -> list[str]:
    """What Tab offers for the last of these words, in bash."""
    run = subprocess.run(
        [SCRIPT],
        cwd=folder,
        env={
            **os.environ,
            "_OSIRIS_SQL_COMPLETE": "complete_bash",
            "COMP_WORDS": "\n".join(("osiris-sql", *words)),
            "COMP_CWORD": str(len(words)),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stderr == ""
    return run.stdout.split()


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["show", ""], ["order_lines", "orders", "stg_orders"]),
        (["show", "order"], ["order_lines", "orders"]),
        (["build", "--select", "st"], ["stg_orders"]),
        (["build", "--select", "+st"], ["+stg_orders"]),
        (["build", "--select", "2+orde"], ["2+order_lines", "2+orders"]),
        (["build", "--exclude", "@orders"], ["@orders"]),
        (["ls", "-s", "ta"], ["tag:", "target:"]),
        (["plan", "--env", ""], ["dev", "prod"]),
        (["plan", "--env", "p"], ["prod"]),
        (["bu"], ["build"]),
    ],
)
def test_names_are_offered_without_compiling(project, words, names):
    assert offered(project, *words) == names


def test_from_a_folder_below_and_outside(project, tmp_path_factory):
    assert offered(project / "models", "show", "stg") == ["stg_orders"]
    assert offered(tmp_path_factory.mktemp("empty"), "show", "") == []


def test_broken_settings_offer_nothing_and_say_nothing(project):
    (project / "pyproject.toml").write_text("[tool.osiris-sql\n")
    assert offered(project, "show", "") == []


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_script_of_each_shell_is_printed(shell):
    environ = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    run = subprocess.run(
        [SCRIPT, "--show-completion", shell], env=environ, capture_output=True, text=True, check=True
    )
    assert "_OSIRIS_SQL_COMPLETE=complete_" + shell in run.stdout.replace("$1", "")
    assert "osiris-sql" in run.stdout


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_installing_for_bash_writes_the_script_and_bash_reads_it(tmp_path):
    environ = {
        **os.environ,
        "HOME": str(tmp_path),
        "PATH": f"{SCRIPT.parent}:{os.environ['PATH']}",
        "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1",
    }
    subprocess.run([SCRIPT, "--install-completion", "bash"], env=environ, capture_output=True, check=True)
    shown = subprocess.run(
        ["bash", "-c", "source ~/.bashrc && complete -p osiris-sql"],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "-F _osiris_sql_completion osiris-sql" in shown.stdout
