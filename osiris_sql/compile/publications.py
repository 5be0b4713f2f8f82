"""Publications against the models that they deliver."""

from collections.abc import Mapping

from osiris_sql.support.nearest import did_you_mean
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.manifest import CompiledModel
from osiris_sql.types.project import Publication


def check_publication(publication: Publication, models: Mapping[str, CompiledModel]) -> list[Diagnostic]:
    """Return what is wrong with a publication; `models` by name, those that compiled."""
    model = models[publication.model]
    if model.config.materialized == "ephemeral":
        return [
            Diagnostic(
                rule="ephemeral-publication",
                message=f'"{model.name}" is ephemeral: there are no rows of it to publish',
                location=publication.location,
                fix="materialize it as a view or a table",
            )
        ]
    return [
        Diagnostic(
            rule="unknown-column",
            message=f'{model.name} has no column "{name}"',
            location=publication.location,
            why=f"it is in the key of {publication.node}; {model.name} has: {', '.join(model.schema.names)}",
            fix=did_you_mean(name, model.schema.names),
        )
        for name in publication.key
        if model.schema.type_of(name) is None
    ]
