"""The test server answers as PostgREST was observed to (reference 5.3), case by case."""

from __future__ import annotations

import json

import pytest
from servers.postgrest.fixture import ANON, rest, rest_server  # noqa: F401

M, C, R = "return=minimal", "return=minimal,count=exact", "return=representation"
U, I = "resolution=merge-duplicates", "resolution=ignore-duplicates"  # noqa: E741


def ids(*numbers: int) -> list[dict]:
    return [{"id": n} for n in numbers]


# number of the case, rows there before, request, Prefer, status, Content-Range
ANSWERS = [
    ("3", 0, "POST", "t", ids(1, 2, 3), M, 201, "*/*"),
    ("3", 0, "POST", "t", ids(*range(10)), C, 201, "*/10"),
    ("3", 0, "POST", "t", ids(*range(3000)), R, 201, "*/*"),
    ("4", 0, "POST", "t", ids(1), "", 201, "*/*"),
    ("6", 1, "POST", "t", ids(1, 2), f"{C},{U}", 201, "*/2"),
    ("6", 0, "POST", "t", ids(*range(3000)), f"{C},{U}", 201, "*/3000"),
    ("7", 1, "POST", "t", ids(1), f"{C},{U}", 200, "*/1"),
    ("7 view", 1, "POST", "seen?on_conflict=id", ids(1), f"{C},{U}", 200, "*/1"),
    ("10", 1, "POST", "t", ids(1, 2), f"{C},{I}", 201, "*/1"),
    ("10", 1, "POST", "t", ids(1), f"{C},{I}", 201, "*/0"),
    ("11", 0, "POST", "t?columns=id,name", [{"id": 1}, {"id": 2, "name": "x"}], M, 201, "*/*"),
    ("14", 0, "POST", "t?columns=id", [{"id": 1, "zzz": 2}], C, 201, "*/1"),
    ("14", 0, "POST", "t", [], C, 201, "*/0"),
    ("16", 0, "POST", "t", [{"id": 1, "v": "12.345"}], M, 201, "*/*"),
    ("18", 0, "POST", "t", [{"id": 1, "arr": [1, None]}], M, 201, "*/*"),
    ("20", 6, "PATCH", "t?id=lte.6", {"name": "x"}, C, 204, "0-5/6"),
    ("20", 6, "PATCH", "t?id=gt.6", {"name": "x"}, C, 204, "*/0"),
    ("20", 6, "PATCH", "t?id=eq.6", {"name": "x"}, M, 204, "0-0/*"),
    ("21", 6, "DELETE", "t?id=gte.1", None, C, 204, "*/6"),
    ("21", 17, "DELETE", "t?id=not.is.null", None, C, 204, "*/17"),
    ("21", 3000, "DELETE", "t?id=neq.0", None, C, 204, "*/3000"),
    ("21", 6, "DELETE", "t?id=lt.0", None, C, 204, "*/0"),
    ("21", 6, "DELETE", "t?id=eq.1", None, M, 204, "*/*"),
    ("22", 6, "PATCH", "t?id=eq.1", {"name": "x"}, f"{R},count=exact", 200, "0-0/1"),
    ("22", 6, "DELETE", "t?id=eq.1", None, f"{R},count=exact", 200, "*/1"),
    ("24", 3, "DELETE", "t?id=lte.2", None, f"{C},handling=strict,max-affected=2", 204, "*/2"),
    ("25", 3, "DELETE", "t?id=lte.3", None, f"{C},max-affected=2", 204, "*/3"),
    ("26", 0, "GET", "t", None, "", 200, "*/*"),
    ("26", 6, "GET", "t?limit=0", None, "", 200, "*/*"),
    ("26", 2500, "GET", "t?limit=0", None, "count=exact", 206, "*/2500"),
    ("27", 2500, "GET", "t", None, "", 200, "0-999/*"),
    ("27", 2500, "GET", "t", None, "count=exact", 206, "0-999/2500"),
    ("27", 2500, "HEAD", "t", None, "count=exact", 206, "0-999/2500"),
    ("27", 4, "GET", "t", None, "count=exact", 200, "0-3/4"),
    ("28", 2500, "GET", "t?offset=10&limit=3", None, "", 200, "10-12/*"),
    ("28", 2500, "GET", "t?offset=10&limit=3", None, "count=exact", 206, "10-12/2500"),
    ("or", 5, "DELETE", "t?or=(and(id.eq.1,name.eq.n1),id.in.(2,3))", None, C, 204, "*/3"),
    ("in", 5, "DELETE", 't?name=in.("n1",n2,"a,b)")', None, C, 204, "*/2"),
    ("32", 0, "POST", "secured", ids(1), C, 201, "*/1"),
    ("32", 0, "POST", "swallowing", ids(1), C, 201, "*/0"),
    ("35", 0, "POST", "rpc/twice", {"n": 4}, "", 200, "0-0/*"),
]


