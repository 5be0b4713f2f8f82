"""Plugins are files of ours, or entry points of anybody's package."""

import sys

import pytest

import osiris_sql.sources
from osiris_sql.support.plugins import load_plugin, plugin_names
from osiris_sql.types.diagnostic import ProjectError


@pytest.fixture(autouse=True)
def fresh():
    plugin_names.cache_clear()
    load_plugin.cache_clear()
    yield
    plugin_names.cache_clear()
    load_plugin.cache_clear()


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package of somebody else's, as pip would leave it: modules and their entry points."""
    (tmp_path / "their_package.py").write_text("class Theirs:\n    pass\n")
    info = tmp_path / "their_package-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[osiris_sql.sources]\ntheirs = their_package:Theirs\nbroken = their_package:Nothing\n"
        "mysql = their_package:Theirs\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("their_package", None)


@pytest.fixture
def built_in(tmp_path, monkeypatch):
    """A file beside our own sources, and one that only they share."""
    (tmp_path / "spy.py").write_text("class Spy:\n    pass\n\nPLUGIN = Spy\n")
    (tmp_path / "_shared.py").write_text("raise AssertionError('imported')\n")
    monkeypatch.setattr(osiris_sql.sources, "__path__", [*osiris_sql.sources.__path__, str(tmp_path)])
    yield
    sys.modules.pop("osiris_sql.sources.spy", None)


@pytest.mark.usefixtures("built_in")
def test_a_file_is_a_plugin_of_its_name_unless_it_is_private():
    assert "spy" in plugin_names("sources")
    assert "_shared" not in plugin_names("sources")
    assert load_plugin("sources", "spy").__name__ == "Spy"


@pytest.mark.usefixtures("built_in")
def test_listing_names_imports_nothing():
    plugin_names("sources")
    assert "osiris_sql.sources.spy" not in sys.modules


@pytest.mark.usefixtures("installed")
def test_an_entry_point_is_a_plugin():
    assert "theirs" in plugin_names("sources")
    assert load_plugin("sources", "theirs").__name__ == "Theirs"
    assert "theirs" not in plugin_names("targets")


@pytest.mark.usefixtures("installed")
def test_nobody_takes_the_place_of_a_built_in_one():
    assert load_plugin("sources", "mysql").__module__.startswith("osiris_sql.sources.mysql")


@pytest.mark.usefixtures("installed")
def test_an_entry_point_that_can_not_be_loaded_is_an_error_with_its_name():
    with pytest.raises(ProjectError) as failure:
        load_plugin("sources", "broken")
    assert failure.value.diagnostics[0].rule == "broken-plugin"
    assert "their_package:Nothing" in failure.value.diagnostics[0].why


@pytest.mark.usefixtures("built_in")
def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(ProjectError) as failure:
        load_plugin("sources", "mysqll")
    assert failure.value.exit_code == 2
    assert failure.value.diagnostics[0].rule == "unknown-type"
    assert "spy" in failure.value.diagnostics[0].why


@pytest.mark.parametrize("name", ["_shared", "_exact", "", "..types", "a.b"])
def test_private_and_odd_names_are_unknown(name):
    with pytest.raises(ProjectError):
        load_plugin("sources", name)
