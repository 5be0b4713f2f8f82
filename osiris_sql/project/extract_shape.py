"""`extract` of a table in `sources.yml`: which of its rows are read, and when."""

from typing import Annotated, Any, Literal

from pydantic import Field

from osiris_sql.project.check import Checked
from osiris_sql.project.durations import Duration
from osiris_sql.project.mismatch import missing_key
from osiris_sql.project.shape import Names, Report, Shape
from osiris_sql.support.yamlfile import KeyPath, YamlFile
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.project import ExtractConfig


class ExtractShape(Shape):
    """How a table is read: `full`, or `incremental` from a watermark on, merged by key.

    `columns` are the only ones that are read, used or not; `where` is a condition in the source's SQL;
    more than `max_rows` rows are an error. `deletes: scan` reads all keys after an increment. `probe` are
    expressions over the table in the source's SQL, such as `count(*), max(updated_at)`: it is read again
    when they come to something else; `always` reads it in every build.
    """

    mode: Literal["full", "incremental"] = "full"
    watermark: str | None = None
    key: Names = Field(default_factory=list)
    lookback: Duration | None = None
    columns: Names = Field(default_factory=list)
    where: str = ""
    max_rows: Annotated[int, Field(ge=1)] | None = None
    deletes: Literal["ignore", "scan"] = "ignore"
    probe: str = ""


def read_extract(
    shape: ExtractShape, path: KeyPath, file: YamlFile, checked: Checked[Any], report: Report
) -> ExtractConfig:
    """Return how a table is read; what its mode lacks, and what it does not use, is reported."""
    if not checked.is_broken(path):
        _check_extract(shape, path, file, report)
    return ExtractConfig(
        mode=shape.mode,
        watermark=shape.watermark,
        key=tuple(shape.key),
        lookback=shape.lookback or 0,
        columns=tuple(shape.columns),
        where=shape.where.strip(),
        max_rows=shape.max_rows,
        deletes=shape.deletes,
        probe=shape.probe.strip(),
    )


def _check_extract(shape: ExtractShape, path: KeyPath, file: YamlFile, report: Report) -> None:
    needs = {
        "watermark": "rows are read from the last watermark on",
        "key": "rows at the watermark are read again, and must replace the ones that are there",
    }
    if shape.mode == "incremental":
        for name, why in needs.items():
            if not getattr(shape, name):
                report(missing_key(name, file.at(path), f"extract is incremental: {why}"))
        return
    for name in ("watermark", "key", "lookback", "deletes"):
        if getattr(shape, name) not in (None, "", 0, [], "ignore"):
            report(
                Diagnostic(
                    rule="unused-key",
                    message=f'"{name}" has no effect',
                    location=file.at((*path, name), key=True),
                    why="extract is full: all rows are read",
                    fix="mode: incremental",
                )
            )
