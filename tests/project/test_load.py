"""What a project's files become."""

import pytest

from osiris_sql.project import load_project
from osiris_sql.support.wire import from_json, to_json
from osiris_sql.types.diagnostic import ProjectError
from osiris_sql.types.project import EngineSettings, ExtractConfig, Freshness, Project
from osiris_sql.types.relation import Column


def test_the_film_project_has_no_mistakes(project):
    loaded = project.load()
    assert loaded.diagnostics == ()
    assert (loaded.name, loaded.env, loaded.environments) == ("cinema", "dev", ("dev", "prod"))
    assert loaded.root == project.root.resolve().as_posix()
    assert [(m.name, m.path, m.config) for m in loaded.models] == [
        ("director_stats", "models/marts/director_stats.sql", {"materialized": "table"}),
        ("stg_movies", "models/staging/stg_movies.sql", {"materialized": "view"}),
    ]
    assert [m.path for m in loaded.macros] == ["macros/money.sql"]
    assert [t.name for t in loaded.data_tests] == [
        "source_unique_cinema_movies_id",
        "source_not_null_cinema_movies_id",
        "not_null_director_stats_n",
        "few_directors",
    ]
    assert [p.node for p in loaded.publications] == ["target:app.director_stats"]
    assert [(c.name, c.role, c.options) for c in loaded.connections] == [
        ("cinema", "source", {"path": "data"}),
        ("app", "target", {"path": "out"}),
    ]
    assert loaded.schemas["source:cinema.movies"].columns == (Column(name="id", type="BIGINT"),)


def test_a_project_crosses_the_wire(project):
    loaded = project.load()
    assert from_json(Project, to_json(loaded)) == loaded


def test_a_project_is_found_from_any_folder_in_it(project):
    assert load_project(project.root / "models" / "marts") == project.load()
    assert load_project(project.root / "sources.yml") == project.load()


def test_a_pyproject_of_something_else_in_between_is_passed_by(project):
    project.write("models/pyproject.toml", '[project]\nname = "something else"\n')
    project.write("models/marts/pyproject.toml", "[broken, and none of our business")
    assert load_project(project.root / "models" / "marts").name == "cinema"


def test_a_project_without_python_has_a_file_of_its_own(project):
    project.write("pyproject.toml", None)
    project.write("osiris-sql.toml", 'name = "plain"\n[models.marts]\nmaterialized = "table"\n')
    loaded = project.load()
    assert (loaded.name, loaded.env, loaded.environments) == ("plain", "dev", ("dev",))
    assert loaded.models[0].config == {"materialized": "table"}


def test_only_settings_are_needed(tmp_path):
    (tmp_path / "osiris-sql.toml").write_text('name = "empty"')
    loaded = load_project(tmp_path)
    assert loaded.diagnostics == ()
    assert (loaded.models, loaded.sources, loaded.connections) == ((), (), ())


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ("", EngineSettings()),
        (
            'threads = 2\nconcurrency = 3\nmemory_limit = "4GB"',
            EngineSettings(threads=2, concurrency=3, memory_limit="4GB"),
        ),
        ('memory_limit = "1.5 GiB"', EngineSettings(memory_limit="1.5 GiB")),
    ],
)
def test_engine_settings(project, toml, expected):
    project.replace("pyproject.toml", 'name = "cinema"', f'name = "cinema"\n{toml}')
    assert project.load().settings == expected


def test_the_warehouse_is_one_for_each_environment(project):
    assert project.load().warehouse == ".osiris/dev.duckdb"
    assert project.load(env="prod").warehouse == ".osiris/prod.duckdb"


def test_vars_of_the_call_win(project):
    project.replace("pyproject.toml", "first_year = 1990", "first_year = 1990\nday = 2020-01-01")
    assert project.load().vars == {"first_year": 1990, "day": "2020-01-01"}
    assert project.load(vars={"first_year": 1, "x": [1]}).vars == {
        "first_year": 1,
        "day": "2020-01-01",
        "x": [1],
    }


def test_lint_settings(project):
    project.write(
        "pyproject.toml",
        """
        [tool.osiris-sql]
        name = "cinema"
        [tool.osiris-sql.lint]
        ignore = ["select-star"]
        [tool.osiris-sql.lint.per_folder]
        "models/staging" = ["a", "b"]
        """,
    )
    lint = project.load().lint
    assert lint.ignore == ("select-star",)
    assert lint.per_folder == {"models/staging": ("a", "b")}


