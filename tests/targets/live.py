"""A real Supabase project for the tests, named by variables; `python -m servers.live_like` stands in for one.

One schema is ours: what it holds is dropped before each test. The dsn is there to look past the target.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from targets.supabase_table import Database, install

_POSTGRES = ("OSIRIS_LIVE_SUPABASE_DSN", "OSIRIS_LIVE_SUPABASE_SCHEMA")
LIVE = {
    "live postgres": _POSTGRES,
    "live rest": (*_POSTGRES, "OSIRIS_LIVE_SUPABASE_URL", "OSIRIS_LIVE_SUPABASE_KEY"),
}
_OWN_SERVERS = {"app_dsn", "postgres", "pooler", "rest_server"}
_EMPTY = """
DO $$ DECLARE found record; BEGIN
  FOR found IN SELECT format('DROP %s IF EXISTS %I.%I CASCADE', CASE relkind WHEN 'v' THEN 'VIEW'
      WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, nspname, relname)
    AS it FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname = '{0}' AND relkind IN ('r', 'p', 'v', 'm', 'f') LOOP EXECUTE found.it; END LOOP;
  FOR found IN SELECT format('DROP FUNCTION IF EXISTS %s CASCADE', oid::regprocedure) AS it
    FROM pg_proc WHERE pronamespace = '{0}'::regnamespace LOOP EXECUTE found.it; END LOOP;
  IF to_regclass('osiris.publications') IS NOT NULL THEN
    DELETE FROM osiris.publications WHERE target LIKE '"{0}".%';
  END IF;
END $$"""


def missing(kind: str) -> list[str]:
    """Return the variables that a real project still needs."""
    return [name for name in LIVE[kind] if not os.environ.get(name)]


def real(*kinds: str) -> list[Any]:
    """Return the channels of a real project as parameters, where its variables are set."""
    return [pytest.param(kind, marks=pytest.mark.live) for kind in kinds if not missing(kind)]


def skip_own_faults(request: Any) -> None:
    """Leave out a test that needs servers of this machine: faults, roles and rights that it may change."""
    if own := _OWN_SERVERS & set(request.fixturenames):
        pytest.skip(f"no test for a real project: it needs {', '.join(sorted(own))} of this machine")


def live_database(kind: str) -> Database:
    """Return the schema of the real project, empty, with osiris-sql's functions for what goes over REST."""
    dsn, schema, *place = (os.environ[name] for name in LIVE[kind])
    if place:
        install(dsn, schema)
    made = Database(dsn, schema, *place)
    made.sql(_EMPTY.format(schema))
    return made
