"""Faults and the stale schema cache of the test server, and the real client in front of it."""

from __future__ import annotations

import time

import httpx
import pytest
from servers.postgrest.fixture import rest, rest_server  # noqa: F401
from servers.postgrest.server import SECRET_KEY

C = "return=minimal,count=exact"


@pytest.mark.parametrize(("what", "rows"), [("drop before", 0), ("drop after", 1)])
def test_a_dropped_connection_before_the_statement_or_after_the_commit(rest, what, rows):  # noqa: F811
    rest.server.faults.add(what, method="POST")
    with pytest.raises(httpx.TransportError):
        rest.ask("POST", "t", prefer=C, json=[{"id": 1}])
    assert rest.sql("SELECT count(*) FROM t") == [(rows,)]
    assert rest.ask("POST", "t", prefer=C, json=[{"id": 2}]).status_code == 201


@pytest.mark.parametrize(
    ("what", "status"), [("429", 429), ("502", 502), ("PGRST002", 503), ("PGRST003", 504)]
)
def test_the_nth_request_gets_the_gateways_answer(rest, what, status):  # noqa: F811
    rest.server.faults.add(what, skip=1)
    found = [rest.ask("GET", "t").status_code for _ in range(3)]
    assert found == [200, status, 200]


def test_a_body_that_is_too_large(rest):  # noqa: F811
    rest.server.knobs.max_body = 10
    try:
        assert rest.ask("POST", "t", json=[{"id": 1, "name": "long"}]).status_code == 413
    finally:
        rest.server.knobs.max_body = None


def test_the_schema_cache_follows_the_notification(rest):  # noqa: F811
    rest.sql("CREATE TABLE later (id int); GRANT ALL ON later TO service_role")
    assert rest.ask("POST", "later", prefer=C, json=[{"id": 1}]).status_code == 404
    until = time.monotonic() + 10
    while rest.ask("POST", "later", prefer=C, json=[{"id": 1}]).status_code == 404:
        assert time.monotonic() < until
        time.sleep(0.05)
    rest.sql("DROP TABLE later")
    gone = rest.ask("POST", "later", prefer=C, json=[{"id": 1}])
    assert (gone.status_code, gone.json().get("code")) == (404, "42P01")


@pytest.fixture
def client(rest):  # noqa: F811
    import supabase

    with httpx.Client() as transport:
        yield supabase.create_client(
            rest.server.url, SECRET_KEY, supabase.ClientOptions(httpx_client=transport)
        )


@pytest.mark.filterwarnings("ignore:The '.*' parameter is deprecated:DeprecationWarning")
def test_the_real_client(client):
    import supabase

    table = client.table("t")
    assert len(table.insert([{"id": n, "name": f"n{n}"} for n in range(1, 4)]).execute().data) == 3
    upserted = table.upsert([{"id": 3, "name": "z"}, {"id": 4, "name": "y"}], on_conflict="id", count="exact")
    assert upserted.execute().count == 2
    assert table.select("*", count="exact", head=True).execute().count == 4
    assert [r["id"] for r in table.select("id,name").order("id").range(1, 2).execute().data] == [2, 3]
    assert table.update({"name": "q"}, count="exact").eq("id", 3).execute().count == 1
    assert table.delete(count="exact").in_("name", ["q", 'a"b', "n1"]).execute().count == 2
    assert table.delete(count="exact").not_.is_("id", "null").execute().count == 2
    assert client.rpc("twice", {"n": 21}).execute().data == 42
    assert client.rpc("facts", {"a": ["x", "y"]}).execute().data == {"ok": True, "n": 2}
    with pytest.raises(supabase.PostgrestAPIError) as caught:
        table.insert({"zzz": 1}).execute()
    assert caught.value.code == "PGRST204"
