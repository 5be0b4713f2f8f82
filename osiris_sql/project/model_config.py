"""The configuration of models: what YAML, folder defaults and `config()` may say."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from osiris_sql.project.shape import Names, Shape
from osiris_sql.types.manifest import (
    BatchSize,
    HardDeletes,
    IncrementalStrategy,
    Materialized,
    SnapshotStrategy,
)
from osiris_sql.types.noun import Json


def _as_flag(value: object) -> object:
    """Take dbt's `contract: {enforced: true}` as `contract: true`."""
    return value["enforced"] if isinstance(value, dict) and set(value) == {"enforced"} else value


Contract = Annotated[
    bool,
    BeforeValidator(_as_flag),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "boolean"},
                {
                    "type": "object",
                    "properties": {"enforced": {"type": "boolean"}},
                    "required": ["enforced"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


def _as_text(value: object) -> object:
    """Take a date or time of YAML as it was written."""
    return value.isoformat() if isinstance(value, date) else value


def _check_instant(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError('must be a date or time, such as "2024-01-01"') from None
    return text


Instant = Annotated[
    str, BeforeValidator(_as_text), AfterValidator(_check_instant), WithJsonSchema({"type": "string"})
]


def _check_decimal(text: str) -> str:
    found = re.fullmatch(r"decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)", text, re.IGNORECASE)
    if not found or not int(found[2]) <= int(found[1]) <= 38:
        raise ValueError('must be a DECIMAL with width and scale, such as "DECIMAL(38, 6)"')
    return text


DecimalType = Annotated[str, AfterValidator(_check_decimal)]
MetaColumn = Literal["dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to", "dbt_is_deleted"]


class ConfigShape(Shape):
    """The keys of `config:`; the fields are those of `ModelConfig`."""

    materialized: Materialized | None = None
    unique_key: Names | None = None
    incremental_strategy: IncrementalStrategy | None = None
    on_schema_change: Literal["fail", "append", "sync", "rebuild"] | None = None
    tags: Names | None = None
    enabled: bool | None = None
    full_refresh: bool | None = None
    determinism: Literal["declared"] | None = None
    reason: str | None = None
    clock: Literal["day", "hour", "minute", "instant"] | None = None
    float_sums: DecimalType | None = None
    contract: Contract | None = None
    meta: dict[str, Any] | None = None
    event_time: str | None = None
    batch_size: BatchSize | None = None
    begin: Instant | None = None
    lookback: Annotated[int, Field(ge=0)] | None = None
    strategy: SnapshotStrategy | None = None
    updated_at: str | None = None
    check_cols: Names | None = None
    hard_deletes: HardDeletes | None = None
    snapshot_meta_column_names: dict[MetaColumn, str] | None = None

    def given(self) -> dict[str, Json]:
        """Return the keys that were written, names as lists."""
        return self.model_dump(exclude_unset=True)


CONFIG_KEYS = tuple(sorted(ConfigShape.model_fields))
