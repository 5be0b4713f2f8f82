"""Kill -9, anywhere: the warehouse opens, state and tables agree, and the next build does the rest alone."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from run.dying import last_events, run_apart
from run.projects import SHOP, compile_folder, delivered, ended, plan_folder, warehouse_data, write_files

from osiris_sql import api
from osiris_sql.types.event import StepFinished
from osiris_sql.types.manifest import Manifest

KILLED = -9
# What a publication notes before it sends anything.
NOT_YET = "None"
MORE_ORDERS = "id,customer,amount\n1,ann,10\n2,bob,20\n3,ann,30\n4,bob,40\n"


@dataclass(frozen=True)
class Uninterrupted:
    """A project whose first build is done and whose orders have grown, and what its next build comes to."""

    root: Path
    manifest: Manifest
    before: dict[str, str]
    data: dict[str, str]
    delivered: dict[str, list[tuple[Any, ...]]]
    events: int
    lines: int

    def copy(self, folder: Path) -> tuple[Path, Manifest]:
        shutil.copytree(self.root, folder)
        return folder, replace(self.manifest, root=str(folder))


@pytest.fixture(scope="module", params=["first build", "next build"])
def whole(request, tmp_path_factory) -> Uninterrupted:
    root = write_files(tmp_path_factory.mktemp("whole") / "project", SHOP)
    manifest = compile_folder(root)
    if request.param == "next build":
        assert run_apart(root, plan_folder(root, manifest))[0] == 0
        shutil.rmtree(root / ".osiris" / "runs")
        (root / "data/orders.csv").write_text(MORE_ORDERS)
    before = warehouse_data(root)
    done = root.with_name("done")
    shutil.copytree(root, done)
    code, lines = run_apart(done, plan_folder(done, replace(manifest, root=str(done))))
    assert code == 0
    events = len(last_events(done))
    return Uninterrupted(root, manifest, before, warehouse_data(done), delivered(done), events, lines)


def prove_recovery(whole: Uninterrupted, folder: Path, **kill: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    root, manifest = whole.copy(folder)
    code, _ = run_apart(root, plan_folder(root, manifest), **kill)
    # Steps run side by side, so how many lines a run comes to differs: the last ones may not be reached.
    assert code == KILLED or (code == 0 and "line" in kill)
    left = warehouse_data(root)
    finished = {e.body.step for e in last_events(root) if isinstance(e.body, StepFinished)}
    again = api.run_plan(plan_folder(root, manifest), root, {})
    assert again.status == "success"
    assert warehouse_data(root) == whole.data
    assert delivered(root) == whole.delivered
    assert {ended(again)[step] for step in finished} <= {"reused"}
    committed = {node for node, data in left.items() if data not in (whole.before.get(node), NOT_YET)}
    redone = {s.step.partition(".")[2] for s in again.steps if s.status != "reused"}
    assert not redone & {node.partition(":")[2] for node in committed}
    shutil.rmtree(root)


def test_a_run_killed_at_any_event(whole, tmp_path):
    assert whole.events > 20
    for event in range(whole.events - 1):
        prove_recovery(whole, tmp_path / str(event), event=event)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_run_killed_before_any_line_of_the_code_with_effects(whole, tmp_path, data):
    line = data.draw(st.integers(0, whole.lines - 1))
    prove_recovery(whole, tmp_path / "killed", line=line)
