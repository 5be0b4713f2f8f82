"""The stage of a proof: a database of its own with copies of real rows; the warehouse is only read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from osiris_sql.api.proof.findings import InputRows
from osiris_sql.api.proof.trials import AS_BUILT, Trial
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.relation import Column, RelationRef, TableSchema, quote_identifier
from osiris_sql.types.settings import PINNED_SETTINGS, SETTINGS_SINCE_2

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NAME = "osiris_stage"
_PLACES = {
    "stored": "s.rowid",
    "reversed": "-s.rowid",
    "shuffled": "hash(s.rowid)",
    "shuffled again": "hash(s.rowid + 1000003)",
}


class Stage:
    """A database in `folder`; `inputs` are the relations copied, with how many rows of each."""

    def __init__(self, manifest: Manifest, folder: Path) -> None:
        import duckdb

        self.inputs: dict[RelationRef, InputRows] = {}
        self._folder = folder
        self._catalog = quote_identifier(PurePosixPath(manifest.warehouse).stem)
        self._settings = manifest.settings
        self.cursor: DuckDBPyConnection = duckdb.connect(str(folder / f"{_NAME}.duckdb"))
        for name, value in PINNED_SETTINGS.items():
            if not (name in SETTINGS_SINCE_2 and duckdb.__version__.startswith("1.")):
                self.cursor.execute(f"SET GLOBAL {name} = '{value}'")
        # A checkpoint would close the gaps that deleted rows leave.
        self.cursor.execute("SET GLOBAL checkpoint_threshold = '1TB'")
        self.cursor.execute("SET GLOBAL autoinstall_known_extensions = false")
        self.cursor.execute("SET python_enable_replacements = false")
        if manifest.settings.memory_limit:
            self.cursor.execute(f"SET GLOBAL memory_limit = '{manifest.settings.memory_limit}'")

    def close(self) -> None:
        """Let go of the database."""
        self.cursor.close()

    def copy_inputs(self, warehouse: Path, relations: Mapping[RelationRef, str], rows: int) -> None:
        """Copy relations (by node) that the warehouse has; of those with more rows, a part chosen by hash."""
        self._attach(warehouse, "(READ_ONLY)")
        try:
            there = {
                tuple(row)
                for row in self.cursor.execute(
                    "SELECT lower(table_schema), lower(table_name) FROM information_schema.tables"
                    " WHERE table_catalog = current_database()"
                ).fetchall()
            }
            for relation, node in relations.items():
                if (relation.schema.lower(), relation.name.lower()) in there:
                    self.inputs[relation] = self._copy(relation, node, rows)
        finally:
            self._detach()

    def _copy(self, relation: RelationRef, node: str, rows: int) -> InputRows:
        [(there,)] = self.cursor.execute(f"SELECT count(*) FROM {relation.sql}").fetchall()
        part = ""
        if rows and there > rows:
            # A fixed part, whatever the order in which rows are stored.
            part = f" WHERE hash(s)::HUGEINT * {there} < {rows}::HUGEINT * 18446744073709551616"
        copy = self.copy_of(relation)
        self.cursor.execute(f"CREATE TABLE {copy} AS SELECT * FROM {relation.sql} AS s{part}")
        [(taken,)] = self.cursor.execute(f"SELECT count(*) FROM {copy}").fetchall()
        return InputRows(node=node, taken=taken, there=there)

    def copy_of(self, relation: RelationRef) -> str:
        """Return the name in SQL of the copy of a relation."""
        return self.result(f"input {relation}")

    def result(self, name: str) -> str:
        """Return the name in SQL of a table of the stage, which lives as long as it does."""
        return f"{_NAME}.main.{quote_identifier(name)}"

    @contextmanager
    def open_trial(
        self, trial: Trial = AS_BUILT, filters: Mapping[RelationRef, str] | None = None
    ) -> Iterator[DuckDBPyConnection]:
        """Give a database like the warehouse, with the inputs stored as a trial wants them.

        `filters` are conditions on the rows of some inputs. All is dropped when the block ends.
        """
        file = self._folder / "trial.duckdb"
        self._attach(file, f"(ROW_GROUP_SIZE {trial.row_group})")
        try:
            for relation in self.inputs:
                self._lay_out(relation, trial, (filters or {}).get(relation, "true"))
            self._set_ways(trial)
            yield self.cursor
        finally:
            self._set_ways(AS_BUILT)
            self._detach()
            for left in self._folder.glob("trial.duckdb*"):
                left.unlink()

    def _lay_out(self, relation: RelationRef, trial: Trial, condition: str) -> None:
        self.cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(relation.schema)}")
        times = trial.thinned
        self.cursor.execute(
            f"CREATE TABLE {relation.sql} AS SELECT s.* FROM {self.copy_of(relation)} AS s,"
            f" range({times}) AS r(time_) WHERE {condition} ORDER BY {_PLACES[trial.order]}, time_"
        )
        if times > 1:
            self.cursor.execute(
                f"DELETE FROM {relation.sql} WHERE rowid % {times} <> hash(rowid // {times}) % {times}"
            )

    def _set_ways(self, trial: Trial) -> None:
        threads = trial.threads or self._settings.threads
        self.cursor.execute(f"SET GLOBAL threads = {threads}" if threads else "RESET GLOBAL threads")
        self.cursor.execute(f"SET GLOBAL preserve_insertion_order = {trial.insertion_order}")
        for name in ("debug_force_external", "disabled_optimizers"):
            self.cursor.execute(f"RESET {name}")
        self.cursor.execute("PRAGMA disable_verify_parallelism")
        for setting in trial.settings:
            self.cursor.execute(setting)

    def _attach(self, file: Path, options: str) -> None:
        import duckdb

        from osiris_sql.engines.duckdb.failure import explain_unopened

        place = str(file).replace("'", "''")
        try:
            self.cursor.execute(f"ATTACH '{place}' AS {self._catalog} {options}")
        except duckdb.Error as error:
            raise explain_unopened(error, file) from error
        self.cursor.execute(f"USE {self._catalog}")

    def _detach(self) -> None:
        self.cursor.execute(f"USE {_NAME}")
        self.cursor.execute(f"DETACH {self._catalog}")

    def schema_of(self, table: str) -> TableSchema:
        """Return the columns of a table or query in parentheses."""
        rows: Iterable[Any] = self.cursor.execute(f"DESCRIBE FROM {table}").fetchall()
        return TableSchema(columns=tuple(Column(name=row[0], type=row[1]) for row in rows))
