"""`state:`, `result:` and `--resume`: selections that compare with an earlier run or a plan file."""

from __future__ import annotations

import json
import os

import pytest
from run.projects import SHOP, build, compile_folder, ended, plan_folder, rows_of, write_files

from osiris_sql import api
from osiris_sql.support import wire
from osiris_sql.types.diagnostic import ProjectError
from osiris_sql.types.result import RunResult

CHAIN = {
    "models/a.sql": "SELECT id, amount FROM shop.orders",
    "models/b.sql": "SELECT id, amount FROM a",
    "models/c.sql": "SELECT id FROM b",
    "models/d.sql": "SELECT 1 AS id",
}
FILES = {
    name: SHOP[name] for name in ("osiris-sql.toml", "data/orders.csv", "data/customers.csv", "sources.yml")
}


@pytest.fixture
def root(tmp_path):
    return write_files(tmp_path, {**FILES, **CHAIN})


def selected(root, *words: str, state: str | None = None) -> set[str]:
    manifest = compile_folder(root)
    past = api.find_past(manifest, words, state)
    return {
        n.partition(":")[2] for n in api.select_nodes(manifest, words, (), past) if n.startswith("model:")
    }


def resume(root) -> RunResult:
    manifest = compile_folder(root)
    rest = api.resume_run(manifest)
    words = {"select": ["result:unfinished"], "past": rest.past}
    observed = api.observe_world(manifest, os.environ, **words)
    plan = api.make_plan(manifest, observed, **words, as_of=rest.as_of, full_refresh=rest.full_refresh)
    return api.run_plan(plan, root, dict(os.environ))


def test_what_was_modified_since_the_last_build(root):
    build(root)
    assert selected(root, "state:modified") == set()
    assert selected(root, "state:unmodified") == {"a", "b", "c", "d"}
    write_files(
        root,
        {"models/b.sql": "SELECT id, amount + 1 AS amount FROM a -- more", "models/e.sql": "SELECT 2 AS id"},
    )
    write_files(root, {"models/c.sql": "SELECT id -- only a comment\nFROM b"})
    assert selected(root, "state:modified") == {"b", "e"}
    assert selected(root, "state:modified+") == {"b", "c", "e"}
    assert selected(root, "state:new") == {"e"}
    assert selected(root, "state:old") == {"a", "b", "c", "d"}
    assert selected(root, "state:modified,state:old") == {"b"}


def test_a_build_of_a_part_does_not_make_the_rest_new(root):
    build(root, select=["d"])
    assert selected(root, "state:modified") == set()


def test_state_of_a_named_run_or_a_plan_file(root, tmp_path):
    first = build(root)
    plan = tmp_path / "before.json"
    plan.write_text(wire.to_document(plan_folder(root)))
    write_files(root, {"models/d.sql": "SELECT 3 AS id"})
    build(root)
    assert selected(root, "state:modified") == set()
    assert selected(root, "state:modified", state=first.run_id) == {"d"}
    assert selected(root, "state:modified", state=str(plan)) == {"d"}


@pytest.mark.parametrize(
    ("word", "state", "rule"),
    [
        ("state:modified", None, "no-such-run"),
        ("state:modified", "yesterday", "no-such-run"),
        ("state:modified", "missing.json", "unreadable-plan"),
        ("state:better", None, "unknown-selector"),
        ("result:good", None, "unknown-selector"),
        ("result:error", "before.json", "no-such-run"),
    ],
)
def test_nothing_to_compare_with(root, word, state, rule, monkeypatch):
    monkeypatch.chdir(root)
    write_files(root, {"before.json": wire.to_document(plan_folder(root))})
    with pytest.raises(ProjectError) as found:
        selected(root, word, state=state)
    assert found.value.diagnostics[0].rule == rule


def fail_at_b(root) -> None:
    write_files(root, {"models/b.sql": "SELECT id, (amount::VARCHAR || 'x')::BIGINT AS amount FROM a"})
    assert build(root).status == "failed"
    write_files(root, {"models/b.sql": CHAIN["models/b.sql"]})


def test_results_of_the_last_build(root):
    fail_at_b(root)
    assert selected(root, "result:error") == {"b"}
    assert selected(root, "result:skipped") == {"c"}
    assert selected(root, "result:error+") == {"b", "c"}
    assert selected(root, "result:success") == {"a", "d"}
    assert selected(root, "result:unfinished") == {"b", "c"}


def test_a_build_that_selected_nothing_is_not_the_last_one(root):
    fail_at_b(root)
    words = {"select": ["result:warn"]}
    assert build(root, **words, past=api.find_past(compile_folder(root), words["select"])).steps == ()
    assert selected(root, "result:unfinished") == {"b", "c"}


def test_a_failed_data_test_is_a_fail_not_an_error(root):
    test = "[{ accepted_values: { values: [2] } }]"
    yml = f"version: 1\nmodels:\n  - name: d\n    columns: [{{ name: id, data_tests: {test} }}]\n"
    write_files(root, {"models/models.yml": yml})
    build(root)
    assert (selected(root, "result:fail"), selected(root, "result:error")) == ({"d"}, set())


def test_resume_runs_what_was_not_finished_at_the_same_run_clock(root):
    fail_at_b(root)
    before = json.loads(next((root / ".osiris/runs").glob("*/plan.json")).read_text())
    result = resume(root)
    assert ended(result) == {"materialize.b": "success", "materialize.c": "success"}
    after = json.loads((root / ".osiris/runs" / result.run_id / "plan.json").read_text())
    assert after["run_clock"] == before["run_clock"]
    assert ended(resume(root)) == {}
    assert rows_of(root, "c") == [(1,), (2,), (3,)]


def test_nothing_to_resume(root):
    with pytest.raises(ProjectError, match="nothing was built in dev yet"):
        resume(root)
