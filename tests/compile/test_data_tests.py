"""Data tests as people declare them: what they become, and what is said of mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from data_tests.tested_project import PLACE, generic, singular, try_tests

from osiris_sql.compile import compile_project
from osiris_sql.project import load_project
from osiris_sql.types.diagnostic import Location
from osiris_sql.types.project import DataTest

ORDERS = """
SELECT * FROM (VALUES
    (1, 'ann', 10.00::DECIMAL(10,2), 'new', DATE '2024-05-01'),
    (2, 'bob', NULL, 'paid', DATE '2024-05-02'),
    (2, 'bob', 30.00, 'lost', NULL)
) AS t(id, customer, "Amount", state, ordered_on)
"""
CUSTOMERS = "SELECT * FROM (VALUES ('ann', 'x'), (NULL, 'y')) AS t(name, \"group\")"
MODELS = {"customers": CUSTOMERS, "orders": ORDERS}


def on_orders(test: str, **given: Any) -> DataTest:
    return generic(test, node="model:orders", **given)


# ------------------------------------------------------------------------------------- what comes out


def test_a_condition_may_name_a_column_that_has_quotes_in_its_name() -> None:
    test = generic("expression_is_true", expression='"a""b" = 1', config={"where": "true"})
    tried = try_tests([test], {"t": 'SELECT 2 AS "a""b"'})
    assert (tried.diagnostics, tried.count) == ((), 1)


def test_a_compiled_test_says_what_it_reads_and_where_it_was_declared() -> None:
    tried = try_tests([on_orders("unique", column="id", name="order_ids")], MODELS)
    test = tried.test
    assert (test.name, test.node, test.column, test.test) == ("order_ids", "model:orders", "id", "unique")
    assert test.reads == ("model:orders",)
    assert test.columns_read == {"model:orders": ("id",)}
    assert test.location == PLACE
    assert tried.count == 1


@pytest.mark.parametrize(
    ("test", "given", "count", "columns"),
    [
        ("not_null", {"column": "amount"}, 1, {"model:orders": ("Amount",)}),
        ("not_null", {"column": "amount", "config": {"where": "state = 'lost'"}}, 0, None),
        ("unique", {"column": "id", "config": {"where": "customer <> 'bob' -- not him"}}, 0, None),
        ("accepted_values", {"column": "state", "values": ["new", "paid"]}, 1, {"model:orders": ("state",)}),
        ("accepted_values", {"column": "id", "values": [1, 2]}, 0, None),
        ("accepted_values", {"column": "id", "values": ["1"], "quote": False}, 1, None),
        ("accepted_values", {"column": "state", "values": ["'new' || ''", "state"], "quote": False}, 0, None),
        ("accepted_values", {"column": "state", "values": ["x') OR ('1' = '1"]}, 3, None),
        (
            "relationships",
            {"column": "customer", "to": "ref('customers')", "field": "name"},
            2,
            {"model:customers": ("name",), "model:orders": ("customer",)},
        ),
        ("relationships", {"column": "customer", "to": "customers", "field": "name"}, 2, None),
        ("relationships", {"column": "customer", "to": "{{ ref('customers') }}", "field": "NAME"}, 2, None),
        (
            "relationships",
            {"column": "customer", "to": "(select 'bob' as name union all select 'ann')", "field": "name"},
            0,
            None,
        ),
        ("dbt_utils.unique_combination_of_columns", {"combination_of_columns": ["id", "state"]}, 0, None),
        ("unique_combination_of_columns", {"combination_of_columns": ["id", "CUSTOMER"]}, 1, None),
        ("dbt_utils.expression_is_true", {"expression": "amount > 20"}, 1, {"model:orders": ("Amount",)}),
        ("expression_is_true", {"expression": "amount > 20", "config": {"where": "id = 2"}}, 0, None),
        ("expression_is_true", {"column": "amount", "expression": ">= {{ var('least') }}"}, 1, None),
        ("expression_is_true", {"expression": "length(customer) = 3 or length(state) = 3"}, 0, None),
        ("expression_is_true", {"expression": "false"}, 3, {"model:orders": ()}),
        ("expression_is_true", {"expression": "columns(['id']) > 1"}, 1, None),
        ("accepted_range", {"column": "amount", "min_value": 0, "max_value": "id * 10"}, 1, None),
        ("accepted_range", {"column": "amount", "min_value": "var('least')"}, 1, None),
        ("dbt_expectations.expect_table_row_count_to_be_between", {"min_value": 3, "max_value": 3}, 0, None),
        ("row_count_between", {"max_value": 1, "config": {"where": "id = 1"}}, 0, {"model:orders": ("id",)}),
        ("not_constant", {"column": "state", "group_by_columns": "customer"}, 1, None),
        ("recency", {"field": "ordered_on", "datepart": "day", "interval": 7}, 1, None),
        ("recency", {"field": "ordered_on", "datepart": "WEEK", "interval": "4"}, 0, None),
        ("expression_is_true", {"expression": "ordered_on <= current_date - 16"}, 1, None),
    ],
)
def test_offending_rows(
    test: str, given: dict[str, Any], count: int, columns: dict[str, tuple[str, ...]] | None
) -> None:
    tried = try_tests([on_orders(test, **given)], MODELS, variables={"least": 20})
    assert tried.diagnostics == ()
    assert tried.count == count
    assert columns is None or tried.test.columns_read == columns


def test_a_test_reads_no_more_columns_of_a_source_than_it_names() -> None:
    test = generic("not_null", node="source:shop.orders", column="id", config={"where": "state = 'new'"})
    tried = try_tests([test], {}, sources={"shop.orders": ORDERS})
    assert tried.test.columns_read == {"source:shop.orders": ("id", "state")}


@pytest.mark.parametrize(
    ("needs", "node"),
    [
        ({}, "model:customers"),
        ({"model:orders": ("source:shop.orders",)}, "model:customers"),
        ({"model:orders": ("model:customers",)}, "model:orders"),
        ({"model:orders": ("model:clean",), "model:clean": ("model:customers",)}, "model:orders"),
    ],
)
def test_a_test_waits_for_what_is_made_from_its_relation(
    needs: dict[str, tuple[str, ...]], node: str
) -> None:
    """Else the relation could not be built before the test, nor what the test reads before the relation."""
    test = generic(
        "relationships", node="model:customers", column="name", to="ref('orders')", field="customer"
    )
    assert try_tests([test], MODELS, needs=needs).test.node == node


@pytest.mark.parametrize("column", ["group", '"group"', "GROUP"])
def test_a_column_may_be_called_as_a_word_of_sql(column: str) -> None:
    assert try_tests([generic("unique", node="model:customers", column=column)], MODELS).count == 0


def test_the_clock_of_a_test_is_the_run_clock() -> None:
    for expression in (
        "ordered_on < now()",
        "ordered_on < current_date",
        "ordered_on < '{{ run_started_at }}'",
    ):
        tried = try_tests([on_orders("expression_is_true", expression=expression.replace("'", ""))], MODELS)
        assert "$run_clock" in tried.test.sql
        assert tried.count == 0


# ------------------------------------------------------------------------------------- configuration


@pytest.mark.parametrize(
    ("config", "field", "value"),
    [
        ({}, "severity", "error"),
        ({}, "warn_if", "!= 0"),
        ({}, "error_if", "!= 0"),
        ({}, "limit", None),
        ({}, "store_failures", False),
        ({}, "tags", ()),
        ({"severity": "warn"}, "severity", "warn"),
        ({"warn_if": "> 10", "error_if": "> 100"}, "error_if", "> 100"),
        ({"limit": 5}, "limit", 5),
        ({"store_failures": True}, "store_failures", True),
        ({"tags": ["nightly"]}, "tags", ("nightly",)),
    ],
)
def test_configuration(config: dict[str, Any], field: str, value: object) -> None:
    assert (
        getattr(try_tests([on_orders("not_null", column="id", config=config)], MODELS).test, field) == value
    )


@pytest.mark.parametrize(
    "test",
    [
        on_orders("not_null", column="id", config={"enabled": False}),
        singular("select * from nowhere", enabled=False),
        singular("{{ config(enabled=false) }} select * from orders"),
    ],
)
def test_a_disabled_test_is_left_out(test: DataTest) -> None:
    tried = try_tests([test], MODELS)
    assert (tried.tests, tried.diagnostics) == ((), ())


def test_a_fingerprint_follows_what_decides_the_outcome() -> None:
    def fingerprint(**config: Any) -> str:
        return try_tests([on_orders("not_null", column="id", config=config)], MODELS).test.fingerprint

    plain = fingerprint()
    assert fingerprint(tags=["a"], store_failures=True) == plain
    others = [
        fingerprint(severity="warn"),
        fingerprint(limit=1),
        fingerprint(warn_if="> 1"),
        fingerprint(where="true"),
    ]
    assert len({plain, *others}) == 5


# ------------------------------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("test", "given", "said", "fix"),
    [
        ("uniqe", {"column": "id"}, 'unknown-test: there is no data test "uniqe"', 'did you mean "unique"?'),
        (
            "dbt_utils.not_accepted_values",
            {"column": "id"},
            'unknown-test: there is no data test "dbt_utils.not_accepted_values"',
            'here it is: expression_is_true: {expression: "not in (…)"}',
        ),
        (
            "dbt_date.is_weekday",
            {"column": "id"},
            'unknown-test: there is no data test "dbt_date.is_weekday"',
            "macro",
        ),
        ("not_null", {"column": "idd"}, 'unknown-column: orders has no column "idd"', 'did you mean "id"?'),
        (
            "not_null",
            {},
            'missing-argument: the test "not_null" needs the argument "column_name"',
            "under a column",
        ),
        (
            "accepted_values",
            {"column": "id", "valeus": [1]},
            'unknown-argument: the test "accepted_values" has no argument "valeus"',
            'did you mean "values"?',
        ),
        (
            "accepted_values",
            {"column": "id"},
            'missing-argument: the test "accepted_values" needs the argument "values"',
            "",
        ),
        ("accepted_values", {"column": "id", "values": []}, "wrong-argument", ""),
        ("accepted_values", {"column": "id", "values": "new"}, "must be a list of values", ""),
        ("accepted_values", {"column": "state", "values": ["new", None]}, "holds null", ""),
        (
            "accepted_values",
            {"column": "state", "values": ["new"], "quote": "no"},
            "must be true or false",
            "",
        ),
        (
            "relationships",
            {"column": "customer", "to": "ref('custmers')", "field": "name"},
            "unknown-relation",
            "customers",
        ),
        (
            "relationships",
            {"column": "customer", "to": "custmers", "field": "name"},
            "wrong-argument",
            "customers",
        ),
        (
            "relationships",
            {"column": "customer", "to": "ref('customers')", "field": "nme"},
            "unknown-column",
            'did you mean "name"?',
        ),
        ("relationships", {"column": "customer", "to": 3, "field": "name"}, "must be text", ""),
        (
            "unique_combination_of_columns",
            {"combination_of_columns": ["id", "staet"]},
            'no column "staet"',
            "state",
        ),
        ("unique_combination_of_columns", {"combination_of_columns": []}, "must name columns", ""),
        (
            "unique_combination_of_columns",
            {"column": "id", "combination_of_columns": ["id"]},
            "about a whole relation",
            "orders",
        ),
        (
            "expression_is_true",
            {"expression": "amuont > 0"},
            'unknown-column: orders has no column "amuont"',
            "Amount",
        ),
        ("expression_is_true", {"expression": "amount >"}, "syntax-error", ""),
        ("expression_is_true", {"expression": "true) or (false"}, "", ""),
        ("expression_is_true", {"expression": "1); drop table orders; select (1"}, "two-statements", ""),
        ("expression_is_true", {"expression": "{{ missing }}"}, 'unknown-name: "missing"', ""),
        ("expression_is_true", {"expression": ""}, "must be SQL", ""),
        ("not_null", {"column": "id", "config": {"where": "staet = 1"}}, "unknown-column", "state"),
        ("accepted_range", {"column": "id"}, 'needs the argument "min_value" or "max_value"', ""),
        ("accepted_range", {"column": "id", "min_value": "0", "inclusive": 1}, "must be true or false", ""),
        ("recency", {"field": "ordered_on", "datepart": "dya", "interval": 1}, "must be one of: second", ""),
        ("recency", {"field": "ordered_on", "datepart": "day", "interval": "one"}, "must be a number", ""),
        (
            "mutually_exclusive_ranges",
            {"lower_bound_column": "id", "upper_bound_column": "id", "gaps": "requird"},
            "must be one of: allowed, not_allowed, required",
            'did you mean "required"?',
        ),
        ("column_type", {"column": "id", "column_type": "INTGER"}, "unknown-type", "INTEGER"),
        ("matches_regex", {"column": "state", "regex": 1}, "must be text", ""),
    ],
)
def test_a_mistake_is_told_where_the_test_stands(
    test: str, given: dict[str, Any], said: str, fix: str
) -> None:
    tried = try_tests([on_orders(test, **given)], MODELS)
    if not said:
        assert tried.diagnostics == ()
        return
    assert tried.tests == ()
    (found,) = tried.diagnostics
    assert said in f"{found.rule}: {found.message}"
    assert fix in found.fix
    assert found.location == PLACE


def test_all_mistakes_are_told_at_once() -> None:
    tests = [
        on_orders("accepted_values", column="idd", valeus=[1], name="one"),
        on_orders("not_null", column="id", name="sound"),
        on_orders("uniqe", column="id", name="two"),
    ]
    tried = try_tests(tests, MODELS)
    assert [test.name for test in tried.tests] == ["sound"]
    rules = ["unknown-argument", "unknown-column", "unknown-test"]
    assert [found.rule for found in tried.diagnostics] == rules


@pytest.mark.parametrize(
    "test",
    [
        on_orders("not_null", column="id"),
        generic("relationships", node="model:customers", column="name", to="ref('orders')", field="customer"),
        singular("select * from orders"),
        singular("select {{ dbt_utils.star(ref('orders')) }} from customers"),
    ],
)
def test_a_test_of_a_broken_relation_says_nothing_of_its_own(test: DataTest) -> None:
    tried = try_tests([test], MODELS, broken=["model:orders"])
    assert (tried.tests, tried.diagnostics) == ((), ())


# ------------------------------------------------------------------------------------- the project's own

MACROS = {
    "macros/tests.sql": """
{% test positive(model, column_name, least=0) %}
  select {{ column_name }} from {{ model }} where {{ column_name }} <= {{ least }}
{% endtest %}

