"""What DuckDB's functions do with the order of rows, the clock and chance."""

from __future__ import annotations

from functools import cache

# Kinds of functions by what can make their answer differ. DuckDB's own catalogue knows volatility
# (`stability`), but not order: these lists were measured, construct by construct.

POSITION_WINDOWS = frozenset({"row_number", "ntile", "lag", "lead", "fill"})
VALUE_WINDOWS = frozenset({"first_value", "last_value", "nth_value"})
RANK_WINDOWS = frozenset({"rank", "dense_rank", "rank_dense", "percent_rank", "cume_dist"})

LISTS = frozenset({"list", "array_agg", "string_agg", "group_concat", "listagg"})
PICKS = frozenset(
    {
        *("first", "last", "any_value", "arbitrary", "mode"),
        *("arg_max", "arg_min", "argmax", "argmin", "max_by", "min_by"),
        *("arg_max_null", "arg_min_null", "arg_max_nulls_last", "arg_min_nulls_last"),
    }
)
SUMS = frozenset({"sum", "avg", "mean", "fsum", "sumkahan", "kahan_sum", "favg"})
# These compute in DOUBLE whatever they are given.
MOMENTS = frozenset(
    {
        *("stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp", "sem", "product"),
        *("covar_pop", "covar_samp", "corr", "skewness", "kurtosis", "kurtosis_pop"),
        *("regr_avgx", "regr_avgy", "regr_intercept", "regr_r2", "regr_slope"),
        *("regr_sxx", "regr_sxy", "regr_syy"),
    }
)
ORDERED = LISTS | PICKS | SUMS | MOMENTS

MACROS = {
    "json_group_array": "to_json(list(x order by x))",
    "json_group_object": "to_json(map_from_entries(list((key, value) order by key, value)))",
    "json_group_structure": "json_structure(to_json(list(x order by x)))",
    "variant_group_array": "list(x order by x)::VARIANT",
    "weighted_avg": "sum(x * w order by x * w) / sum(w order by w)",
    "wavg": "sum(x * w order by x * w) / sum(w order by w)",
    "geomean": "exp(avg(ln(x) order by ln(x)))",
    "geometric_mean": "exp(avg(ln(x) order by ln(x)))",
    # It drops its ORDER BY.
    "entropy": "list_entropy(list(x order by x))",
}
APPROXIMATE = {
    "approx_quantile": "quantile_cont(x, q)",
    "reservoir_quantile": "quantile_cont(x, q)",
    "approx_top_k": "a count per value, ordered by count and value, with LIMIT",
    "lttb": "every n-th row by a key",
}

RANDOM = {
    "random": "hash(key) / 18446744073709551616.0",
    "uuid": "md5(key::VARCHAR)::UUID",
    "gen_random_uuid": "md5(key::VARCHAR)::UUID",
    "uuidv4": "md5(key::VARCHAR)::UUID",
    "uuidv7": "md5(key::VARCHAR)::UUID",
    "setseed": "hash(key)",
    "nextval": "row_number() over (order by key)",
    "currval": "row_number() over (order by key)",
    "setval": "row_number() over (order by key)",
}
# Volatile in DuckDB's catalogue, but their value does not vary.
STEADY = frozenset({"error", "sleep_ms", "write_log", "pg_sleep"})
ENVIRONMENT = frozenset(
    {
        *("version", "current_database", "current_schema", "current_schemas", "current_catalog"),
        *("current_setting", "getvariable", "in_search_path", "txid_current", "current_query"),
        *("current_connection_id", "current_query_id", "current_transaction_id", "getenv"),
        *("pg_conf_load_time", "pg_postmaster_start_time", "stats", "vector_type"),
    }
)
# Table functions whose rows their arguments decide, or rows that the query reads by name.
TABLE_FUNCTIONS = frozenset({"json_each", "json_tree", "unnest", "repeat", "repeat_row", "query_table"})
# Written as calls, but syntax and not functions.
_SYNTAX = frozenset(
    {
        *("cast", "try_cast", "try", "coalesce", "extract", "struct", "row", "map", "columns", "grouping"),
        *("grouping_id", "unpack", "exists", "trim", "ltrim", "rtrim", "position", "substring", "overlay"),
        *("collation", "unnest", "if", "ifnull", "nullif", "count", "interval", "lambda"),
    }
)
# What stands before most parentheses and is not volatile: asking DuckDB for its catalogue takes as long as
# compiling several models.
STABLE = frozenset(
    {
        *(
            "as",
            "over",
            "in",
            "from",
            "join",
            "on",
            "using",
            "where",
            "and",
            "or",
            "not",
            "when",
            "then",
            "else",
        ),
        *(
            "select",
            "distinct",
            "values",
            "all",
            "any",
            "exists",
            "filter",
            "union",
            "except",
            "intersect",
            "by",
        ),
        *(
            "exclude",
            "lateral",
            "materialized",
            "cast",
            "try_cast",
            "decimal",
            "numeric",
            "varchar",
            "interval",
        ),
        *(
            "count",
            "sum",
            "avg",
            "min",
            "max",
            "median",
            "coalesce",
            "nullif",
            "ifnull",
            "if",
            "greatest",
            "least",
        ),
        *(
            "round",
            "abs",
            "floor",
            "ceil",
            "lower",
            "upper",
            "trim",
            "substring",
            "concat",
            "replace",
            "length",
        ),
        *(
            "row_number",
            "rank",
            "dense_rank",
            "lag",
            "lead",
            "first_value",
            "last_value",
            "any_value",
            "unnest",
        ),
        *("date_trunc", "date_part", "date_diff", "datediff", "extract", "strftime", "list", "string_agg"),
    }
)


def is_volatile(name: str) -> bool:
    """Say whether DuckDB's catalogue calls a function volatile whose value does vary."""
    return name not in STABLE and name not in STEADY and _catalogue().get(name) == "VOLATILE"


def is_known(name: str) -> bool:
    """Say whether DuckDB has a function or macro of that name."""
    return name in _SYNTAX or name in _catalogue()


@cache
def _catalogue() -> dict[str, str]:
    import duckdb

    with duckdb.connect(":memory:") as connection:
        rows = connection.execute(
            "SELECT function_name, max(coalesce(stability, '')) FROM duckdb_functions() GROUP BY ALL"
        ).fetchall()
    return dict(rows)
