"""Templates of text and simple calls such as `{{ ref('orders') }}`, rendered without Jinja's compiler.

Most models are no more than that, and compiling a template costs more than all else that rendering does.
What is not surely plain is left to Jinja, and so is every mistake, so that both say the same.
"""

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from osiris_sql.compile import places
from osiris_sql.compile.places import Piece
from osiris_sql.compile.rendering import Rendering, TemplateStopError

SIMPLE = ("ref", "source", "config", "var", "env_var")

_EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_TEXT = re.compile(r"'[^'\\\n]*'|\"[^\"\\\n]*\"")
# With "" for each text: what Python and Jinja surely read alike. No prefixes, no joined texts, whole numbers.
# Possessive: a word may not be taken apart, which would cost exponential time where there is no match.
_CODE = re.compile(r"(?:[A-Za-z_]\w*+(?!\")|\d++(?![\w\"])|\"\"(?!\s*[\w\"])|[\s()\[\],=])*+", re.ASCII)
_WORDS = {"true": True, "false": False, "none": None, "True": True, "False": False, "None": None}


@dataclass(frozen=True, slots=True)
class _Call:
    name: str
    values: tuple[Any, ...]
    named: Mapping[str, Any]
    lines: int
    """Line breaks before its parenthesis, which is where Jinja says that it stands."""


def render_plain(
    source: str, rendering: Rendering, functions: Mapping[str, Callable[..., Any]]
) -> tuple[str, list[Piece]] | None:
    """Return what a plain template yields and where it comes from; None if Jinja must say it.

    `functions` are the simple ones that no macro hides.
    """
    if "{%" in source or "{#" in source:
        return None
    parts: list[str] = []
    pieces: list[Piece] = []
    here, length = 0, 0
    for match in _EXPRESSION.finditer(source):
        call = _read_call(match[1])
        if call is None or call.name not in functions:
            return None
        before = source[here : match.start()]
        _add(parts, pieces, before, length, rendering.path, source, here)
        length += len(before)
        place = places.place_at(rendering.path, source, match.start(), 1)
        width = places.expression_width(source, match.start())
        pieces.append(Piece(length, place.path, place.line or 1, place.column or 1, 0, width))
        rendering.line = (place.line or 1) + call.lines
        parts.append(_answer(functions[call.name], call))
        if rendering.diagnostics or parts[-1] is None:
            return None
        length += len(parts[-1])
        here = match.end()
    rest = source[here:]
    if "{{" in rest:
        return None
    _add(parts, pieces, rest, length, rendering.path, source, here)
    return "".join(parts), pieces


def _add(
    parts: list[str], pieces: list[Piece], text: str, start: int, path: str, source: str, offset: int
) -> None:
    parts.append(text)
    if text and not text.isspace():
        place = places.place_at(path, source, offset, 1)
        pieces.append(Piece(start, path, place.line or 1, place.column or 1, len(text), 0))


def _answer(function: Callable[..., Any], call: _Call) -> Any:
    try:
        return str(function(*call.values, **call.named))
    except (TemplateStopError, TypeError):
        return None


@lru_cache(maxsize=4096)
def _read_call(text: str) -> _Call | None:
    """Return a call with arguments that are plain values, None for anything else."""
    bare = text.strip()
    if not _CODE.fullmatch(_TEXT.sub('""', bare)):
        return None
    try:
        tree = ast.parse(bare, mode="eval").body
        if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
            return None
        values = tuple(_value(node) for node in tree.args)
        named = {str(word.arg): _value(word.value) for word in tree.keywords if word.arg is not None}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if len(named) < len(tree.keywords):
        return None
    return _Call(tree.func.id, values, named, text.count("\n", 0, text.index("(")))


def _value(node: ast.expr) -> Any:
    """Return a value written out in a template; raises ValueError for what is computed."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | None):
        return node.value
    if isinstance(node, ast.Name) and node.id in _WORDS:
        return _WORDS[node.id]
    if isinstance(node, ast.List):
        return [_value(item) for item in node.elts]
    raise ValueError
