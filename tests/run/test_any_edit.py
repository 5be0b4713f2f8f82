"""Any edits of any project: what stands there after a build is what a build from scratch gives."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from run.projects import WAREHOUSE, build, write_files

SOURCES = """
version: 1
connections:
  shop: { type: files, path: data }
sources:
  - name: shop
    tables:
      - name: items
        columns: [{ name: id, data_type: BIGINT }, { name: v, data_type: BIGINT }]
      - name: log
        columns: [{ name: id, data_type: BIGINT }, { name: v, data_type: BIGINT }]
"""
SEED = """
seeds:
  - name: days
    config: { column_types: { id: BIGINT, v: BIGINT, day: DATE } }
"""
SHAPES = (
    "SELECT id, v + {k} AS v FROM {a}",
    "SELECT id, sum(v)::BIGINT AS v FROM {a} GROUP BY id",
    "SELECT id, v FROM {a} WHERE v > {k}",
    "SELECT id, v FROM {a} UNION ALL SELECT id + {k}, v FROM {b}",
    "SELECT x.id, x.v + y.v AS v FROM {a} AS x JOIN {b} AS y USING (id)",
)
INCREMENTAL = (
    "SELECT id, v * {k} AS v FROM shop.log"
    "{{% if is_incremental() %}} WHERE id > (SELECT max(id) FROM {{{{ this }}}}){{% endif %}}"
)
# Batches are months; the lookback reaches back to the first, since any row of the seed may change.
MICROBATCH = "SELECT id, v * {k} AS v, day FROM days"
NUMBERS = st.integers(0, 3)
BATCHES = (
    "materialized='incremental', incremental_strategy='microbatch', event_time='day', batch_size='month',"
    " begin='2024-01-01', lookback=2"
)
CLOCK = "2024-03-15"


@dataclass(frozen=True)
class Written:
    """A model as its file says it; `reads` are names of models or source tables."""

    shape: str
    reads: tuple[str, str]
    k: int
    materialized: str
    comment: str = ""

    def text(self) -> str:
        a, b = self.reads
        said = BATCHES if self.materialized == "microbatch" else f"materialized='{self.materialized}'"
        config = f"{{{{ config({said}) }}}}"
        return f"{config}\n-- {self.comment}\n{self.shape.format(a=a, b=b, k=self.k)}"


class AnyEdit(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="osiris-edits-"))
        self.root = self.folder / "project"
        self.models: dict[str, Written] = {}
        self.items = [(1, 1), (2, 2)]
        self.log = [(1, 5)]
        self.days = [(1, 1, 1)]
        self.names = (f"m{n}" for n in range(1000))

    @initialize()
    def begin(self) -> None:
        write_files(self.root, {"osiris-sql.toml": 'name = "edits"\n', "sources.yml": SOURCES})

    def pick(self, data) -> str:
        return data.draw(st.sampled_from(sorted(self.models)))

    @rule(
        data=st.data(),
        shape=st.sampled_from(SHAPES),
        k=NUMBERS,
        kind=st.sampled_from(["view", "table", "ephemeral"]),
    )
    def add(self, data, shape, k, kind) -> None:
        readable = st.sampled_from([*sorted(self.models), "shop.items", "shop.log", "days"])
        reads = (data.draw(readable), data.draw(readable))
        self.models[next(self.names)] = Written(shape, reads, k, kind)

    @rule(k=st.integers(1, 3))
    def add_incremental(self, k) -> None:
        self.models[next(self.names)] = Written(INCREMENTAL, ("", ""), k, "incremental")

    @rule(k=st.integers(1, 3))
    def add_microbatch(self, k) -> None:
        self.models[next(self.names)] = Written(MICROBATCH, ("", ""), k, "microbatch")

    @precondition(lambda self: self.models)
    @rule(data=st.data(), k=st.integers(1, 3))
    def change_sql(self, data, k) -> None:
        name = self.pick(data)
        self.models[name] = replace(self.models[name], k=k)

    @precondition(lambda self: self.models)
    @rule(data=st.data(), text=st.sampled_from(["one", "two"]))
    def comment(self, data, text) -> None:
        name = self.pick(data)
        self.models[name] = replace(self.models[name], comment=text)

    @precondition(lambda self: self.models)
    @rule(data=st.data(), kind=st.sampled_from(["view", "table", "ephemeral"]))
    def change_config(self, data, kind) -> None:
        name = self.pick(data)
        if self.models[name].materialized not in ("incremental", "microbatch"):
            self.models[name] = replace(self.models[name], materialized=kind)

    @precondition(lambda self: self.models)
    @rule(data=st.data())
    def rename(self, data) -> None:
        old, new = self.pick(data), next(self.names)
        moved = {new if name == old else name: model for name, model in self.models.items()}
        self.models = {
            name: replace(model, reads=tuple(new if r == old else r for r in model.reads))
            for name, model in moved.items()
        }

    @precondition(lambda self: self.models)
    @rule(data=st.data())
    def drop(self, data) -> None:
        name = self.pick(data)
        if not any(name in model.reads for model in self.models.values()):
            del self.models[name]

    @rule(rows=st.lists(st.tuples(NUMBERS, NUMBERS), max_size=3))
    def change_rows(self, rows) -> None:
        self.items = rows

    @rule(rows=st.lists(st.tuples(NUMBERS, NUMBERS, st.integers(1, 3)), max_size=3))
    def change_seed(self, rows) -> None:
        self.days = rows

    @rule(v=NUMBERS)
    def add_row(self, v) -> None:
        self.log.append((len(self.log) + 1, v))

    @rule()
    def build(self) -> None:
        assert self.built(self.root) == self.from_scratch()

    def from_scratch(self) -> dict[str, list[tuple]]:
        scratch = self.folder / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        write_files(scratch, {"osiris-sql.toml": 'name = "edits"\n', "sources.yml": SOURCES})
        return self.built(scratch)

    def built(self, root: Path) -> dict[str, list[tuple]]:
        shutil.rmtree(root / "models", ignore_errors=True)
        files = {f"models/{name}.sql": model.text() for name, model in self.models.items()}
        tables = {"items": self.items, "log": self.log}
        files |= {
            f"data/{n}.csv": "id,v\n" + "".join(f"{i},{v}\n" for i, v in rows) for n, rows in tables.items()
        }
        days = "".join(f"{i},{v},2024-0{month}-01\n" for i, v, month in self.days)
        files |= {"seeds/days.csv": "id,v,day\n" + days, "seeds/days.yml": SEED}
        result = build(write_files(root, files), as_of=CLOCK)
        assert result.status == "success", result
        kept = [name for name, model in self.models.items() if model.materialized != "ephemeral"]
        with duckdb.connect(str(root / WAREHOUSE)) as warehouse:
            return {name: warehouse.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall() for name in kept}

    def teardown(self) -> None:
        self.build()
        shutil.rmtree(self.folder)


AnyEdit.TestCase.settings = settings(max_examples=20, stateful_step_count=10, deadline=None)
TestAnyEdit = AnyEdit.TestCase
