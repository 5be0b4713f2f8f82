"""The cache: cold and warm give the same bytes after any edits; nothing that happens to its files matters."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from compile.films import column, compiled, model, project, publication, schema, unique
from hypothesis import given, settings
from hypothesis import strategies as st

from osiris_sql.compile import compile_project, compiler, in_order
from osiris_sql.compile.model import ModelPass
from osiris_sql.support import wire
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.project import EngineSettings, LintConfig, Project

MACROS = [
    "{% macro f(x) %}{{ x }} + 1{% endmacro %}",
    "{% macro f(x) %}{{ x }} + {{ var('step', 2) }}{% endmacro %}",
    "{% macro f(x) %}{{ g(x) }}{% endmacro %}{% macro g(x) %}({{ x }}){% endmacro %}",
    "{% set step = var('step', 3) %}{% macro f(x) %}{{ x }} + {{ step }}{% endmacro %}",
    "{% macro other() %}1{% endmacro %}",
    "{% macro ref(x) %}(select 1 as id, 2 as n){% endmacro %}{% macro f(x) %}{{ x }}{% endmacro %}",
    "{% macro f(x) %}{{ x }} + {% endmacro %",
]
# `{up}` is a model that was written before this one, or a source.
TEXTS = [
    "select id, 1 as n from {up}",
    "-- a note\nselect id, 1 as n from {up}",
    "select *, row_number() over (order by id) as n_of from {up}",
    "select id, {{{{ f('2') }}}} as n from {up}",
    "select id, {{{{ var('step', 7) }}}} as n from {up}",
    "select id, '{{{{ env_var('CITY', 'none') }}}}' as n from {up}",
    "select {{{{ dbt_utils.star(from={relation}) }}}} from {up}",
    "{{{{ config(materialized='table') }}}}\nselect id, now() as n from {up} order by 1",
    "{{{{ config(materialized='ephemeral') }}}}select id, max(2) as n from {up} group by id",
    "{{{{ config(materialized='ephemeral') }}}}\n\nselect id, any_value(id) as n from {up} group by all",
    "{{{{ config(materialized='incremental', unique_key='id') }}}}select id, 4 as n from {up}"
    "{{% if is_incremental() %}} where id > (select max(id) from {{{{ this }}}}){{% endif %}}",
    "{{{{ config(enabled=false) }}}}select id, 1 as n from {up}",
    "select id, null as n from {up}",
    "{{{{ log('here', info=true) }}}}select id, 1 as n from {up}",
    "select missing from {up}",
    "selec 1",
    "select id, 1 as n from {{{{ ref('nowhere') }}}}",
]
NAMES = ["a", "b", "c", "d"]


@dataclass(frozen=True)
class State:
    """A project that is edited: what stands where, and the world around it."""

    models: Mapping[str, tuple[int, str]] = field(default_factory=lambda: {"a": (0, "movies"), "b": (2, "a")})
    macro: int | None = 0
    step: object = None
    city: str | None = None
    described: str | None = None
    typed: str = "BIGINT"
    tested: bool = False
    published: bool = False
    env: str = "dev"

    def project(self) -> Project:
        models = []
        for name, (text, up) in self.models.items():
            relation = f"ref('{up}')" if up in NAMES else f"source('cinema', '{up}')"
            columns = (column("id", description="which"),) if self.described == name else ()
            written = TEXTS[text].format(up=f"{{{{ {relation} }}}}", relation=relation)
            models.append(model(name, written, columns))
        first = next(iter(self.models), None)
        tests = unique(f"model:{first}", "id") if self.tested and first else ()
        return project(
            tuple(models),
            macros={} if self.macro is None else {"own": MACROS[self.macro]},
            vars={} if self.step is None else {"step": self.step},
            data_tests=tests,
            publications=(publication(first),) if self.published and first else (),
            schemas={
                "source:cinema.movies": schema({"id": self.typed, "title": "VARCHAR"}),
                "source:cinema.directors": schema({"id": "BIGINT"}),
            },
            env=self.env,
        )

    @property
    def environ(self) -> dict[str, str]:
        return {} if self.city is None else {"CITY": self.city}


def write(state: State, name: str, text: int, up: str) -> State:
    return replace(state, models={**state.models, name: (text, up)})


def delete(state: State, name: str) -> State:
    return replace(state, models={n: m for n, m in state.models.items() if n != name})


def rename(state: State, old: str, new: str) -> State:
    return replace(state, models={new if n == old else n: m for n, m in state.models.items()})


EDITS = st.one_of(
    st.tuples(
        st.just(write),
        st.sampled_from(NAMES),
        st.integers(0, len(TEXTS) - 1),
        st.sampled_from([*NAMES, "movies", "directors"]),
    ),
    st.tuples(st.just(delete), st.sampled_from(NAMES)),
    st.tuples(st.just(rename), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    *(
        st.tuples(st.just(replace), st.just(key), values)
        for key, values in {
            "macro": st.none() | st.integers(0, len(MACROS) - 1),
            "step": st.sampled_from([None, 1, 1.0, True, "1", [1]]),
            "city": st.sampled_from([None, "", "Brno", "it's", "id", "1"]),
            "described": st.none() | st.sampled_from(NAMES),
            "typed": st.sampled_from(["BIGINT", "VARCHAR", "nonsense"]),
            "tested": st.booleans(),
            "published": st.booleans(),
            "env": st.sampled_from(["dev", "prod"]),
        }.items()
    ),
)


def edited(state: State, edit: tuple[object, ...]) -> State:
    act, *values = edit
    if act is replace:
        return replace(state, **{str(values[0]): values[1]})
    return act(state, *values)  # type: ignore[operator, no-any-return]


@settings(max_examples=25, deadline=None)
@given(edits=st.lists(EDITS, min_size=1, max_size=8))
def test_cold_and_warm_give_the_same_bytes(edits: list[tuple[object, ...]]) -> None:
    with TemporaryDirectory() as folder:
        state = State()
        for edit in [(replace, "env", "dev"), *edits]:
            state = edited(state, edit)
            made, environ = state.project(), state.environ
            cold = wire.to_json(compile_project(made, environ=environ))
            for warmth in ("edited", "warm"):
                warm = compile_project(made, environ=environ, cache=Path(folder))
                assert wire.to_json(warm) == cold, warmth


def warm(made: Project, folder: Path, **environ: str) -> Manifest | None:
    """Return the manifest if nothing had to be compiled for it."""
    with patch.object(compiler, "compile_all", side_effect=NotImplementedError):
        try:
            return compile_project(made, environ=environ, cache=folder)
        except NotImplementedError:
            return None


def test_what_did_not_change_is_not_compiled(tmp_path: Path) -> None:
    made = State().project()
    assert warm(made, tmp_path) is None
    first = compile_project(made, environ={}, cache=tmp_path)
    assert warm(made, tmp_path) == first == compiled(made.models, schemas=made.schemas, vars={}, macros=MACRO)
    assert warm(made, tmp_path, CITY="Brno") == first, "nothing reads it"


MACRO = {"own": MACROS[0]}


def test_a_value_of_the_environment_is_never_written(tmp_path: Path) -> None:
    reading = write(State(), "c", 5, "a").project()
    for value in ("hunter2-Žižkov", 'hunter2"\\'):
        manifest = compile_project(reading, environ={"CITY": value}, cache=tmp_path)
        assert "hunter2" in wire.to_json(manifest)
        assert warm(reading, tmp_path, CITY=value) == manifest
        assert warm(reading, tmp_path, CITY="another") is None
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]


@pytest.mark.parametrize("value", ["dev", "e", "id", "1", '"', "\\", "CITY", "select", "ž"])
def test_a_value_that_stands_in_other_texts_too_keeps_nothing_from_being_remembered(
    tmp_path: Path, value: str
) -> None:
    made = project({"a": "select '{{ env_var(\"CITY\") }}' as x", "b": "select 'dev' as id -- CITY, ž"})
    found = compile_project(made, environ={"CITY": value}, cache=tmp_path)
    assert warm(made, tmp_path, CITY=value) == found == compile_project(made, environ={"CITY": value})
    other = compile_project(made, environ={"CITY": "0"}, cache=tmp_path)
    assert wire.to_json(other) == wire.to_json(compile_project(made, environ={"CITY": "0"}))


def test_an_environment_that_only_decides_is_remembered(tmp_path: Path) -> None:
    text = "select {% if env_var('CITY', '') == 'Brno-city' %}1{% else %}2{% endif %} as x"
    made = project({"m": text})
    for city, value in (("Brno-city", "1"), ("Praha-city", "2")):
        found = compile_project(made, environ={"CITY": city}, cache=tmp_path)
        assert found.models[0].sql == f"select {value} as x"
        assert warm(made, tmp_path, CITY=city) == found
        assert warm(made, tmp_path, CITY="another") is None
        assert not [path for path in tmp_path.rglob("*") if city.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"select", b"SELECT", 1),
        lambda data: b"\xff\x00" + data,
        lambda data: data + b"more",
    ],
)
def test_a_damaged_file_is_as_none(tmp_path: Path, damage: object) -> None:
    made = State().project()
    cold = compile_project(made, environ={}, cache=tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    assert warm(made, tmp_path) is None
    assert compile_project(made, environ={}, cache=tmp_path) == cold
    assert warm(made, tmp_path) == cold


def test_another_version_of_the_tool_begins_again(tmp_path: Path) -> None:
    made = State().project()
    compile_project(made, environ={}, cache=tmp_path)
    with patch("osiris_sql.support.kept_files.tool_identity", return_value="another"):
        assert warm(made, tmp_path) is None
    assert warm(made, tmp_path) is not None


def test_a_cache_that_cannot_be_written_is_no_mistake(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    made = State().project()
    assert compile_project(made, environ={}, cache=blocked / "cache") == compile_project(made, environ={})


WRITER = """
import sys
from pathlib import Path
from compile.test_cache import State, write, compile_project, wire
for round in range(12):
    made = write(State(), "c", (round + int(sys.argv[2])) % 5, "a").project()
    found = compile_project(made, environ={}, cache=Path(sys.argv[1]))
    assert wire.to_json(found) == wire.to_json(compile_project(made, environ={}))
