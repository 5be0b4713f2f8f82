"""Jinja to SQL: each template rendered, with the way back to the author's file."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from jinja2 import TemplateAssertionError, TemplateSyntaxError

from osiris_sql.compile import places
from osiris_sql.compile.jinja import Missing, SqlEnvironment, run_template
from osiris_sql.compile.places import Locate
from osiris_sql.compile.plain_template import render_plain
from osiris_sql.compile.rendering import ConfigValue, NeedsSchemaError, Rendering, TemplateStopError
from osiris_sql.compile.scope import SchemaOf, TemplateScope
from osiris_sql.compile.secret_names import secret_env_names
from osiris_sql.compile.template_failure import (
    explain_failure,
    explain_syntax,
    is_sure,
    undefined_name,
    unknown_filters,
)
from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.project import Project
from osiris_sql.types.relation import RelationRef

_MACRO_NAME = re.compile(r"\{%[-+]?\s*(macro|test)\s+(\w+)")


@dataclass(frozen=True, slots=True)
class Rendered:
    """SQL as a template gave it; `sql` is None where an error ended the render.

    `locate` places characters of `sql` in the author's files; `unresolved` are the relations
    (schema, name; lower case) whose absence is already among the diagnostics. `is_plain` says that no
    macro had a part in it.
    """

    sql: str | None
    config: Mapping[str, ConfigValue]
    diagnostics: tuple[Diagnostic, ...]
    locate: Locate
    unresolved: frozenset[tuple[str, str]] = frozenset()
    is_plain: bool = False


class Renderer:
    """Renders the templates of one project; its macros are read once."""

    def __init__(
        self,
        project: Project,
        *,
        environ: Mapping[str, str] | None = None,
        schema_of: SchemaOf = lambda _node: None,
    ) -> None:
        self._project = project
        self._environ = os.environ if environ is None else environ
        self._schema_of = schema_of
        self._secrets = secret_env_names(project)
        self._files = {macro.path: _one_newline(macro.text) for macro in project.macros}
        self._plain = _Library(self, marked=False)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The mistakes in the files of macros."""
        return tuple(self._plain.diagnostics)

    @property
    def macro_names(self) -> frozenset[str]:
        """The macros of the project; a custom generic test `x` is the macro `test_x`."""
        return self._plain.macro_names

    @property
    def names(self) -> frozenset[str]:
        """What every template can call and read by name, macros too."""
        return self._plain.names

    @cached_property
    def _marked(self) -> "_Library":
        return _Library(self, marked=True)

    def render(
        self,
        path: str,
        text: str,
        *,
        name: str = "",
        incremental: bool = False,
        extra: Mapping[str, Any] | None = None,
    ) -> Rendered:
        """Return the SQL that a template gives.

        `name` is the model's, for `this` and its config; `extra` are more names for this render.
        Raises NeedsSchemaError where a template asks for columns that are not known yet.
        """
        source = _one_newline(text)
        if not any(tag in source for tag in ("{{", "{%", "{#")):
            whole = [places.Piece(0, path, 1, 1, len(source), 0)]
            return Rendered(source, {}, (), places.locate_in_pieces(source, whole, path), is_plain=True)
        this = RelationRef("main", name) if name else None
        files = {**self._files, path: source}
        rendering = Rendering(path, files, name, this, incremental)
        plain = None if extra else self._plain.run_plain(rendering, source)
        if plain:
            locate = places.locate_in_pieces(plain[0], plain[1], path)
            return Rendered(plain[0], rendering.config, (), locate, is_plain=True)
        rendering = Rendering(path, files, name, this, incremental)
        sql = self._plain.run(rendering, source, extra or {})
        return Rendered(
            sql=sql,
            config=rendering.config,
            diagnostics=tuple(dict.fromkeys(rendering.diagnostics)),
            locate=self._lazy_places(sql or "", rendering, extra or {}),
            unresolved=frozenset(rendering.unresolved),
        )

    def _lazy_places(self, sql: str, rendering: Rendering, extra: Mapping[str, Any]) -> Locate:
        """Return a `locate` that renders again, with marks, when it is first asked."""
        known: list[Locate] = []

        def locate(offset: int, length: int) -> Location:
            if not known:
                known.append(self._find_places(sql, rendering, extra))
            return known[0](offset, length)

        return locate

    def _find_places(self, sql: str, rendering: Rendering, extra: Mapping[str, Any]) -> Locate:
        path, source = rendering.path, rendering.files[rendering.path]
        again = Rendering(path, rendering.files, rendering.name, rendering.this, rendering.incremental)
        marked = self._marked.run(again, source, extra)
        if marked is not None:
            text, pieces = places.read_marks(marked, [*self._files, path])
            if text == sql:
                return places.locate_in_pieces(sql, pieces, path)
        # A template that looks at its own text (its length, say) saw the marks: they prove nothing.
        return places.locate_by_line(sql, path, source)