{% test same_rows(model, compare_to) %}
  select 1 from (select count(*) n from {{ model }}) a, (select count(*) n from {{ compare_to }}) b
  where a.n <> b.n
{% endtest %}

{% test open_ended(model) %}
  {{ config(severity='warn', tags=['mine']) }}
  select * from {{ model }} where {{ kwargs['condition'] }}
{% endtest %}

{% test columns(model) %}
  select 1 from {{ model }} where {{ adapter.get_columns_in_relation(model) | length }} <> 5
{% endtest %}

{% test broken(model) %}
  select {{ nothing }} from {{ model }}
{% endtest %}

{% test wrong_column(model) %}
  select * from {{ model }} where not_there
{% endtest %}

{% test one_of(model, column_name, values) %}
  select * from {{ model }} where {{ column_name }} not in ('{{ values | join("', '") }}')
{% endtest %}
""",
    "tests/generic/not_null.sql": """
{% test not_null(model, column_name) %}
  select * from {{ model }} where false
{% endtest %}
""",
}


@pytest.mark.parametrize(
    ("test", "given", "count"),
    [
        ("positive", {"column": "id"}, 0),
        ("positive", {"column": "id", "least": 1}, 1),
        ("cinema.positive", {"column": "id", "least": 1}, 1),
        ("positive", {"column": "id", "least": 2, "config": {"where": "customer = 'ann'"}}, 1),
        ("same_rows", {"compare_to": "ref('customers')"}, 1),
        ("same_rows", {"compare_to": "{{ ref('orders') }}"}, 0),
        ("open_ended", {"condition": "id = 2"}, 2),
        ("columns", {}, 0),
        ("not_null", {"column": "amount"}, 0),
    ],
)
def test_the_projects_own_tests(test: str, given: dict[str, Any], count: int) -> None:
    tried = try_tests([on_orders(test, **given)], MODELS, macros=MACROS)
    assert tried.diagnostics == ()
    assert tried.count == count


def test_its_own_test_may_configure_itself() -> None:
    test = try_tests([on_orders("open_ended", condition="false")], MODELS, macros=MACROS).test
    assert (test.severity, test.tags, test.test) == ("warn", ("mine",), "open_ended")


def test_a_use_of_its_own_test_goes_over_its_defaults() -> None:
    use = on_orders("open_ended", condition="false", config={"severity": "error", "tags": ["nightly"]})
    test = try_tests([use], MODELS, macros=MACROS).test
    assert (test.severity, test.tags) == ("error", ("mine", "nightly"))


def test_jinja_that_gives_a_list_is_one() -> None:
    states = "{{ var('customers', ['bob', 'carl']) }}"
    wanted = on_orders("accepted_values", column="customer", values=states, name="built_in")
    own = on_orders("one_of", column="customer", values=states, name="own")
    tried = try_tests([wanted, own], MODELS, macros=MACROS)
    assert tried.diagnostics == ()
    assert dict(tried.failures) == {"built_in": 1, "own": 1}


@pytest.mark.parametrize(
    ("test", "given", "said", "place"),
    [
        ("positive", {}, 'missing-argument: the test "positive" needs the argument "column_name"', PLACE),
        ("positive", {"column": "id", "leest": 1}, 'no argument "leest"', PLACE),
        ("positive", {"column": "idd"}, 'unknown-column: orders has no column "idd"', PLACE),
        ("same_rows", {"column": "id", "compare_to": "orders"}, "about a whole relation", PLACE),
        (
            "broken",
            {},
            'unknown-name: "nothing"',
            Location(path="macros/tests.sql", line=21, column=13, length=7),
        ),
        ("wrong_column", {}, 'unknown-column: orders has no column "not_there"', None),
        ("positve", {"column": "id"}, "unknown-test", PLACE),
    ],
)
def test_mistakes_with_its_own_tests(
    test: str, given: dict[str, Any], said: str, place: Location | None
) -> None:
    tried = try_tests([on_orders(test, **given)], MODELS, macros=MACROS)
    (found,) = tried.diagnostics
    assert said in f"{found.rule}: {found.message}"
    assert place is None or found.location == place


# ------------------------------------------------------------------------------------------- singular


def test_a_singular_test_stands_at_the_last_of_what_it_reads() -> None:
    text = "select o.id from {{ ref('orders') }} o anti join customers c on c.name = o.customer"
    tried = try_tests([singular(text)], MODELS)
    test = tried.test
    assert (test.node, test.test, test.column) == ("model:orders", "", None)
    assert test.reads == ("model:customers", "model:orders")
    assert test.columns_read == {"model:customers": ("name",), "model:orders": ("id", "customer")}
    assert tried.count == 2


def test_a_singular_test_configures_itself_over_yaml() -> None:
    text = "{{ config(severity='warn', limit=2, tags='slow', warn_if='> 1') }} select * from orders;"
    test = try_tests([singular(text, severity="error", store_failures=True)], MODELS).test
    assert (test.severity, test.limit, test.tags, test.warn_if) == ("warn", 2, ("slow",), "> 1")
    assert test.store_failures is True


@pytest.mark.parametrize(
    ("text", "rule", "line", "column"),
    [
        ("select *\nfrom {{ ref('ordes') }}", "unknown-relation", 2, 14),
        ("select *\nfrom ordes", "unknown-relation", 2, 6),
        ("select *\n, idd from orders", "unknown-column", 2, 3),
        ("delete from orders", "not-a-select", 1, 1),
        ("select * from orders; select 1", "two-statements", 1, 23),
        ("select * from orders where", "syntax-error", 1, None),
        ("select 1 where false", "test-of-nothing", 1, 1),
        ("select * from {{ oops }}", "unknown-name", 1, 18),
        ("{{ config(severity='bad') }}\nselect * from orders", "invalid-value", 1, 11),
        ("{{ config(severty='warn') }}\nselect * from orders", "unknown-key", 1, 11),
        ("{{ config(where='id > 1') }}\nselect * from orders", "late-where", 1, 11),
        ("select * from 'orders.csv'", "file-in-model", 1, 15),
    ],
)
def test_a_mistake_in_a_singular_test_is_told_at_its_line(
    text: str, rule: str, line: int, column: int | None
) -> None:
    (found,) = try_tests([singular(text)], MODELS).diagnostics
    assert found.rule == rule
    assert found.location is not None
    assert (found.location.path, found.location.line) == ("tests/nothing_is_lost.sql", line)
    assert column is None or found.location.column == column


# ---------------------------------------------------------------------------------------- from real files


def test_files_in_the_folder_generic_define_tests(tmp_path: Path) -> None:
    files = {
        "osiris-sql.toml": 'name = "p"\nenvironments = ["dev"]\ndefault_env = "dev"\n',
        "models/one.sql": "select 1 as id",
        "models/one.yml": "models: [{name: one, columns: [{name: id, data_tests: [small: {most: 3}]}]}]",
        "tests/generic/small.sql": "{% test small(model, column_name, most) %}\n"
        "select * from {{ model }} where {{ column_name }} > {{ most }}\n{% endtest %}",
        "tests/nothing_below_zero.sql": "select * from one where id < 0",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    manifest = compile_project(load_project(tmp_path), environ={})
    assert manifest.diagnostics == ()
    assert [(test.name, test.test, test.node) for test in manifest.tests] == [
        ("small_one_id__3", "small", "model:one"),
        ("nothing_below_zero", "", "model:one"),
    ]
