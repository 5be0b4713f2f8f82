"""The same parity on real E2B, for a person with a key and a template.

Flights stay out: their MariaDB and PostgreSQL stand on this machine, where no sandbox of E2B can reach them.
"""

import json
import os

import pytest
from sandbox.plans import film_plan, launch
from sandbox.test_film_project import build, copy_project, facts, published

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not os.environ.get("E2B_API_KEY"), reason="needs E2B_API_KEY and a template"),
]


def test_facts_are_equal_here_and_on_e2b(tmp_path):
    found = []
    for place in ("local", "e2b"):
        root = tmp_path / place
        root.mkdir()
        run = launch(film_plan(root), root, dict(os.environ), on=place, run_id=f"live-{os.urandom(4).hex()}")
        assert run.exit_code == 0, run.result.diagnostics
        found.append(json.dumps(run.facts, sort_keys=True))
    assert found[0] == found[1]


def test_the_film_project_is_the_same_here_and_on_e2b(tmp_path):
    here, there = copy_project(tmp_path / "local"), copy_project(tmp_path / "e2b")
    build(here, {}, "--on", "local")
    build(there, {}, "--on", "e2b")
    assert facts(there) == facts(here)
    assert published(there) == published(here)
