"""Mistakes in the settings: their place, which TOML does not tell, is found in the text."""

import pytest

SETTINGS = """\
[tool.osiris-sql]
name = "cinema"
environments = ["dev", "prod"]

[tool.osiris-sql.models.marts]
materialized = "table"
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('name = "cinema"\n', "", '1:2 missing-key: "name" is missing'),
        (
            'name = "cinema"',
            'nam = "x"\nname = "a"',
            '2:1 unknown-key: unknown key "nam" | did you mean "name"?',
        ),
        (
            'name = "cinema"',
            'name = "my cinema"',
            '2:8 invalid-value: "name" must hold only letters, digits, _ and -',
        ),
        (
            'name = "cinema"',
            "name = 5",
            '2:8 wrong-type: "name" must be text, not a number | put it in quotes',
        ),
        (
            'name = "cinema"',
            'name = "a"\nthreads = "2"',
            '3:11 wrong-type: "threads" must be a whole number, not text',
        ),
        (
            'name = "cinema"',
            'name = "a"\nthreads = 0',
            '3:11 invalid-value: "threads" must be greater than or equal to 1',
        ),
        (
            'name = "cinema"',
            'name = "a"\nmemory_limit = "lots"',
            '3:16 invalid-value: "memory_limit" must be a size such as "4GB"',
        ),
        (
            'name = "cinema"',
            'name = "a"\nwarehouse = "w.duckdb"',
            "3:13 invalid-value: several environments would write to one warehouse"
            ' | put {env} in its path, such as ".osiris/{env}.duckdb"',
        ),
        (
            'name = "cinema"',
            'name = "a"\nwarehouse = "/{env}.duckdb"',
            "3:13 invalid-value: the warehouse's path must be relative to the project",
        ),
        (
            'name = "cinema"',
            'name = "a"\ntest_paths = ["test"]',
            '3:14 unknown-folder: there is no folder "test"',
        ),
        ('["dev", "prod"]', "[]", '3:16 invalid-value: "environments" must have at least 1 item'),
        (
            '["dev", "prod"]',
            '["dev", 1]',
            '3:1 wrong-type: an entry of "environments" must be text, not a number | put it in quotes',
        ),
        (
            'materialized = "table"',
            'materialised = "table"',
            '6:1 unknown-key: unknown key "materialised" | did you mean "materialized"?',
        ),
        (
            'materialized = "table"',
            '"+materialized" = "tabel"',
            '5:2 invalid-value: "materialized" must be one of: view, table, incremental, ephemeral, snapshot'
            ' | did you mean "table"?',
        ),
        (
            "models.marts]",
            "models.mart]",
            '5:2 unknown-folder: these defaults are for "models/mart", '
            'which does not exist | did you mean "marts"?',
        ),
        ("models.marts]", "model.marts]", '5:2 unknown-key: unknown key "model" | did you mean "models"?'),
        (
            "[tool.osiris-sql.models.marts]\n",
            "[tool.osiris-sql.lint]\nignored = []\n",
            '6:1 unknown-key: unknown key "ignored" | did you mean "ignore"?',
        ),
    ],
)
def test_a_mistake_in_the_settings(project, old, new, expected):
    assert old in SETTINGS
    project.write("pyproject.toml", SETTINGS.replace(old, new))
    assert f"pyproject.toml:{expected}" in project.mistakes()


@pytest.mark.parametrize("name", ["main", "osiris", "Temp"])
def test_a_warehouse_that_duckdb_could_not_tell_from_a_schema(project, name):
    project.write("pyproject.toml", f'[tool.osiris-sql]\nname = "a"\nwarehouse = "w/{name}.duckdb"\n')
    [mistake] = project.mistakes()
    assert mistake.startswith("pyproject.toml:3:13 invalid-value: the warehouse's file can't be called")