"""


def test_processes_may_share_it(tmp_path: Path) -> None:
    tests = Path(__file__).parents[1]
    running = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(n)], cwd=tests) for n in range(3)
    ]
    assert [process.wait(120) for process in running] == [0, 0, 0]
    assert len(list(tmp_path.iterdir())) == len({p.name for p in tmp_path.glob("*.json")})


# ------------------------------------------------------------------------------ model by model

CHAIN = {
    "a": "select id, {{ f(1) }} as n from {{ source('cinema', 'movies') }}",
    "b": "select id, n from {{ ref('a') }}",
    "c": "{{ config(materialized='ephemeral') }}select id, row_number() over (order by id) as r"
    " from {{ ref('b') }}",
    "d": "select id, r from {{ ref('c') }}",
    "e": "select id from {{ source('cinema', 'directors') }}",
}


@pytest.mark.parametrize(
    ("changes", "anew"),
    [
        ({"b": CHAIN["b"] + " -- a note"}, "bc"),
        ({"b": "select id, n, 1 as more from {{ ref('a') }}"}, "bcd"),
        ({"a": CHAIN["a"].replace("as n", "+ 0.5 as n")}, "abcd"),
        ({"c": "\n" + CHAIN["c"]}, "cd"),
        ({"e": "select 1 as id"}, "ce"),
        ({"f": "select 1 as id"}, "cf"),
        ({}, "c"),
    ],
)
def test_only_what_sees_a_change_is_compiled(tmp_path: Path, changes: dict[str, str], anew: str) -> None:
    compile_project(project(CHAIN, macros=MACRO), environ={}, cache=tmp_path)
    made = project({**CHAIN, **changes}, macros=MACRO, settings=EngineSettings(threads=3))
    assert compiled_anew(made, tmp_path) == [*anew]


@pytest.mark.parametrize(
    ("macro", "anew"),
    [("{% macro f(x) %}{{ x }} + 2{% endmacro %}", "acd"), (MACROS[0] + "{# a note #}", "acd")],
)
def test_a_macro_concerns_what_jinja_rendered_and_what_inlines_a_model(
    tmp_path: Path, macro: str, anew: str
) -> None:
    compile_project(project(CHAIN, macros=MACRO), environ={}, cache=tmp_path)
    assert compiled_anew(project(CHAIN, macros={"own": macro}), tmp_path) == [*anew]


def compiled_anew(made: Project, folder: Path) -> list[str]:
    """Return the models that are compiled and not remembered; the answer is that of a cold compile."""
    with patch.object(ModelPass, "compile", autospec=True, side_effect=ModelPass.compile) as asked:
        found = compile_project(made, environ={}, cache=folder)
    assert wire.to_json(found) == wire.to_json(compile_project(made, environ={}))
    return sorted({call.args[1].model.name for call in asked.call_args_list})


@pytest.mark.parametrize(
    ("changes", "around", "anew"),
    [
        ({}, {}, "ac"),
        ({"e": CHAIN["e"] + " -- a note"}, {}, "ace"),
        ({"e": CHAIN["e"] + " where id > {{ env_var('LEAST', 1) }}"}, {}, "ace"),
        ({"f": "select 1 as id"}, {}, "abcdef"),
        ({}, {"vars": {"first_year": 1991}}, "abcde"),
        ({}, {"settings": EngineSettings(threads=3)}, "ac"),
    ],
)
def test_a_template_that_reads_names_alone_is_rendered_once(
    tmp_path: Path, changes: dict[str, str], around: dict[str, object], anew: str
) -> None:
    compile_project(project(CHAIN, macros=MACRO), environ={}, cache=tmp_path)
    made = project({**CHAIN, **changes}, macros=MACRO, **around)
    reads_more = {model.name for model in made.models if "env_var" in model.text}
    for turn, wanted in (("first", {*anew}), ("again", {"a", "c", *reads_more})):
        unlike = replace(made, lint=LintConfig(ignore=(turn,)))
        with patch.object(in_order, "render_model", side_effect=in_order.render_model) as asked:
            found = compile_project(unlike, environ={}, cache=tmp_path)
        assert wire.to_json(found) == wire.to_json(compile_project(made, environ={}))
        assert {call.args[0].name for call in asked.call_args_list} == wanted


def test_the_cache_stays_small(tmp_path: Path) -> None:
    for number in range(30):
        state = write(State(), "b", number % 5, "movies")
        compile_project(replace(state, step=number).project(), environ={}, cache=tmp_path)
    [entries] = tmp_path.glob("models-*.json")
    assert entries.read_bytes().count(b"\n") <= 2 + 2 * 2
