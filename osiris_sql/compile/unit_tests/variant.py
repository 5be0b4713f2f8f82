"""A model compiled again, alone, under the overrides of a unit test."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from osiris_sql.compile.render import Renderer
from osiris_sql.compile.unit_tests.mistake import UnitTestError
from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.manifest import CompiledModel, Manifest
from osiris_sql.types.noun import Json
from osiris_sql.types.project import MacroFile, Model, Project
from osiris_sql.types.relation import TableSchema, quote_identifier

_OVERRIDES = "overrides of the unit test"


def compile_variant(
    model: CompiledModel,
    project: Project,
    manifest: Manifest,
    inputs: Iterable[str],
    macros: Mapping[str, Json],
    environ: Mapping[str, str],
) -> CompiledModel:
    """Return a model as it would be with these variables, macros and environment; raises UnitTestError.

    The models among `inputs` (nodes) stand as empty typed relations, so that rows can be given for
    ephemeral ones too, and so that an override reaches this model alone. No other model is there.
    """
    from osiris_sql.compile import compile_project  # the compiler itself runs no unit test

    replaced = replace(project, macros=(*project.macros, *_macro_file(macros, project, environ)))
    found = compile_project(_alone(model, replaced, manifest, set(inputs)), environ=environ)
    compiled = next((made for made in found.models if made.name == model.name), None)
    if compiled is None:
        raise UnitTestError("under its overrides the model does not compile:\n" + _told(found.diagnostics))
    return compiled


def _alone(model: CompiledModel, project: Project, manifest: Manifest, inputs: set[str]) -> Project:
    own = tuple(written for written in project.models if written.name == model.name)
    schemas = {made.node: made.schema for made in manifest.models if made.node in inputs - {model.node}}
    stubs = tuple(_stub(m, schemas[m.node]) for m in project.models if m.node in schemas)
    return replace(
        project,
        models=(*own, *stubs),
        data_tests=tuple(t for t in project.data_tests if t.kind == "generic" and t.node in inputs),
        unit_tests=(),
        publications=(),
        diagnostics=(),
    )


def _stub(model: Model, schema: TableSchema) -> Model:
    columns = ", ".join(f"CAST(NULL AS {c.type}) AS {quote_identifier(c.name)}" for c in schema.columns)
    return replace(model, text=f"SELECT {columns} WHERE false", config={}, columns=())


def _macro_file(macros: Mapping[str, Json], project: Project, environ: Mapping[str, str]) -> list[MacroFile]:
    if not macros:
        return []
    known = Renderer(project, environ=environ).names
    if wrong := [_no_macro(name, known) for name in macros if name not in known]:
        raise UnitTestError("\n".join(wrong))
    # Each takes whatever the macro that it replaces takes.
    bodies = [
        f"{{% macro {name}() %}}{{% do varargs %}}{{% do kwargs %}}"
        f"{{{{ return({_jinja_literal(value)}) }}}}{{% endmacro %}}"
        for name, value in macros.items()
    ]
    return [MacroFile(path=_OVERRIDES, text="\n".join(bodies))]


def _no_macro(name: str, known: Iterable[str]) -> str:
    if not name.isidentifier():
        return f'the macro "{name}" can\'t be overridden: write its name without a package'
    return f'there is no macro "{name}" to override; {did_you_mean(name, known, "see macros/")}'


def _jinja_literal(value: Json) -> str:
    # In a raw text no brace can end the expression; JSON's words are those of Jinja.
    return json.dumps(value).replace("{%", "{\\u0025").replace("%}", "\\u0025}").replace("{{", "{\\u007b")


def _told(diagnostics: tuple[Diagnostic, ...]) -> str:
    told = [d for d in diagnostics if d.severity == "error" and d.rule != "duplicate-macro"]
    return "\n".join(f"{_place(d.location)}{d.message}" for d in told)


def _place(location: Location | None) -> str:
    return f"{location}: " if location else ""