def test_each_environment_has_its_connection(project):
    project.replace(
        "sources.yml",
        "{type: spy, path: data}",
        "\n".join(
            [
                "",
                "    dev: {type: spy, path: data}",
                "    prod: {type: spy, path: '${DIR}', password: '${PW}'}",
            ]
        ),
    )
    [source, _] = project.load().connections
    assert (source.options, str(source.location)) == ({"path": "data"}, "sources.yml:4:5")
    [source, _] = project.load(env="prod").connections
    assert source.options == {"path": "${DIR}", "password": "${PW}"}
    assert str(source.location) == "sources.yml:5:5"


def test_a_source_and_a_target_may_share_the_name_of_their_connections(project):
    project.replace("targets.yml", "app: {", "cinema: {")
    project.replace("targets.yml", "name: app", "name: app\n    connection: cinema")
    loaded = project.load()
    assert loaded.diagnostics == ()
    assert [(c.name, c.role) for c in loaded.connections] == [("cinema", "source"), ("cinema", "target")]


def test_yaml_config_wins_over_folders_and_adds_tags_and_meta(project):
    project.write(
        "pyproject.toml",
        """
        [tool.osiris-sql]
        name = "cinema"
        [tool.osiris-sql.models]
        tags = "all"
        meta = {owner = "me", team = "a"}
        [tool.osiris-sql.models.marts]
        "+materialized" = "table"
        tags = ["mart", "all"]
        """,
    )
    project.write(
        "models/marts/marts.yml",
        """
        models:
          - name: director_stats
            description: |
              One row a director.
            config:
              materialized: incremental
              unique_key: n
              contract: {enforced: true}
              tags: slow
              meta: {team: b}
            columns:
              - {name: n, data_type: BIGINT, description: Films.}
        """,
    )
    model = project.load().models[0]
    assert model.config == {
        "materialized": "incremental",
        "unique_key": ["n"],
        "contract": True,
        "tags": ["all", "mart", "slow"],
        "meta": {"owner": "me", "team": "b"},
    }
    assert model.description == "One row a director."
    assert [(c.name, c.data_type, c.description, str(c.location)) for c in model.columns] == [
        ("n", "BIGINT", "Films.", "models/marts/marts.yml:12:16")
    ]
    assert project.load().models[1].config == {"tags": ["all"], "meta": {"owner": "me", "team": "a"}}


TABLE = """
version: 1
connections: {{cinema: {{type: spy, path: data}}}}
sources:
  - name: cinema
    tags: [raw]
    freshness: {{warn_after: 2d}}
    tables:
      - name: movies
        identifier: Movies 2
        {line}
        columns: [{{name: id, data_type: BIGINT}}, {{name: at, data_type: TIMESTAMP}}]
"""


@pytest.mark.parametrize(
    ("line", "field", "expected"),
    [
        ("", "extract", ExtractConfig()),
        ("extract: {mode: full}", "extract", ExtractConfig()),
        (
            "extract: {mode: incremental, watermark: at, key: id, lookback: 90m}",
            "extract",
            ExtractConfig(mode="incremental", watermark="at", key=("id",), lookback=5400),
        ),
        (
            "extract: {mode: incremental, watermark: at, key: [id], lookback: {count: 2, period: hour}}",
            "extract",
            ExtractConfig(mode="incremental", watermark="at", key=("id",), lookback=7200),
        ),
        ("loaded_at_field: at", "freshness", Freshness(loaded_at_field="at", warn_after=172800)),
        (
            "freshness: {error_after: {count: 1, period: day}}\n        loaded_at_field: at",
            "freshness",
            Freshness(loaded_at_field="at", error_after=86400),
        ),
        ("loaded_at_field: at\n        tags: x", "tags", ("raw", "x")),
        ("loaded_at_field: at", "identifier", "Movies 2"),
    ],
)
def test_source_tables(project, line, field, expected):
    project.write("sources.yml", TABLE.format(line=line))
    [table] = project.load().sources
    assert getattr(table, field) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("mode: replace", {"mode": "replace", "key": (), "model": "director_stats", "max_deleted": 0.5}),
        ("mode: upsert, key: n", {"mode": "upsert", "key": ("n",), "append_all": False}),
        ("mode: sync, key: [n, m], max_deleted: 1", {"key": ("n", "m"), "max_deleted": 1.0}),
        ("mode: append, append: {all: true}", {"append_all": True}),
        (
            "mode: replace, schema: api, create: true, allow_empty: true",
            {"schema": "api", "create": True, "allow_empty": True},
        ),
        (
            "mode: replace, create: true, on_schema_change: sync",
            {"create": True, "on_schema_change": "sync"},
        ),
        ("mode: replace, tags: [a]", {"tags": ("a",)}),
    ],
)
def test_publications(project, lines, expected):
    project.write(
        "targets.yml",
        f"""
        connections: {{app: {{type: spy, path: out}}}}
        targets: [{{name: app, tables: [{{name: director_stats, {lines}}}]}}]
        """,
    )
    loaded = project.load()
    assert loaded.diagnostics == ()
    [publication] = loaded.publications
    assert {name: getattr(publication, name) for name in expected} == expected


