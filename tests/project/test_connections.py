"""Connections are checked against the options of their type; secrets stand in them by name alone."""

import pytest

SOURCES = """\
version: 1
connections:
  cinema: {type: spy, path: data}
sources:
  - {name: cinema, tables: [{name: movies, columns: [{name: id, data_type: BIGINT}]}]}
"""
CONNECTION = "cinema: {type: spy, path: data}"


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (
            "cinema: {type: spi, path: data}",
            ['3:18 unknown-type: there is no source of type "spi" | did you mean "spy"?'],
        ),
        (
            "cinema: {path: data}",
            [
                '3:12 unknown-environment: "path" is not an environment of this project',
                '3:3 missing-environment: connection "cinema" says nothing for environment '
                "dev, prod | add a mapping for it, or write one mapping with a type for all",
            ],
        ),
        ("cinema: {type: spy}", ['3:3 missing-key: "path" is missing']),
        ("cinema: {type: spy, path: }", ['3:3 missing-key: "path" is missing']),
        (
            "cinema: {type: spy, path: data, prt: 1}",
            ['3:35 unknown-key: unknown key "prt" | did you mean "port"?'],
        ),
        (
            "cinema: {type: spy, path: 5}",
            ['3:29 wrong-type: "path" must be text, not a number | put it in quotes'],
        ),
        (
            "cinema: {type: spy, path: data, port: x}",
            ['3:41 wrong-type: "port" must be a whole number, not text'],
        ),
        (
            "cinema: {type: spy, path: data, tls: 1}",
            ['3:40 wrong-type: "tls" must be true or false, not a number'],
        ),
        (
            "cinema: {type: spy, path: data, mode: quick}",
            ['3:41 wrong-type: "mode" must be one of: fast, safe'],
        ),
        (
            "cinema: {type: spy, path: data, tables: a}",
            ['3:43 wrong-type: "tables" must be a list, not text'],
        ),
        ("cinema: {type: spy, path: data, port: '${PORT}', tls: '${TLS:-on}', tables: ['${A}']}", []),
        (
            "cinema: {dev: {type: spy, path: data}}",
            [
                '3:3 missing-environment: connection "cinema" says nothing for environment prod'
                " | add a mapping for it, or write one mapping with a type for all"
            ],
        ),
        (
            "cinema: {dev: {type: spy, path: a}, prd: {type: spy, path: b}}",
            [
                '3:3 missing-environment: connection "cinema" says nothing for environment prod'
                " | add a mapping for it, or write one mapping with a type for all",
                '3:39 unknown-environment: "prd" is not an environment of this project'
                ' | did you mean "prod"?',
            ],
        ),
        (
            "cinema: {dev: {type: spy, path: a}, prod: spy}",
            ['3:45 wrong-type: "prod" must be a mapping with a type'],
        ),
        ("cinema: {dev: {type: spy, path: a}, prod: {path: b}}", ['3:39 missing-key: "type" is missing']),
        (
            "cinema: {dev: {type: spy, path: a}, prod: {type: spy, path: b, x: 1}}",
            ['3:66 unknown-key: unknown key "x"'],
        ),
        ("cinema: data", ['3:11 wrong-type: "cinema" must be a mapping, not text']),
    ],
)
def test_a_mistake_in_a_connection(project, new, expected):
    project.write("sources.yml", SOURCES.replace(CONNECTION, new))
    assert sorted(project.mistakes()) == sorted(f"sources.yml:{line}" for line in expected)


@pytest.mark.parametrize(
    "option",
    [
        "password: hunter2",
        "password: 1234567",
        "password: [hunter2]",
        "password: '${PW:-hunter2}'",
        "dsn: postgresql://u:hunter2@db/x",
        "dsn: 'postgresql://u:hunter2@${HOST}/x'",
        "url: mysql://u:hunter2@db/x",
        "url: 'mysql://${U}:hunter2@db/x'",
        "url: 'mysql://u:${PW:-hunter2}@db/x'",
    ],
)
def test_a_secret_in_plain_text_is_refused_and_not_shown(project, option):
    project.write("sources.yml", SOURCES.replace("path: data", f"path: data, {option}"))
    loaded = project.load()
    [only] = loaded.diagnostics
    assert only.rule == "plain-secret"
    assert str(only.location).startswith("sources.yml:3:")
    assert "hunter2" not in repr(loaded)
    assert "1234567" not in repr(loaded)


@pytest.mark.parametrize(
    "option",
    [
        "password: '${PW}'",
        "password: ''",
        "password: ",
        "dsn: 'postgresql://${U}:${PW}@${HOST}:5432/x'",
        "dsn: '${DSN}'",
        "url: 'https://abc.supabase.co:443/x'",
        "url: 'mysql://u:${PW}@db/x'",
    ],
)
def test_a_secret_by_name_is_fine(project, option):
    project.write("sources.yml", SOURCES.replace("path: data", f"path: data, {option}"))
    assert project.mistakes() == []
