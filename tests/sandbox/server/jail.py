"""How a command of a sandbox runs on this machine: as root in its own mounts and account, else plainly.

In the jail the home folder is /home/user, Python with its packages is in /opt/python, and this repository
is not there: what runs was shipped.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path

from sandbox.server.limits import group

REPOSITORY = Path(__file__).parents[3]
HOME = "/home/user"
ROOTED = os.geteuid() == 0 and all(shutil.which(name) for name in ("unshare", "setpriv", "mount"))
PYTHON = "/opt/python/bin/python" if ROOTED else sys.executable

SCRIPT = """
set -e
echo $$ >"$1"; shift
if [ -f "$1" ]; then mount --bind "$1" /etc/hosts; fi; shift
base=$1 venv=$2 repository=$3 home=$4 uid=$5 folder=$6; shift 6
mount -t tmpfs -o mode=755 none /opt; mkdir /opt/base /opt/python
mount --bind "$base" /opt/base
mount --bind "$venv" /opt/python
mount -t tmpfs -o mode=755 none /home; mkdir /home/user
mount --bind "$home" /home/user
mount -t tmpfs -o mode=755 none "$repository"
case "$base" in
  /root/*) mount -t tmpfs -o mode=755 none /root; mkdir -p "$base"; mount --bind /opt/base "$base" ;;
esac
cd "$folder"
exec setpriv --reuid "$uid" --regid "$uid" --clear-groups -- "$@"
"""


def jailed(home: Path, uid: int, folder: str, command: list[str]) -> list[str]:
    """Return the command line that runs `command` in the jail of a sandbox."""
    if not ROOTED:
        return command
    limits = [str(group(uid) / "cgroup.procs")] if group(uid).is_dir() else ["/dev/null"]
    # A file `hosts` beside the sandboxes is their /etc/hosts.
    places = [
        *limits,
        str(home.parent / "hosts"),
        sys.base_prefix,
        sys.prefix,
        str(REPOSITORY),
        str(home),
        str(uid),
        folder,
    ]
    return ["unshare", "--mount", "--", "/bin/sh", "-c", SCRIPT, "jail", *places, *command]


def processes_of(uid: int) -> list[int]:
    """Return the processes of an account that have not ended."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid == uid and _state(entry) != "Z":
                found.append(int(entry.name))
    return found


def kill_account(uid: int) -> None:
    """Kill every process of an account of ours, also those born meanwhile."""
    if not ROOTED:
        return
    while alive := processes_of(uid):
        for pid in alive:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _state(process: Path) -> str:
    return (process / "stat").read_text().rpartition(")")[2].split()[0]