def _one_newline(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


class _Library:
    """The macros and names of a project, compiled with marks or without."""

    def __init__(self, renderer: Renderer, *, marked: bool) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._marked = marked
        self._files = renderer._files
        self._environment = SqlEnvironment(self._explain)
        project = renderer._project
        self._scope = TemplateScope(project, renderer._environ, renderer._secrets, renderer._schema_of)
        self._lookup = self._scope.lookup
        self._lookup.update({k: v for k, v in self._environment.globals.items() if k not in self._lookup})
        macros: dict[str, Any] = {}
        for number, (path, text) in enumerate(self._files.items()):
            self._load_macros(path, text, number, macros)
        self._lookup.setdefault(project.name, SimpleNamespace(**macros))
        self.macro_names = frozenset(macros)
        self.names = frozenset(self._lookup)

    def _load_macros(self, path: str, text: str, number: int, macros: dict[str, Any]) -> None:
        rendering = Rendering(path=path, files=self._files)
        _, exported = self._run(rendering, text, number)
        for match in _MACRO_NAME.finditer(text):
            name = f"test_{match[2]}" if match[1] == "test" else match[2]
            if name in exported and name in macros:
                place = places.place_at(path, text, match.start(2), len(match[2]))
                message = f'there are two macros "{match[2]}"'
                self.diagnostics.append(Diagnostic(rule="duplicate-macro", message=message, location=place))
        macros.update(exported)
        self._lookup.update(exported)
        self.diagnostics += rendering.diagnostics

    def run_plain(self, rendering: Rendering, source: str) -> tuple[str, list[places.Piece]] | None:
        """Return what a template yields and where it comes from, if it needs no Jinja."""
        self._scope.begin(rendering)
        simple, lookup = self._scope.simple, self._lookup
        return render_plain(source, rendering, {n: f for n, f in simple.items() if lookup[n] is f})

    def run(self, rendering: Rendering, source: str, extra: Mapping[str, Any]) -> str | None:
        """Return what a template yields, or None after an error, which `rendering` holds then."""
        text = self._run_with(rendering, source, extra)
        while (name := rendering.undefined) and name not in extra:
            rendering.undefined, extra = None, {**extra, name: Missing()}
            self._run_with(rendering, source, extra)
        return None if rendering.is_incomplete else text

    def _run_with(self, rendering: Rendering, source: str, extra: Mapping[str, Any]) -> str | None:
        hidden = {name: self._lookup[name] for name in extra if name in self._lookup}
        self._lookup.update(extra)
        try:
            return self._run(rendering, source, len(self._files))[0]
        finally:
            for name in extra:
                del self._lookup[name]
            self._lookup.update(hidden)

    def _run(self, rendering: Rendering, source: str, number: int) -> tuple[str | None, dict[str, Any]]:
        path, files = rendering.path, rendering.files
        self._scope.begin(rendering)
        try:
            if self._marked:
                source = places.mark_template(self._environment, source, number)
            return run_template(self._environment.load(source, path), self._lookup)
        except TemplateSyntaxError as error:
            unread = not isinstance(error, TemplateAssertionError)
            names = [] if unread else [*unknown_filters(self._environment, path, files)]
            rendering.diagnostics += names or [explain_syntax(error, path, files)]
        except Exception as error:  # noqa: BLE001  (the author's code may fail in any way)
            rendering.undefined = undefined_name(error)
            self._explain(error)
        return None, {}

    def _explain(self, error: Exception) -> None:
        """Record what a template failed of, unless that may be a value which is missing."""
        if isinstance(error, NeedsSchemaError):
            raise error
        rendering = self._scope.rendering
        if not isinstance(error, TemplateStopError):
            found = explain_failure(error, rendering.path, rendering.files, self._lookup)
            if not rendering.is_incomplete or is_sure(found, undefined_name(error), rendering.files):
                rendering.diagnostics.append(found)
        rendering.is_incomplete = True
