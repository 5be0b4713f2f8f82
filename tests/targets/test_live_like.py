"""The suite for a real project runs when its variables are set: here they name servers of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from servers.postgres import installed
from targets.live import LIVE

TESTS = Path(__file__).parent.parent
FILES = ("targets/test_supabase_delivery.py", "targets/test_incidents.py")
SOME = "test_everything_around_the_rows_survives or test_a_dropped_link_is_found_out"


@pytest.mark.skipif(not installed(), reason="PostgreSQL is not installed (apt-get install postgresql)")
def test_tests_of_publishing_run_against_a_project_that_variables_name():
    suite = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(
        [sys.executable, "-m", "servers.live_like", *suite, "-m", "live", "-k", SOME, *FILES],
        cwd=TESTS,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{5 * len(LIVE)} passed, 3 skipped" in done.stdout, done.stdout
    assert "no test for a real project: it needs postgres of this machine" in " ".join(done.stdout.split())
