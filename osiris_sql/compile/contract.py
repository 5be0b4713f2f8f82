"""The columns that YAML describes against those that the SQL yields."""

from collections.abc import Callable, Iterator

from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import ModelConfig
from osiris_sql.types.project import Model
from osiris_sql.types.relation import TableSchema

CanonicalType = Callable[[str], str | None]


def check_columns(
    model: Model, config: ModelConfig, schema: TableSchema, canonical_type: CanonicalType
) -> Iterator[Diagnostic]:
    """Yield what is described and not there; with a contract, any difference in columns or types.

    `canonical_type` writes a type as DuckDB prints it, None if there is none.
    """
    for spec in model.columns:
        actual = schema.type_of(spec.name)
        if actual is None:
            yield Diagnostic(
                rule="unknown-column",
                message=f'{model.name} has no column "{spec.name}"',
                severity="error" if config.contract else "warning",
                location=spec.location,
                why=f"{model.name} has: {', '.join(schema.names)}",
                fix=did_you_mean(spec.name, schema.names),
            )
        elif config.contract and spec.data_type and canonical_type(spec.data_type) != actual:
            yield Diagnostic(
                rule="broken-contract",
                message=f'the column "{spec.name}" of {model.name} is {actual}, not {spec.data_type}',
                location=spec.location,
                why="its contract is enforced",
                fix=f"cast it in the SQL, or write data_type: {actual}",
            )
    if config.contract:
        described = {spec.name.lower() for spec in model.columns if spec.data_type}
        missing = [name for name in schema.names if name.lower() not in described]
        if missing:
            yield Diagnostic(
                rule="broken-contract",
                message=f"the contract of {model.name} gives no data_type of: {', '.join(missing)}",
                location=model.location,
                fix="describe these columns with their data_type, or leave them out of the SQL",
            )
