"""Kill -9 among batches and versions: the next build does the rest, and no batch twice."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from run.dying import last_events, run_apart
from run.projects import compile_folder, plan_folder, rows_of, warehouse_data, write_files

from osiris_sql import api
from osiris_sql.types.event import StepProgress

CLOCK = "2024-01-04"
FILES = {
    "osiris-sql.toml": 'name = "killed"\n',
    "seeds/events.csv": "id,day\n1,2024-01-01\n2,2024-01-03\n",
    "models/daily.sql": "{{ config(materialized='incremental', incremental_strategy='microbatch',"
    " event_time='day', batch_size='day', begin='2024-01-01') }} SELECT * FROM {{ ref('events') }}",
    "snapshots/history.sql": "{{ config(unique_key='id', strategy='check', check_cols='all',"
    " hard_deletes='new_record') }} SELECT * FROM {{ ref('events') }}",
}


def batches(root: Path) -> list[str]:
    events = last_events(root)
    return [e.body.message[-25:] for e in events if isinstance(e.body, StepProgress) and e.body.message]


def test_a_run_killed_at_any_event(tmp_path):
    start = write_files(tmp_path / "start", FILES)
    manifest = compile_folder(start)
    assert run_apart(start, plan_folder(start, manifest, as_of="2024-01-02"))[0] == 0
    shutil.rmtree(start / ".osiris/runs")
    write_files(start, {"seeds/events.csv": "id,day\n1,2024-01-01\n3,2024-01-02\n4,2024-01-04\n"})
    whole = tmp_path / "whole"
    shutil.copytree(start, whole)
    assert run_apart(whole, plan_folder(whole, replace(manifest, root=str(whole)), as_of=CLOCK))[0] == 0
    events, built = len(last_events(whole)), batches(whole)
    assert len(built) == 4
    for event in range(2, events - 1):
        root = tmp_path / str(event)
        shutil.copytree(start, root)
        own = replace(manifest, root=str(root))
        assert run_apart(root, plan_folder(root, own, as_of=CLOCK), event=event)[0] == -9
        warehouse_data(root)
        begun = batches(root)
        shutil.rmtree(root / ".osiris/runs")
        assert api.run_plan(plan_folder(root, own, as_of=CLOCK), root, {}).status == "success"
        assert warehouse_data(root) == warehouse_data(whole)
        assert rows_of(root, "history") == rows_of(whole, "history")
        # Only the batch in which it was killed may begin again.
        again = batches(root)
        assert len(set(begun) & set(again)) <= 1
        assert set(begun) | set(again) == set(built)
        shutil.rmtree(root)
