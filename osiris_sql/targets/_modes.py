"""What a publication may ask for, whatever the target: keys, guards, and what to say when it may not."""

from collections.abc import Sequence

from osiris_sql.types.diagnostic import Diagnostic, StepError
from osiris_sql.types.plan import Publish


def mode_mistakes(publication: Publish) -> list[Diagnostic]:
    """Return what is wrong with the mode and key of a publication, without looking at any target."""
    found = []
    if publication.mode in ("upsert", "sync") and not publication.key:
        found.append(
            refusal(
                publication,
                "missing-key",
                f"mode {publication.mode} needs a key",
                why="rows already there can be recognised only by a key",
                fix=f"say key: [...] for table {publication.table} in targets.yml",
            )
        )
    said = publication.key or publication.append_all or publication.series
    if publication.mode == "append" and not said:
        found.append(
            refusal(
                publication,
                "missing-key",
                "mode append needs a key, or a model that only adds rows",
                why="nobody can tell which rows were already delivered; only an incremental model with the"
                " strategy append keeps old rows as they are",
                fix="say key: [...], or make the model incremental;"
                " append: {all: true} if each run's rows are all new",
            )
        )
    names = {column.name for column in publication.columns}
    found += [
        refusal(
            publication,
            "unknown-key-column",
            f'the key column "{name}" is not among the columns of {publication.relation}',
            why=f"its columns: {', '.join(sorted(names))}",
        )
        for name in publication.key
        if name not in names
    ]
    return found


def refusal(publication: Publish, rule: str, message: str, *, why: str = "", fix: str = "") -> Diagnostic:
    """Return a diagnostic that stands at the publication's place in the author's files."""
    return Diagnostic(
        rule=rule,
        message=f"{publication.target}.{publication.table}: {message}",
        location=publication.location,
        why=why,
        fix=fix,
    )


def check_deletions(publication: Publish, gone: int, total: int, sent: int) -> None:
    """Raise StepError if more rows would be deleted than the publication's `max_deleted` share."""
    raise_all(deletion_refusals(publication, gone, total, sent))


def deletion_refusals(publication: Publish, gone: int, total: int, sent: int) -> list[Diagnostic]:
    """Return why so many rows of a table may not be deleted, if they may not.

    An empty result that `allow_empty` allows is meant to delete everything.
    """
    if not total or (not sent and publication.allow_empty) or gone <= publication.max_deleted * total:
        return []
    return [
        refusal(
            publication,
            "too-many-deleted",
            f"{gone:,} of {total:,} rows would be deleted; nothing was changed",
            why=f"max_deleted is {publication.max_deleted:g} of the rows; the model has {sent:,}",
            fix="check that the model is complete; if it is, raise max_deleted for this table",
        )
    ]


def check_arrived(publication: Publish, promised: int, found: int, *, what: str, why: str = "") -> None:
    """Raise StepError unless as many rows were found as were promised."""
    if promised != found:
        raise StepError(
            refusal(
                publication,
                "rows-not-written",
                f"{promised} {what}, but {found} were found; nothing was changed",
                why=why or "counted before commit",
                fix="look for a trigger or rule on the table that drops or changes rows",
            )
        )


def raise_all(found: Sequence[Diagnostic]) -> None:
    """Raise StepError with all diagnostics, if there are any."""
    if found:
        raise StepError(*found)
