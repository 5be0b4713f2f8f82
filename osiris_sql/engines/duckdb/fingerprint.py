"""The identity of a bag of rows, from DuckDB's own hash: a change detector, not a proof.

Measured traps: the hash is blind to types (1 equals true), so the schema is folded in; ENUM hashes
its ordinal; [] and [NULL] and NULL share one hash; '1 month' and '30 days' are equal intervals. Those
types are hashed by their text.
"""

import hashlib
import re

import duckdb

from osiris_sql.types.relation import DataFingerprint, TableSchema, quote_identifier

ALGORITHM = f"duckdb-hash-1/{duckdb.__version__}"

_BY_TEXT = re.compile(r"^(ENUM|INTERVAL|STRUCT|MAP|UNION|VARIANT|TUPLE)|[\[\]]")


def fingerprint_rows(cursor: duckdb.DuckDBPyConnection, rows: str, schema: TableSchema) -> DataFingerprint:
    """Return the identity of rows, named as SQL names them, in the columns of a schema."""
    # The sum of UBIGINTs is a HUGEINT: exact, and NULL of no rows.
    query = f"SELECT count(*), sum({_hash_expression(schema)}) FROM {rows}"
    [(count, total)] = cursor.execute(query).fetchall()
    return DataFingerprint(rows=count, digest=_digest(schema, str(total or 0)), algorithm=ALGORITHM)


def _hash_expression(schema: TableSchema) -> str:
    """Return the SQL of one row's hash."""
    if not schema.columns:
        return "0"
    parts = (
        f"{quote_identifier(c.name)}::VARCHAR" if _BY_TEXT.search(c.type) else quote_identifier(c.name)
        for c in schema.columns
    )
    return f"hash({', '.join(parts)})"


def _digest(schema: TableSchema, total: str) -> str:
    """Return the digest of a schema (names, types, order) and of the sum of the rows' hashes."""
    text = "\n".join([*(f"{c.name}\t{c.type}" for c in schema.columns), total])
    return hashlib.sha256(text.encode()).hexdigest()[:32]
