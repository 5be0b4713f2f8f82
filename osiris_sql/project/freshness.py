"""Freshness as data tests: the age of the newest value, in two grades."""

from collections.abc import Iterator

from osiris_sql.types.diagnostic import Location
from osiris_sql.types.project import DataTest, Freshness


def freshness_tests(freshness: Freshness, node: str, place: Location) -> Iterator[DataTest]:
    """Yield a test for each of `warn_after` and `error_after`; a build warns of both."""
    for severity, seconds in (("warn", freshness.warn_after), ("error", freshness.error_after)):
        if seconds is not None:
            yield DataTest(
                name=f"freshness_{severity}_{node.partition(':')[2].replace('.', '_')}",
                kind="generic",
                test="freshness",
                node=node,
                column=freshness.loaded_at_field,
                arguments={"seconds": seconds},
                config={"severity": severity},
                location=place,
            )
