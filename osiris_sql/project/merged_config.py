"""How the layers of a model's configuration are merged."""

from collections.abc import Mapping

from osiris_sql.types.noun import Json


def merge_config(weaker: Mapping[str, Json], stronger: Mapping[str, Json]) -> dict[str, Json]:
    """Return both, `stronger` winning; tags are added up and `meta` is merged key by key, as in dbt."""
    merged = {**weaker, **stronger}
    if "tags" in weaker and "tags" in stronger:
        merged["tags"] = list(dict.fromkeys([*weaker["tags"], *stronger["tags"]]))
    if "meta" in weaker and "meta" in stronger:
        merged["meta"] = {**weaker["meta"], **stronger["meta"]}
    return merged
