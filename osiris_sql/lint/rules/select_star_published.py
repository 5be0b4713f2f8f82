"""Find published models that end in a star.

Why: a column that somebody adds to a source then reaches the app by itself, whatever it holds.

Bad:
    select * from shop.customers

Good:
    select customer_id, name, country from shop.customers
"""

from collections.abc import Iterator

from sqlglot import exp

from osiris_sql.lint.finding import Edit, Finding
from osiris_sql.lint.linted_model import LintedModel
from osiris_sql.lint.nulls import cte_of

SEVERITY = "warning"


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield one finding for a published model whose columns are those of another relation by a star."""
    if not model.is_published or model.tree is None:
        return
    select = _ends_in_star(model.tree)
    if select is not None:
        span = _star(model, select)
        yield Finding(
            f"{model.compiled.name} publishes whatever columns there are",
            span or model.span(select.args["from_"]),
            fix="name the columns",
            edits=_edits(model, select, span),
        )


def _ends_in_star(query: exp.Expr) -> exp.Select | None:
    """Return the SELECT whose star opens a relation of the project, looking through CTEs and subqueries."""
    select = query.unnest()
    if isinstance(select, exp.SetOperation):
        return _ends_in_star(select.left) or _ends_in_star(select.right)
    from_ = select.args.get("from_")
    if not isinstance(select, exp.Select) or from_ is None or not any(map(_is_star, select.expressions)):
        return None
    for item in (from_.this, *(join.this for join in select.args.get("joins") or [])):
        inner: exp.Expr | None = item.this if isinstance(item, exp.Subquery) else None
        if isinstance(item, exp.Table) and isinstance(item.this, exp.Identifier):
            cte = cte_of(item)
            if cte is None:
                return select
            inner = cte.this
        found = _ends_in_star(inner) if inner is not None else None
        if found is not None:
            return found
    return None


def _is_star(item: exp.Expr) -> bool:
    return isinstance(item, exp.Star | exp.Columns) or (item.is_star and not isinstance(item, exp.Count))


def _star(model: LintedModel, select: exp.Select) -> tuple[int, int] | None:
    """Return the place of a star that is the whole list of a SELECT."""
    outline, span = model.outline, model.span(select.args["from_"])
    index = outline.at.get(span[0]) if outline is not None and span is not None else None
    if (
        outline is None
        or index is None
        or outline.word(index - 1) != "from"
        or outline.word(index - 2) != "*"
    ):
        return None
    return outline.span((index - 2, index - 1)) if outline.word(index - 3) == "select" else None


def _edits(model: LintedModel, select: exp.Select, span: tuple[int, int] | None) -> tuple[Edit, ...]:
    """Return the star written out, where it is all that the model yields."""
    if span is None or select is not model.tree or select.args.get("joins"):
        return ()
    names = [_written(name) for name in model.compiled.schema.names]
    return (Edit(*span, ", ".join(names)),)


def _written(name: str) -> str:
    plain = name.isidentifier() and name.isascii() and name == name.lower() and name not in _WORDS
    return name if plain else '"' + name.replace('"', '""') + '"'


# Quoted, because they mean something else: the reserved words of DuckDB that are likely names of columns.
_WORDS = frozenset(
    (
        *("all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "both"),
        *("case", "cast", "check", "collate", "column", "constraint", "create", "default"),
        *("deferrable", "desc", "describe", "distinct", "do", "else", "end", "except", "false"),
        *("fetch", "for", "foreign", "from", "grant", "group", "having", "in", "initially"),
        *("intersect", "into", "lambda", "lateral", "leading", "limit", "not", "null", "offset", "on"),
        *("only", "or", "order", "pivot", "placing", "primary", "qualify", "references", "returning"),
        *("select", "show", "some", "summarize", "symmetric", "table", "then", "to", "trailing"),
        *("true", "union", "unique", "unpivot", "using", "variadic", "when", "where", "window", "with"),
    )
)
