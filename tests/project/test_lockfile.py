"""sources.lock: what `discover` found, an environment each, and what models see of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris_sql.project.lockfile import merge_lock, read_lock, write_lock
from osiris_sql.types.diagnostic import ProjectError
from osiris_sql.types.relation import Column, TableSchema

MOVIES = TableSchema(
    columns=(
        Column(name="id", type="BIGINT", nullable=False),
        Column(name="price", type="DECIMAL(12,2)", description="In euros, with VAT: 21 %."),
        Column(name="on", type="STRUCT(a INTEGER, b VARCHAR[])"),
    ),
    key=("id",),
)
TEXT = """\
# Written by osiris-sql discover. Commit it; to choose another type, declare it in sources.yml.
environments:
  dev:
    cinema.movies:
      columns:
      - {name: id, nullable: false, type: BIGINT}
      - {description: 'In euros, with VAT: 21 %.', name: price, type: 'DECIMAL(12,2)'}
      - {name: 'on', type: 'STRUCT(a INTEGER, b VARCHAR[])'}
      key: [id]
version: 1
"""


def test_the_file_is_readable_and_has_one_line_a_column():
    assert write_lock({"dev": {"source:cinema.movies": MOVIES}}) == TEXT
    assert read_lock(TEXT) == {"dev": {"source:cinema.movies": MOVIES}}


@pytest.mark.parametrize("text", ["", "# nothing\n", "version: 1\n", "environments:\n"])
def test_an_empty_file_holds_nothing(text):
    assert read_lock(text) == {}


def test_merging_replaces_tables_of_one_environment_alone():
    other = TableSchema(columns=(Column(name="x", type="INTEGER"),))
    old = {"dev": {"source:a.a": MOVIES, "source:a.b": MOVIES}, "prod": {"source:a.a": MOVIES}}
    assert merge_lock(old, "dev", {"source:a.a": other, "source:a.c": other}) == {
        "dev": {"source:a.a": other, "source:a.b": MOVIES, "source:a.c": other},
        "prod": {"source:a.a": MOVIES},
    }
    assert merge_lock({}, "dev", {"source:a.a": other}) == {"dev": {"source:a.a": other}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("version: 2\n", "sources.lock:1:10"),
        ("environments: {dev: {a.b: {columns: [{name: x}]}}}", "sources.lock:1:38"),
        ("environments: {dev: {a.b: {}}}", "sources.lock:1:27"),
        ("<<<<<<< HEAD\n", "sources.lock:1:1"),
    ],
)
def test_a_broken_file_is_refused_in_place(text, expected):
    with pytest.raises(ProjectError) as failure:
        read_lock(text)
    assert [str(d.location) for d in failure.value.diagnostics] == [expected]


texts = st.text(st.characters(codec="utf-8"), max_size=8)
columns = st.builds(Column, name=texts, type=texts, nullable=st.booleans(), description=texts)
schemas = st.builds(
    TableSchema,
    columns=st.lists(columns, max_size=3).map(tuple),
    key=st.lists(texts, max_size=2).map(tuple),
)
locks = st.dictionaries(
    texts, st.dictionaries(texts.map(lambda t: f"source:{t}"), schemas, min_size=1, max_size=3), max_size=2
)


@given(locks)
def test_a_lock_comes_back_equal(lock):
    assert read_lock(write_lock(lock)) == lock


@given(locks, st.randoms())
def test_the_order_of_discovery_does_not_show(lock, random):
    def shuffle(entries):
        shuffled = list(entries.items())
        random.shuffle(shuffled)
        return dict(shuffled)

    assert write_lock({env: shuffle(tables) for env, tables in shuffle(lock).items()}) == write_lock(lock)


def declare(project, columns):
    project.write(
        "sources.yml",
        f"""
        connections: {{cinema: {{type: spy, path: data}}}}
        sources:
          - name: cinema
            tables:
              - name: movies
                columns: {columns}
        """,
    )


def lock(project, **environments):
    schemas = {
        env: {
            "source:cinema.movies": TableSchema(
                columns=tuple(
                    Column(name=name, type=kind, description="from the source")
                    for name, kind in columns.items()
                ),
                key=("id",),
            )
        }
        for env, columns in environments.items()
    }
    project.write("sources.lock", write_lock(schemas))


@pytest.mark.parametrize(
    ("declared", "locked", "env", "expected"),
    [
        ("[]", {"dev": {"id": "BIGINT"}}, "dev", {"id": "BIGINT"}),
        ("[]", {"dev": {"id": "BIGINT"}, "prod": {"id": "INTEGER"}}, "prod", {"id": "BIGINT"}),
        ("[]", {"prod": {"id": "INTEGER"}}, "prod", {"id": "INTEGER"}),
        ("[]", {"prod": {"id": "INTEGER"}}, "dev", None),
        (
            "[{name: ID, data_type: DOUBLE}]",
            {"dev": {"id": "BIGINT", "b": "DATE"}},
            "dev",
            {"id": "DOUBLE", "b": "DATE"},
        ),
        (
            "[{name: b}, {name: id}]",
            {"dev": {"id": "BIGINT", "b": "DATE"}},
            "dev",
            {"id": "BIGINT", "b": "DATE"},
        ),
        ("[{name: b, data_type: DATE}]", {}, "dev", {"b": "DATE"}),
        ("[{name: b, data_type: DATE}, {name: c}]", {}, "dev", None),
        ("[]", {}, "dev", None),
    ],
)
def test_declared_types_win_over_the_default_environment_over_the_present_one(
    project, declared, locked, env, expected
):
    declare(project, declared)
    lock(project, **locked)
    loaded = project.load(env=env)
    schema = loaded.schemas.get("source:cinema.movies")
    assert (schema and {c.name: c.type for c in schema.columns}) == expected
    assert [d.rule for d in loaded.diagnostics] == ([] if expected else ["undiscovered-source"])


def test_a_description_of_ours_wins_and_the_key_is_kept(project):
    declare(project, "[{name: id, description: Ours.}]")
    lock(project, dev={"id": "BIGINT", "b": "DATE"})
    schema = project.load().schemas["source:cinema.movies"]
    assert [c.description for c in schema.columns] == ["Ours.", "from the source"]
    assert schema.key == ("id",)


def test_a_declared_column_that_the_source_lacks(project):
    declare(project, "[{name: titel, data_type: VARCHAR}]")
    lock(project, dev={"id": "BIGINT", "title": "VARCHAR"})
    [only] = project.load().diagnostics
    assert (str(only.location), only.rule) == ("sources.yml:6:26", "unknown-column")
    assert only.why == "sources.lock records: id, title"
    assert only.fix == 'did you mean "title"? if the table changed, run: osiris-sql discover cinema'
