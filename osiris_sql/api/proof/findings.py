"""What a proof by execution finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from osiris_sql.types.manifest import Reason, Verdict

Status = Literal["same", "differs", "failed", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How the rows of two runs differ: `only_first` and `only_again` are some of the rows that only one of
    them gave, as text by column, `differing` counts those of the first. `columns` are the fewest without
    which the rows are the same, as far as single steps find them; none if only the number of rows differs."""

    trial: str
    columns: tuple[str, ...]
    rows: tuple[int, int]
    differing: int
    only_first: tuple[Mapping[str, str | None], ...]
    only_again: tuple[Mapping[str, str | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRows:
    """How many rows of an input were taken, and how many there are."""

    node: str
    taken: int
    there: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncrementProof:
    """Whether rows that came bit by bit are those of a full rebuild; `how` says which bits, or why there
    is no proof."""

    status: Status
    how: str
    moved: Moved | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelProof:
    """What became of a model: `trials` are those that gave the rows of the first one.

    `note` says why it was skipped or how it failed, or what makes a difference the fault of its inputs.
    """

    model: str
    verdict: Verdict
    status: Status
    rows: int | None = None
    trials: tuple[str, ...] = ()
    inputs: tuple[InputRows, ...] = ()
    moved: tuple[Moved, ...] = ()
    increments: tuple[IncrementProof, ...] = ()
    reasons: tuple[Reason, ...] = ()
    note: str = ""

    @property
    def is_our_bug(self) -> bool:
        """Say whether the compiler promised what the run did not keep."""
        return self.status == "differs" and self.verdict in ("proved", "rewritten") and not self.note

    @property
    def is_wrong(self) -> bool:
        """Say whether something is wrong: a difference that nobody declared, or no proof at all."""
        apart = self.status == "differs" and self.verdict != "declared"
        increments = any(i.status in ("differs", "failed") for i in self.increments)
        return apart or self.status in ("failed", "skipped") or increments
