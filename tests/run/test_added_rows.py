"""An append without a key: each row that an incremental model adds arrives once, whatever happens between."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from run.dying import run_apart
from run.projects import WAREHOUSE, build, compile_folder, delivered, plan_folder, write_files

from osiris_sql import api
from osiris_sql.run.difference import diff_publications
from osiris_sql.run.steps import publish
from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.result import RunResult

TARGETS = """
version: 1
connections:
  app: {{ type: {type}, path: out/app{suffix} }}
targets:
  - name: app
    tables: [{{ name: log, {settings}, create: true }}]
"""
LOG = """{{{{ config(materialized='incremental'{config}) }}}}
SELECT {columns} FROM shop.events
{{% if is_incremental() %}} WHERE id > (SELECT max(id) FROM {{{{ this }}}}) {{% endif %}} {order}"""
FILES = {
    "osiris-sql.toml": 'name = "shop"\nenvironments = ["dev", "prod"]\n',
    "sources.yml": """
version: 1
connections:
  shop: { type: files, path: data }
sources:
  - name: shop
    tables:
      - name: events
        columns: [{ name: id, data_type: BIGINT }, { name: kind, data_type: VARCHAR }]
""",
}


class Log:
    """A project whose model adds the events that arrived to its table, and sends them."""

    def __init__(self, root, type_: str = "duckdb") -> None:
        self.root, self.type, self.count = root, type_, 0
        write_files(root, {**FILES, "data/events.csv": "id,kind\n"})
        self.publishes("mode: append").model()

    def publishes(self, settings: str) -> Log:
        suffix = ".duckdb" if self.type == "duckdb" else ", format: csv"
        text = TARGETS.format(type=self.type, suffix=suffix, settings=settings)
        write_files(self.root, {"targets.yml": text})
        return self

    def model(self, columns: str = "id, kind", config: str = "", order: str = "") -> Log:
        write_files(self.root, {"models/log.sql": LOG.format(columns=columns, config=config, order=order)})
        return self

    def arrive(self, rows: int) -> Log:
        """Let that many events happen; all of them look alike but for their number."""
        with (self.root / "data/events.csv").open("a") as file:
            file.writelines(f"{self.count + i},click\n" for i in range(1, rows + 1))
        self.count += rows
        return self

    def build(self, **more) -> RunResult:
        return build(self.root, **more)

    def sent(self) -> int:
        """Build, and return how many rows went out."""
        result = self.build()
        assert result.status == "success", result
        [step] = [step for step in result.steps if step.step == "publish.app.log"]
        return int(step.facts["sent"])

    def there(self) -> list[int]:
        return [row[0] for row in delivered(self.root)["log"]]

    def all_once(self) -> bool:
        return self.there() == list(range(1, self.count + 1))


@pytest.fixture
def log(tmp_path) -> Log:
    return Log(tmp_path / "shop")


def rules(result: RunResult) -> list[str]:
    return [d.rule for step in result.steps for d in step.diagnostics]


@pytest.mark.parametrize("type_", ["duckdb", "files"])
def test_what_was_added_is_sent_once(tmp_path, type_):
    log = Log(tmp_path / "shop", type_)
    assert [log.arrive(rows).sent() for rows in (2, 0, 3, 1, 0)] == [2, 0, 3, 1, 0]
    if type_ == "files":
        assert len((log.root / "out/app/log.csv").read_text().splitlines()) == 1 + 6
    else:
        assert log.all_once()


@pytest.mark.parametrize("type_", ["duckdb", "files"])
def test_the_difference_is_that_of_the_rows_that_would_go(tmp_path, type_):
    log = Log(tmp_path / "shop", type_)
    log.arrive(2).sent()
    log.arrive(3).build(select=["+log"])
    [found] = diff_publications(plan_folder(log.root), log.root, {})
    assert found.difference
    assert (found.difference.inserted, found.difference.total_before) == (3, 2)


def test_of_a_hundred_thousand_rows_added_to_as_many_each_is_sent_once(log):
    log.arrive(120_000).sent()
    assert log.arrive(130_000).sent() == 130_000
    assert log.arrive(1).sent() == 1
    assert log.all_once()


def refuse_everything(monkeypatch) -> None:
    def publish_nothing(*_: object) -> None:
        raise StepError(Diagnostic(rule="refused", message="not now"))

    monkeypatch.setattr("osiris_sql.targets.duckdb.target.DuckDBFile.publish", publish_nothing)


def test_what_a_target_refused_for_a_while_all_goes_afterwards_and_in_order(log, monkeypatch):
    log.arrive(2).sent()
    with monkeypatch.context() as patched:
        refuse_everything(patched)
        for _ in range(3):
            assert rules(log.arrive(2).build()) == ["refused"]
    assert log.sent() == 6
    assert log.all_once()
    assert log.sent() == 0


@pytest.mark.parametrize("first", [True, False], ids=["first publication", "later publication"])
@pytest.mark.parametrize("committed", [True, False], ids=["after the commit", "before it"])
@pytest.mark.parametrize("more", [0, 2], ids=["nothing added since", "more added since"])
def test_a_run_that_dies_about_the_commit_delivers_nothing_twice(log, monkeypatch, first, committed, more):
    if not first:
        log.arrive(2).sent()
    with monkeypatch.context() as patched:
        if committed:
            die_when_remembering(patched)
        else:
            patched.setattr("osiris_sql.targets.duckdb.target.DuckDBFile.publish", interrupted)
        assert log.arrive(3).build().status == "cancelled"
    log.arrive(more).sent()
    assert log.all_once()
    assert log.sent() == 0


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def die_when_remembering(patched) -> None:
    remember = publish._remember

    def die(running, step, target, data, load_id):
        return interrupted() if data else remember(running, step, target, data, load_id)

    patched.setattr(publish, "_remember", die)


def test_a_killed_run_and_rows_that_came_since(tmp_path_factory):
    """Killed before any line that does what the plan says; what comes is built and sent by the next run."""
    origin = Log(tmp_path_factory.mktemp("killed") / "shop")
    origin.arrive(2).sent()
    origin.arrive(2)
    whole = shutil.copytree(origin.root, origin.root.with_name("whole"))
    code, lines = run_apart(whole, plan_folder(whole))
    assert code == 0

    @given(line=st.integers(0, lines - 1), between=st.booleans())
    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    def prove(line: int, between: bool) -> None:
        root = origin.root.with_name("copy")
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(origin.root, root)
        run_apart(root, plan_folder(root), line=line)
        log = Log.__new__(Log)
        log.root, log.count = root, origin.count
        if between:  # the model goes on, and its rows stay
            assert log.arrive(1).build(select=["+log"]).status == "success"
        log.arrive(1).sent()
        assert log.all_once()

    prove()


# -------------------------------------------------------------------- a table that was built again


def test_a_table_built_again_with_the_same_rows_first_goes_on(log):
    log.arrive(3).sent()
    assert log.arrive(2).build(full_refresh=True).status == "success"
    assert log.all_once()


def test_a_table_built_again_otherwise_is_refused_and_nothing_is_sent(log):
    log.arrive(3).sent()
    log.model(order="ORDER BY id DESC").arrive(2)
    result = log.build()
    assert rules(result) == ["rows-not-added"]
    assert log.there() == [1, 2, 3]
    assert rules(log.build()) == ["rows-not-added"]


def test_and_goes_on_from_where_it_was_replaced_once(log):
    log.arrive(3).sent()
    log.model(order="ORDER BY id DESC").arrive(2).build()
    assert log.publishes("mode: replace, max_deleted: 1").sent() == 5
    assert log.publishes("mode: append").arrive(2).sent() == 2
    assert log.all_once()
    assert log.sent() == 0


def test_the_same_rows_in_another_order_are_delivered_already(log):
    log.arrive(3).sent()
    assert log.model(order="ORDER BY id DESC").sent() == 0
    assert log.arrive(1).sent() == 1
    assert log.all_once()


def test_a_row_changed_behind_its_back_is_noticed(log):
    import duckdb

    log.arrive(3).sent()
    with duckdb.connect(str(log.root / WAREHOUSE)) as warehouse:
        warehouse.execute("DELETE FROM log WHERE id = 2")
    assert rules(log.arrive(2).build()) == ["rows-not-added"]


# ------------------------------------------------------------------------ who knows what was sent


def test_the_ledger_knows_it_if_the_warehouse_is_gone(log):
    log.arrive(3).sent()
    shutil.rmtree(log.root / ".osiris")
    assert log.arrive(2).sent() == 2
    assert log.all_once()


def test_a_delivery_of_another_kind_that_nobody_remembers_is_refused(log):
    log.publishes("mode: replace").arrive(2).sent()
    shutil.rmtree(log.root / ".osiris")
    assert rules(log.publishes("mode: append").build()) == ["unknown-delivery"]
    assert log.there() == [1, 2]


def test_an_environment_knows_its_own_rows(log):
    log.arrive(2).sent()
    prod = lambda: api.run_plan(  # noqa: E731
        api.make_plan(
            manifest := api.compile_project(api.load_project(log.root, env="prod")),
            api.observe_world(manifest, {}),
        ),
        log.root,
        {},
    )
    assert prod().status == "success"
    assert log.there() == [1, 1, 2, 2]
    shutil.rmtree(log.root / ".osiris")
    assert log.arrive(1).sent() == 1
    assert prod().status == "success"
    assert log.there() == [1, 1, 2, 2, 3, 3]


def test_a_table_that_was_dropped_gets_all_of_them(log):
    log.arrive(2).sent()
    (log.root / "out/app.duckdb").unlink()
    assert log.arrive(1).sent() == 3
    assert log.all_once()


# ---------------------------------------------------------------------------------- what it needs


@pytest.mark.parametrize(
    "config",
    [
        "materialized='table'",
        "materialized='incremental', unique_key='id', incremental_strategy='delete+insert'",
        "materialized='incremental', incremental_strategy='microbatch', event_time='at', batch_size='day',"
        " begin='2026-01-01'",
    ],
)
def test_a_model_that_does_more_than_add_rows_needs_a_key(log, config):
    sql = "SELECT id, kind, TIMESTAMP '2026-01-02' AS at FROM shop.events"
    write_files(log.root, {"models/log.sql": f"{{{{ config({config}) }}}} {sql}"})
    observed = api.observe_world(compile_folder(log.root), {})
    assert [d.rule for d in observed.targets["target:app.log"].diagnostics] == ["missing-key"]
