"""Arithmetic on watermarks, which are kept as exact text."""

from datetime import date, datetime, timedelta


def move_back(watermark: str, type_: str, seconds: int) -> str:
    """Return the watermark `seconds` earlier; a number or text can't be moved by time and stays.

    `watermark` is as DuckDB prints a value of `type_`, in UTC; so is the result.
    """
    if not seconds:
        return watermark
    if type_ == "DATE":
        days = -(-seconds // 86_400)
        return (date.fromisoformat(watermark) - timedelta(days=days)).isoformat()
    if type_.startswith("TIMESTAMP"):
        moved = datetime.fromisoformat(watermark) - timedelta(seconds=seconds)
        return moved.isoformat(sep=" ")
    return watermark
