"""Every mistake in a YAML file of a project: its place, what it is, and what to do about it.

The cases stand in mistakes_in_yaml.txt. Each changes one file of the film project and names all that
is then reported: nothing else may break because of it.
"""

from pathlib import Path

import pytest

SOURCES = """\
version: 1
connections:
  cinema: {type: spy, path: data}
sources:
  - name: cinema
    tables:
      - name: movies
        columns:
          - {name: id, data_type: BIGINT}
          - {name: at, data_type: TIMESTAMP}
"""
TARGETS = """\
version: 1
connections:
  app: {type: spy, path: out}
targets:
  - name: app
    tables:
      - name: director_stats
        mode: replace
"""
MODELS = """\
version: 2
models:
  - name: director_stats
    columns:
      - name: n
"""

FILES = {"sources.yml": SOURCES, "targets.yml": TARGETS, "models/marts/marts.yml": MODELS}


def read_cases():
    """Yield path, old text, new text and expected findings of each case."""
    text = Path(__file__).with_name("mistakes_in_yaml.txt").read_text(encoding="utf-8")
    for case in text.split("\n\n")[1:]:
        path, *lines = case.strip("\n").split("\n")
        parts = {sign: [line[2:] for line in lines if line[0] == sign] for sign in "-+!"}
        yield pytest.param(
            path, "\n".join(parts["-"]), "\n".join(parts["+"]), parts["!"], id="; ".join(parts["!"])
        )


@pytest.mark.parametrize(("path", "old", "new", "expected"), list(read_cases()))
def test_a_mistake_in_yaml(project, path, old, new, expected):
    assert old in FILES[path]
    project.write(path, FILES[path].replace(old, new, 1))
    assert project.mistakes() == [f"{path}:{line}" for line in expected]


@pytest.mark.parametrize(
    ("path", "rest"),
    [("sources.yml", []), ("targets.yml", []), ("models/marts/marts.yml", []), ("sources.lock", [])],
)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1", "1:4 yaml-syntax"),
        ("a: b: c", "1:5 yaml-syntax"),
        ("- a", "1:1 wrong-type"),
        ("just text", "1:1 wrong-type"),
        (b"a: \xe9", "1 not-utf8"),
    ],
)
def test_a_file_that_is_no_mapping(project, path, rest, text, expected):
    project.write(path, text)
    [only] = [line for line in project.mistakes() if line.startswith(path)]
    assert only.startswith(f"{path}:{expected}")


@pytest.mark.parametrize("path", ["sources.yml", "targets.yml", "models/marts/marts.yml", "sources.lock"])
@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "version: 1\n", "{}"])
def test_an_empty_file_is_fine(project, path, text):
    project.write(path, text)
    assert project.mistakes() == []


def test_all_mistakes_are_found_at_once_and_what_is_sound_stays(project):
    project.replace("sources.yml", "- name: movies", "- nme: x\n      - name: movies")
    project.replace("targets.yml", "mode: replace", "mode: replce")
    project.write("models/marts/empty.sql", "")
    project.write("models/broken.yml", "a: [")
    project.replace("pyproject.toml", "environments", "enviroments")
    loaded = project.load(env="dev")
    assert sorted({d.location.path for d in loaded.diagnostics}) == [
        "models/broken.yml",
        "models/marts/empty.sql",
        "pyproject.toml",
        "sources.yml",
        "targets.yml",
    ]
    assert [t.name for t in loaded.sources] == ["movies"]
    assert [m.name for m in loaded.models] == ["director_stats", "stg_movies"]
