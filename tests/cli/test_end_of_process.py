"""A command ends at once, unless a thread has still something to do."""

from __future__ import annotations

import subprocess
import sys

import pytest

LEAVE = """
import os, threading
from osiris_sql.cli import _leave
threading.Thread(target=threading.Event().wait, daemon={daemon}).start()
_leave(SystemExit(3))
print("waits", flush=True)
os._exit(0)
"""


@pytest.mark.parametrize(("daemon", "ended"), [(True, (3, "")), (False, (0, "waits\n"))])
def test_a_process_waits_for_no_thread_that_python_would_not_wait_for(daemon, ended):
    """DuckDB's threads that ran a line of Python are such ones: every build that reads a source has them."""
    command = [sys.executable, "-c", LEAVE.format(daemon=daemon)]
    found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (found.returncode, found.stdout) == ended
