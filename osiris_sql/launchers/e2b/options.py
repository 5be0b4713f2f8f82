"""What a person can say about the sandbox, all of it by environment variables."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

from osiris_sql.support.secrets import make_options
from osiris_sql.types.diagnostic import Diagnostic, ProjectError
from osiris_sql.types.secret import Secret

# What the worker needs in a sandbox; the osiris-sql package itself is shipped.
PACKAGES = ("cryptography", "duckdb", "psycopg2-binary", "pyarrow", "pydantic", "pymysql", "pytz")


@dataclass(frozen=True, kw_only=True)
class Options:
    """The sandbox's options: `lease` is how many seconds it lives when nobody renews it,
    `allow_out` the only addresses that it may reach, with commas between; empty is no such limit."""

    api_key: Secret
    template: str
    python: str = "/usr/local/bin/python3"
    lease: int = 600
    internet: bool = True
    allow_out: str = ""
    fetch: bool = False
    detach: bool = False
    api_url: str | None = None
    sandbox_url: str | None = None
    domain: str | None = None


VARIABLES = {
    "api_key": "E2B_API_KEY",
    "api_url": "E2B_API_URL",
    "sandbox_url": "E2B_SANDBOX_URL",
    "domain": "E2B_DOMAIN",
    "template": "OSIRIS_E2B_TEMPLATE",
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
        options: Options = make_options(Options, {"template": template_name(), **values}, {})
    except ValueError as error:
        field = str(error).split('"')[1]
        message = f"{VARIABLES[field]} does not fit: {str(error).split(' ', 1)[1]}"
        raise ProjectError(Diagnostic(rule="bad-option", message=message)) from None
    return options


def packages() -> dict[str, str]:
    """Return the packages that a sandbox needs, in the versions that run here."""
    return {name: version(name) for name in PACKAGES}


def python_version() -> str:
    """Return the minor version of Python that runs here."""
    return ".".join(map(str, sys.version_info[:2]))


def template_name() -> str:
    """Return the name of the template that has exactly what runs here: told by its content."""
    text = "\n".join([python_version(), *(f"{name}=={number}" for name, number in packages().items())])
    return f"osiris-sql-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
