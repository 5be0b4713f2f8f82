"""What a person can say about the sandbox, all of it by environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from osiris_sql.launchers.e2b.packages import lock_text, name_template
from osiris_sql.support.secrets import make_options
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.secret import Secret


@dataclass(frozen=True, kw_only=True)
class Options:
    """The sandbox's options: `lease` is how many seconds it lives when nobody renews it,
    `allow_out` the only addresses that it may reach, with commas between; empty is no such limit.
    `lock` is a requirements file to build the template from, `metadata` NAME=VALUE pairs."""

    api_key: Secret
    template: str = ""
    lock: str = ""
    python: str = "/usr/local/bin/python3"
    lease: int = 600
    internet: bool = True
    allow_out: str = ""
    metadata: str = ""
    fetch: bool = False
    detach: bool = False
    api_url: str | None = None
    sandbox_url: str | None = None
    domain: str | None = None
    proxy: str | None = None

    @property
    def labels(self) -> dict[str, str]:
        """The person's own metadata of the sandbox."""
        return _read_metadata(self.metadata)


VARIABLES = {
    "api_key": "E2B_API_KEY",
    "api_url": "E2B_API_URL",
    "sandbox_url": "E2B_SANDBOX_URL",
    "domain": "E2B_DOMAIN",
    "proxy": "OSIRIS_E2B_PROXY",
    "template": "OSIRIS_E2B_TEMPLATE",
    "lock": "OSIRIS_E2B_LOCK",
    "metadata": "OSIRIS_E2B_METADATA",
    "python": "OSIRIS_E2B_PYTHON",
    "lease": "OSIRIS_E2B_LEASE",
    "internet": "OSIRIS_E2B_INTERNET",
    "allow_out": "OSIRIS_E2B_ALLOW_OUT",
    "fetch": "OSIRIS_E2B_FETCH",
    "detach": "OSIRIS_E2B_DETACH",
}


def read_options(environ: Mapping[str, str]) -> Options:
    """Return the options that the variables say; raises ProjectError if one is missing or unfit."""
    values = {field: environ[name] for field, name in VARIABLES.items() if environ.get(name)}
    if "api_key" not in values:
        raise ProjectError(
            Diagnostic(
                rule="missing-variable",
                message="the environment variable E2B_API_KEY is not set",
                why="launcher e2b runs the plan in a sandbox of your E2B account",
                fix="export E2B_API_KEY=... or pass --env-file FILE",
            )
        )
    try:
        options: Options = make_options(Options, values, {})
        _read_metadata(options.metadata)
    except ValueError as error:
        field = str(error).split('"')[1]
        message = f"{VARIABLES[field]} does not fit: {str(error).split(' ', 1)[1]}"
        raise ProjectError(Diagnostic(rule="bad-option", message=message)) from None
    return options


def read_lock(options: Options) -> str:
    """Return the requirements file that a template is built from: the person's own, or what runs here."""
    if not options.lock:
        return lock_text()
    try:
        return Path(options.lock).read_text()
    except OSError as error:
        message = f"the lock {options.lock} can't be read: {error.strerror}"
        raise ProjectError(
            Diagnostic(rule="bad-option", message=message, fix="see OSIRIS_E2B_LOCK")
        ) from None


def template_of(options: Options) -> str:
    """Return the template that the options name, or the one that is named by its lock."""
    return options.template or name_template(read_lock(options))


def _read_metadata(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if any(not equals or not name.strip() for name, equals, _ in pairs):
        raise ValueError('"metadata" must be NAME=VALUE pairs with commas between')
    return {name.strip(): value.strip() for name, _, value in pairs}
