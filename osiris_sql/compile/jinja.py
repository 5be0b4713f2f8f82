"""The Jinja that templates are written in: strict, sandboxed, with dbt's tags and `return`."""

import sys
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any

from jinja2 import StrictUndefined, Template, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context, Macro
from jinja2.sandbox import SandboxedEnvironment


class MacroReturn(Exception):  # noqa: N818  (it is no error: `return(value)` leaves a macro with it)
    """Carries the value of `return(value)` out of a macro."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def return_value(value: Any = None) -> None:
    """Leave the macro that is running with a value of any type, as dbt's `return` does."""
    raise MacroReturn(value)


class Missing(str):
    """What stands for a value that could not be had, so that a render goes on to the next mistake: NULL."""

    __slots__ = ()

    def __new__(cls) -> "Missing":
        """Return the text NULL."""
        return super().__new__(cls, "NULL")

    def _same(self, *_: object, **__: object) -> "Missing":
        return self

    __call__ = __getattr__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _same
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __neg__ = _same
    __getitem__ = __lt__ = __le__ = __gt__ = __ge__ = _same  # type: ignore[assignment]

    def __iter__(self) -> Iterator[str]:
        """Return nothing to walk through."""
        return iter(())


class TestTag(Extension):
    """`{% test name(model, column_name) %} … {% endtest %}` defines the macro `test_<name>`."""

    tags = {"test"}  # noqa: RUF012  (Jinja's own declaration)

    def parse(self, parser: Parser) -> nodes.Node:
        """Return the macro that the tag stands for."""
        line = next(parser.stream).lineno
        node = nodes.Macro(lineno=line)
        node.name = f"test_{parser.parse_assign_target(name_only=True).name}"
        parser.parse_signature(node)
        node.body = parser.parse_statements(("name:endtest",), drop_needle=True)
        return node


def _refuse(error: Exception) -> None:
    raise error


class SqlEnvironment(SandboxedEnvironment):
    """Jinja's sandbox with undefined names as errors, and macros that can return values.

    `explain` is told what a call fails of; the render goes on.
    """

    def __init__(self, explain: Callable[[Exception], None] = _refuse) -> None:
        self.explain = explain
        super().__init__(
            undefined=StrictUndefined,
            extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols", TestTag],
            keep_trailing_newline=True,
            autoescape=False,
        )

    def call(self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call something from a template; a macro's `return(value)` ends here."""
        try:
            return super().call(__context, __obj, *args, **kwargs)
        except MacroReturn as returned:
            if isinstance(__obj, Macro):
                return returned.value
            raise
        except Exception as error:  # noqa: BLE001  (the author's code may fail in any way)
            self.explain(error)
            return Missing()

    def load(self, source: str, path: str) -> Template:
        """Return a template whose code knows the file that it came from."""
        return self.template_class.from_code(self, self.compile(source, path, path), {})


def run_template(template: Template, scope: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return what a template yields and the names that it exports.

    `scope` is read at each look-up, not copied: names that are added later are seen by its macros.
    """
    context = template.new_context(vars=scope, shared=True)  # type: ignore[arg-type]
    text = "".join(template.root_render_func(context))
    return text, context.get_exported()


def calling_place() -> tuple[str, int] | None:
    """Return file and line of the template expression that is calling us now."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        template = frame.f_globals.get("__jinja_template__")
        if template is not None:
            return template.name, template.get_corresponding_lineno(frame.f_lineno)
        frame = frame.f_back
    return None


def raising_places(error: BaseException) -> list[tuple[str, int]]:
    """Return file and line of the template expressions that an error came through, innermost first, and of
    those that wait for what it ended."""
    trace = error.__traceback__
    waiting = trace.tb_frame.f_back if trace else None
    lines: list[tuple[FrameType, int]] = []
    while trace is not None:
        lines.insert(0, (trace.tb_frame, trace.tb_lineno))
        trace = trace.tb_next
    while waiting is not None:
        lines.append((waiting, waiting.f_lineno))
        waiting = waiting.f_back
    templates = ((frame.f_globals.get("__jinja_template__"), line) for frame, line in lines)
    return [(found.name, found.get_corresponding_lineno(line)) for found, line in templates if found]
