"""Proofs by execution, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.text import Text

from osiris_sql.api.proof import AS_BUILT, TRIALS, IncrementProof, ModelProof, Moved
from osiris_sql.support import wire
from osiris_sql.support.excerpt import printable

_MARKS = {
    "same": ("✓", "green"),
    "differs": ("✗", "bold red"),
    "failed": ("✗", "bold red"),
    "skipped": ("·", "dim"),
}
WIDEST = 200
"""Characters of a row that are shown."""


def proofs_data(proofs: Sequence[ModelProof]) -> dict[str, Any]:
    """Return what `verify --json` prints; a field may be added, none is ever renamed."""
    return {
        "trials": [trial.name for trial in (AS_BUILT, *TRIALS)],
        "models": [_proof_data(proof) for proof in proofs],
        "wrong": sum(proof.is_wrong for proof in proofs),
    }


def _proof_data(proof: ModelProof) -> dict[str, Any]:
    return {
        "model": proof.model,
        "verdict": proof.verdict,
        "status": proof.status,
        "rows": proof.rows,
        "trials": list(proof.trials),
        "inputs": [asdict(each) for each in proof.inputs],
        "moved": [asdict(each) for each in proof.moved],
        "increments": [asdict(each) for each in proof.increments],
        "reasons": [wire.to_data(reason) for reason in proof.reasons],
        "note": proof.note,
        "bug": proof.is_our_bug,
    }


def proofs_text(proofs: Sequence[ModelProof]) -> Text:
    """Return a few lines a model, and a line on all of them."""
    lines = [line for proof in proofs for line in _proof_lines(proof)]
    return Text("\n").join([*lines, _summary(proofs)])


def _proof_lines(proof: ModelProof) -> Iterator[Text]:
    mark, style = _MARKS[proof.status]
    words = f"{proof.rows} rows, " if proof.rows is not None else ""
    told = {"same": f"the same in {len(proof.trials)} trials", "differs": "not the same"}
    status = told.get(proof.status, proof.status)
    yield Text.assemble(
        (mark, style), f" {printable(proof.model)}  ", (f"{proof.verdict}, {words}{status}", "dim")
    )
    for part in proof.inputs:
        if part.taken < part.there:
            name = printable(part.node.partition(":")[2])
            yield Text(
                f"    {part.taken} of the {part.there} rows of {name} were taken; --rows 0 takes all", "dim"
            )
    if proof.note:
        yield Text(f"    {printable(proof.note)}")
    for moved in proof.moved:
        yield from _moved_lines(moved)
    if proof.status == "differs":
        yield from _why_lines(proof)
    for increment in proof.increments:
        yield from _increment_lines(increment)


def _why_lines(proof: ModelProof) -> Iterator[Text]:
    for reason in proof.reasons:
        place = f"{reason.location}: " if reason.location else ""
        yield Text(f"    why  {printable(place)}{reason.rule}: {printable(reason.message)}")
    if proof.is_our_bug:
        yield Text(
            f"    this is a bug in osiris-sql, which said {proof.verdict}: please report it with the SQL",
            "bold red",
        )
    elif proof.verdict == "unknown":
        yield Text(
            "    fix  write it so that it can be judged, or declare it: config(determinism='declared')"
        )


def _moved_lines(moved: Moved) -> Iterator[Text]:
    if moved.rows[0] != moved.rows[1]:
        what = f"{moved.rows[0]} rows, then {moved.rows[1]}"
    else:
        what = f"column {', '.join(moved.columns)} in {moved.differing} of {moved.rows[0]} rows"
    yield Text(f"    {printable(moved.trial)}: {printable(what)}")
    for sign, rows in (("-", moved.only_first), ("+", moved.only_again)):
        for row in rows:
            yield Text(f"      {sign} {_row(row)}", "dim")


def _row(row: Mapping[str, str | None]) -> str:
    text = ", ".join(f"{name}={'NULL' if value is None else value}" for name, value in row.items())
    return printable(text if len(text) <= WIDEST else f"{text[:WIDEST]}…")


def _increment_lines(increment: IncrementProof) -> Iterator[Text]:
    mark, style = _MARKS[increment.status]
    how = printable(increment.how)
    ends = {"same": "what a full rebuild gives", "differs": "not what a full rebuild gives"}
    said = f"{how}: {ends[increment.status]}" if increment.status in ends else how
    yield Text.assemble("    ", (mark, style), " ", said)
    if increment.moved is not None:
        yield from list(_moved_lines(increment.moved))[1:]


def _summary(proofs: Sequence[ModelProof]) -> Text:
    wrong = [proof for proof in proofs if proof.is_wrong]
    if wrong:
        return Text(f"{len(wrong)} of {len(proofs)} models did not prove themselves", "bold red")
    apart = sum(proof.status == "differs" for proof in proofs)
    same = f"{len(proofs) - apart} models gave the same rows, each in {len(TRIALS) + 1} ways"
    return Text(f"{same}; {apart} did not, as declared" if apart else same, "green")
