"""Appending what an incremental model added, over Postgres and over REST, by the command line."""

from __future__ import annotations

import shutil

import pytest
from servers.statement_proxy import StatementProxy
from targets.either_channel import channel  # noqa: F401
from targets.publishing import Project, words

MODEL = """{{ config(materialized='incremental') }}
SELECT id, title FROM shop.film
{% if is_incremental() %} WHERE id > (SELECT max(id) FROM {{ this }}) {% endif %}
"""
SOURCES = """
version: 1
connections:
  shop: { type: files, path: data }
sources:
  - name: shop
    tables:
      - name: film
        columns: [{ name: id, data_type: INTEGER }, { name: title, data_type: VARCHAR }]
"""


class Log(Project):
    """A project whose model adds the films that arrived to its table, and sends them."""

    def __init__(self, folder, database, settings: str = "mode: append", **more) -> None:
        super().__init__(folder, database, settings, **more)
        (folder / "data").mkdir()
        (folder / "data/film.csv").write_text("id,title\n")
        (folder / "sources.yml").write_text(SOURCES)
        (folder / "models/film.sql").write_text(MODEL)
        self.count = 0

    def arrive(self, count: int) -> Log:
        with (self.folder / "data/film.csv").open("a") as file:
            file.writelines(f"{self.count + i},film\n" for i in range(1, count + 1))
        self.count += count
        return self

    def sent(self) -> int:
        done = self.build()
        assert done.exit_code == 0, done.output
        return int(self.facts()["sent"])

    def in_order(self) -> list[int]:
        """The numbers of the films as they lie in the table: it is only ever added to."""
        return [number for (number,) in self.database.sql("SELECT id FROM film ORDER BY ctid")]

    def all_once(self) -> bool:
        return self.in_order() == list(range(1, self.count + 1))


@pytest.fixture
def log(database, tmp_path) -> Log:
    return Log(tmp_path / "films", database)


def test_only_what_was_added_is_sent(log):
    assert "append, what was added since the last delivery: film" in words(log.arrive(2).run("plan"))
    assert [log.arrive(count).sent() for count in (0, 3, 0, 1)] == [2, 3, 0, 1]
    assert log.all_once()
    assert log.deliveries() == 3


def test_the_difference_is_that_of_the_rows_that_would_go(log):
    log.arrive(2).sent()
    log.arrive(2).build("--select", "film")
    assert "2 to insert" in words(log.run("plan", "--diff"))
    assert log.sent() == 2


def test_what_a_constraint_held_up_goes_in_order_when_it_is_gone(log):
    log.arrive(2).sent()
    log.database.sql("ALTER TABLE film ADD CONSTRAINT few CHECK (id < 3)")
    for _ in range(3):
        assert log.arrive(2).build().exit_code == 1
    assert log.in_order() == [1, 2]
    log.database.sql("ALTER TABLE film DROP CONSTRAINT few")
    assert log.sent() == 6
    assert log.all_once()


def test_a_table_built_again_is_refused_with_the_choices_until_it_was_replaced(log):
    log.arrive(3).sent()
    (log.folder / "models/film.sql").write_text(MODEL + "ORDER BY id DESC")
    said = words(log.arrive(2).build())
    assert "rows-not-added" in said
    assert "mode: replace" in said
    targets = (log.folder / "targets.yml").read_text()
    (log.folder / "targets.yml").write_text(targets.replace("mode: append", "mode: replace"))
    assert log.sent() == 5
    (log.folder / "targets.yml").write_text(targets)
    assert log.arrive(2).sent() == 2
    assert log.in_order() == [5, 4, 3, 2, 1, 7, 6]


def test_a_new_column_is_no_obstacle(log):
    log.arrive(3).sent()
    text = MODEL.replace("'incremental'", "'incremental', on_schema_change='append'")
    (log.folder / "models/film.sql").write_text(text.replace("title FROM", "title, 7 AS n FROM"))
    assert log.arrive(2).sent() == 2
    assert log.database.sql("SELECT id, n FROM film ORDER BY ctid") == [
        *((i, None) for i in (1, 2, 3)),
        *((i, 7) for i in (4, 5)),
    ]
    assert log.arrive(1).sent() == 1


def test_the_ledger_tells_what_was_sent_if_the_warehouse_is_gone(log):
    log.arrive(3).sent()
    shutil.rmtree(log.folder / ".osiris")
    assert log.arrive(2).sent() == 2
    assert log.all_once()


def test_two_environments_each_add_their_own(log):
    log.arrive(2).sent()
    assert log.build("--env", "prod").exit_code == 0
    shutil.rmtree(log.folder / ".osiris")
    assert log.arrive(1).sent() == 1
    assert log.build("--env", "prod").exit_code == 0
    assert sorted(log.in_order()) == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("channel", ["rest"])
@pytest.mark.parametrize("what", ["drop before", "drop after"])
def test_a_publisher_killed_over_rest_and_films_that_came_since(log, rest_server, what):
    log.arrive(2).sent()
    process = []
    fault = rest_server.faults.add(what, path="osiris_apply", act=lambda: process[0].kill())
    process.append(log.arrive(2).start())
    process[0].communicate(timeout=120)
    rest_server.faults.clear()
    assert fault.hits
    log.arrive(2).sent()
    assert log.all_once()


@pytest.mark.parametrize("channel", ["postgres"])
@pytest.mark.parametrize("then", [0, 1, 4], ids=["before the commit", "after it", "reading back"])
def test_a_publisher_killed_over_postgres_and_films_that_came_since(log, postgres, then):
    process = []
    with StatementProxy(postgres.port, 10**6, lambda: process[0].kill(), after=True) as proxy:
        log.environ["DSN"] = postgres.dsn("app", port=proxy.port) + "?sslmode=disable"
        log.arrive(2).sent()
        proxy.act_on(b"INSERT INTO osiris.publications", then)
        process.append(log.arrive(2).start())
        process[0].communicate(timeout=120)
        assert proxy.acted
        log.arrive(2).sent()
    assert log.all_once()
