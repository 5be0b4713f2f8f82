"""How the rows of a model differ from the expected ones, cell by cell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from osiris_sql.compile.unit_tests.stage import ACTUAL, EXPECTED, Stage
from osiris_sql.support.visible import visible
from osiris_sql.types.relation import RelationRef, quote_identifier

Row = tuple[str | None, ...]

_MOST_ROWS = 20
_WIDEST = 60
_MOST_PAIRED = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows that differ in some cells, as (expected, actual); rows that are missing; rows too many."""

    changed: tuple[tuple[Row, Row], ...]
    missing: tuple[Row, ...]
    extra: tuple[Row, ...]


def describe_difference(columns: Sequence[str], stage: Stage) -> str:
    """Return how ACTUAL differs from EXPECTED in some columns, as a small table, or nothing."""
    missing = _rows_only_in(EXPECTED, ACTUAL, columns, stage)
    extra = _rows_only_in(ACTUAL, EXPECTED, columns, stage)
    if not missing and not extra:
        return ""
    difference = pair_rows(missing, extra)
    [(expected, actual)] = stage.run(
        f"SELECT (SELECT count(*) FROM {EXPECTED.sql}), (SELECT count(*) FROM {ACTUAL.sql})", "comparison"
    )
    return "\n".join([_headline(difference, expected, actual), *draw_difference(columns, difference)])


def _rows_only_in(one: RelationRef, other: RelationRef, columns: Sequence[str], stage: Stage) -> list[Row]:
    """Return the rows of one bag that the other has not, or has less often; DuckDB says what is equal."""
    names = ", ".join(quote_identifier(name) for name in columns)
    texts = ", ".join(f"CAST({quote_identifier(name)} AS VARCHAR)" for name in columns)
    query = f"SELECT {names} FROM {one.sql} EXCEPT ALL SELECT {names} FROM {other.sql}"
    return stage.run(f"SELECT {texts} FROM (SELECT * FROM ({query}) ORDER BY ALL)", "comparison")


def pair_rows(missing: Sequence[Row], extra: Sequence[Row]) -> Difference:
    """Return which missing row became which extra one: those that agree in most cells, and in some."""
    pairs = sorted(
        (
            (_agreement(expected, actual), -i, -j)
            for i, expected in enumerate(missing[:_MOST_PAIRED])
            for j, actual in enumerate(extra[:_MOST_PAIRED])
        ),
        reverse=True,
    )
    became: dict[int, int] = {}
    taken: set[int] = set()
    for agreement, i, j in pairs:
        if agreement and -i not in became and -j not in taken:
            became[-i] = -j
            taken.add(-j)
    return Difference(
        tuple((missing[i], extra[j]) for i, j in sorted(became.items())),
        tuple(row for i, row in enumerate(missing) if i not in became),
        tuple(row for j, row in enumerate(extra) if j not in taken),
    )


def _agreement(expected: Row, actual: Row) -> int:
    return sum(a == b for a, b in zip(expected, actual, strict=True))


def _headline(difference: Difference, expected: int, actual: int) -> str:
    counts = [
        (len(difference.changed), "differs", "differ"),
        (len(difference.missing), "is missing", "are missing"),
        (len(difference.extra), "is too many", "are too many"),
    ]
    parts = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
    return f"{_rows(expected)} expected, {actual} came: {', '.join(parts)}"


def _rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"


def draw_difference(columns: Sequence[str], difference: Difference) -> Iterable[str]:
    """Yield the lines of a table: `~` a row that differs (expected → actual), `-` missing, `+` too many."""
    lines: list[tuple[str, list[str]]] = [("", [_cut(name) for name in columns])]
    for expected, actual in difference.changed:
        lines.append(("~", [_cell(e, a) for e, a in zip(expected, actual, strict=True)]))
    lines += [("-", [_text(cell) for cell in row]) for row in difference.missing]
    lines += [("+", [_text(cell) for cell in row]) for row in difference.extra]
    shown = lines[: _MOST_ROWS + 1]
    widths = [max(len(row[index]) for _, row in shown) for index in range(len(columns))]
    for mark, row in shown:
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"{mark:1} {cells}".rstrip()
    if len(lines) > len(shown):
        yield f"  … and {len(lines) - len(shown)} more"


def _cell(expected: str | None, actual: str | None) -> str:
    return _text(expected) if expected == actual else f"{_text(expected)} → {_text(actual)}"


def _text(value: str | None) -> str:
    return visible(None if value is None else _cut(value))


def _cut(text: str) -> str:
    line = text.replace("\n", "⏎")
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…"
