"""The same parity on real E2B, for a person with a key and a template."""

import json
import os

import pytest
from sandbox.plans import film_plan, launch

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not os.environ.get("E2B_API_KEY"), reason="needs E2B_API_KEY and a template"),
]


def test_facts_are_equal_here_and_on_e2b(tmp_path):
    facts = []
    for place in ("local", "e2b"):
        root = tmp_path / place
        root.mkdir()
        run = launch(film_plan(root), root, dict(os.environ), on=place, run_id=f"live-{os.urandom(4).hex()}")
        assert run.exit_code == 0, run.result.diagnostics
        facts.append(json.dumps(run.facts, sort_keys=True))
    assert facts[0] == facts[1]
