"""One command and what it cost: time, processor, memory of its process tree, bytes read and written."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.program.shape import BenchmarkError

PROC = Path("/proc")
PAGE = os.sysconf("SC_PAGE_SIZE")
FIRST_LOOK, SLOWEST_LOOK = 0.001, 0.04  # seconds between two looks at the memory
SHOWN = 3000
LONGEST = 1800.0  # seconds after which a command is thought to hang


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one run took. Bytes are those of its read and write calls on files, cached or not."""

    wall: float
    cpu: float
    peak_bytes: int
    read_bytes: int
    written_bytes: int
    output: str


def run_command(
    command: Sequence[str | Path], folder: Path, environ: Mapping[str, str], longest: float = LONGEST
) -> Cost:
    """Run a command to its end; raises BenchmarkError, with what it said, if it fails or takes too long."""
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        memory = MemoryWatch(process.pid)
        limit = threading.Timer(longest, _kill_all, [process.pid])
        limit.daemon = True
        limit.start()
        # The zombie is kept: the kernel still tells its account of bytes, its children's included.
        try:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        except BaseException:  # we are stopped: so is what we measure
            _kill_all(process.pid)
            raise
        wall = time.perf_counter() - began
        memory.stop()
        limit.cancel()
        account = _account(process.pid)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        output = said.read().decode(errors="replace")
    if process.returncode:
        shown = " ".join(str(word) for word in command)[:300]
        ended = f"stopped after {longest:g} s" if wall > longest else f"exit code {process.returncode}"
        raise BenchmarkError(f"{ended}: {shown}\n{output[-SHOWN:]}")
    return Cost(
        wall=wall,
        cpu=used.ru_utime + used.ru_stime,
        peak_bytes=memory.peak,
        read_bytes=account["rchar"],
        written_bytes=account["wchar"],
        output=output,
    )


class MemoryWatch:
    """The most memory that a process and its descendants had resident at one time.

    It looks ever so often, so a peak of one process that falls between two looks is taken from the kernel's
    own high-water mark. `ru_maxrss` is no use: a child begins with its parent's.
    """

    def __init__(self, pid: int) -> None:
        self.peak = 0
        self._pid = pid
        self._ended = threading.Event()
        self._look()  # at once: `python -c pass` may have ended when the thread begins
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        pause = FIRST_LOOK
        while not self._ended.wait(pause):
            pause = min(pause * 1.2, SLOWEST_LOOK)
            self._look()

    def _look(self) -> None:
        pids = descendants(self._pid)
        self.peak = max(self.peak, sum(map(_resident, pids)), *map(_high_water, pids))


def descendants(pid: int) -> list[int]:
    """Return a process and all that it started, as far as they are still there."""
    found, asked = [], [pid]
    while asked:
        one = asked.pop()
        found.append(one)
        for task in _listed(PROC / str(one) / "task"):
            asked += map(int, _text(task / "children").split())
    return found


def _kill_all(pid: int) -> None:
    for one in descendants(pid):
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.kill(one, signal.SIGKILL)


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # it has ended meanwhile
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended meanwhile
        return ""


def _resident(pid: int) -> int:
    words = _text(PROC / str(pid) / "statm").split()
    return int(words[1]) * PAGE if words else 0


def _high_water(pid: int) -> int:
    for line in _text(PROC / str(pid) / "status").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


def _account(pid: int) -> dict[str, int]:
    lines = (PROC / str(pid) / "io").read_text().splitlines()
    return {name: int(number) for name, number in (line.split(": ") for line in lines)}
