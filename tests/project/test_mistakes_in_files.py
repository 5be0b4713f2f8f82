"""Mistakes that concern a whole file: its name, its encoding, its emptiness."""

import pytest


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        (
            "models/marts/empty.sql",
            "",
            "models/marts/empty.sql:1:1 empty-file: the file is empty | write a SELECT, or delete the file",
        ),
        (
            "models/marts/blank.sql",
            " \n\t\n",
            "models/marts/blank.sql:1:1 empty-file: the file is empty | write a SELECT, or delete the file",
        ),
        (
            "macros/empty.sql",
            "",
            "macros/empty.sql:1:1 empty-file: the file is empty | write a SELECT, or delete the file",
        ),
        (
            "tests/empty.sql",
            "",
            "tests/empty.sql:1:1 empty-file: the file is empty | write a SELECT, or delete the file",
        ),
        (
            "tests/deep/tests.yml",
            "version: 2\ndata_tests: [{name: none_lost, config: {severity: warn}}]\n",
            'tests/deep/tests.yml:2:1 unread-yaml: "data_tests" stands where it is not read '
            "| write config() into the file of the test; what describes models belongs into models/",
        ),
        (
            "models/latin1.sql",
            b"select 1,\n'caf\xe9'",
            "models/latin1.sql:2 not-utf8: byte 14 (0xE9) is not UTF-8 | save the file as UTF-8",
        ),
        (
            "models/staging/director_stats.sql",
            "select 1",
            "models/staging/director_stats.sql:1:1 "
            'duplicate-name: there are two models named "director_stats" | rename one of the files',
        ),
        (
            "models/staging/Director_Stats.sql",
            "select 1",
            "models/staging/Director_Stats.sql:1:1 "
            'duplicate-name: there are two models named "Director_Stats" | rename one of the files',
        ),
        (
            "models/a.b.sql",
            "select 1",
            'models/a.b.sql:1:1 invalid-name: a model can\'t be called "a.b" | rename the file',
        ),
        (
            "tests/inner/few_directors.sql",
            "select 1",
            "tests/inner/few_directors.sql:1:1 duplicate-name: "
            'there are two data tests named "few_directors" | remove one, or give it a name of its own',
        ),
        ("sources.yaml", "version: 1", None),
    ],
)
def test_a_mistake_in_a_file(project, path, content, expected):
    project.write(path, content)
    assert project.mistakes() == ([expected] if expected else [])


def test_both_files_of_a_duplicate_are_named(project):
    project.write("models/staging/director_stats.sql", "select 1")
    [only] = project.load().diagnostics
    assert only.location.path == "models/staging/director_stats.sql"
    assert only.why == "the other one: models/marts/director_stats.sql:1:1"


def test_a_sources_file_with_the_other_ending_is_not_passed_over(project):
    project.write("sources.yaml", (project.root / "sources.yml").read_text())
    project.write("sources.yml", None)
    assert project.mistakes() == [
        "sources.yaml wrong-file-name: this file is not read | rename it to sources.yml"
    ]


def test_a_model_may_be_called_like_a_source(project):
    project.write("models/cinema.sql", "select 1")
    assert project.mistakes() == []
