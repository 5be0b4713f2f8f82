"""A project in a folder whose source is a database of the test server, built by the verbs of the api."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from run.plans import Collected
from run.projects import compile_folder, plan_folder, rows_of, write_files
from servers.mariadb import MariaDb

from osiris_sql import api
from osiris_sql.types.event import StepFinished
from osiris_sql.types.plan import Extract
from osiris_sql.types.result import RunResult

SOURCES = """
version: 1
connections:
  shop: {{ type: mysql, host: {host}, port: {port}, database: {database}, user: root, password: "${{PW}}" }}
sources:
  - name: shop
    tables:
{tables}
"""


class MysqlShop:
    """A database and a project that reads it; `tables` is the YAML of the source's tables."""

    def __init__(self, server: MariaDb, root: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server, self.root, self.database = server, root, server.create_database(database)
        monkeypatch.setenv("PW", server.root_password)

    def sql(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements in the database and return the rows of the last one."""
        return self.server.execute(*statements, database=self.database)

    def write(self, tables: str, models: Mapping[str, str]) -> None:
        """Write the project's files; what sources.lock does not hold yet is discovered."""
        server = self.server
        text = SOURCES.format(host=server.host, port=server.port, database=self.database, tables=tables)
        files = {f"models/{name}.sql": sql for name, sql in models.items()}
        write_files(
            self.root,
            {
                "osiris-sql.toml": 'name = "shop"\n[models]\nmaterialized = "table"\n',
                "sources.yml": text,
                **files,
            },
        )
        if not (self.root / "sources.lock").exists():
            self.discover()

    def discover(self) -> None:
        """Record the tables as they are now."""
        api.discover_sources(api.load_project(self.root), [], os.environ)

    def build(self, **more: Any) -> RunResult:
        """Plan and build everything."""
        return api.run_plan(plan_folder(self.root, **more), self.root, dict(os.environ), (Collected(),))

    def extract(self, **more: Any) -> Extract:
        """The planned extract of the only table."""
        [step] = [s for s in plan_folder(self.root, **more).steps if isinstance(s, Extract)]
        return step

    def rows(self, relation: str) -> list[tuple[Any, ...]]:
        """The rows of a relation of the warehouse, in order."""
        return rows_of(self.root, relation)

    def schema(self, node: str) -> dict[str, str]:
        """The columns of a source table as models see it."""
        [source] = [s for s in compile_folder(self.root).sources if s.node == node]
        return {column.name: column.type for column in source.schema.columns}

    def card(self, result: RunResult, part: str = "facts") -> dict[str, Any]:
        """The facts of a run's card, or what was observed, by step."""
        card = json.loads((self.root / ".osiris/runs" / result.run_id / "run_card.json").read_text())
        return dict(card[part]["steps"])


def step_of(result: RunResult, step: str) -> StepFinished:
    """What became of a step."""
    return next(each for each in result.steps if each.step == step)


def said(result: RunResult, step: str) -> list[str]:
    """What a step had to say: rule, message and facts, one text a diagnostic."""
    return [f"{d.rule}: {d.message} | {d.why} | {d.fix}" for d in step_of(result, step).diagnostics]
