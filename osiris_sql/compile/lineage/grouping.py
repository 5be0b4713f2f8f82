"""Does a SELECT aggregate?"""

from __future__ import annotations

from sqlglot import exp

GROUPING_SETS = (exp.Rollup, exp.Cube, exp.GroupingSets)
"""What groups the same rows more than once."""


def is_grouped(select: exp.Expr) -> bool:
    """Say whether a SELECT aggregates, with or without GROUP BY."""
    if select.args.get("group") is not None:
        return True
    having = select.args.get("having")
    return having is not None or any(has_aggregate(item) for item in select.expressions)


def groups_by_sets(group: exp.Expr) -> bool:
    """Say whether a GROUP BY groups more than once: by ROLLUP, CUBE or GROUPING SETS."""
    return group.find(*GROUPING_SETS) is not None


def has_aggregate(node: exp.Expr) -> bool:
    """Say whether an expression holds an aggregate of its own SELECT (not of a window or subquery)."""
    if isinstance(node, exp.Query | exp.Column | exp.Literal):
        return False
    if isinstance(node, exp.Window):
        inside = node.this
        while isinstance(inside, exp.Filter | exp.IgnoreNulls | exp.RespectNulls | exp.WithinGroup):
            inside = inside.this
        return any(has_aggregate(child) for child in inside.iter_expressions()) or any(
            has_aggregate(child) for child in node.iter_expressions() if child is not node.this
        )
    if isinstance(node, exp.AggFunc) or _is_aggregate_call(node):
        return True
    return any(has_aggregate(child) for child in node.iter_expressions())


# The aggregates of DuckDB that sqlglot has no class for.
_AGGREGATES = {
    *("arg_max_null", "arg_max_nulls_last", "arg_min_null", "arg_min_nulls_last", "arbitrary"),
    *("bitstring_agg", "combine_aggr", "count_star", "entropy", "favg", "fsum", "geomean", "geometric_mean"),
    *("histogram", "histogram_exact", "json_group_array", "json_group_object", "json_group_structure"),
    *("kahan_sum", "kurtosis", "kurtosis_pop", "listagg", "lttb", "mad", "mean", "mode", "product"),
    *("reservoir_quantile", "sem", "skewness", "sum_no_overflow", "sumkahan", "approx_top_k"),
    *("variant_group_array", "variant_group_object", "wavg", "weighted_avg"),
}


def _is_aggregate_call(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() in _AGGREGATES