def test_unit_tests(project):
    project.write(
        "models/marts/units.yml",
        """
        unit_tests:
          - name: counts
            model: director_stats
            description: Counts films.
            given:
              - input: ref('stg_movies')
                rows:
                  - {id: 1, at: 2020-01-01, title: null}
              - input: source('cinema', 'movies')
                format: csv
                rows: |
                  id
                  1
            expect: {rows: [{n: 1}]}
            overrides:
              vars: {first_year: 2000}
          - name: nothing
            model: director_stats
            given: [{input: ref('stg_movies'), rows: []}, {input: this, format: sql, rows: select 1}]
            expect: {rows: []}
        """,
    )
    loaded = project.load()
    assert loaded.diagnostics == ()
    counts, nothing = loaded.unit_tests
    assert [(g.input, g.format, g.rows, str(g.location)) for g in counts.given] == [
        (
            "ref('stg_movies')",
            "dict",
            ({"id": 1, "at": "2020-01-01", "title": None},),
            "models/marts/units.yml:6:9",
        ),
        ("source('cinema', 'movies')", "csv", "id\n1\n", "models/marts/units.yml:9:9"),
    ]
    assert counts.expect.rows == ({"n": 1},)
    assert (counts.overrides, counts.description) == ({"vars": {"first_year": 2000}}, "Counts films.")
    assert (nothing.given[0].rows, nothing.given[1].rows) == ((), "select 1")


@pytest.mark.parametrize("folder", ["tests", "tests/film"])
def test_singular_tests_are_the_sql_files_of_the_test_paths(project, folder):
    project.write("tests/film/test_python.py", "assert True")
    project.write("tests/film/inner/one.sql", "select 1")
    project.replace("pyproject.toml", 'name = "cinema"', f'name = "cinema"\ntest_paths = ["{folder}"]')
    found = [t for t in project.load().data_tests if t.kind == "singular"]
    expected = ["few_directors", "one"] if folder == "tests" else ["one"]
    assert [t.name for t in found] == expected
    assert str(found[-1].location) == "tests/film/inner/one.sql:1:1"


def test_hidden_files_and_folders_are_left_out(project):
    project.write("models/.ipynb_checkpoints/stg_movies.sql", "select 1")
    project.write("models/.hidden.sql", "select 1")
    assert len(project.load().models) == 2
    assert project.load().diagnostics == ()


def test_a_byte_order_mark_is_not_part_of_the_text(project):
    project.write("models/staging/stg_movies.sql", "\ufeffselect 1")
    project.write("sources.yml", "\ufeffversion: 1")
    assert project.load().models[1].text == "select 1"


def raised(call, **options):
    with pytest.raises(ProjectError) as failure:
        call(**options)
    assert failure.value.exit_code == 2
    [found] = failure.value.diagnostics
    return f"{found.location} {found.rule}: {found.message}", found.fix


def test_no_project(tmp_path):
    message, fix = raised(lambda: load_project(tmp_path))
    assert "no-project" in message
    assert "osiris-sql init" in fix


@pytest.mark.parametrize(
    ("env", "toml", "expected"),
    [
        (
            "prd",
            "",
            (
                'pyproject.toml:3:16 unknown-environment: there is no environment "prd"',
                'did you mean "prod"?',
            ),
        ),
        (
            None,
            'default_env = "devv"',
            (
                'pyproject.toml:4:15 unknown-environment: there is no environment "devv"',
                'did you mean "dev"?',
            ),
        ),
    ],
)
def test_an_unknown_environment(project, env, toml, expected):
    project.replace("pyproject.toml", 'default_env = "dev"', toml or 'default_env = "dev"')
    assert raised(project.load, env=env) == expected


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ("[tool.osiris-sql]\nname = ", "pyproject.toml:2:8 toml-syntax: Invalid value"),
        (
            "[tool.osiris-sql]\nname = 'a'\nname = 'b'",
            "pyproject.toml:3:11 toml-syntax: Cannot overwrite a value",
        ),
        (
            "[tool.osiris-sql",
            "pyproject.toml:1:17 toml-syntax: Expected ']' at the end of a table declaration",
        ),
        (b"[tool.osiris-sql]\nname = '\xff'", "pyproject.toml:2 not-utf8: byte 26 (0xFF) is not UTF-8"),
    ],
)
def test_settings_that_can_not_be_read(project, toml, expected):
    project.write("pyproject.toml", toml)
    assert raised(project.load)[0] == expected


def test_settings_in_two_files(project):
    project.write("osiris-sql.toml", 'name = "cinema"')
    assert "two-settings" in raised(project.load)[0]
