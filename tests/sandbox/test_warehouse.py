"""A warehouse that holds something goes along; what was built there comes back only if asked for."""

import duckdb
import pytest
from run.plans import statuses
from sandbox.plans import FILMS, film_plan, launch

from osiris_sql.launchers.e2b import cargo
from osiris_sql.run.lock import hold_warehouse
from osiris_sql.types.diagnostic import ProjectError, UnreachableError

NEWER = FILMS.replace("Alien", "Aliens")


def warehouse(root):
    return root / ".osiris" / "dev.duckdb"


def titles(file):
    with duckdb.connect(file, read_only=True) as connection:
        return [title for (title,) in connection.execute("SELECT title FROM titles ORDER BY id").fetchall()]


@pytest.fixture
def built(root, environ):
    assert launch(film_plan(root), root, environ, on="local", run_id="r1").exit_code == 0
    return root


def test_what_is_built_already_is_reused_there(built, environ):
    run = launch(film_plan(built), built, environ, run_id="r2")
    assert statuses(run.result) == {"films": "reused", "titles": "reused", "app.titles": "reused"}


def test_without_fetch_the_warehouse_here_stays_as_it_was(built, environ):
    before = warehouse(built).read_bytes()
    run = launch(film_plan(built, text=NEWER), built, environ, run_id="r2")
    assert statuses(run.result)["titles"] == "success"
    assert warehouse(built).read_bytes() == before
    assert titles(built / "out" / "app.duckdb")[0] == "ALIENS"


@pytest.mark.parametrize("empty", [True, False])
def test_with_fetch_a_build_here_afterwards_reuses_everything(root, environ, empty):
    if not empty:
        launch(film_plan(root), root, environ, on="local", run_id="r1")
    run = launch(film_plan(root, text=NEWER), root, {**environ, "OSIRIS_E2B_FETCH": "1"}, run_id="r2")
    assert run.exit_code == 0, run.result.diagnostics
    assert titles(warehouse(root))[0] == "ALIENS"
    again = launch(film_plan(root, text=NEWER), root, environ, on="local", run_id="r3")
    assert statuses(again.result) == {"films": "reused", "titles": "reused", "app.titles": "reused"}


def test_a_warehouse_that_is_too_big_is_refused_with_the_limit(built, environ, server, monkeypatch):
    monkeypatch.setattr(cargo, "CARRY_LIMIT", 1000)
    with pytest.raises(ProjectError) as failed:
        launch(film_plan(built), built, environ, run_id="r2")
    assert failed.value.diagnostics[0].rule == "too-big-to-carry"
    assert server.sandboxes.every == []


def test_a_warehouse_in_use_is_not_copied(built, environ):
    plan = film_plan(built)
    with hold_warehouse(warehouse(built), "other"), pytest.raises(UnreachableError) as failed:
        launch(plan, built, environ, run_id="r2")
    assert failed.value.diagnostics[0].rule == "warehouse-in-use"
