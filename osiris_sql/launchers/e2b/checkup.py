"""What `doctor` says of a sandbox, beside what is true here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from osiris_sql.launchers.e2b import failure
from osiris_sql.launchers.e2b.packages import needed
from osiris_sql.run.machine import describe_packages, self_test

SKEW = 5.0
Machine = Mapping[str, Mapping[str, str]]


def report_machine(there: Machine) -> Iterator[str]:
    """Yield a line for each fact; raises UnreachableError if other rows are computed there."""
    for name, value in there["machine"].items():
        yield f"    {name}  {value}"
    here = describe_packages(needed())
    for name, value in there["packages"].items():
        yield f"    {name}  {value}" + ("" if value == here.get(name) else f"  (here {here.get(name)})")
    skew = float(there["clock"]["skew"])
    far = ": TLS and signed addresses may fail" if abs(skew) > SKEW else ""
    yield f"    clock  {skew:+.1f} s from here{far}"
    found, expected = there["self test"]["rows"], self_test()
    if found != expected:
        raise failure.not_the_same([{"what": "the self test's table", "there": expected, "here": found}])
    yield "    self test  the same rows as here"
