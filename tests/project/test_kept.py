"""A project is remembered: whatever is edited, it is the one that its files make when they are read anew."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osiris_sql import api
from osiris_sql.api import loading
from osiris_sql.types.diagnostic import ProjectError

SETTINGS = 'name = "shop"\nenvironments = ["dev", "prod"]\n'
FILES = {
    "osiris-sql.toml": (
        SETTINGS + 'vars = {first = 1}\n[models]\nmaterialized = "table"\n[models.marts]\ntags = ["m"]\n',
        SETTINGS + 'test_paths = ["checks"]\n',
        SETTINGS + "vars = {since = 2026-01-01}\n",
        SETTINGS + "[models.gone]\ntags = ['x']\n",
        SETTINGS + "mistake = 1\n",
    ),
    "models/a.sql": ("select 1 as id", "select 2 as id -- é", "", "\ufeffselect 3 as id", "\udcff", "  \n"),
    "models/marts/b.sql": ("select id from a", "select id, 1 as n from a"),
    "models/bad name.sql": ("select 1 as id",),
    "models/.hidden.sql": ("select 1 as id",),
    "models/marts/a.sql": ("select 4 as id",),
    "models/described.yml": (
        "models: [{name: a, description: one, columns: [{name: id, data_tests: [unique]}]}]",
        "models: [{name: a, config: {meta: {since: 2026-01-01, list: [1, 2.5, null]}, unique_key: id}}]",
        "models: [{name: nobody}]",
        "models: [",
    ),
    "snapshots/s.sql": (
        "{% snapshot one %}{{ config(strategy='check', check_cols='all', unique_key='id') }}select 1 as id"
        "{% endsnapshot %}{% snapshot two %}select 2 as id{% endsnapshot %}",
        "select 5 as id",
    ),
    "macros/m.sql": ("{% macro f() %}1{% endmacro %}", "{% macro f() %}2{% endmacro %}"),
    "seeds/k.csv": ("id,name\n1,x\n", "id,name\n1,x\n2,y\n", "id,name\n1\n2,y,z\n", "id\n2026-01-01\n"),
    "sources.yml": (
        "version: 1\nconnections: {shop: {type: files, path: data}}\n"
        "sources: [{name: shop, tables: [{name: t, columns: [{name: id, data_type: BIGINT}]}]}]",
        "version: 1\nsources: [{name: shop, tables: [{name: t}]}]",
    ),
    "sources.yaml": ("version: 1",),
    "sources.lock": (
        "version: 1\nenvironments: {dev: {shop.t: {columns: [{name: id, type: BIGINT}]}}}",
        "version: 1\nenvironments: {dev: {shop.t: {columns: [{name: id, type: DATE}], key: [id]}}}",
    ),
    "tests/one.sql": ("select 1 where false",),
    "checks/two.sql": ("select 1 where false",),
    "tests/fixtures/rows.csv": ("id\n1\n", "id\n2\n"),
}


def write(root: Path, path: str, text: str | None) -> None:
    file = root / path
    if text is None:
        file.unlink(missing_ok=True)
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode(errors="surrogateescape"))


def read(root: Path, env: str | None) -> object:
    """Return all that loading gives: a project, or the mistakes for which there is none."""
    try:
        return repr(api.load_project(root, env=env, vars={"given": 1}))
    except ProjectError as error:
        return error.diagnostics


def read_anew(root: Path, env: str | None) -> object:
    with patch.object(loading, "recall_project", return_value=None), patch.object(loading, "keep_project"):
        return read(root, env)


EDITS = st.sampled_from([(path, text) for path, texts in FILES.items() for text in (*texts, None)])


@settings(max_examples=12)
@given(edits=st.lists(EDITS, max_size=12), env=st.sampled_from([None, "dev", "prod"]))
def test_whatever_is_edited_the_project_is_that_of_its_files(
    edits: list[tuple[str, str | None]], env: str | None
) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        for path, texts in FILES.items():
            write(root, path, texts[0] if "yaml" not in path else None)
        for path, text in [("models/a.sql", FILES["models/a.sql"][0]), *edits]:
            write(root, path, text)
            anew = read_anew(root, env)
            assert [read(root, env), read(root, env)] == [anew, anew], (path, text)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for path in (
        "osiris-sql.toml",
        "models/a.sql",
        "models/marts/b.sql",
        "models/described.yml",
        "seeds/k.csv",
    ):
        write(tmp_path, path, FILES[path][0])
    return tmp_path


def is_loaded(root: Path) -> bool:
    """Say whether the files of a project had to be read as those of a new one."""
    with patch.object(loading, "_load", side_effect=loading._load) as asked:
        api.load_project(root)
    return bool(asked.called)


@pytest.mark.parametrize(
    ("path", "text", "loads"),
    [
        ("models/a.sql", FILES["models/a.sql"][0], False),
        ("models/a.sql", "select 7 as id", False),
        ("models/README.md", "nothing that loading asks for", False),
        ("models/a.sql", "", True),
        ("models/c.sql", "select 1 as id", True),
        ("models/described.yml", FILES["models/described.yml"][2], True),
        ("seeds/k.csv", FILES["seeds/k.csv"][1], True),
        ("sources.lock", FILES["sources.lock"][0], True),
    ],
)
def test_only_what_loading_asked_for_makes_it_load_again(
    shop: Path, path: str, text: str, loads: bool
) -> None:
    assert is_loaded(shop)
    write(shop, path, text)
    assert is_loaded(shop) == loads


def test_it_is_found_from_below_and_for_each_environment(shop: Path) -> None:
    api.load_project(shop)
    with patch.object(loading, "_load", side_effect=NotImplementedError):
        assert api.load_project(shop / "models" / "marts").env == "dev"
        with pytest.raises(NotImplementedError):
            api.load_project(shop, env="prod")


def test_another_program_loads_again(shop: Path) -> None:
    api.load_project(shop)
    with patch("osiris_sql.support.kept_files.tool_identity", return_value="another"):
        assert is_loaded(shop)


def test_a_damaged_file_is_as_none(shop: Path) -> None:
    api.load_project(shop)
    [kept] = (shop / ".osiris/cache").glob("project-*")
    kept.write_bytes(kept.read_bytes()[:-9])
    assert is_loaded(shop)
    assert not is_loaded(shop)


def test_a_copied_project_is_itself_and_not_what_it_was_copied_from(tmp_path):
    write(tmp_path / "one", "osiris-sql.toml", SETTINGS)
    write(tmp_path / "one", "models/a.sql", "select 1 as id")
    api.compile_project(api.load_project(tmp_path / "one"))
    shutil.copytree(tmp_path / "one", tmp_path / "other")
    with patch.object(loading, "_load", side_effect=AssertionError("read anew")):
        project = api.load_project(tmp_path / "other")
    assert project.root == (tmp_path / "other").as_posix()
    assert api.compile_project(project).root == project.root
