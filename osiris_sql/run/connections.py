"""Opens the connections that a plan names, at the last moment, in the process that uses them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

from osiris_sql.protocols import Snapshot, Source, Target
from osiris_sql.run.reach import find_address
from osiris_sql.support.plugins import load_plugin
from osiris_sql.support.secrets import Redactor, env_names, make_options, resolve, secret_values
from osiris_sql.types.diagnostic import Diagnostic, ProjectError, StepError, UnreachableError
from osiris_sql.types.plan import PlannedConnection


def check_environ(connections: Iterable[PlannedConnection], environ: Mapping[str, str]) -> None:
    """Raise ProjectError that lists every variable which a connection needs and which is not set."""
    missing = tuple(
        Diagnostic(
            rule="missing-variable",
            message=f"the environment variable {name} is not set",
            location=connection.location,
            why=f'{connection.role} connection "{connection.name}" (type {connection.type}) needs it',
            fix=f"export {name}=... or pass --env-file FILE",
        )
        for connection in connections
        for name in env_names(connection.options)
        if not environ.get(name)
    )
    if missing:
        raise ProjectError(*missing)


class Connections:
    """The open ends of a run. Sources and targets are made on first use and shared by its threads."""

    def __init__(
        self,
        planned: Iterable[PlannedConnection],
        environ: Mapping[str, str],
        root: Path,
        redactor: Redactor,
        endpoints: Mapping[str, str] | None = None,
    ) -> None:
        self._endpoints = endpoints or {}
        self._planned: dict[tuple[str, str], PlannedConnection] = {(c.role, c.name): c for c in planned}
        self._environ = environ
        self._root = root
        self._redactor = redactor
        self._lock = threading.RLock()
        self._open: dict[tuple[str, str], Any] = {}
        self._snapshots: dict[str, tuple[AbstractContextManager[Snapshot], Snapshot]] = {}
        self._reading: dict[str, threading.Lock] = {}

    def source(self, name: str) -> Source:
        """Return the source behind a connection."""
        made: Source = self._make("source", name)
        return made

    def target(self, name: str) -> Target:
        """Return the target behind a connection."""
        made: Target = self._make("target", name)
        return made

    def refuse_others(self) -> None:
        """Raise ProjectError that names every connection which reaches another end than the plan's."""
        moved: list[Diagnostic] = []
        for planned in self._planned.values():
            if f"{planned.role} {planned.name}" not in self._endpoints:
                continue
            # One that does not answer is no reason to stop: the steps that need it fail, and say so.
            with suppress(UnreachableError, StepError):
                try:
                    self._make(planned.role, planned.name)
                except ProjectError as error:
                    moved += error.diagnostics
        if moved:
            raise ProjectError(*moved)

    def address(self, role: str, name: str) -> tuple[str, int] | None:
        """Return host and port of a connection's server, None if it has none."""
        planned = self._planned[role, name]
        check_environ([planned], self._environ)
        return find_address(planned.type, resolve(planned.options, self._environ))

    def snapshot(self, name: str) -> tuple[Snapshot, threading.Lock]:
        """Return the one instant of a source that this run reads, and the lock to hold while reading."""
        with self._lock:
            if name not in self._snapshots:
                manager = self.source(name).snapshot()
                self._snapshots[name] = (manager, manager.__enter__())
                self._reading[name] = threading.Lock()
            return self._snapshots[name][1], self._reading[name]

    def end_snapshot(self, name: str) -> None:
        """Let go of a source's instant: nothing more will be read."""
        with self._lock:
            held = self._snapshots.pop(name, None)
        if held:
            held[0].__exit__(None, None, None)

    def interrupt(self) -> None:
        """Stop every transfer, from another thread."""
        with self._lock:
            ends = list(self._open.values())
        for end in ends:
            end.interrupt()

    def close(self) -> None:
        """Let go of everything."""
        for name in tuple(self._snapshots):
            self.end_snapshot(name)

    def _make(self, role: str, name: str) -> Any:
        with self._lock:
            if (role, name) not in self._open:
                planned = self._planned[role, name]
                end = open_end(planned, self._environ, self._root, self._redactor)
                self._refuse_other(planned, end)
                self._open[role, name] = end
            return self._open[role, name]

    def _refuse_other(self, planned: PlannedConnection, end: Source | Target) -> None:
        expected = self._endpoints.get(f"{planned.role} {planned.name}")
        if expected is not None and hash_endpoint(end.endpoint()) != expected:
            raise ProjectError(
                Diagnostic(
                    rule="another-endpoint",
                    message=f'connection "{planned.name}" reaches another server or database than the plan',
                    location=planned.location,
                    why="rows of one endpoint are never mixed with those of another",
                    fix="make a new plan, or correct the environment variables",
                )
            )


def open_end(planned: PlannedConnection, environ: Mapping[str, str], root: Path, redactor: Redactor) -> Any:
    """Return the source or target of a connection, its secrets resolved and from now on masked."""
    plugin = load_plugin("sources" if planned.role == "source" else "targets", planned.type)
    check_environ([planned], environ)
    try:
        options = make_options(plugin.Options, planned.options, environ)
    except (TypeError, ValueError) as error:
        raise ProjectError(
            Diagnostic(
                rule="bad-option",
                message=f'the options of connection "{planned.name}" do not fit',
                location=planned.location,
                why=redactor(str(error)),
            )
        ) from None
    redactor.add(secret_values(options))
    return plugin(options, root)


def hash_endpoint(identity: str) -> str:
    """Return an endpoint's identity as stored: not readable, the same for the same endpoint."""
    return hashlib.blake2b(identity.encode(), key=b"osiris-sql endpoint", digest_size=12).hexdigest()
