"""A new project, written from the files of `template/`: it builds at once, with no server."""

import re
from pathlib import Path

from osiris_sql.project.names import is_name
from osiris_sql.types.diagnostic import Diagnostic, Location, ProjectError

TEMPLATE = Path(__file__).with_name("template")
IGNORED = (".osiris/", "out/")


def init_project(folder: Path, name: str | None = None) -> list[str]:
    """Write a project into `folder` and return the files written, relative to it.

    The name is that of the folder, if none is given. Raises ProjectError that lists every file which is
    in the way; then nothing is written. An existing .gitignore gets the lines that it lacks.
    """
    chosen = name or re.sub(r"[^\w-]+", "_", folder.resolve().name).lstrip("-") or "project"
    if not is_name(chosen):
        raise ProjectError(_bad_name(chosen))
    files = {path.relative_to(TEMPLATE): path for path in sorted(TEMPLATE.rglob("*")) if path.is_file()}
    _refuse_existing(folder, [*files, Path("pyproject.toml")])
    for relative, path in files.items():
        (folder / relative).parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text(encoding="utf-8").replace("PROJECT_NAME", chosen)
        (folder / relative).write_text(text, encoding="utf-8")
    _ignore(folder / ".gitignore")
    return [".gitignore", *(relative.as_posix() for relative in files)]


def _refuse_existing(folder: Path, files: list[Path]) -> None:
    """A pyproject.toml is in the way only if it already holds a project's settings."""
    if folder.exists() and not folder.is_dir():
        raise ProjectError(Diagnostic(rule="not-a-folder", message=f"{folder} is a file, not a folder"))
    wrong = tuple(
        Diagnostic(
            rule="file-exists",
            message=f"{file} is already there, and init overwrites nothing",
            location=Location(path=str(file)),
            fix="choose an empty folder: osiris-sql init FOLDER",
        )
        for file in files
        if (folder / file).exists() and (file.name != "pyproject.toml" or _has_settings(folder / file))
    )
    if wrong:
        raise ProjectError(*wrong)


def _has_settings(path: Path) -> bool:
    return "[tool.osiris-sql" in path.read_text(encoding="utf-8", errors="replace")


def _ignore(path: Path) -> None:
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    missing = [line for line in IGNORED if line not in before.splitlines()]
    gap = "\n" if before and not before.endswith("\n") else ""
    path.write_text(before + gap + "".join(f"{line}\n" for line in missing), encoding="utf-8")


def _bad_name(name: str) -> Diagnostic:
    return Diagnostic(
        rule="bad-name",
        message=f'"{name}" can\'t name a project',
        why="a name has letters, digits, _ and - only, and does not begin with -",
        fix="osiris-sql init FOLDER --name NAME",
    )
