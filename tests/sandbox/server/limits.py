"""What a sandbox has: a small disk is a small tmpfs, little memory is a control group of the kernel."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup/memory")


@dataclass
class Limits:
    """Megabytes of memory and disk of the sandboxes that are made from now on. `told_mb` is what the API
    says of memory; `memory_mb`, `disk_mb` are enforced, 0 is no limit."""

    told_mb: int = 4096
    memory_mb: int = 0
    disk_mb: int = 0

    def apply(self, home: Path, uid: int) -> None:
        """Limit a sandbox that is being made."""
        if self.disk_mb:
            options = f"size={self.disk_mb}m,mode=755"
            subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", home], check=True)
        if self.memory_mb:
            group(uid).mkdir()
            (group(uid) / "memory.limit_in_bytes").write_text(f"{self.memory_mb}M")


def can_limit_memory() -> bool:
    """Say whether this machine lets us make control groups for memory."""
    try:
        group(0).mkdir()
    except OSError:
        return False
    limited = (group(0) / "memory.limit_in_bytes").exists()
    group(0).rmdir()
    return limited


def group(uid: int) -> Path:
    """Return the control group of a sandbox."""
    return GROUPS / f"osiris-sandbox-{uid}"


def release(home: Path, uid: int) -> None:
    """Take the limits away; nothing runs there any more."""
    if home.is_mount():
        subprocess.run(["umount", "--lazy", home], check=True)
    if group(uid).is_dir():
        group(uid).rmdir()
