"""Plans for the sandbox: files in, models, files out; and launching them the way the API does."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
from run.plans import Collected, model, plan_of

from osiris_sql.run.card import make_card
from osiris_sql.run.fit import digest_state
from osiris_sql.run.observe import read_state
from osiris_sql.sinks.files import Files
from osiris_sql.support.plugins import load_plugin
from osiris_sql.types.diagnostic import Location
from osiris_sql.types.event import Event
from osiris_sql.types.plan import Extract, Plan, PlannedConnection, Publish
from osiris_sql.types.relation import Column, RelationRef
from osiris_sql.types.result import RunResult, fold_events

FILMS = 'id,title\n1,Alien\n2,Brazil\n3,Česká "x" 🎬\n'
COLUMNS = (Column(name="id", type="BIGINT"), Column(name="title", type="VARCHAR"))
HERE = Location(path="sources.yml", line=3)


def connection(
    name: str, type_: str, role: str, env_names: tuple[str, ...] = (), **options
) -> PlannedConnection:
    return PlannedConnection(
        name=name, type=type_, role=role, options=options, env_names=env_names, location=HERE
    )


def film_plan(
    root: Path,
    *,
    text: str = FILMS,
    target: str = "out/app.duckdb",
    decision: str = "run",
    sql: str = "SELECT id, upper(title) AS title FROM cinema.films",
    **more,
) -> Plan:
    """Write a CSV file and return the plan that extracts it, counts it and publishes the count."""
    file = root / "data" / "films.csv"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    extract = Extract(
        id="extract.films",
        node="source:cinema.films",
        decision=decision,
        why="test",
        relation=RelationRef("cinema", "films"),
        connection="cinema",
        identifier="films.csv",
        columns=COLUMNS,
        change=sha256,
        files={"data/films.csv": sha256},
        fingerprint="films",
        location=HERE,
    )
    titles = model("titles", sql, columns="id BIGINT, title VARCHAR")
    titles = replace(titles, inputs=("source:cinema.films",), needs=("extract.films",), decision=decision)
    publish = Publish(
        id="publish.app.titles",
        node="target:app.titles",
        needs=("materialize.titles",),
        decision=decision,
        why="test",
        relation=RelationRef("main", "titles"),
        input="model:titles",
        connection="app",
        target="app",
        table="titles",
        mode="replace",
        key=("id",),
        columns=COLUMNS,
        create=True,
        fingerprint="publish",
        location=HERE,
    )
    kind = "duckdb" if target.endswith(".duckdb") else "files"
    connections = (
        connection("cinema", "files", "source", path="data"),
        connection("app", kind, "target", path=target),
    )
    state = digest_state(read_state(root / ".osiris/dev.duckdb", "duckdb", while_running=False))
    return plan_of(extract, titles, publish, connections=connections, state=state, **more)


def titles_in(file: Path) -> list[str]:
    """The titles that a warehouse or a target has."""
    with duckdb.connect(file, read_only=True) as connection:
        return [title for (title,) in connection.execute("SELECT title FROM titles ORDER BY id").fetchall()]


@dataclass
class Run:
    """What one launch did."""

    exit_code: int
    events: list[Event]
    plan: Plan
    folder: Path

    @property
    def result(self) -> RunResult:
        return fold_events(self.events)

    @property
    def facts(self) -> object:
        return make_card(self.plan, self.result)["facts"]

    @property
    def rules(self) -> list[str]:
        return [d.rule for d in self.result.diagnostics]


def launch(
    plan: Plan,
    root: Path,
    environ: dict[str, str],
    *,
    on: str = "e2b",
    run_id: str = "20260131T120000-abc",
    sinks=(),
) -> Run:
    """Run a plan somewhere, with the sinks that the API uses."""
    sink, folder = Collected(), root / ".osiris" / "runs" / run_id
    launcher = load_plugin("launchers", on)()
    plan = launcher.prepare(plan, root)
    files = Files(folder)
    try:
        exit_code = launcher.launch(plan, root, run_id, environ, [files, sink, *sinks])
    finally:
        files.close()
    return Run(exit_code, sink.events, plan, folder)
