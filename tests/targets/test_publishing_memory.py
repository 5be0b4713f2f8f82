"""A publication takes what memory_limit allows DuckDB, and the program itself: not more with more rows."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from targets.publishing import Project

WIDE = """{{{{ config(materialized='table') }}}}
SELECT i::INTEGER AS id, 'film number ' || i AS title, md5(i::VARCHAR) AS digest, md5('x' || i) AS other,
  (i / 7)::DECIMAL(12, 2) AS amount, TIMESTAMP '2020-01-01' + INTERVAL 1 SECOND * i AS at
FROM range({rows}) AS t(i)
"""
FEW, MANY = 5_000, 400_000  # of 110 bytes each as they travel
LIMIT = 32


def most_memory(process: subprocess.Popen[str]) -> int:
    """Wait for a process, and return the most memory that it had at once, in MB; the kernel keeps count."""
    peak = 0
    with process:
        while process.poll() is None:
            words = Path(f"/proc/{process.pid}/status").read_text().split()
            peak = int(words[words.index("VmHWM:") + 1]) // 1024 if "VmHWM:" in words else peak
            time.sleep(0.01)
    assert process.returncode == 0
    return peak


def test_many_rows_take_no_more_than_the_limit_on_top_of_few(database, tmp_path):
    project = Project(tmp_path / "films", database, "mode: upsert, key: [id]")
    (project.folder / "osiris-sql.toml").write_text(f'name = "films"\nmemory_limit = "{LIMIT}MB"\n')
    peaks = []
    for rows in (FEW, MANY):
        (project.folder / "models" / "film.sql").write_text(WIDE.format(rows=rows))
        assert project.build("--select", "film").exit_code == 0
        peaks.append(most_memory(project.start()))
    assert project.facts()["sent"] == MANY
    few, many = peaks
    assert many - few < LIMIT, peaks
