"""What becomes of a relation whose model, seed or source table is gone from the project."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from run.projects import WAREHOUSE, build, compile_folder, ended, plan_folder, write_files

from osiris_sql import api
from osiris_sql.types.diagnostic import ProjectError

FILES = {
    "osiris-sql.toml": 'name = "left"\n[models]\nmaterialized = "table"\n',
    "seeds/people.csv": "id,name\n1,ann\n",
    "seeds/old.csv": "id\n1\n",
    "models/a.sql": "SELECT id FROM people",
    "models/b.sql": "{{ config(materialized='view') }} SELECT id FROM a",
    "models/c.sql": "SELECT id FROM a",
    "snapshots/h.sql": "{{ config(unique_key='id', strategy='check', check_cols='all') }}"
    " SELECT * FROM people",
}


@pytest.fixture
def root(tmp_path) -> Path:
    build(write_files(tmp_path, FILES))
    return tmp_path


def relations(root: Path) -> set[str]:
    with duckdb.connect(str(root / WAREHOUSE), read_only=True) as connection:
        sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'"
        return {name for (name,) in connection.execute(sql).fetchall()}


def remove(root: Path, *names: str) -> None:
    for name in names:
        (root / name).unlink()


def test_a_build_leaves_it_and_the_plan_names_it(root):
    remove(root, "models/b.sql", "seeds/old.csv")
    build(root)
    assert relations(root) == {"people", "old", "a", "b", "c", "h"}
    assert plan_folder(root).leftovers == ("model:b", "seed:old")


def test_it_is_dropped_when_asked_and_a_history_is_kept(root):
    remove(root, "models/b.sql", "seeds/old.csv", "snapshots/h.sql")
    done = api.drop_leftovers(compile_folder(root))
    assert (done.dropped, done.kept) == (("model:b", "seed:old"), ("model:h",))
    assert relations(root) == {"people", "a", "c", "h"}
    assert plan_folder(root).leftovers == ("model:h",)
    assert set(ended(build(root)).values()) == {"reused"}


def test_nothing_is_dropped_where_nothing_is_left(root):
    assert api.drop_leftovers(compile_folder(root)).dropped == ()
    assert relations(root) == {"people", "old", "a", "b", "c", "h"}


def test_a_name_that_another_node_took_is_not_dropped(root):
    remove(root, "models/c.sql")
    write_files(root, {"seeds/c.csv": "id\n7\n"})
    build(root)
    assert plan_folder(root).leftovers == ("model:c",)
    assert api.drop_leftovers(compile_folder(root)).dropped == ("model:c",)
    assert "c" in relations(root)
    assert plan_folder(root).leftovers == ()


def test_a_model_that_became_ephemeral_leaves_its_table(root):
    write_files(root, {"models/a.sql": "{{ config(materialized='ephemeral') }} SELECT id FROM people"})
    build(root)
    assert plan_folder(root).leftovers == ("model:a",)


def test_a_model_with_a_mistake_and_what_it_reads_are_not_gone(root):
    write_files(root, {"models/b.sql": "SELECT nothing FROM a", "models/c.sql": "SELECT id FROM people"})
    manifest = api.compile_project(api.load_project(root))
    assert "model:b" not in {model.node for model in manifest.models}
    words = {"select": ["c"]}
    assert api.make_plan(manifest, api.observe_world(manifest, {}, **words), **words).leftovers == ()


def test_a_named_relation_is_dropped_with_its_history_and_built_again(root):
    assert api.drop_named(compile_folder(root), ["h"]).dropped == ("model:h",)
    assert "h" not in relations(root)
    assert ended(build(root))["materialize.h"] == "success"


def test_a_name_that_was_never_built_is_refused(root):
    with pytest.raises(ProjectError, match="nothing called x was built in dev"):
        api.drop_named(compile_folder(root), ["x"])
