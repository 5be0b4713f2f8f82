"""What an increment does with the rows that are there, by strategy: keys of many columns, NULLs, repeats."""

from __future__ import annotations

import pytest
from run.projects import build, rows_of, write_files

FIRST = "a,b,v\n1,1,old\n1,2,old\n,9,old\n"
MODEL = """{{{{ config(materialized='incremental', {config}) }}}}
SELECT a, b, v FROM {{{{ ref('facts') }}}} {{% if is_incremental() %}} WHERE v <> 'old' {{% endif %}}"""
KEYED = "unique_key=['a', 'b'], incremental_strategy="
REFUSED = [("1", "1", "old"), ("1", "2", "old"), (None, "9", "old")]


def after(tmp_path, config: str, *more: str) -> list[tuple]:
    """The rows after a first build and an increment."""
    typed = "seeds: [{name: facts, config: {column_types: {a: VARCHAR, b: VARCHAR, v: VARCHAR}}}]"
    files = {
        "osiris-sql.toml": 'name = "s"\n',
        "seeds/f.yml": typed,
        "seeds/facts.csv": FIRST,
        "models/m.sql": MODEL.format(config=config),
    }
    assert build(write_files(tmp_path, files)).status == "success"
    write_files(tmp_path, {"seeds/facts.csv": FIRST + "\n".join(more) + "\n"})
    build(tmp_path)
    return rows_of(tmp_path, "m")


@pytest.mark.parametrize(
    ("config", "more", "expected"),
    [
        ("incremental_strategy='append'", ["1,1,new"], [*REFUSED[:1], ("1", "1", "new"), *REFUSED[1:]]),
        ("meta={}", ["1,1,new"], [*REFUSED[:1], ("1", "1", "new"), *REFUSED[1:]]),
        (KEYED + "'merge'", ["1,1,new"], [("1", "1", "new"), *REFUSED[1:]]),
        ("unique_key=['a', 'b']", ["1,1,new"], [("1", "1", "new"), *REFUSED[1:]]),
        (KEYED + "'merge'", ["1,1,new", "1,1,newer"], REFUSED),
        (KEYED + "'merge'", [",9,new"], REFUSED),
        (KEYED + "'delete+insert'", ["1,1,new"], [("1", "1", "new"), *REFUSED[1:]]),
        (KEYED + "'delete+insert'", [",9,new"], [*REFUSED[:2], (None, "9", "new")]),
        (
            KEYED + "'delete+insert'",
            ["1,1,new", "1,1,newer"],
            [("1", "1", "new"), ("1", "1", "newer"), *REFUSED[1:]],
        ),
        (
            "unique_key='a', incremental_strategy='delete+insert'",
            ["1,3,new"],
            [("1", "3", "new"), REFUSED[2]],
        ),
    ],
)
def test_what_stands_there_after_an_increment(tmp_path, config, more, expected):
    found = after(tmp_path, config, *more)
    assert sorted(found, key=repr) == sorted(expected, key=repr)
