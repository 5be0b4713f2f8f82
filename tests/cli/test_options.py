"""What a person hands to a command: words after --select, variables, environment files."""

import os

import pytest

from osiris_sql.cli.inputs import read_env_file, read_vars
from osiris_sql.cli.plan_file import read_plan, refuse_options
from osiris_sql.cli.selecting import repeat_options
from osiris_sql.types.diagnostic import ProjectError


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("-s a", "-s a"),
        ("-s a b c", "-s a -s b -s c"),
        ("--select a -s b c --json", "--select a -s b -s c --json"),
        ("-s a b --exclude c d --env dev", "-s a -s b --exclude c --exclude d --env dev"),
        ("--env dev x -s a", "--env dev x -s a"),
        ("-s a --env dev b", "-s a --env dev b"),
        ("--select=a b", "--select=a b"),
        ("-s a -- b c", "-s a -- b c"),
        ("-s", "-s"),
        ("", ""),
    ],
)
def test_every_word_after_select_is_a_selection(typed, read):
    assert repeat_options(typed.split(), ["--select", "-s", "--exclude"]) == read.split()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (None, {}),
        ("first_year: 1990", {"first_year": 1990}),
        ("{first_year: 1990, genres: [a, b]}", {"first_year": 1990, "genres": ["a", "b"]}),
        ('{"name": "x y"}', {"name": "x y"}),
    ],
)
def test_variables_are_yaml_or_json(text, values):
    assert read_vars(text) == values


@pytest.mark.parametrize("text", ["first_year", "[1, 2]", "{1: 2}", "{a: ", ""])
def test_variables_that_are_no_mapping_are_refused(text):
    with pytest.raises(ProjectError) as caught:
        read_vars(text)
    assert [d.rule for d in caught.value.diagnostics] == ["bad-vars"]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("OSIRIS_T=plain", "plain"),
        ("export OSIRIS_T=plain", "plain"),
        ("  OSIRIS_T = spaced  ", "spaced"),
        ("OSIRIS_T=", ""),
        ("OSIRIS_T=a=b#c", "a=b#c"),
        ("OSIRIS_T=a # why", "a"),
        ("OSIRIS_T='a # b'", "a # b"),
        ('OSIRIS_T="a\'b" # c', "a'b"),
        ("OSIRIS_T='open", "'open"),
    ],
)
def test_lines_of_an_environment_file(tmp_path, monkeypatch, line, value):
    monkeypatch.setenv("OSIRIS_T", "")
    (tmp_path / "e").write_text(f"# a comment\n\n{line}\n")
    read_env_file(tmp_path / "e")
    assert os.environ["OSIRIS_T"] == value


def test_a_variable_that_is_set_wins_over_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("OSIRIS_T", "mine")
    (tmp_path / "e").write_text("OSIRIS_T=theirs")
    read_env_file(tmp_path / "e")
    assert os.environ["OSIRIS_T"] == "mine"


def test_every_bad_line_of_an_environment_file_is_named_and_none_is_shown(tmp_path):
    (tmp_path / "e").write_text("hunter2-secret\nA B=hunter3\n")
    with pytest.raises(ProjectError) as caught:
        read_env_file(tmp_path / "e")
    assert [d.why.split(" of ")[0] for d in caught.value.diagnostics] == ["line 1", "line 2"]
    assert "hunter" not in repr(caught.value.diagnostics)


def test_an_environment_file_that_is_not_there(tmp_path):
    with pytest.raises(ProjectError, match="No such file"):
        read_env_file(tmp_path / "gone")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 1', '{"kind": "extract"}'])
def test_what_is_no_plan_is_refused(tmp_path, text):
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(ProjectError) as caught:
        read_plan(tmp_path / "plan.json")
    assert caught.value.diagnostics[0].rule == "unreadable-plan"


def test_a_plan_takes_no_option_that_it_has_settled():
    refuse_options({"--select": None, "--full-refresh": False})
    with pytest.raises(ProjectError, match="--select, --env can't be used with --plan"):
        refuse_options({"--select": ["a"], "--full-refresh": False, "--env": "prod"})
