"""A project of one model that is published into PostgreSQL, built by the real command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from targets.supabase_table import Database
from typer.testing import CliRunner

from osiris_sql.cli.app import make_app

TARGETS = """
version: 1
connections:
  app: {{ type: supabase, {place}, schema: "{schema}"{options} }}
targets:
  - name: app
    tables:
      - {{ name: film, model: film, create: true, {settings} }}
"""
OVER_POSTGRES, OVER_REST = 'dsn: "${DSN}"', 'url: "${URL}", secret_key: "${KEY}"'
OVER_EITHER = f"{OVER_POSTGRES}, {OVER_REST}"
OSIRIS = str(Path(sys.executable).with_name("osiris-sql"))
Row = tuple[int, str]


class Project:
    """The files of a project; `rows` are what its model holds when it is built the next time."""

    def __init__(
        self, folder: Path, database: Database, settings: str, options: str = "", place: str = ""
    ) -> None:
        self.folder, self.database, self.settings = folder, database, settings
        self.environ = {"DSN": database.dsn, "URL": database.url, "KEY": database.key}
        (folder / "models").mkdir(parents=True)
        (folder / "osiris-sql.toml").write_text('name = "films"\nenvironments = ["dev", "prod"]\n')
        more = f", {options}" if options else ""
        place = place or (OVER_REST if database.url else OVER_POSTGRES)
        text = TARGETS.format(place=place, schema=database.schema, options=more, settings=settings)
        (folder / "targets.yml").write_text(text)

    def rows(self, *rows: Row, more: str = "") -> Project:
        values = ", ".join(f"({i}, '{title}')" for i, title in rows or [(0, "")])
        where = "" if rows else " WHERE false"
        select = f"SELECT id::INTEGER AS id, title{more} FROM (VALUES {values}) AS t(id, title){where}\n"
        config = "{{ config(materialized='table') }}\n"
        (self.folder / "models" / "film.sql").write_text(config + select)
        return self

    def run(self, *words: str) -> Any:
        """Run the command in this process; an error of ours is no traceback."""
        # CliRunner takes what `env` says away again.
        done = CliRunner().invoke(make_app(), [*words, "--project-dir", str(self.folder)], env=self.environ)
        assert "a bug in osiris-sql" not in done.output, done.output
        return done

    def build(self, *words: str) -> Any:
        return self.run("build", *words)

    def start(self) -> subprocess.Popen[str]:
        """Begin a build in a process of its own."""
        return subprocess.Popen(
            [OSIRIS, "build"],
            cwd=self.folder,
            env={**os.environ, **self.environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def facts(self) -> dict[str, Any]:
        """Return what the run card of the last run says of the publication."""
        card = max(self.folder.glob(".osiris/runs/*/run_card.json"), key=lambda path: path.stat().st_mtime_ns)
        found: dict[str, Any] = json.loads(card.read_text())["facts"]["steps"]["publish.app.film"]
        return found

    def table(self) -> list[Row]:
        return self.database.sql("SELECT id, title FROM film ORDER BY 1, 2")

    def deliveries(self) -> int:
        name = f'"{self.database.schema}"."film"'
        [(count,)] = self.database.sql(f"SELECT count(*) FROM osiris.publications WHERE target = '{name}'")
        return int(count)


def words(done: Any) -> str:
    """Return what a command said, in one line."""
    return " ".join(done.output.split())


def counted(facts: dict[str, Any]) -> Sequence[int]:
    """Return inserted, updated, deleted, unchanged."""
    return [facts[name] for name in ("inserted", "updated", "deleted", "unchanged")]
