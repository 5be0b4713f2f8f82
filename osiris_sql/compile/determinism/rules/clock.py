"""Clock functions read the run clock of the plan instead of the machine's clock."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot.tokenizer_core import TokenType

from osiris_sql.compile.determinism.calls import read_arguments
from osiris_sql.compile.determinism.findings import Ruling
from osiris_sql.compile.determinism.outline import Call
from osiris_sql.compile.determinism.splice import Edit, Span
from osiris_sql.compile.determinism.subject import Subject

_INSTANT = "CAST($run_clock AS TIMESTAMPTZ)"
_SHAPES = {
    "instant": "{0}",
    "date": "CAST({0} AS DATE)",
    "timestamp": "CAST({0} AS TIMESTAMP)",
    "time": "CAST(CAST({0} AS TIMESTAMP) AS TIME)",
    "timetz": "CAST({0} AS TIMETZ)",
}
_CALLS = {
    **dict.fromkeys(("now", "get_current_timestamp", "transaction_timestamp"), "instant"),
    **dict.fromkeys(("today", "current_date"), "date"),
    "get_current_time": "timetz",
    "current_localtime": "time",
    "current_localtimestamp": "timestamp",
}
_WORDS = {
    "current_timestamp": "instant",
    "current_date": "date",
    "current_time": "timetz",
    "localtime": "time",
    "localtimestamp": "timestamp",
}


def check(subject: Subject) -> Iterator[Ruling]:
    """Return a rewrite for each use of a clock."""
    for call in subject.outline.calls:
        if call.name in _CALLS and call.close == call.open + 1:
            yield _replaced(subject, call.start, call.close + 1, _CALLS[call.name])
        elif call.name == "age" and len(read_arguments(subject.outline, call).values) == 1:
            yield _age(subject, call)
        elif call.name == "ago":
            yield _ago(subject, call)
    for index, word in enumerate(subject.outline.words):
        if word == "run_clock" and subject.outline.tokens[index - 1].token_type == TokenType.PARAMETER:
            yield _parameter(subject, index - 1)
        elif word in _WORDS and _is_value(subject, index):
            yield from _word(subject, index)


def _is_value(subject: Subject, index: int) -> bool:
    """Say whether a keyword stands for a value: not after a dot or AS, and not as the name of a call."""
    outline = subject.outline
    before = outline.tokens[index - 1].token_type if index else None
    after = outline.tokens[index + 1].token_type if index + 1 < len(outline.tokens) else None
    return before not in (TokenType.DOT, TokenType.ALIAS) and after not in (
        TokenType.L_PAREN,
        TokenType.DOT,
        TokenType.COLON,
    )


def _word(subject: Subject, index: int) -> Iterator[Ruling]:
    word = subject.outline.word(index)
    sources = [s for scope in subject.walk.scopes.values() for s in scope.sources]
    if any(word in source.names for source in sources):
        span = subject.outline.span((index, index + 1))
        message = f'"{word}" is both a column and a clock; rename the column'
        yield subject.ruling("clock-function", "unsafe", message, span)
    else:
        yield _replaced(subject, index, index + 1, _WORDS[word])


def _clock(subject: Subject) -> str:
    grain = subject.clock_grain
    return _INSTANT if grain in (None, "instant") else f"date_trunc('{grain}', {_INSTANT})"


def _replaced(subject: Subject, first: int, end: int, shape: str) -> Ruling:
    start, stop = subject.outline.span((first, end))
    by_day = shape == "date" or _is_cut_to_day(subject, first, end)
    text = _SHAPES[shape].format(_INSTANT if by_day else _clock(subject))
    return _rewritten(subject, start, stop, text, by_day=by_day)


def _rewritten(subject: Subject, start: int, stop: int, text: str, *, by_day: bool) -> Ruling:
    grain = "day" if by_day else subject.clock_grain or "instant"
    message = f"{subject.sql[start:stop]} reads the machine's clock; it reads the run clock instead"
    return subject.ruling(
        "clock-function", "rewritten", message, (start, stop), Edit(start, stop, (text,)), clock=grain
    )


def _is_cut_to_day(subject: Subject, first: int, end: int) -> bool:
    """Say whether a clock value is cast to DATE, or truncated to its day, right where it stands."""
    outline = subject.outline
    after = outline.tokens[end].token_type if end < len(outline.tokens) else None
    if after == TokenType.DCOLON:
        return outline.word(end + 1) == "date"
    if outline.word(end) == "as":
        return outline.word(end + 1) == "date" and outline.word(first - 2) in ("cast", "try_cast")
    unit = outline.tokens[first - 2] if first >= 4 else None
    return unit is not None and unit.text == "day" and outline.word(first - 4) in ("date_trunc", "datetrunc")


def _age(subject: Subject, call: Call) -> Ruling:
    place = subject.outline.tokens[call.open].end + 1
    today = f"CAST({_SHAPES['date'].format(_INSTANT)} AS TIMESTAMP), "
    start, stop = subject.span_of(call)
    message = (
        f"{subject.sql[start:stop]} counts from today by the machine's clock; it counts from the run clock"
    )
    edit = Edit(place, place, (today,))
    return subject.ruling("clock-function", "rewritten", message, (start, stop), edit, clock="day")


def _ago(subject: Subject, call: Call) -> Ruling:
    start, stop = subject.span_of(call)
    argument = Span(*subject.outline.span((call.open + 1, call.close)))
    edit = Edit(start, stop, (f"({_clock(subject)} - CAST(", argument, " AS INTERVAL))"))
    message = f"{subject.sql[start:stop]} reads the machine's clock; it reads the run clock instead"
    grain = subject.clock_grain or "instant"
    return subject.ruling("clock-function", "rewritten", message, (start, stop), edit, clock=grain)


def _parameter(subject: Subject, index: int) -> Ruling:
    """Return what to do about a run clock that a template wrote: only its grain may have to change."""
    start, stop = subject.outline.span((index, index + 2))
    if subject.clock_grain in (None, "instant"):
        return subject.ruling(
            "clock-function", "proved", "reads the run clock", (start, stop), clock="instant"
        )
    return _rewritten(subject, start, stop, _clock(subject), by_day=False)
