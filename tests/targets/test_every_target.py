"""What holds for every target: modes, counts, repeatability, guards; a new one joins `places.KINDS`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from targets.delivering import counts, films, quiet, refusal_of
from targets.live import LIVE, missing, real

from osiris_sql.support.plugins import load_plugin

A = films((1, "Alien"), (2, "Heat"), (3, "Fargo"))
B = films((1, "Alien"), (2, "Heat!"), (4, "Brazil"))
OLD_AND_NEW = [(1, "Alien"), (2, "Heat!"), (3, "Fargo"), (4, "Brazil")]
OLD_BEFORE_NEW = [(1, "Alien"), (2, "Heat"), (3, "Fargo"), (4, "Brazil")]
ONLY_NEW = [(1, "Alien"), (2, "Heat!"), (4, "Brazil")]
DOUBLED = sorted([(1, "Alien"), (2, "Heat"), (3, "Fargo"), *ONLY_NEW])

# What B does to a table that holds A: mode, key, counts (inserted, updated, unchanged, deleted, total), rows.
ON_TOP = [
    ("append", ("id",), (1, 0, 2, 0, 4), OLD_BEFORE_NEW),
    ("append", (), (3, 0, 0, 0, 6), DOUBLED),
    ("upsert", ("id",), (1, 1, 1, 0, 4), OLD_AND_NEW),
    ("replace", ("id",), (1, 1, 1, 1, 3), ONLY_NEW),
    ("replace", (), (3, 0, 0, 3, 3), ONLY_NEW),
    ("sync", ("id",), (1, 1, 1, 1, 3), ONLY_NEW),
]
MODES = [(mode, key) for mode, key, _, _ in ON_TOP]


@pytest.mark.parametrize(("mode", "key"), MODES)
def test_a_missing_table_is_made(place, rows, mode, key):
    done = rows.deliver(place.target, A, mode=mode, key=key, append_all=not key)
    assert counts(done) == (3, 0, 0, 0, 3)
    assert (done.sent, done.already_published) == (3, False)
    assert place.read("film") == [(1, "Alien"), (2, "Heat"), (3, "Fargo")]


@pytest.mark.parametrize(("mode", "key", "expected", "after"), ON_TOP)
def test_rows_on_top_of_rows(place, rows, mode, key, expected, after):
    rows.deliver(place.target, A, key=key)
    done = rows.deliver(place.target, B, mode=mode, key=key, append_all=not key)
    assert counts(done) == expected
    assert place.read("film") == after


@pytest.mark.parametrize(("mode", "key"), MODES)
def test_an_empty_table_is_filled(place, rows, mode, key):
    rows.deliver(place.target, films(), allow_empty=True)
    assert place.read("film") == []
    done = rows.deliver(place.target, A, mode=mode, key=key, append_all=not key)
    assert counts(done) == (3, 0, 0, 0, 3)


@pytest.mark.parametrize(("mode", "key"), MODES)
def test_the_same_load_again_is_a_no_op(place, rows, mode, key):
    settings = {"mode": mode, "key": key, "append_all": not key}
    rows.deliver(place.target, A, **settings)
    again = rows.deliver(place.target, A, **settings)
    assert again.already_published
    assert (again.sent, counts(again)) == (0, (0, 0, 0, 0, 3))
    assert len(place.read("film")) == 3


@pytest.mark.parametrize("mode", ["upsert", "replace", "sync"])
def test_an_earlier_load_after_another_one_is_applied(place, rows, mode):
    for sql in (A, B, A):
        done = rows.deliver(place.target, sql, mode=mode)
        assert not done.already_published
    assert (2, "Heat") in place.read("film")


def test_two_equal_batches_are_two(place, rows):
    for load_id in ("monday", "tuesday", "monday"):
        rows.deliver(place.target, A, load_id, mode="append", key=(), append_all=True)
    assert len(place.read("film")) == 6


def test_an_append_that_was_replaced_since_is_delivered_again(place, rows):
    settings = {"mode": "append", "key": (), "append_all": True}
    rows.deliver(place.target, A, "batch", **settings)
    rows.deliver(place.target, B, mode="replace", key=())
    assert not rows.deliver(place.target, A, "batch", **settings).already_published
    assert len(place.read("film")) == 6


def test_observe_knows_the_last_load_until_somebody_empties_the_table(place, rows):
    publication = rows.publication(A)
    assert place.target.observe(publication).kind == "absent"
    rows.deliver(place.target, A, "first")
    found = place.target.observe(publication)
    assert (found.latest_load, found.schema.names, found.diagnostics) == ("first", ("id", "title"), ())
    if place.run:
        place.run("DELETE FROM film")
        assert place.target.observe(publication).latest_load is None
        assert counts(rows.deliver(place.target, A, "first")) == (3, 0, 0, 0, 3)


def test_text_arrives_as_it_is(place, rows):
    texts = ["", r"\N", r"\.", "NULL", 'a "quote"', "comma, semicolon;", "tab\t", "é ø 日本 😀", " blank "]
    texts += ["two\nlines", "two\r\nlines", "'", "\\", "\x01\x1f\x7f", "$1 %s {c}"]
    values = ", ".join(f"({n}, '{text.replace(chr(39), chr(39) * 2)}')" for n, text in enumerate(texts))
    sql = f"SELECT id, title FROM (VALUES {values}, (99, NULL)) AS t(id, title)"
    rows.deliver(place.target, sql)
    if isinstance(place.target, load_plugin("targets", "files")):
        assert rows.deliver(place.target, sql, "again", mode="upsert").unchanged == len(texts) + 1
    else:
        assert place.read("film") == [*enumerate(texts), (99, None)]


def test_odd_names_are_quoted(place, rows):
    sql = """SELECT 1 AS "a.b", 2 AS "select", 3 AS "e""f", 4 AS "100% {c}", 5 AS "ü" """
    done = rows.deliver(place.target, sql, key=("a.b", 'e"f'), mode="upsert")
    assert counts(done) == (1, 0, 0, 0, 1)
    changed = """SELECT 1 AS "a.b", 9 AS "select", 3 AS "e""f", 4 AS "100% {c}", 5 AS "ü" """
    assert counts(rows.deliver(place.target, changed, key=("a.b", 'e"f'), mode="upsert")) == (0, 1, 0, 0, 1)


def test_a_table_of_keys_alone(place, rows):
    for mode in ("append", "upsert", "sync"):
        rows.deliver(place.target, "SELECT * FROM (VALUES (1), (2)) t(id)", f"load {mode}", mode=mode)
    assert place.read("(SELECT id, id FROM film) AS f" if place.run else "film")[0][0] == 1


def refused(call: Callable[[], object]) -> str:
    found = refusal_of(call)
    assert found.message
    assert found.location.path == "targets.yml"
    return found.rule


def test_too_many_deletions_are_refused_and_nothing_changes(place, rows):
    rows.deliver(place.target, A)
    for mode in ("sync", "replace"):
        rule = refused(lambda mode=mode: rows.deliver(place.target, films((1, "Alien")), mode=mode))
        assert rule == "too-many-deleted"
    assert len(place.read("film")) == 3
    done = rows.deliver(place.target, films((1, "Alien")), mode="sync", max_deleted=0.7)
    assert counts(done) == (0, 0, 1, 2, 1)


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"mode": "upsert", "key": ()}, "missing-key"),
        ({"mode": "sync", "key": ()}, "missing-key"),
        ({"mode": "append", "key": ()}, "missing-key"),
        ({"key": ("nope",)}, "unknown-key-column"),
    ],
)
def test_what_can_not_be_is_refused_before_anything_is_spooled(place, rows, more, rule):
    publication = rows.publication(A, **more)
    assert refused(lambda: place.target.spool(publication)) == rule
    assert [d.rule for d in place.target.observe(publication).diagnostics] == [rule]


def test_other_columns_than_the_table_has_are_refused(place, rows):
    rows.deliver(place.target, A)
    more = "SELECT 1 AS id, 'x' AS title, 2 AS extra"
    rule = refused(lambda: rows.deliver(place.target, more, mode="upsert", create=False))
    assert rule in ("unknown-column", "other-columns")
    assert len(place.read("film")) == 3


def test_without_create_a_missing_table_is_refused(place, rows):
    if place.run is None:
        pytest.skip("a file is always made")
    place.run("CREATE TABLE other (id INTEGER)")
    assert refused(lambda: rows.deliver(place.target, A, create=False)) == "unknown-table"


def test_a_spool_file_that_lacks_rows_is_refused(place, rows):
    from dataclasses import replace

    publication = rows.publication(A)
    load = replace(rows.load(place.target, publication, A), rows=4)
    assert refused(lambda: place.target.publish(publication, load, print)) == "rows-not-written"
    assert place.target.observe(publication).kind == "absent"


def test_probe_and_endpoint_hold_no_secret(place):
    assert place.target.probe().server
    assert "Secret" not in place.target.endpoint() + str(place.target.probe())


# ------------------------------------------------------------------ what a delivery would change


@pytest.mark.parametrize(("mode", "key", "expected", "after"), ON_TOP)
@pytest.mark.parametrize("before", [None, films(), A])
def test_what_would_change_is_counted_as_it_is_then_delivered(
    place, rows, mode, key, expected, after, before
):
    if before:
        rows.deliver(place.target, before, key=key, allow_empty=True)
    found = place.read("film") if before else None
    publication = rows.publication(B, mode=mode, key=key, append_all=not key)
    load = rows.load(place.target, publication, B)
    told = place.target.compare(publication, load, 5)
    assert (place.read("film") if before else None) == found
    done = place.target.publish(publication, load, quiet)
    assert counts(done)[:4] == (told.inserted, told.updated, told.unchanged, told.deleted)
    assert told.total_before == len(found or [])


def test_samples_show_the_first_rows_of_each_kind(place, rows):
    rows.deliver(place.target, A)
    publication = rows.publication(
        films((1, None), (2, "Heat"), (5, "Ran"), (4, "M"), (6, "Up")), mode="sync"
    )
    load = rows.load(
        place.target, publication, films((1, None), (2, "Heat"), (5, "Ran"), (4, "M"), (6, "Up"))
    )
    told = place.target.compare(publication, load, 2)
    assert [(c.kind, dict(c.key), dict(c.before), dict(c.after)) for c in told.samples] == [
        ("insert", {"id": "4"}, {}, {"id": "4", "title": "M"}),
        ("insert", {"id": "5"}, {}, {"id": "5", "title": "Ran"}),
        ("update", {"id": "1"}, {"title": "Alien"}, {"title": None}),
        ("delete", {"id": "3"}, {"id": "3", "title": "Fargo"}, {}),
    ]


def test_a_guard_that_would_refuse_is_told(place, rows):
    rows.deliver(place.target, A)
    publication = rows.publication(films((1, "Alien")), mode="sync")
    told = place.target.compare(publication, rows.load(place.target, publication, films((1, "Alien"))), 0)
    assert (told.deleted, [refused.rule for refused in told.refusals]) == (2, ["too-many-deleted"])


@pytest.mark.live
@pytest.mark.parametrize("kind", LIVE)
def test_a_real_project_is_among_the_targets_of_this_suite(kind):
    if names := missing(kind):
        pytest.skip(f"a real Supabase project is needed: {', '.join(names)} not set")
    assert kind in [param.values[0] for param in real(*LIVE)]