@pytest.mark.parametrize(("case", "before", "method", "target", "body", "prefer", "status", "span"), ANSWERS)
def test_an_answer(rest, case, before, method, target, body, prefer, status, span):  # noqa: F811
    rest.fill(before)
    done = rest.ask(method, target, prefer=prefer, **({} if body is None else {"json": body}))
    assert (done.status_code, done.headers.get("Content-Range")) == (status, span), done.text
    if "representation" not in prefer and method in ("PATCH", "DELETE"):
        assert done.text == ""


# number, request, Prefer, status, code, words of the body
REFUSALS = [
    ("1", "POST", "missing", ids(1), M, 404, None, "{}"),
    ("1", "GET", "missing", None, "", 404, "42P01", 'relation \\"public.missing\\" does not exist'),
    ("2", "POST", "closed", ids(1), M, 403, "42501", "permission denied for table closed"),
    ("5", "POST", "t", ids(9, 1), M, 409, "23505", "Key (id)=(1) already exists."),
    ("5", "POST", "child", [{"id": 1, "parent": 77}], M, 409, "23503", "is not present in table"),
    ("8", "POST", "t", ids(3, 3), f"{M},{U}", 500, "21000", "cannot affect row a second time"),
    ("9", "POST", "t?on_conflict=name", ids(3), f"{M},{U}", 400, "42P10", "ON CONFLICT"),
    ("9", "POST", "t?on_conflict=nope", ids(3), f"{M},{U}", 400, "42703", 'column \\"nope\\" does not exist'),
    ("12", "POST", "t", [{"id": 3}, {"name": "x"}], M, 400, "PGRST102", "All object keys must match"),
    ("13", "POST", "t", [{"zzz": 3}], M, 400, "PGRST204", "Could not find the 'zzz' column of 't'"),
    ("13", "POST", "t?columns=zzz", [{"zzz": 3}], M, 400, "PGRST204", "in the schema cache"),
    ("15", "POST", "t", [{"id": "abc"}], M, 400, "22P02", 'invalid input syntax for type bigint: \\"abc\\"'),
    ("15", "POST", "t", [{"id": 1, "name": "\0"}], M, 400, "22P05", "unsupported Unicode escape sequence"),
    ("16", "POST", "t", [{"id": 3, "v": 99999.99}], M, 400, "22003", "precision 6, scale 2"),
    ("17", "POST", "t", [{"name": "x"}], M, 400, "23502", "Failing row contains"),
    ("17", "POST", "t", [{"id": 3, "g": 4}], M, 400, "428C9", "Use OVERRIDING SYSTEM VALUE to override."),
    ("23", "PATCH", "t", {"name": "x"}, C, 400, "21000", "UPDATE requires a WHERE clause"),
    ("23", "DELETE", "t", None, C, 400, "21000", "DELETE requires a WHERE clause"),
    ("24", "DELETE", "t?id=gt.0", None, f"{C},handling=strict,max-affected=1", 400, "PGRST124", "affects 2"),
    ("25", "DELETE", "t?id=gt.0", None, f"{C},handling=strict,nope=1", 400, "PGRST122", "nope=1"),
    ("28", "GET", "t?offset=5000", None, "count=exact", 416, "PGRST103", "An offset of 5000 was requested"),
    ("29", "GET", "t?zz=eq.1", None, "", 400, "42703", "column t.zz does not exist"),
    ("29", "GET", "t?select=zz", None, "", 400, "42703", "column t.zz does not exist"),
    ("29", "GET", "t?id=eq.abc", None, "", 400, "22P02", "invalid input syntax"),
    ("29", "GET", "t?id=abc", None, "", 400, "PGRST100", "failed to parse filter (abc)"),
    ("35", "POST", "rpc/nope", {}, "", 404, "PGRST202", "Could not find the function public.nope"),
    ("35", "POST", "rpc/twice", {"m": 4}, "", 404, "PGRST202", "with parameters m"),
    ("36", "POST", "rpc/twice", {"n": "x"}, "", 400, "22P02", "invalid input syntax"),
    ("36", "POST", "rpc/refusing", {}, "", 400, "P0001", '"details": "why", "hint": "how", "message": "no"'),
    ("38", "GET", "t?a.b=eq.x", None, "", 400, "PGRST108", "'a' is not an embedded resource"),
]


@pytest.mark.parametrize(("case", "method", "target", "body", "prefer", "status", "code", "words"), REFUSALS)
def test_a_refusal(rest, case, method, target, body, prefer, status, code, words):  # noqa: F811
    rest.fill(2)
    done = rest.ask(method, target, prefer=prefer, **({} if body is None else {"json": body}))
    assert (done.status_code, json.loads(done.text).get("code")) == (status, code), done.text
    assert words in done.text
    assert ("Content-Range" in done.headers) == (status == 416)
    assert rest.sql("SELECT id, name FROM t ORDER BY 1") == [(1, "n1"), (2, "n2")]


