"""A small shop with one published model, `example`, whose SQL and YAML are the snippet at hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from osiris_sql import api
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.project import Project

FILES = {
    "pyproject.toml": '[tool.osiris-sql]\nname = "shop"\n',
    "sources.yml": """
version: 1
connections: {shop: {type: files, path: data}}
sources:
  - name: shop
    tables: [{name: customers}, {name: orders}, {name: items}]
""",
    "sources.lock": """
environments:
  dev:
    shop.customers:
      columns:
      - {name: customer_id, type: BIGINT, nullable: false}
      - {name: code, type: VARCHAR}
      - {name: name, type: VARCHAR}
      - {name: country, type: VARCHAR}
      - {name: credit, type: 'DECIMAL(12,2)'}
      key: [customer_id]
    shop.items:
      columns:
      - {name: order_id, type: BIGINT, nullable: false}
      - {name: line, type: BIGINT, nullable: false}
      - {name: price, type: 'DECIMAL(12,2)'}
      key: [order_id, line]
    shop.orders:
      columns:
      - {name: order_id, type: BIGINT, nullable: false}
      - {name: customer_id, type: BIGINT}
      - {name: amount, type: 'DECIMAL(12,2)'}
      - {name: quantity, type: BIGINT}
      - {name: weight, type: DOUBLE}
      - {name: placed_on, type: DATE}
      - {name: placed_at, type: TIMESTAMP}
      key: [order_id]
version: 1
""",
    "targets.yml": """
version: 1
connections: {app: {type: duckdb, path: out/app.duckdb}}
targets:
  - name: app
    tables: [{name: example, mode: replace, create: true}]
""",
    "models/example.sql": "select customer_id, name from shop.customers",
    "models/example.yml": "version: 2\nmodels:\n  - {name: example}\n",
}


def write(root: Path, files: Mapping[str, str] = {}) -> Path:
    for name, text in (FILES | files).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def compiled(root: Path) -> tuple[Project, Manifest]:
    project = api.load_project(root)
    return project, api.compile_project(project)


def snippet_files(snippet: str) -> dict[str, str]:
    """Return the files that a rule's Bad or Good stands for."""
    if snippet.startswith(("select", "with", "from")):
        return {"models/example.sql": snippet + "\n"}
    return {"models/example.yml": f"version: 2\n{snippet}\n"}
