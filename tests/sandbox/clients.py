"""Starts clients in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]


def client(
    root: Path, environ: dict[str, str], sql: str = "endless", run_id: str = "r1"
) -> subprocess.Popen[str]:
    """Start one that builds three models, the second of them endless or only long."""
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox.launched", str(root), run_id, sql],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environ, "PYTHONPATH": f"{TESTS}:{os.environ.get('PYTHONPATH', '')}"},
    )


def read_until(process: subprocess.Popen[str], word: str) -> None:
    """Wait for a word that it says."""
    for line in process.stdout:
        if word in line:
            return
    raise AssertionError(process.stderr.read())
