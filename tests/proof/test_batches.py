"""Microbatch models: the rows of all batches are those of one batch of all time, or what differs is said."""

from pathlib import Path

import pytest
from run.projects import build, compile_folder, write_files

from osiris_sql.api.proof import IncrementProof, prove_models

FILES = {
    "osiris-sql.toml": 'name = "batches"\n',
    "seeds/raw.csv": "id,happened\n1,2024-01-01 10:00:00\n2,2024-01-01 11:00:00\n3,2024-01-03 09:00:00\n",
    "models/events.sql": "{{ config(event_time='happened', materialized='table') }} SELECT * FROM raw",
}
CONFIG = (
    "{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='happened',"
    " batch_size='day', begin='2024-01-01') }} "
)


def prove(root: Path, sql: str, clock: str = "2024-01-04") -> IncrementProof:
    build(write_files(root, {**FILES, "models/daily.sql": CONFIG + sql}), as_of=clock)
    found = next(p for p in prove_models(compile_folder(root), as_of=clock) if p.model == "daily")
    [proof] = found.increments
    return proof


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id, happened FROM events",
        "SELECT count(*) AS n, max(happened) AS happened FROM events GROUP BY happened::DATE",
    ],
)
def test_what_looks_at_one_batch_alone_is_the_same(tmp_path, sql):
    proof = prove(tmp_path, sql)
    assert (proof.status, proof.how) == (
        "same",
        "4 batches of days one by one, against one of all their time",
    )


def test_what_looks_beyond_its_batch_is_found(tmp_path):
    """One row of all events is another thing than one row a day."""
    sql = "SELECT count(*) AS n, max(happened) AS happened FROM events HAVING count(*) > 0"
    proof = prove(tmp_path, sql)
    assert proof.status == "differs"
    assert proof.moved is not None


def test_of_many_batches_the_last_are_made(tmp_path):
    proof = prove(tmp_path, "SELECT id, happened FROM events", clock="2024-06-01")
    assert proof.how == "the last 100 batches of days one by one, against one of all their time"
