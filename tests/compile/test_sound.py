"""A wrong model stops what is below it, and whoever selects it; nobody else."""

from unittest.mock import patch

import pytest
from compile.films import model, project

from osiris_sql import api
from osiris_sql.compile import compile_project
from osiris_sql.compile.model import ModelPass
from osiris_sql.types.diagnostic import Diagnostic, Location, ProjectError

MODELS = {
    "good": "select id from {{ source('cinema', 'movies') }}",
    "better": "select id from {{ ref('good') }}",
    "wrong": "select nothing from {{ ref('good') }}",
    "below": "select * from {{ ref('wrong') }}",
    "chance": "select random() as x",
}
PROJECT = project(
    (*(model(name, text) for name, text in MODELS.items()), model("tagged", "selec 1", tags=["t"]))
)


@pytest.mark.parametrize(
    "select", ["good", "better", "+better", "good better", "path:models/good.sql", "source:*"]
)
def test_who_selects_sound_models_goes_on(select: str) -> None:
    api.refuse_mistakes(PROJECT, compile_project(PROJECT), [select])


@pytest.mark.parametrize(
    "select",
    [
        "",
        "wrong",
        "below",
        "chance",
        "tag:t",
        "good wrong",
        "wrong+",
        "+below",
        "path:models",
        "source:*+ chance",
    ],
)
def test_who_selects_a_wrong_one_or_what_it_blocks_is_refused(select: str) -> None:
    with pytest.raises(ProjectError) as refused:
        api.refuse_mistakes(PROJECT, compile_project(PROJECT), [select] if select else [])
    assert {d.rule for d in refused.value.diagnostics} == {"unknown-column", "random-value", "not-a-select"}


def test_what_is_excluded_does_not_count() -> None:
    manifest = compile_project(PROJECT)
    api.refuse_mistakes(PROJECT, manifest, [], ["wrong", "below", "chance", "tag:t"])
    with pytest.raises(ProjectError):
        api.refuse_mistakes(PROJECT, manifest, [], ["wrong", "chance", "tag:t"])


@pytest.mark.parametrize("place", [None, Location(path="sources.yml", line=1)])
def test_a_mistake_that_is_no_models_own_stops_everything(place: Location | None) -> None:
    broken = project(
        {"good": MODELS["good"]}, diagnostics=(Diagnostic(rule="x", message="y", location=place),)
    )
    with pytest.raises(ProjectError):
        api.refuse_mistakes(broken, compile_project(broken), ["good"])


def test_a_wrong_macro_stops_everything() -> None:
    broken = project({"good": MODELS["good"]}, macros={"m": "{% macro m( %}"})
    with pytest.raises(ProjectError):
        api.refuse_mistakes(broken, compile_project(broken), ["good"])


@pytest.mark.parametrize(
    ("only", "made"), [("good", ["good"]), ("better", ["better", "good"]), ("below", ["good", "wrong"])]
)
def test_only_what_is_needed_is_compiled(only: str, made: list[str]) -> None:
    with patch.object(ModelPass, "compile", autospec=True, side_effect=ModelPass.compile) as asked:
        manifest = compile_project(PROJECT, only={f"model:{only}"})
    assert sorted(call.args[1].model.name for call in asked.call_args_list) == made
    whole = {one.name: one for one in compile_project(PROJECT).models}
    assert list(manifest.models) == [whole[one.name] for one in manifest.models]
