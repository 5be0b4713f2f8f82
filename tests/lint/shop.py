"""A small shop with one published model, `example`, whose SQL and YAML are the snippet at hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from osiris_sql import api
from osiris_sql.lint import lint_project
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


def found_in(root: Path, queries: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return what is found in each of some published models, compiled together: messages by rule.

    That is the same whether they are linted while they are compiled or afterwards.
    """
    names = {f"example_{number}": name for number, name in enumerate(queries)}
    tables = ", ".join(f"{{name: {model}, mode: replace, create: true}}" for model in ["example", *names])
    targets = FILES["targets.yml"].replace("{name: example, mode: replace, create: true}", tables)
    files = {f"models/{model}.sql": queries[name] + "\n" for model, name in names.items()}
    project = api.load_project(write(root, {"targets.yml": targets, **files}))
    manifest = api.compile_project(project, look=api.lint_along)
    findings = api.lint_project(project, manifest)
    assert findings == lint_project(project, manifest)
    found: dict[str, dict[str, str]] = {name: {} for name in queries}
    for finding in findings:
        name = names.get(Path(finding.location.path).stem if finding.location else "")
        if name is not None:
            found[name][finding.rule] = finding.message
    return found


def is_sql(snippet: str) -> bool:
    """Say whether a rule's Bad or Good is a query; else it is YAML about the model `example`."""
    return snippet.startswith(("select", "with", "from"))
