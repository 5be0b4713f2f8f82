"""Arguments that are Jinja themselves: `ref('orders')`, or text with `{{ … }}` in it."""

import re
from ast import literal_eval
from dataclasses import replace
from typing import Any

from osiris_sql.compile.data_tests.mistakes import TestMistakeError
from osiris_sql.compile.data_tests.scope import TestScope
from osiris_sql.compile.render import Rendered
from osiris_sql.compile.rendering import NeedsSchemaError
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.noun import Json
from osiris_sql.types.project import DataTest

_CALL = re.compile(r"\s*(env_var|ref|var|source)\s*\(.+\)\s*", re.DOTALL)


def render_value(value: Json, test: DataTest, scope: TestScope) -> Json:
    """Return a value with the Jinja in its texts rendered, as dbt does; raises TestMistakeError."""
    if isinstance(value, str) and (_CALL.fullmatch(value) or "{{" in value or "{%" in value):
        text = f"{{{{ {value} }}}}" if _CALL.fullmatch(value) else value
        return render_text(text, test, scope, {}).sql or ""
    if isinstance(value, list):
        return [render_value(item, test, scope) for item in value]
    if isinstance(value, dict):
        return {key: render_value(item, test, scope) for key, item in value.items()}
    return value


def render_argument(value: Json, test: DataTest, scope: TestScope) -> Json:
    """Return an argument with its Jinja rendered: `{{ var("states") }}` is the list itself, as in dbt."""
    rendered = render_value(value, test, scope)
    if not isinstance(value, str) or not isinstance(rendered, str) or rendered == value:
        return rendered
    try:
        literal = literal_eval(rendered)
    except (SyntaxError, ValueError):
        return rendered
    literal = list(literal) if isinstance(literal, tuple) else literal
    return literal if isinstance(literal, list | bool) else rendered


def render_text(text: str, test: DataTest, scope: TestScope, extra: dict[str, Any]) -> Rendered:
    """Return a text of ours rendered by the project's Jinja; what is wrong in it, is wrong in the test.

    Raises TestMistakeError, with diagnostics at the test or in the macro that it came through.
    """
    path = test.location.path
    try:
        rendered = scope.renderer.render(path, text, extra=extra)
    except NeedsSchemaError as waiting:
        # All that is sound is known by now: the error of this one is told already.
        raise TestMistakeError from waiting
    found = tuple(_at_test(diagnostic, test) for diagnostic in rendered.diagnostics)
    if rendered.sql is None or any(d.severity == "error" for d in found):
        raise TestMistakeError(*found)
    return rendered


def _at_test(diagnostic: Diagnostic, test: DataTest) -> Diagnostic:
    place = diagnostic.location
    if place is None or place.path == test.location.path:
        return replace(diagnostic, location=test.location)
    return diagnostic
