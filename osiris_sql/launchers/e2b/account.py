"""What concerns the E2B account and not one sandbox: the way in, what was left behind, the template."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from osiris_sql.launchers.e2b.failure import explain, insist
from osiris_sql.launchers.e2b.options import Options, read_lock, template_of
from osiris_sql.launchers.e2b.packages import python_version

if TYPE_CHECKING:
    from e2b import E2B

# CPU and memory belong to the template; DuckDB wants room.
CPUS, MEMORY_MB = 2, 4096


def open_client(options: Options) -> E2B:
    """Return the SDK bound to the options."""
    from e2b import E2B

    return E2B(
        api_key=options.api_key.reveal(),
        api_url=options.api_url,
        sandbox_url=options.sandbox_url,
        domain=options.domain,
        proxy=options.proxy,
    )


def list_sandboxes(client: E2B, metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the run of each living sandbox with this metadata, by the sandbox's id."""
    from e2b import SandboxQuery

    pages = client.Sandbox.list(query=SandboxQuery(metadata=dict(metadata)))
    found: dict[str, str] = {}
    while pages.has_next:
        for each in insist(pages.next_items, "listing sandboxes"):
            found[each.sandbox_id] = (each.metadata or {}).get("osiris_run_id", "")
    return found


def end_sandbox(client: E2B, sandbox_id: str) -> None:
    """End a sandbox by its id; one that is gone already is fine."""
    insist(lambda: client.Sandbox.kill(sandbox_id), "ending a sandbox")


def make_template(client: E2B, options: Options) -> bool:
    """Build the template that the options name from its lock; False if it exists.

    A lock with hashes is installed with every hash required.
    """
    name, lock = template_of(options), read_lock(options)
    if insist(lambda: client.Template.exists(name), "looking for the template"):
        return False
    hashed = "--require-hashes " if "--hash=" in lock else ""
    with tempfile.TemporaryDirectory(prefix="osiris-template-") as folder:
        Path(folder, "lock.txt").write_text(lock)
        recipe = (
            client.Template(file_context_path=folder)
            .from_python_image(python_version())
            .copy("lock.txt", "/opt/osiris-lock.txt")
            .run_cmd(f"pip install --no-cache-dir {hashed}-r /opt/osiris-lock.txt", user="root")
        )
        try:
            client.Template.build(recipe, name, cpu_count=CPUS, memory_mb=MEMORY_MB)
        except Exception as error:
            raise explain(error, "building the template") from error
    return True
