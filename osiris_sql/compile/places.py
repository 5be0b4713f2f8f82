"""Where a character of rendered SQL comes from: the author's file, line and column."""

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment

from osiris_sql.types.diagnostic import Diagnostic, Location, Severity

Locate = Callable[[int, int], Location]
"""(offset, length) of characters in a text → the place in a file that they come from."""

# file; line; column; characters that follow literally; width of the expression that yields what follows
_MARK = re.compile("\x01(\\d+);(\\d+);(\\d+);(\\d+);(\\d+)\x02")


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding in a text that is not yet tied to a file: `start` and `length` count characters.

    `whole` is where the expression that it is about begins and ends, where that is known.
    """

    rule: str
    message: str
    start: int | None = None
    length: int = 1
    why: str = ""
    fix: str = ""
    severity: Severity = "error"
    whole: tuple[int, int] | None = None

    def at(self, locate: Locate, path: str) -> Diagnostic:
        """Return the diagnostic, placed by `locate`, or at the beginning of the file."""
        place = Location(path=path, line=1) if self.start is None else locate(self.start, self.length)
        return Diagnostic(
            rule=self.rule,
            message=self.message,
            severity=self.severity,
            location=place,
            why=self.why,
            fix=self.fix,
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of rendered text: the first `literal` characters stand like this at `line`:`column` of `path`.

    What follows them was generated, by the expression of `width` characters that stands there.
    """

    start: int
    path: str
    line: int
    column: int
    literal: int
    width: int


def mark_template(environment: Environment, source: str, file: int) -> str:
    """Return a template with a mark before every literal run and every `{{ … }}`; lines stay lines.

    Rendering keeps the marks beside the text that they speak of; `read_marks` takes them out again.
    """
    marked: list[str] = []
    written = position = 0
    for _, kind, value in environment.lex(source):
        found = position if source.startswith(value, position) else source.index(value, position)
        if kind == "data" and not value.isspace():
            marked += [source[written:found], _mark(source, found, file, len(value), 0)]
            written = found
        elif kind == "variable_begin":
            # The lexer has already cut the blanks that `{{-` eats: the mark must not stand behind them.
            width = expression_width(source, found)
            marked += [source[written:position], _mark(source, found, file, 0, width)]
            written = position
        position = found + len(value)
    return "".join([*marked, source[written:]])


def _mark(source: str, offset: int, file: int, literal: int, width: int) -> str:
    place = place_at("", source, offset, 1)
    return f"\x01{file};{place.line};{place.column};{literal};{width}\x02"


def expression_width(source: str, offset: int) -> int:
    """Return the characters of the `{{ … }}` at an offset, as far as they stand in its first line."""
    line_end = source.find("\n", offset)
    line = source[offset : len(source) if line_end < 0 else line_end]
    close = line.find("}}")
    return len(line) if close < 0 else close + 2


def read_marks(marked: str, paths: Sequence[str]) -> tuple[str, list[Piece]]:
    """Return rendered text without its marks, and the pieces that they describe; `paths` by file number."""
    parts: list[str] = []
    pieces: list[Piece] = []
    end = length = 0
    for mark in _MARK.finditer(marked):
        parts.append(marked[end : mark.start()])
        length += len(parts[-1])
        end = mark.end()
        file, line, column, literal, width = (int(group) for group in mark.groups())
        pieces.append(Piece(length, paths[file], line, column, literal, width))
    return "".join([*parts, marked[end:]]), pieces


def locate_in_pieces(text: str, pieces: Sequence[Piece], path: str) -> Locate:
    """Return the function that places the characters of `text`, a rendering of the file `path`."""
    starts = [piece.start for piece in pieces]

    def locate(offset: int, length: int) -> Location:
        index = bisect_right(starts, offset) - 1
        if index < 0:
            return Location(path=path)
        piece = pieces[index]
        inside = offset - piece.start
        if inside >= piece.literal:
            if not piece.width:
                return Location(path=piece.path, line=piece.line)
            return Location(path=piece.path, line=piece.line, column=piece.column, length=piece.width)
        before = text[piece.start : offset]
        column = inside - before.rfind("\n") if "\n" in before else piece.column + inside
        rest = text[offset : piece.start + piece.literal].split("\n", 1)[0]
        return Location(
            path=piece.path,
            line=piece.line + before.count("\n"),
            column=column,
            length=max(1, min(length, len(rest))),
        )

    return locate


def locate_by_line(text: str, path: str, source: str) -> Locate:
    """Return a weaker `locate`, for text whose marks were disturbed: by lines that stand once in the file."""
    lines = source.split("\n")

    def locate(offset: int, length: int) -> Location:
        start = text.rfind("\n", 0, offset) + 1
        line = text[start:].split("\n", 1)[0]
        if line.strip() and lines.count(line) == 1:
            number = lines.index(line) + 1
            return Location(path=path, line=number, column=offset - start + 1, length=length)
        return Location(path=path)

    return locate


@dataclass(frozen=True, slots=True)
class Splice:
    """Text to put in place of characters `start` to `end`; `head` characters of it come before `inner`.

    `locate` places what is `inner`; the rest is placed where the splice stands.
    """

    start: int
    end: int
    head: str
    inner: str
    tail: str
    locate: Locate


def splice_text(text: str, locate: Locate, splices: Sequence[Splice]) -> tuple[str, Locate]:
    """Return `text` with splices put in, and the function that places its characters."""
    parts: list[str] = []
    bounds: list[tuple[int, Callable[[int, int], Location]]] = []
    written = length = 0

    def add(part: str, place: Callable[[int, int], Location]) -> None:
        nonlocal length
        bounds.append((length, place))
        parts.append(part)
        length += len(part)

    for splice in sorted(splices, key=lambda s: s.start):
        add(text[written : splice.start], _shifted(locate, written))
        add(splice.head, _fixed(locate, splice))
        add(splice.inner, splice.locate)
        add(splice.tail, _fixed(locate, splice))
        written = splice.end
    add(text[written:], _shifted(locate, written))
    starts = [start for start, _ in bounds]

    def locate_spliced(offset: int, length: int) -> Location:
        start, place = bounds[max(0, bisect_right(starts, offset) - 1)]
        return place(offset - start, length)

    return "".join(parts), locate_spliced


def _shifted(locate: Locate, by: int) -> Locate:
    return lambda offset, length: locate(offset + by, length)


def _fixed(locate: Locate, splice: Splice) -> Locate:
    return lambda _offset, _length: locate(splice.start, splice.end - splice.start)


def find_place(files: Mapping[str, str], path: str, line: int | None, needle: str | None) -> Location:
    """Return where `needle` stands at or shortly after a line of a file, or that line alone."""
    text = files.get(path)
    if text is None or line is None:
        return Location(path=path, line=line)
    if needle:
        lines = text.split("\n")
        for number in range(line, min(line + 12, len(lines)) + 1):
            match = re.search(rf"(?<!\w){re.escape(needle)}(?!\w)", lines[number - 1])
            if match:
                return Location(path=path, line=number, column=match.start() + 1, length=len(needle))
    return Location(path=path, line=line)


def place_at(path: str, text: str, offset: int, length: int) -> Location:
    """Return the place of characters of a file's own text."""
    line = text.count("\n", 0, offset) + 1
    return Location(path=path, line=line, column=offset - text.rfind("\n", 0, offset), length=length)
