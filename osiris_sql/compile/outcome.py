"""What compiling one model comes to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from osiris_sql.compile.draft import Draft
from osiris_sql.compile.variants import Analysed
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import CompiledModel


@dataclass(frozen=True, slots=True)
class Outcome:
    """A model compiled: as it is alone, and as it stands among the others.

    `needs` are the nodes that its text names; `tables` are the names in its SQL, spliced texts included
    (JSON of schema and name, lower case), with what they mean; `found` is what was said of it; `first` is its
    first build. A lasting one can stand for itself without its text: it is a relation with a type for each
    column.
    """

    alone: CompiledModel
    compiled: CompiledModel
    needs: tuple[str, ...]
    tables: Mapping[str, str]
    found: tuple[Diagnostic, ...]
    first: Analysed
    is_lasting: bool


def make_outcome(
    draft: Draft,
    variants: Sequence[Analysed],
    models: tuple[CompiledModel, CompiledModel],
    found: Sequence[Diagnostic],
    *,
    is_lasting: bool,
) -> Outcome:
    """Return what compiling a draft came to."""
    named = [(table.key, node) for variant in draft.variants for table, node in variant.nodes.items()]
    named += [(key, known.node) for v in variants for key, known in v.readable.tables.items()]
    return Outcome(
        alone=models[0],
        compiled=models[1],
        needs=tuple(sorted(draft.needs)),
        tables={json.dumps(key): node for key, node in named},
        found=tuple(dict.fromkeys(found)),
        first=variants[0],
        is_lasting=is_lasting,
    )
