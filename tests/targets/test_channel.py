"""`channel: auto` with both ways: Postgres if it answers, REST if nothing does, decided once and said."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.postgres import PASSWORD
from servers.tcp_proxy import TcpProxy, tcp_proxy
from targets.publishing import OVER_EITHER, Project, counted, words
from targets.supabase_table import Database

A = [(1, "Alien"), (2, "Heat"), (3, "Fargo")]
B = [(1, "Alien"), (2, "Heat!"), (4, "Brazil")]
SYNC = "mode: sync, key: [id]"
REST = "channel: rest, through osiris-sql's functions"


@pytest.fixture
def proxy(postgres) -> Iterator[TcpProxy]:
    """The only way to Postgres."""
    with tcp_proxy(postgres.port) as made:
        yield made


@pytest.fixture
def both(app_dsn, rest_server, request) -> Database:
    return Database(app_dsn, f"both{abs(hash(request.node.name))}", rest_server.url)


@pytest.fixture
def project(both, postgres, proxy, tmp_path: Path) -> Project:
    made = Project(tmp_path / "films", both, SYNC, "connect_timeout: 10", OVER_EITHER)
    made.environ["DSN"] = postgres.dsn("app", port=proxy.port) + "?sslmode=disable"
    return made.rows(*A)


def closed(project: Project, proxy: TcpProxy, monkeypatch) -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    project.environ["DSN"] = project.environ["DSN"].replace(str(proxy.port), str(port))
    return "Connection refused"


def firewall(project: Project, proxy: TcpProxy, monkeypatch) -> str:
    proxy.stall_after(0)
    targets = project.folder / "targets.yml"
    targets.write_text(targets.read_text().replace("connect_timeout: 10", "connect_timeout: 1"))
    return "timeout expired"


def reset(project: Project, proxy: TcpProxy, monkeypatch) -> str:
    proxy.refuse()
    return "can't connect to postgres 127.0.0.1"


def only_ipv6(project: Project, proxy: TcpProxy, monkeypatch) -> str:
    real, host = socket.getaddrinfo, "db.abcdefghij.supabase.co"
    there = [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 5432, 0, 0))]
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda name, *rest, **more: there if name == host else real(name, *rest, **more),
    )
    project.environ["DSN"] = f"postgresql://postgres:{PASSWORD}@{host}:5432/postgres"
    return "has only an IPv6 address, and this machine did not reach it"


@pytest.mark.parametrize("unreachable", [closed, firewall, reset, only_ipv6])
def test_where_nothing_answers_to_postgres_it_is_rest_and_the_plan_says_why(
    project, proxy, monkeypatch, unreachable
):
    why = unreachable(project, proxy, monkeypatch)
    planned = project.run("plan")
    assert planned.exit_code == 0, planned.output
    assert REST in words(planned)
    assert "Postgres was not reached" in words(planned)
    assert why in words(planned)
    done = project.build()
    assert done.exit_code == 0, done.output
    assert "3 inserted over rest" in words(done)
    assert "warning[over-rest] rows go over REST: can't connect to" in words(done)
    facts = project.facts()
    assert (facts["channel"], counted(facts)) == ("rest", [3, 0, 0, 0])
    assert any(why in note for note in facts["notes"])
    assert project.table() == A
    assert PASSWORD not in planned.output + done.output + json.dumps(facts)


def test_where_postgres_answers_it_is_postgres(project):
    assert "channel: postgres" in words(project.run("plan"))
    done = project.build()
    assert "3 inserted over postgres" in words(done), done.output
    assert (project.facts()["channel"], project.facts()["notes"]) == ("postgres", ["channel: postgres"])


REFUSED = [
    (lambda dsn: dsn.replace(PASSWORD, "wrong-Pass1"), "check user and password"),
    (lambda dsn: dsn.replace("/app?", "/nope?"), "check user and database name"),
    (lambda dsn: dsn.replace("sslmode=disable", "sslmode=require"), "say sslmode=disable"),
]


@pytest.mark.parametrize(("wrong", "said"), REFUSED)
def test_a_server_that_answers_with_a_refusal_is_an_error_on_no_other_channel(project, wrong, said):
    project.environ["DSN"] = wrong(project.environ["DSN"])
    for command in ("plan", "build"):
        done = project.run(command)
        assert done.exit_code == 3
        assert said in words(done)
        assert "wrong-Pass1" not in done.output
    assert project.database.sql("SELECT to_regclass('film')") == [(None,)]


def test_too_few_rights_are_an_error_on_no_other_channel(project, postgres, proxy):
    assert project.build().exit_code == 0
    project.database.sql(
        f"GRANT USAGE ON SCHEMA {project.database.schema}, osiris TO writer;"
        "GRANT SELECT, INSERT ON osiris.publications TO writer"
    )
    project.environ["DSN"] = postgres.dsn("app", "writer", port=proxy.port) + "?sslmode=disable"
    done = project.rows(*B).build()
    assert done.exit_code == 1, done.output
    assert "permission denied for table film" in words(done)
    assert project.table() == A


def test_a_run_never_leaves_the_channel_of_its_plan(project, proxy):
    file = project.folder / "plan.json"
    assert project.run("plan", "--out", str(file)).exit_code == 0
    proxy.refuse()
    done = project.build("--plan", str(file))
    assert done.exit_code == 1, done.output
    assert "a run never leaves the channel of its plan" in words(done)
    assert project.database.sql("SELECT to_regclass('film')") == [(None,)]

    assert project.run("plan", "--out", str(file)).exit_code == 0
    proxy.heal()
    assert project.build("--plan", str(file)).exit_code == 0
    assert project.facts()["channel"] == "rest"
    assert project.table() == A


def test_where_neither_answers_both_are_named(project, proxy):
    proxy.refuse()
    project.environ["URL"] = "http://127.0.0.1:1"
    done = project.build()
    assert done.exit_code == 3
    assert "can't connect to postgres" in words(done)
    assert "127.0.0.1:1" in words(done)


def test_what_went_over_one_channel_is_known_over_the_other(project, proxy):
    assert project.build().exit_code == 0
    proxy.refuse()
    done = project.build()
    assert done.exit_code == 0, done.output
    assert "already published" in words(done)
    assert project.rows(*B).build().exit_code == 0
    assert (project.facts()["channel"], counted(project.facts())) == ("rest", [1, 1, 1, 1])
    proxy.heal()
    assert "already published" in words(project.build())
    assert (project.table(), project.deliveries()) == (B, 2)


def test_an_offline_plan_says_what_it_would_be_and_the_run_looks(project, proxy):
    planned = project.run("plan", "--offline", "--out", str(project.folder / "plan.json"))
    assert "channel: postgres, or rest if nothing answers there: the run will look" in words(planned)
    proxy.refuse()
    done = project.build("--plan", str(project.folder / "plan.json"))
    assert done.exit_code == 0, done.output
    assert project.facts()["channel"] == "rest"
    assert "warning[over-rest]" in words(done)
    assert any("Postgres was not reached" in note for note in project.facts()["notes"])


def test_data_tests_on_what_arrives_are_refused_where_only_rest_answers(project, proxy):
    targets = project.folder / "targets.yml"
    tested = f"{SYNC}, columns: [{{name: id, data_tests: [unique]}}]"
    targets.write_text(targets.read_text().replace(SYNC, tested))
    assert project.build().exit_code == 0
    proxy.refuse()
    done = project.rows(*B).build()
    assert done.exit_code == 2, done.output
    assert "over REST a query can't be asked; Postgres was not reached" in words(done)
    assert project.table() == A


def test_doctor_says_that_it_went_over_rest(project, proxy):
    proxy.refuse()
    done = project.run("doctor")
    assert done.exit_code == 0, done.output
    assert "can't connect to postgres" in words(done)
    assert "installed: publishing is atomic" in words(done)
