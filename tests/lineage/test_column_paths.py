"""Columns are followed up to the sources and down to the targets; what can't be known is said."""

import json
from pathlib import Path

import pytest
from compile.films import compiled, publication
from typer.testing import CliRunner

from osiris_sql.api.column_paths import ColumnPaths, follow_columns, measure_coverage, spoken
from osiris_sql.cli.app import make_app
from osiris_sql.compile import compile_project
from osiris_sql.project import load_project
from osiris_sql.project.scaffold import init_project
from osiris_sql.types.diagnostic import ProjectError

ROOT = Path(__file__).parents[2]
MODELS = {
    "titles": "select id, upper(title) as title, budget / released as share, count(*) over () as n"
    " from cinema.movies",
    "names": "select t.id, t.title || d.name as both, t.share"
    " from titles as t join cinema.directors as d using (id)",
    "bytes": "select x'61'::blob as b, id from titles",
}
MANIFEST = compiled(MODELS, publications=(publication("names"),))


def ways(paths: ColumnPaths) -> tuple[dict[str, list[str] | None], dict[str, list[str] | None]]:
    """Return the paths up and down as they are spoken."""
    return tuple(
        {spoken(c): None if after is None else sorted(map(spoken, after)) for c, after in edges.items()}
        for edges in (paths.up, paths.down)
    )  # type: ignore[return-value]


def test_a_column_goes_up_to_the_sources_and_down_to_the_targets() -> None:
    (found,) = follow_columns(MANIFEST, "names.both")
    assert ways(found) == (
        {
            "names.both": ["cinema.directors.name", "titles.title"],
            "cinema.directors.name": [],
            "titles.title": ["cinema.movies.title"],
            "cinema.movies.title": [],
        },
        {"names.both": ["target:app.names.both"], "target:app.names.both": []},
    )


def test_a_source_column_goes_down_through_every_model() -> None:
    (found,) = follow_columns(MANIFEST, "source:cinema.movies.BUDGET")
    assert list(ways(found)[1]) == [
        "cinema.movies.budget",
        "titles.share",
        "names.share",
        "target:app.names.share",
    ]


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("titles", ["titles.id", "titles.title", "titles.share", "titles.n"]),
        ("model:titles.n", ["titles.n"]),
        ("Cinema.Directors", ["cinema.directors.id", "cinema.directors.name"]),
        ("app.names.id", ["target:app.names.id"]),
        ("target:app.names", ["target:app.names.id", "target:app.names.both", "target:app.names.share"]),
    ],
)
def test_names_are_those_that_people_write(name: str, columns: list[str]) -> None:
    assert [spoken(path.column) for path in follow_columns(MANIFEST, name)] == columns


def test_a_wrong_name_gets_the_nearest_one() -> None:
    with pytest.raises(ProjectError) as caught:
        follow_columns(MANIFEST, "titles.titel")
    assert caught.value.diagnostics[0].fix == 'did you mean "titles.title"?'


def test_what_cannot_be_known_is_unknown_and_counted() -> None:
    (found,) = follow_columns(MANIFEST, "bytes.id")
    assert ways(found)[0] == {"bytes.id": None}
    coverage = measure_coverage(MANIFEST)
    assert (coverage.known, coverage.columns) == (7, 9)
    assert [spoken(column) for column in coverage.unknown] == ["bytes.b", "bytes.id"]


@pytest.mark.parametrize("project", ["film", "template"])
def test_the_projects_here_are_traced_whole(project: str, tmp_path: Path) -> None:
    folder = ROOT if project == "film" else tmp_path
    if project == "template":
        init_project(tmp_path, "demo")
    manifest = compile_project(load_project(folder), environ={})
    coverage = measure_coverage(manifest)
    assert coverage.columns > 10
    assert (coverage.known, coverage.unknown) == (coverage.columns, ())


# ------------------------------------------------------------------------------------------- command


def call(*arguments: str) -> str:
    environ = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    run = CliRunner().invoke(make_app(), ["lineage", *arguments, "--project-dir", str(ROOT)], env=environ)
    assert run.exit_code == 0, run.output
    return run.stdout


def test_the_command_draws_both_ways() -> None:
    assert call("director_stats.takings_per_ticket").splitlines() == [
        "director_stats.takings_per_ticket  DECIMAL(8,2)",
        "  ← daily_takings.takings",
        "    ← stg_screenings.takings",
        "      ← cinema.screenings.takings",
        "  ← daily_takings.tickets",
        "    ← stg_screenings.tickets",
        "      ← cinema.screenings.tickets",
        "  → target:app.director_stats.takings_per_ticket",
    ]


def test_one_way_is_enough() -> None:
    assert "←" not in call("cinema.movies.released", "--down")
    assert "→" not in call("director_stats.first_movie", "--up")


def test_alone_it_prints_the_coverage() -> None:
    assert call() == "44 of 44 columns are traced (100 %)\n"


def test_json_has_the_edges_and_the_coverage() -> None:
    found = json.loads(call("stg_movies.title", "--json", "--up"))
    assert found == {
        "columns": [
            {
                "node": "model:stg_movies",
                "column": "title",
                "type": "VARCHAR",
                "up": [
                    {
                        "node": "model:stg_movies",
                        "column": "title",
                        "next": [{"node": "source:cinema.movies", "column": "title"}],
                    },
                    {"node": "source:cinema.movies", "column": "title", "next": []},
                ],
            }
        ],
        "coverage": {"known": 44, "columns": 44, "unknown": []},
    }
