"""A project on disk whose files a test changes, and a source and target type that need no driver."""

import sys
from textwrap import dedent

import pytest

import osiris_sql.sources
import osiris_sql.targets
from osiris_sql.project import load_project
from osiris_sql.support.plugins import load_plugin, plugin_names

PLUGIN = """
from dataclasses import dataclass
from typing import Literal

from osiris_sql.types.secret import Secret


@dataclass(frozen=True, kw_only=True)
class Options:
    path: str
    port: int = 1
    tls: bool = True
    mode: Literal["fast", "safe"] = "safe"
    tables: tuple[str, ...] = ()
    password: Secret | None = None
    dsn: Secret | None = None
    url: str = ""


class PLUGIN:
    Options = Options
"""

FILES = {
    "pyproject.toml": """
        [tool.osiris-sql]
        name = "cinema"
        environments = ["dev", "prod"]
        default_env = "dev"

        [tool.osiris-sql.vars]
        first_year = 1990

        [tool.osiris-sql.models]
        materialized = "view"

        [tool.osiris-sql.models.marts]
        materialized = "table"
        """,
    "sources.yml": """
        version: 1
        connections:
          cinema: {type: spy, path: data}
        sources:
          - name: cinema
            tables:
              - name: movies
                columns:
                  - name: id
                    data_type: BIGINT
                    data_tests: [unique, not_null]
        """,
    "targets.yml": """
        version: 1
        connections:
          app: {type: spy, path: out}
        targets:
          - name: app
            tables:
              - name: director_stats
                mode: replace
        """,
    "models/staging/stg_movies.sql": "select * from cinema.movies",
    "models/marts/director_stats.sql": "select 1 as n from stg_movies",
    "models/marts/marts.yml": """
        version: 2
        models:
          - name: director_stats
            columns:
              - name: n
                data_tests: [not_null]
        """,
    "tests/few_directors.sql": "select * from director_stats where n > 100",
    "macros/money.sql": "{% macro money(x) %}{{ x }}::decimal(18, 2){% endmacro %}",
}


@pytest.fixture(autouse=True)
def spy(tmp_path_factory, monkeypatch):
    """A source type and a target type named `spy`."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "spy.py").write_text(PLUGIN)
    for package in (osiris_sql.sources, osiris_sql.targets):
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    _forget()
    yield
    _forget()


def _forget():
    plugin_names.cache_clear()
    load_plugin.cache_clear()
    for name in ("osiris_sql.sources.spy", "osiris_sql.targets.spy"):
        sys.modules.pop(name, None)


class OnDisk:
    """The film project in a folder."""

    def __init__(self, root):
        self.root = root
        self.restore()

    def restore(self):
        for path, text in FILES.items():
            self.write(path, text)
        (self.root / "sources.lock").unlink(missing_ok=True)

    def write(self, path, content):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            file.unlink()
        elif isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(dedent(content).lstrip("\n"), encoding="utf-8")

    def replace(self, path, old, new):
        text = (self.root / path).read_text(encoding="utf-8")
        assert old in text, f"{path} does not hold {old!r}"
        (self.root / path).write_text(text.replace(old, new), encoding="utf-8")

    def load(self, **options):
        return load_project(self.root, **options)

    def mistakes(self, **options):
        """The findings as `place rule: message | fix`, where there is one."""
        found = self.load(**options).diagnostics
        return [f"{d.location} {d.rule}: {d.message}" + (f" | {d.fix}" if d.fix else "") for d in found]


@pytest.fixture
def project(tmp_path):
    return OnDisk(tmp_path)
