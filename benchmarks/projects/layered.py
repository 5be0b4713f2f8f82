"""Many small models in 12 layers; each joins two of the layer above it."""

from __future__ import annotations

LAYERS = 12
ROWS = 1000


def layered_models(count: int) -> dict[str, str]:
    """Return `count` models and the table `items` that the first layer reads, as SQL with `ref`."""
    models = {"items": f"select i::bigint as id, (i % 97)::bigint as v from range({ROWS}) as r(i)\n"}
    width = max(2, count // LAYERS)
    for number in range(count):
        layer, place = divmod(number, width)
        above = [f"m{(layer - 1) * width + (place + step) % width}" if layer else "items" for step in (0, 1)]
        models[f"m{number}"] = (
            "select a.id, (a.v + b.v) % 1000 as v\n"
            f"from {{{{ ref('{above[0]}') }}}} as a join {{{{ ref('{above[1]}') }}}} as b using (id)\n"
            f"where a.id <> {number}\n"
        )
    return models
