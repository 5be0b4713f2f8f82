"""The border for people: YAML as plain data, with the line and column of every key and value."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from osiris_sql.types.diagnostic import Diagnostic, Location

KeyPath = tuple[str | int, ...]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 200
_TAG = "tag:yaml.org,2002:"
# A date stays the text that was written: DuckDB, not Python, gives it a type.
_TEXT_TAGS = {_TAG + "str", _TAG + "timestamp", _TAG + "value", _TAG + "merge"}
_WORDS = {"int": "a whole number", "float": "a number", "bool": "true or false"}
_CONSTRUCT = SafeConstructor()


@dataclass(frozen=True)
class YamlFile:
    """A YAML file as plain data: None, bool, int, float, str, lists and mappings from str."""

    path: str
    data: Any
    root: yaml.Node | None

    def at(self, path: KeyPath, *, key: bool = False) -> Location:
        """Return the place of the value (or of its key) at `path`, else of the nearest thing above it."""
        node, key_node = self.root, None
        for step in path:
            found = _child(node, step)
            if found is None:
                key = False
                break
            key_node, node = found
        if key_node is not None and (key or _is_blank(node)):
            node = key_node
        return Location(path=self.path, line=1, column=1) if node is None else _place(self.path, node)


def read_yaml(text: str, path: str) -> tuple[YamlFile | None, list[Diagnostic]]:
    """Return the data of one YAML document and what is wrong with it.

    A syntax error gives None; what can't be data (a duplicate key, an unknown tag) is left out.
    """
    if _nesting(text) > _DEEPEST:
        return None, [_too_deep(path)]
    try:
        root: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
        reader = _Reader(path)
        data = None if root is None else reader.value(root)
    except yaml.YAMLError as error:
        return None, [_syntax_error(error, text, path)]
    except RecursionError:
        return None, [_too_deep(path)]
    return YamlFile(path, data, root), reader.found


class _Reader:
    """Turns nodes into data, each node once, however many aliases it has."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.found: list[Diagnostic] = []
        self._made: dict[int, Any] = {}
        self._open: set[int] = set()

    def value(self, node: yaml.Node) -> Any:
        if id(node) in self._open:
            return self._refuse(node, "this alias stands inside what it names")
        if id(node) not in self._made:
            self._open.add(id(node))
            self._made[id(node)] = self._make(node)
            self._open.discard(id(node))
        return self._made[id(node)]

    def _make(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [self.value(item) for item in node.value]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        return self._refuse(node, f"the YAML tag {_shown_tag(node.tag)} is not supported")

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        first: dict[str, yaml.Node] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._refuse(key, "a key must be text")
            elif key.tag == _TAG + "merge":
                continue
            elif key.value in first:
                line = first[key.value].start_mark.line + 1
                self._report(
                    "duplicate-key", key, f'duplicate key "{key.value}"', f"it stands in line {line} too"
                )
            else:
                first[key.value] = key
        return {name: self.value(value) for name, (_, value) in _entries(node).items()}

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        text: str = node.value
        try:
            if node.tag in _TEXT_TAGS:
                return text
            if node.tag == _TAG + "null":
                return None
            if node.tag == _TAG + "bool":
                return SafeConstructor.bool_values[text.lower()]
            if node.tag == _TAG + "int":
                return _CONSTRUCT.construct_yaml_int(node)
            if node.tag == _TAG + "float":
                return self._finite(node, float(_CONSTRUCT.construct_yaml_float(node)))
        except (ValueError, KeyError, IndexError):
            return self._refuse(node, f"this is not {_WORDS[node.tag.removeprefix(_TAG)]}")
        return self._refuse(node, f"the YAML tag {_shown_tag(node.tag)} is not supported")

    def _finite(self, node: yaml.Node, number: float) -> Any:
        fix = 'for a DOUBLE of SQL write text, such as "NaN" or "Infinity"'
        return number if math.isfinite(number) else self._refuse(node, "a number must be finite", fix)

    def _refuse(self, node: yaml.Node, message: str, fix: str = "") -> Any:
        self._report("invalid-value", node, message, fix=fix)
        return None

    def _report(self, rule: str, node: yaml.Node, message: str, why: str = "", fix: str = "") -> None:
        place = _place(self.path, node)
        self.found.append(Diagnostic(rule=rule, message=message, location=place, why=why, fix=fix))


def _entries(
    node: yaml.MappingNode, seen: frozenset[int] = frozenset()
) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    """Return name → (key, value): the first of equal keys, own keys before those merged in by `<<`."""
    own: dict[str, tuple[yaml.Node, yaml.Node]] = {}
    merged: dict[str, tuple[yaml.Node, yaml.Node]] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        if key.tag == _TAG + "merge":
            for other in _merged(value):
                if id(other) not in seen:
                    merged = _entries(other, seen | {id(node)}) | merged
        else:
            own.setdefault(key.value, (key, value))
    return own | {name: entry for name, entry in merged.items() if name not in own}


def _merged(value: yaml.Node) -> Iterator[yaml.MappingNode]:
    nodes = value.value if isinstance(value, yaml.SequenceNode) else [value]
    return (node for node in nodes if isinstance(node, yaml.MappingNode))


def _child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node | None, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return _entries(node).get(str(step))
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return None, node.value[step]
    return None


def _is_blank(node: yaml.Node | None) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.start_mark.index == node.end_mark.index


def _place(path: str, node: yaml.Node) -> Location:
    start, end = node.start_mark, node.end_mark
    length = max(end.column - start.column, 1) if end.line == start.line else 1
    return Location(path=path, line=start.line + 1, column=start.column + 1, length=length)


def _shown_tag(tag: str) -> str:
    return "!!" + tag.removeprefix(_TAG) if tag.startswith(_TAG) else tag


def _nesting(text: str) -> int:
    """Return how deep flow collections and compact lists nest at most: libyaml's composer has no
    limit of its own and ends the whole process when the stack is full."""
    brackets = accumulate(1 if c in "[{" else -1 for c in re.findall(r"[\[\]{}]", text))
    compact = re.findall(r"(?:[-?:][ \t]+){50,}", text)
    return max(max(brackets, default=0), *(len(run.split()) for run in compact), 0)


def _too_deep(path: str) -> Diagnostic:
    place = Location(path=path, line=1, column=1)
    return Diagnostic(rule="yaml-syntax", message=f"nested more than {_DEEPEST} levels deep", location=place)


def _syntax_error(error: yaml.YAMLError, text: str, path: str) -> Diagnostic:
    if isinstance(error, yaml.reader.ReaderError):
        # libyaml counts bytes here, and says nothing of lines.
        offset = next((m.start() for m in yaml.reader.Reader.NON_PRINTABLE.finditer(text)), 0)
        line, column = text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
        place = Location(path=path, line=line, column=column)
        return Diagnostic(
            rule="yaml-syntax",
            message=f"the character U+{ord(text[offset]):04X} is not allowed in YAML",
            location=place,
            fix='inside double quotes write it as an escape, such as "\\x07"',
        )
    if marker := re.search(r"^(<{7}|={7}|>{7})( |$)", text, re.MULTILINE):
        place = Location(path=path, line=text.count("\n", 0, marker.start()) + 1, column=1, length=7)
        message, fix = "a conflict marker of git", "finish the merge"
        return Diagnostic(rule="yaml-syntax", message=message, location=place, fix=fix)
    problem = str(getattr(error, "problem", "") or "this is not YAML")
    line, column = _place_of_error(error, text)
    return Diagnostic(
        rule="yaml-syntax",
        message=problem,
        location=Location(path=path, line=line, column=column),
        why=str(getattr(error, "context", None) or ""),
        fix=_syntax_fix(text, line, problem),
    )


def _place_of_error(error: yaml.YAMLError, text: str) -> tuple[int, int]:
    """Return line and column; of what is never closed, those where it was opened."""
    mark, opened = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    written = text.rstrip()
    end = written.count("\n"), len(written) - written.rfind("\n") - 1
    if opened and (mark is None or (mark.line, mark.column) >= end):
        mark = opened
    line, column = min((mark.line, mark.column), end) if mark else (0, 0)
    return line + 1, column + 1


def _syntax_fix(text: str, line: int, problem: str) -> str:
    lines = text.splitlines()
    written = lines[line - 1] if line <= len(lines) else ""
    if re.match(r"\s*\t", written):
        return "indent with spaces, not with tabs"
    if "mapping values" in problem:
        return "put a text that holds a colon in quotes"
    return ""
