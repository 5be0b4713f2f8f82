"""Steps of a whole project at once: what they share must not get in their way."""

from __future__ import annotations

from run.projects import SHOP, build, delivered, ended, warehouse_data, write_files

SIDE_BY_SIDE = SHOP["osiris-sql.toml"].replace("[models]", "concurrency = 4\n[models]")


def test_extracts_that_make_one_schema_and_publications_that_spool_at_once(tmp_path):
    """Before, the second step to make the schema `shop`, or to attach a spool file, failed."""
    alone = write_files(tmp_path / "alone", {**SHOP, "osiris-sql.toml": SIDE_BY_SIDE.replace("4", "1")})
    assert set(ended(build(alone)).values()) == {"success"}
    for attempt in range(6):
        root = write_files(tmp_path / str(attempt), {**SHOP, "osiris-sql.toml": SIDE_BY_SIDE})
        assert set(ended(build(root)).values()) == {"success"}
        assert warehouse_data(root) == warehouse_data(alone)
        assert delivered(root) == delivered(alone)
