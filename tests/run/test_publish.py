"""A publication in a run: delivered once, whatever was lost between the target and the warehouse."""

from __future__ import annotations

import duckdb
import pytest
from run.plans import Collected, model, plan_of, run, statuses
from run.projects import SHOP, build, ended, write_files

from osiris_sql.run.execute import execute
from osiris_sql.run.steps import publish
from osiris_sql.types.diagnostic import Location
from osiris_sql.types.event import StepProgress
from osiris_sql.types.plan import PlannedConnection, Publish
from osiris_sql.types.relation import Column, RelationRef

HERE = Location(path="targets.yml", line=1)
TESTED = """
version: 1
models:
  - name: totals
    columns: [{{ name: amount, data_tests: [{{ accepted_values: {{ values: {values} }} }}] }}]
"""


def plan(rows: str, **more):
    """A model of one column, and its publication into a DuckDB file."""
    step = Publish(
        id="publish.app.film",
        node="target:app.film",
        needs=("materialize.film",),
        why="test",
        relation=RelationRef("main", "film"),
        input="model:film",
        connection="app",
        target="app",
        table="film",
        columns=(Column(name="id", type="INTEGER"),),
        create=True,
        fingerprint="f",
        location=HERE,
        **more,
    )
    app = PlannedConnection(
        name="app",
        type="duckdb",
        role="target",
        options={"path": "app.duckdb"},
        env_names=(),
        location=HERE,
    )
    return plan_of(model("film", f"SELECT unnest([{rows}])::INTEGER AS id"), step, connections=(app,))


def delivered(root):
    with duckdb.connect(str(root / "app.duckdb"), read_only=True) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM film ORDER BY ALL").fetchall()]


MODES = [
    {"mode": "append", "append_all": True},
    {"mode": "append", "key": ("id",)},
    {"mode": "upsert", "key": ("id",)},
    {"mode": "replace"},
    {"mode": "sync", "key": ("id",)},
]


@pytest.mark.parametrize("first", [True, False], ids=["first publication", "later publication"])
@pytest.mark.parametrize("settings", MODES)
def test_a_process_that_dies_after_the_commit_delivers_nothing_twice(tmp_path, monkeypatch, settings, first):
    before = [] if first else [7]
    if before:
        run(plan("7", **settings), tmp_path)
    remember = publish._remember

    def die_after_sending(running, step, target, data, load_id):
        if data:
            raise KeyboardInterrupt
        return remember(running, step, target, data, load_id)

    with monkeypatch.context() as patched:
        patched.setattr(publish, "_remember", die_after_sending)
        run(plan("7, 8", **settings), tmp_path)
    new = ([7] if settings.get("append_all") and before else []) + [7, 8]
    assert delivered(tmp_path) == sorted(new)
    again = run(plan("7, 8", **settings), tmp_path)
    assert statuses(again)["app.film"] == "reused"
    assert delivered(tmp_path) == sorted(new)


def test_progress_tells_rows_and_bytes_of_all_that_is_sent(tmp_path):
    seen = Collected()
    execute(plan("7, 8, 9", mode="replace"), tmp_path, {}, [seen], run_id="r", launcher="local")
    last = [event.body for event in seen.events if isinstance(event.body, StepProgress)][-1]
    assert (last.step, last.rows, last.total) == ("publish.app.film", 3, 3)
    assert (last.bytes or 0) > 0


def test_two_equal_batches_are_two_batches(tmp_path):
    for _ in range(3):
        run(plan("7, 7", mode="append", append_all=True), tmp_path)
    assert delivered(tmp_path) == [7] * 6


def test_rows_on_which_a_test_has_not_passed_are_not_sent_though_their_model_is_not_built(tmp_path):
    root = write_files(tmp_path, SHOP)
    build(root, select=["+totals"])
    write_files(root, {"models/models.yml": TESTED.format(values="[10]")})
    alone = {"select": ["target:app.totals"]}
    for _ in range(2):
        assert ended(build(root, **alone)) == {"check.totals": "failed", "publish.app.totals": "skipped"}
    assert not (root / "out/app.duckdb").exists()
    write_files(root, {"models/models.yml": TESTED.format(values="[20, 40]")})
    assert ended(build(root, **alone)) == {"check.totals": "success", "publish.app.totals": "success"}
    assert ended(build(root, **alone)) == {"check.totals": "reused", "publish.app.totals": "reused"}