def test_what_anon_may_see_and_do(rest):  # noqa: F811
    rest.sql("INSERT INTO secured VALUES (1)")
    refused = rest.ask("POST", "secured", key=ANON, prefer=M, json=ids(2))
    assert (refused.status_code, refused.json()["code"]) == (401, "42501")
    assert 'row-level security policy for table "secured"' in refused.json()["message"]
    silent = [
        rest.ask("DELETE", "secured?id=eq.1", key=ANON, prefer=C),
        rest.ask("HEAD", "secured", key=ANON, prefer="count=exact"),
    ]
    assert [(s.status_code, s.headers["Content-Range"]) for s in silent] == [(204, "*/0"), (200, "*/0")]
    assert rest.ask("POST", "rpc/private", key=ANON, json={"n": 1}).status_code == 401
    assert rest.ask("POST", "rpc/private", json={"n": 1}).text == "1"


def test_keys_and_schemas(rest):  # noqa: F811
    wrong = rest.ask("GET", "t", key="sb_secret_nope")
    assert (wrong.status_code, "code" in wrong.json()) == (401, False)
    hidden = rest.ask("GET", "t", headers={"Accept-Profile": "osiris"})
    assert (hidden.status_code, hidden.json()["code"]) == (406, "PGRST106")
    assert hidden.json()["message"] == "The schema must be one of the following: public, graphql_public"


def test_bodies_as_they_come(rest):  # noqa: F811
    assert rest.ask("POST", "t", prefer=M, content=b"{").json()["message"] == "Empty or invalid json"
    other = rest.ask("POST", "t", content=b"x", headers={"Content-Type": "text/html"})
    assert other.json()["message"] == "Content-Type not acceptable: text/html"
    lines = rest.ask(
        "POST", "t", prefer=C, content=b"id,name\n1,NULL\n2,\n", headers={"Content-Type": "text/csv"}
    )
    assert lines.headers["Content-Range"] == "*/2"
    assert rest.sql("SELECT id, name FROM t ORDER BY 1") == [(1, None), (2, "")]
    dot = rest.ask("POST", "t?columns=id,v", prefer=M, content=b'[{"id":3,"v":.5}]')
    assert (dot.json()["code"], dot.json()["details"]) == ("22P02", 'Token "." is invalid.')


def test_a_missing_value_is_null_or_the_default_on_request(rest):  # noqa: F811
    rows = [{"id": 1}, {"id": 2, "name": "x"}]
    rest.ask("POST", "t?columns=id,name", prefer=M, json=rows)
    rows = [{"id": 3}, {"id": 4, "name": "x"}]
    rest.ask("POST", "t?columns=id,name", prefer=f"{M},missing=default", json=rows)
    assert rest.sql("SELECT name FROM t ORDER BY id") == [(None,), ("x",), ("dflt",), ("x",)]


def test_weird_names(rest):  # noqa: F811
    row = {"id": 1, "a.b": "x", "c,d": "y", "sel ect": "z", 'e"f': "w"}
    columns = "columns=" + "id,%22a.b%22,%22c%2Cd%22,%22sel%20ect%22,%22e%5C%22f%22"
    done = rest.ask("POST", f"Weird%20Table?{columns}", prefer=C, json=[row])
    assert (done.status_code, done.headers["Content-Range"]) == (201, "*/1")
    assert rest.ask("GET", "Weird%20Table?%22a.b%22=eq.x").json() == [row]
    again = rest.ask(
        "POST",
        f"Weird%20Table?on_conflict=%22a.b%22&{columns}",
        prefer=f"{C},{U}",
        json=[{**row, "c,d": "n"}],
    )
    assert (again.status_code, again.headers["Content-Range"]) == (200, "*/1")
    assert rest.sql('SELECT "c,d" FROM "Weird Table"') == [("n",)]


def test_one_object(rest):  # noqa: F811
    rest.fill(2)
    accept = {"Accept": "application/vnd.pgrst.object+json"}
    assert rest.ask("GET", "t?id=eq.1&select=id,name", headers=accept).json() == {"id": 1, "name": "n1"}
    assert rest.ask("GET", "t", headers=accept).json()["code"] == "PGRST116"
    assert rest.ask("GET", "a/b").status_code == 404


def test_the_login_roles_timeout_stays_in_force_for_the_service(rest):  # noqa: F811
    rest.sql("ALTER ROLE authenticator SET statement_timeout = '200ms'")
    try:
        done = rest.ask("POST", "slow", prefer=M, json=ids(1))
    finally:
        rest.sql("ALTER ROLE authenticator SET statement_timeout = '8s'")
    assert (done.status_code, done.json()["code"]) == (500, "57014")
    assert done.json()["message"] == "canceling statement due to statement timeout"


def test_a_text_goes_raw_to_a_function_of_one_unnamed_text(rest):  # noqa: F811
    """As PostgREST documents it, and tests it itself."""
    plain = {"Content-Type": "text/plain"}
    done = rest.ask("POST", "rpc/measured", content='{"a"\n: \\é', headers=plain)
    assert (done.status_code, done.text) == (200, "9")
    refused = rest.ask("POST", "rpc/twice", content="4", headers=plain)
    words = "Searched for the function public.twice with a single unnamed text parameter, but no matches"
    assert (refused.status_code, refused.json()["code"]) == (404, "PGRST202")
    assert words in refused.json()["details"]
