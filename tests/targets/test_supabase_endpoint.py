"""What a connection says about itself, without connecting: keys, endpoints, reasons, retries."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

from osiris_sql.support.secrets import make_options
from osiris_sql.targets.supabase import PLUGIN
from osiris_sql.targets.supabase.backoff import pause
from osiris_sql.targets.supabase.endpoint import Endpoint, read_endpoint, unreachable
from osiris_sql.targets.supabase.failure import is_transient
from osiris_sql.types.diagnostic import ProjectError


def jwt(role: str) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"role": role}).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{claims}.c2lnbmF0dXJl"


def refused(**values: str) -> list[str]:
    with pytest.raises(ProjectError) as caught:
        PLUGIN(make_options(PLUGIN.Options, values, {}), Path())
    text = str(caught.value.diagnostics)
    assert not any(v in text for k, v in values.items() if k in ("dsn", "secret_key"))
    return [d.rule for d in caught.value.diagnostics]


DSN = "postgresql://postgres:pw-1234@127.0.0.1/app"


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        ("sb_publishable_abcdef", "publishable-key"),
        (jwt("anon"), "publishable-key"),
        (jwt("authenticated"), "publishable-key"),
        ("some-password", "not-a-key"),
        ("a.b.c", "not-a-key"),
    ],
)
def test_a_key_that_can_not_write_is_refused_when_it_is_read(key, rule):
    assert refused(dsn=DSN, secret_key=key) == [rule]


@pytest.mark.parametrize("key", ["sb_secret_abcdef", jwt("service_role")])
def test_a_key_that_can_write_is_taken(key):
    assert PLUGIN(make_options(PLUGIN.Options, {"dsn": DSN, "secret_key": key}, {}), Path())


POOLER = "postgresql://postgres.abcdefgh:pw-1234@aws-0-eu-west-1.pooler.supabase.com"


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"url": "https://x.supabase.co"}, "no-postgres-connection"),
        (
            {"url": "https://x.supabase.co", "secret_key": "sb_secret_abcdef", "channel": "postgres"},
            "no-postgres-connection",
        ),
        ({"dsn": DSN, "channel": "rest"}, "no-rest-connection"),
        (
            {
                "dsn": f"{POOLER}:5432/postgres",
                "url": "https://zyxwvuts.supabase.co",
                "secret_key": "sb_secret_abcdef",
            },
            "two-projects",
        ),
        ({"dsn": "mysql://pw-1234@host/db"}, "bad-dsn"),
        ({"dsn": f"{DSN}?pgbouncer=true"}, "bad-dsn"),
        ({"dsn": f"{POOLER}:6543/postgres?options=-cstatement_timeout%3D0"}, "options-through-pooler"),
        ({"dsn": f"{POOLER.replace('.abcdefgh', '')}:5432/postgres"}, "pooler-user"),
    ],
)
def test_a_connection_that_can_not_work_is_refused_before_it_is_tried(values, rule):
    assert refused(**values) == [rule]


@pytest.mark.parametrize(
    ("host", "port", "user", "kind", "identity"),
    [
        ("db.abcdefgh.supabase.co", "5432", "postgres", "direct", "supabase:abcdefgh/postgres"),
        ("db.abcdefgh.supabase.co", "6543", "postgres", "dedicated pooler", "supabase:abcdefgh/postgres"),
        (
            "aws-0-eu.pooler.supabase.com",
            "5432",
            "postgres.abcdefgh",
            "session pooler",
            "supabase:abcdefgh/postgres",
        ),
        (
            *("aws-0-eu.pooler.supabase.com", "6543", "postgres.abcdefgh"),
            *("transaction pooler", "supabase:abcdefgh/postgres"),
        ),
        ("127.0.0.1", "5433", "me", "postgres", "127.0.0.1:5433/postgres"),
    ],
)
def test_every_route_to_a_project_is_the_same_endpoint(host, port, user, kind, identity):
    found = read_endpoint({"host": host, "port": port, "user": user, "dbname": "postgres"})
    assert (found.kind, found.identity) == (kind, identity)


DIRECT = Endpoint(kind="direct", host="db.x.supabase.co", port="5432", database="postgres", user="postgres")
V4, V6 = socket.AF_INET, socket.AF_INET6


@pytest.mark.parametrize(
    ("text", "families", "rule"),
    [
        ("Network is unreachable", {V6}, "ipv6-only"),
        ("could not translate host name", set(), "unknown-host"),
        ("Connection refused", {V4, V6}, "unreachable"),
        ('FATAL: password authentication failed for user "postgres"', {V4}, "login-refused"),
        ('FATAL: password authentication failed for user "postgres"', {V6}, "login-refused"),
        ("FATAL: Tenant or user not found", {V4}, "login-refused"),
        ("FATAL: sorry, too many clients already", {V6}, "refused-connection"),
        ('root certificate file "ca.crt" does not exist', {V6}, "bad-certificate"),
    ],
)
def test_the_reason_names_the_way_out(text, families, rule):
    found = unreachable(DIRECT, text, frozenset(families))
    assert found.rule == rule
    assert ("Session pooler" in found.fix) == (rule in ("ipv6-only", "unknown-host"))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (psycopg2.errors.AdminShutdown, True),
        (psycopg2.errors.TooManyConnections, True),
        (psycopg2.errors.SerializationFailure, True),
        (psycopg2.errors.DeadlockDetected, True),
        (psycopg2.errors.LockNotAvailable, True),
        (psycopg2.errors.ConnectionFailure, True),
        (psycopg2.errors.QueryCanceled, False),
        (psycopg2.errors.UniqueViolation, False),
        (psycopg2.errors.InsufficientPrivilege, False),
        (psycopg2.errors.InvalidTextRepresentation, False),
    ],
)
def test_only_what_may_pass_is_tried_again(error, expected):
    code = next(c for c in CODES if psycopg2.errors.lookup(c) is error)
    assert is_transient(_coded(error, code)) is expected


def test_publishers_who_failed_together_do_not_try_again_together():
    for attempt in range(1, 5):
        longest = 0.2 * 2**attempt
        drawn = [pause(attempt) for _ in range(50)]
        assert all(longest / 2 <= delay <= longest for delay in drawn)
        assert len(set(drawn)) > 40


CODES = ("57P01", "53300", "40001", "40P01", "55P03", "08006", "57014", "23505", "42501", "22P02")


def _coded(error: type[psycopg2.Error], code: str) -> psycopg2.Error:
    made = error("said by a server")
    made.__setstate__({"pgcode": code})
    return made


def test_options_need_no_driver():
    code = """
import sys
from osiris_sql.targets import duckdb, files, supabase
print([m for m in ("psycopg2", "duckdb", "pyarrow") if m in sys.modules], supabase.PLUGIN.Options.__name__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] SupabaseOptions"
