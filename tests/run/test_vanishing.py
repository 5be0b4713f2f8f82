"""A source that vanishes between two steps of a run."""

from __future__ import annotations

from pathlib import Path

from run.projects import SHOP, build, delivered, ended, plan_folder, warehouse_data, write_files

from osiris_sql import api
from osiris_sql.types.event import Event, StepFinished


class Vanishing:
    """A sink that removes a file when a step has ended."""

    def __init__(self, step: str, path: Path) -> None:
        self._step, self._path = step, path

    def emit(self, event: Event) -> None:
        if isinstance(event.body, StepFinished) and event.body.step == self._step:
            self._path.unlink()

    def close(self) -> None:
        pass


def test_what_needs_it_is_left_and_the_next_build_does_only_that(tmp_path):
    one_by_one = SHOP["osiris-sql.toml"].replace("[models]", "concurrency = 1\n[models]")
    files = {**SHOP, "osiris-sql.toml": one_by_one}
    whole = write_files(tmp_path / "whole", files)
    assert build(whole).status == "success"

    root = write_files(tmp_path / "vanishing", files)
    orders = root / "data/orders.csv"
    sink = Vanishing("extract.shop.customers", orders)
    found = {step.step: step for step in api.run_plan(plan_folder(root), root, {}, [sink]).steps}
    lost = found.pop("extract.shop.orders")
    assert lost.status == "failed"
    assert "orders" in lost.diagnostics[0].message
    assert found.pop("extract.shop.customers").status == "success"
    assert {step.status for step in found.values()} == {"skipped"}

    orders.write_text(SHOP["data/orders.csv"])
    again = ended(build(root))
    assert again.pop("extract.shop.customers") == "reused"
    assert set(again.values()) == {"success"}
    assert (warehouse_data(root), delivered(root)) == (warehouse_data(whole), delivered(whole))
