"""Fingerprints: equal for what gives the same rows, however it is written down."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import cache

from sqlglot.tokenizer_core import TokenType

from osiris_sql.compile.tokens import tokenize
from osiris_sql.support.versions import installed_versions
from osiris_sql.support.wire import dump_canonical
from osiris_sql.types.manifest import BatchSpec, ModelConfig, SnapshotSpec
from osiris_sql.types.project import SourceTable
from osiris_sql.types.relation import TableSchema

# What is not a keyword keeps its case: a name gives its case to a column, a text is a value.
_CASE_COUNTS = frozenset(
    {TokenType.VAR, TokenType.IDENTIFIER, TokenType.STRING, TokenType.NATIONAL_STRING, TokenType.RAW_STRING}
    | {TokenType.BYTE_STRING, TokenType.HEREDOC_STRING, TokenType.UNICODE_STRING, TokenType.HEX_STRING}
    | {TokenType.BIT_STRING}
)


@cache
def tool_versions() -> tuple[tuple[str, str], ...]:
    """Return the versions that a fingerprint depends on: of this tool, DuckDB and sqlglot."""
    return tuple(installed_versions().items())


def canonical_tokens(sql: str) -> list[str]:
    """Return the tokens of SQL without comments and blanks, keywords in upper case.

    The syntax tree would not do: sqlglot's merges queries that differ (`INTERVAL '1 day ago'`).
    A text that has no tokens stands for itself.
    """
    tokens = tokenize(sql)
    if tokens is None:
        return [sql]
    written = ((token.token_type, sql[token.start : token.end + 1]) for token in tokens)
    return [text if kind in _CASE_COUNTS else text.upper() for kind, text in written]


def fingerprint(*parts: object) -> str:
    """Return the identity of plain data and of the versions that read it."""
    return hashlib.sha256(dump_canonical([*parts, tool_versions()]).encode()).hexdigest()


def model_fingerprint(
    *,
    sql: str,
    increment_sql: str | None,
    config: ModelConfig,
    schema: TableSchema,
    clock: str | None,
    inputs: Sequence[str],
    how: SnapshotSpec | BatchSpec | None = None,
) -> str:
    """Return the fingerprint of a model itself; `inputs` names the nodes that it reads.

    What changes there shows in their data, which is compared when the model runs.
    """
    return fingerprint(
        canonical_tokens(sql),
        None if increment_sql is None else canonical_tokens(increment_sql),
        [config.materialized, config.unique_key, config.incremental_strategy, config.on_schema_change],
        _columns(schema),
        clock,
        list(inputs),
        asdict(how) if how else None,
    )


def source_fingerprint(table: SourceTable, schema: TableSchema) -> str:
    """Return the fingerprint of a source table: its columns, and how it is extracted."""
    extract = table.extract
    how = [table.identifier, extract.mode, extract.watermark, extract.key, extract.lookback, extract.where]
    policies = [[spec.name, spec.on_invalid] for spec in table.columns if spec.on_invalid != "error"]
    return fingerprint(table.node, how, policies, _columns(schema))


def _columns(schema: TableSchema) -> Iterable[object]:
    return [[column.name, column.type] for column in schema.columns]
