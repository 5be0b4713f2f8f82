"""Unit tests from real files: loaded, compiled and run offline."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from osiris_sql.compile import compile_project
from osiris_sql.compile.unit_tests import run_unit_tests
from osiris_sql.compile.unit_tests.cells import cells_of_csv
from osiris_sql.project import load_project
from osiris_sql.types.manifest import UnitTestResult

FILES = {
    "osiris-sql.toml": """
        name = "shop"
        environments = ["dev"]
        default_env = "dev"
        [vars]
        least = 10
        """,
    "sources.yml": """
        version: 1
        connections:
          shop: {type: files, path: data}
        sources:
          - name: shop
            tables:
              - name: orders
                columns:
                  - {name: id, data_type: BIGINT}
                  - {name: customer, data_type: VARCHAR}
                  - {name: amount, data_type: "DECIMAL(10,2)"}
                  - {name: ordered_on, data_type: DATE}
                  - {name: note, data_type: VARCHAR}
              - name: odd
                columns:
                  - {name: at, data_type: TIMESTAMP}
                  - {name: flag, data_type: BOOLEAN}
                  - {name: x, data_type: DOUBLE}
                  - {name: tags, data_type: "VARCHAR[]"}
                  - {name: place, data_type: "STRUCT(city VARCHAR, floor INTEGER)"}
        """,
    "models/stg_orders.sql": "select id, customer, amount, ordered_on from {{ source('shop', 'orders') }}",
    "models/big.sql": "{{ config(materialized='ephemeral') }} select * from stg_orders where amount >= 100",
    "models/per_customer.sql": """
        select customer, sum(amount) as total, count(*) as orders
        from {{ ref('stg_orders') }}
        where amount >= {{ var('least') }} and customer <> '{{ env_var('HIDDEN', 'nobody') }}'
        group by customer
        """,
    "models/big_customers.sql": "select distinct customer from big",
    "models/in_steps.sql": """
        with kept as (select id, amount from stg_orders where amount > 10),
             named as (select c.customer, k.amount from kept as k join per_customer c on c.total = k.amount)
        select customer, sum(amount) as total from named group by customer -- and no more
        """,
    "models/ranked.sql": "select customer, amount from stg_orders order by amount desc",
    "tests/fixtures/two_orders.csv": "id,amount\n1,20\n2,5\n",
    "tests/fixtures/one_order.sql": "select 1 as id, 20 as amount",
    "models/odd_rows.sql": "select * from shop.odd",
    "models/today.sql": "select id, current_date as day, now() as at from stg_orders",
    "models/log.sql": """
        {{ config(materialized='incremental', unique_key='id') }}
        select id, amount from stg_orders
        {% if is_incremental() %} where id > (select coalesce(max(id), 0) from {{ this }}) {% endif %}
        """,
    "models/with_macro.sql": "select id, {{ cents('amount') }} as cents from stg_orders",
    "macros/cents.sql": "{% macro cents(column) %}{{ column }} * 100{% endmacro %}",
}

GIVEN = "given: [{input: ref('stg_orders'), rows: [{customer: ann, amount: 20}, {customer: bob, amount: 5}]}]"
EXPECT = "expect: {rows: [{customer: ann, total: 20, orders: 1}]}"


def run(
    root: Path, *tests: str, model: str = "per_customer", sound: bool = True
) -> tuple[UnitTestResult, ...]:
    """Return the results of unit tests, each given as the YAML below its `name` and `model`."""
    for path, text in FILES.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    (root / "data").mkdir(exist_ok=True)
    written = "version: 2\nunit_tests:\n"
    for number, test in enumerate(tests):
        body = indent(dedent(test).strip(), "    ")
        written += f"  - name: case_{number}\n    model: {model}\n{body}\n"
    (root / "models/unit.yml").write_text(written, encoding="utf-8")
    project = load_project(root)
    manifest = compile_project(project, environ={})
    assert sound == (not [d for d in manifest.diagnostics if d.severity == "error"])
    return run_unit_tests(project, manifest, environ={})


def run_one(root: Path, test: str, model: str = "per_customer") -> UnitTestResult:
    (result,) = run(root, test, model=model)
    return result


# ------------------------------------------------------------------------------------ pass and fail


def test_a_model_that_yields_what_is_expected_passes(tmp_path: Path) -> None:
    result = run_one(tmp_path, f"{GIVEN}\n{EXPECT}")
    assert (result.status, result.diff) == ("pass", "")
    assert (result.name, result.model) == ("case_0", "per_customer")
    assert str(result.location).startswith("models/unit.yml:3")


@pytest.mark.parametrize(
    "expect",
    [
        "[{customer: ann}]",
        "[{total: 20.00}]",
        "[{TOTAL: 20, Customer: ann}]",
        "[{orders: '1', customer: ann}]",
    ],
)
def test_only_the_named_columns_are_compared(tmp_path: Path, expect: str) -> None:
    assert run_one(tmp_path, f"{GIVEN}\nexpect: {{rows: {expect}}}").status == "pass"


@pytest.mark.parametrize(
    ("expect", "diff"),
    [
        (
            "[{customer: ann, total: 21, orders: 1}]",
            """
            1 row expected, 1 came: 1 differs
              customer  total          orders
            ~ ann       21.00 → 20.00  1
            """,
        ),
        (
            "[]",
            """
            0 rows expected, 1 came: 1 is too many
              customer  total  orders
            + ann       20.00  1
            """,
        ),
        (
            "[{customer: ann, total: 20, orders: 1}, {customer: null, total: 7, orders: 2}]",
            """
            2 rows expected, 1 came: 1 is missing
              customer  total  orders
            - NULL      7.00   2
            """,
        ),
        (
            "[{customer: ann}, {customer: ann}]",
            """
            2 rows expected, 1 came: 1 is missing
              customer
            - ann
            """,
        ),
        (
            "[{customer: ' ann'}, {customer: 'NULL'}, {customer: ''}]",
            """
            3 rows expected, 1 came: 3 are missing, 1 is too many
              customer
            - ''
            - ' ann'
            - 'NULL'
            + ann
            """,
        ),
    ],
)
def test_a_failure_shows_the_cells_that_differ(tmp_path: Path, expect: str, diff: str) -> None:
    result = run_one(tmp_path, f"{GIVEN}\nexpect: {{rows: {expect}}}")
    assert result.status == "fail"
    assert result.diff == dedent(diff).strip("\n")


def test_a_long_difference_is_cut(tmp_path: Path) -> None:
    rows = ", ".join(f"{{customer: c{number}}}" for number in range(50))
    result = run_one(tmp_path, f"{GIVEN}\nexpect: {{rows: [{rows}]}}")
    lines = result.diff.split("\n")
    assert len(lines) == 23
    assert lines[-1] == "  … and 31 more"


def test_rows_are_a_bag(tmp_path: Path) -> None:
    given = (
        "given: [{input: ref('stg_orders'), rows: [{customer: b, amount: 10}, {customer: a, amount: 10}]}]"
    )
    assert (
        run_one(tmp_path, f"{given}\nexpect: {{rows: [{{customer: b}}, {{customer: a}}]}}").status == "pass"
    )
    assert (
        run_one(tmp_path, f"{given}\nexpect: {{rows: [{{customer: a}}, {{customer: b}}]}}").status == "pass"
    )


def test_tests_do_not_see_each_other(tmp_path: Path) -> None:
    broken = GIVEN.replace("amount: 20", "amount: many")
    results = run(
        tmp_path,
        f"{GIVEN}\n{EXPECT}",
        f"{broken}\n{EXPECT}",
        f"{GIVEN}\n{EXPECT}",
        f"{GIVEN}\nexpect: {{rows: []}}",
    )
    assert [result.status for result in results] == ["pass", "error", "pass", "fail"]


# ------------------------------------------------------------------------------------------ formats


@pytest.mark.parametrize(
    "given",
    [
        "rows: [{customer: ann, amount: 20.0}, {customer: bob, amount: 5}, {amount: 20}]",
        "format: csv\n    rows: |\n      customer,amount\n      ann,20.00\n      bob, 5\n      ,20",
        'format: csv\n    rows: |\n      AMOUNT,customer\n      20,"ann"\n',
        "format: sql\n    rows: select 'ann' as customer, 20 as amount union all select null, null",
        "format: sql\n    rows: |\n      from (values ('ann', 20.00), ('bob', 5)) t(customer, amount);",
    ],
)
def test_rows_can_be_written_as_mappings_csv_or_sql(tmp_path: Path, given: str) -> None:
    test = f"given:\n  - input: ref('stg_orders')\n    {given}\n{EXPECT}"
    result = run_one(tmp_path, test)
    assert (result.status, result.diff) == ("pass", "")


@pytest.mark.parametrize(
    "expect",
    [
        '{format: csv, rows: "customer,total\\nann,20"}',
        "{format: sql, rows: \"select 'ann' as customer, 20 as total\"}",
        '{format: sql, rows: "select 1::tinyint as orders"}',
    ],
)
def test_so_can_the_expectation(tmp_path: Path, expect: str) -> None:
    assert run_one(tmp_path, f"{GIVEN}\nexpect: {expect}").diff == ""


def test_what_stands_in_quotes_in_csv_is_just_that() -> None:
    cells = cells_of_csv('id, word\r\n1," a "\n2,""\n3, b \n4,\n\n5, "x, ""y""\nz" \n')
    assert cells.columns == ("id", "word")
    assert cells.rows == (("1", " a "), ("2", ""), ("3", "b"), ("4", None), ("5", 'x, "y"\nz'))


def test_values_of_every_kind_keep_their_types(tmp_path: Path) -> None:
    row = "{at: 2024-05-01 12:30:00, flag: true, x: 'NaN', tags: [a, 'b, c'], place: {city: Rome, floor: 2}}"
    given = f"given: [{{input: \"source('shop', 'odd')\", rows: [{row}, {{flag: null}}]}}]"
    test = f"{given}\nexpect: {{rows: [{row}, {{}}]}}"
    result = run_one(tmp_path, test, model="odd_rows")
    assert (result.status, result.diff) == ("pass", "")


def test_no_rows_are_an_empty_typed_relation(tmp_path: Path) -> None:
    result = run_one(tmp_path, "given: [{input: ref('stg_orders'), rows: []}]\nexpect: {rows: []}")
    assert (result.status, result.diff) == ("pass", "")


# --------------------------------------------------------------------------------- mistakes in rows


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("[{customer: ann, amount: lots}]", "row 1, column \"amount\": 'lots' is no DECIMAL(10,2)"),
        (
            "[{customer: ann, amount: 1.555}]",
            "row 1, column \"amount\": '1.555' would become 1.56 as DECIMAL(10,2)",
        ),
        ("[{customer: ann, amount: 123456789.0}]", "'123456789.0' is no DECIMAL(10,2)"),
        ("[{customer: ann, amount: true}]", "'true' is no DECIMAL(10,2)"),
        ("[{customer: ann, amount: [1]}]", "'[1]' is no DECIMAL(10,2)"),
        ("[{customer: 1.10, amount: 1}]", "1.1 is a number, put quotes round the text"),
        ("[{customer: a, amount: 1, id: 1.5}]", "'1.5' would become 2 as BIGINT"),
        ("[{customer: a, amount: 1, ordered_on: 2024-13-01}]", "'2024-13-01' is no DATE"),
        ("[{customer: a, amount: 1, ordered_on: 2024-01-01 10:00:00}]", "would become 2024-01-01 as DATE"),
        ("[{customer: a, amuont: 1}]", 'there is no column "amuont". did you mean "amount"?'),
        ("[{customer: a}]", 'the column "amount" is missing, which the model reads (null is a value too)'),
        ("[{customer: a, amount: 1, AMOUNT: 2}]", 'the column "amount" is named twice'),
    ],
)
def test_a_row_that_does_not_fit_is_an_error_with_its_place(tmp_path: Path, rows: str, said: str) -> None:
    result = run_one(tmp_path, f"given: [{{input: ref('stg_orders'), rows: {rows}}}]\n{EXPECT}")
    assert result.status == "error"
    assert said in result.diff
    assert result.diff.startswith("models/unit.yml:5")
    assert "given ref('stg_orders'): " in result.diff


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{place: {city: Rome, flor: 2}}", "place"),
        ("{place: {city: Rome, floor: 1.5}}", "would become"),
        ("{at: '2024-01-01T00:00:00+02:00'}", "would become 2024-01-01 00:00:00 as TIMESTAMP"),
        ("{flag: 2}", "'2' is no BOOLEAN"),
        ("{tags: {a: 1}}", "is no VARCHAR[]"),
    ],
)
def test_a_value_of_a_rich_type_must_fit_exactly_too(tmp_path: Path, row: str, said: str) -> None:
    test = f"given: [{{input: shop.odd, rows: [{row}]}}]\nexpect: {{rows: []}}"
    result = run_one(
        tmp_path,
        test.replace(
            "rows: [{",
            "rows: [{"
            + "".join(
                f"{name}: null, "
                for name in ("at", "flag", "x", "tags", "place")
                if not row.startswith("{" + name + ":")
            ),
            1,
        ),
        model="odd_rows",
    )
    assert result.status == "error"
    assert said in result.diff


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ('format: csv, rows: "customer,amount\\nann"', "row 1 has 1 values, the header 2"),
        ('format: csv, rows: "customer,amount,amount\\nann,1,2"', 'the header names "amount" twice'),
        ('format: csv, rows: "customer,amount\\nann,1.234"', "'1.234' would become 1.23"),
        ("format: sql, rows: \"select 'ann' as customer\"", 'the column "amount" is missing'),
        ("format: sql, rows: \"select 'ann' as customer, 1.234 as amount\"", "'1.234' would become 1.23"),
        ("format: sql, rows: \"select 'ann' as customer, 'x' as amount\"", "'x' is no DECIMAL(10,2)"),
        ('format: sql, rows: "selec 1"', "syntax error"),
        ("format: sql, rows: \"select * from 'orders.csv'\"", "disabled"),
    ],
)
def test_so_is_a_mistake_in_csv_or_sql(tmp_path: Path, given: str, said: str) -> None:
    result = run_one(tmp_path, f"given: [{{input: ref('stg_orders'), {given}}}]\n{EXPECT}")
    assert result.status == "error"
    assert said in result.diff


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    rows = "[{customer: 1.50, amount: lots, idd: x}, {customer: bob, amount: more}]"
    given = f"given: [{{input: ref('stg_orders'), rows: {rows}}}, {{input: ref('ranked'), rows: []}}]"
    result = run_one(tmp_path, f"{given}\nexpect: {{rows: [{{total: few, orders: 1, on: x}}]}}")
    said = (
        "does not read",
        '"idd"',
        "put quotes",
        "'lots'",
        "'more'",
        'expect: there is no column "on"',
        "'few'",
    )
    lines = result.diff.split("\n")
    assert [words in line for words, line in zip(said, lines, strict=True)] == [True] * len(said), lines


def test_an_expectation_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    result = run_one(tmp_path, f"{GIVEN}\nexpect: {{rows: [{{totl: 20}}]}}")
    assert result.status == "error"
    assert 'expect: there is no column "totl". did you mean "total"?' in result.diff


# -------------------------------------------------------------------------------- mistakes in inputs


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("[]", "no rows are given for ref('stg_orders'), which the model reads"),
        ("[{input: ref('stg_order'), rows: []}]", "did you mean \"ref('stg_orders')\"?"),
        (
            "[{input: \"source('shop', 'orders')\", rows: []}]",
            "the model does not read source('shop', 'orders')",
        ),
        ("[{input: stg_orders, rows: []}, {input: ref('stg_orders'), rows: []}]", "are given twice"),
        ("[{input: this, rows: []}, {input: stg_orders, rows: []}]", "the model does not read this"),
        ("[{input: 1 + 1, rows: []}]", '"1 + 1" is no input'),
    ],
)
def test_inputs_must_be_those_that_the_model_reads(tmp_path: Path, given: str, said: str) -> None:
    result = run_one(tmp_path, f"given: {given}\nexpect: {{rows: []}}")
    assert result.status == "error"
    assert said in result.diff


@pytest.mark.parametrize(
    "name", ["ref('stg_orders')", "ref('shop', 'stg_orders')", 'ref("STG_orders")', "stg_orders"]
)
def test_an_input_can_be_named_in_every_way(tmp_path: Path, name: str) -> None:
    given = f"given:\n  - input: {name!r}\n    rows: [{{customer: ann, amount: 20}}]".replace('\\"', '"')
    assert run_one(tmp_path, f"{given}\n{EXPECT}").diff == ""


def test_a_failure_of_the_model_itself_is_told(tmp_path: Path) -> None:
    given = "given: [{input: ref('stg_orders'), rows: [{amount: 99999999.99}, {amount: 1}]}]"
    FILES["models/failing.sql"] = "select amount::decimal(3,1) as amount from stg_orders"
    try:
        result = run_one(tmp_path, f"{given}\nexpect: {{rows: []}}", model="failing")
    finally:
        del FILES["models/failing.sql"]
    assert result.status == "error"
    assert "the model fails: Conversion Error" in result.diff


# ------------------------------------------------------------------------------------------ overrides


@pytest.mark.parametrize(
    ("overrides", "customers"),
    [
        ("{}", "[{customer: ann}]"),
        ("{vars: {least: 1}}", "[{customer: ann}, {customer: bob}]"),
        ("{vars: {least: 100}}", "[]"),
        ("{env_vars: {HIDDEN: ann}}", "[]"),
        ("{vars: {least: 1}, env_vars: {HIDDEN: ann}}", "[{customer: bob}]"),
        ("{macros: {var: 5}}", "[{customer: ann}, {customer: bob}]"),
    ],
)
def test_variables_environment_and_macros_can_be_overridden(
    tmp_path: Path, overrides: str, customers: str
) -> None:
    result = run_one(tmp_path, f"{GIVEN}\noverrides: {overrides}\nexpect: {{rows: {customers}}}")
    assert (result.status, result.diff) == ("pass", "")


def test_a_macro_of_the_project_can_be_overridden(tmp_path: Path) -> None:
    given = "given: [{input: ref('stg_orders'), rows: [{id: 1, amount: 2.5}]}]"
    plain = f"{given}\nexpect: {{rows: [{{id: 1, cents: 250}}]}}"
    overridden = (
        f"{given}\noverrides: {{macros: {{cents: 'amount + 1'}}}}\nexpect: {{rows: [{{id: 1, cents: 3.5}}]}}"
    )
    assert [r.diff for r in run(tmp_path, plain, overridden, model="with_macro")] == ["", ""]


def test_an_override_of_nothing_is_told(tmp_path: Path) -> None:
    result = run_one(tmp_path, f"{GIVEN}\noverrides: {{macros: {{cent: 1, dbt.cents: 2}}}}\n{EXPECT}")
    assert result.status == "error"
    assert result.diff.splitlines() == [
        'there is no macro "cent" to override; did you mean "cents"?',
        'the macro "dbt.cents" can\'t be overridden: write its name without a package',
    ]


def test_an_override_that_breaks_the_model_is_told(tmp_path: Path) -> None:
    result = run_one(tmp_path, f"{GIVEN}\noverrides: {{vars: {{least: 'no_column'}}}}\n{EXPECT}")
    assert result.status == "error"
    assert "under its overrides the model does not compile" in result.diff
    assert "no_column" in result.diff


INCREMENT = """
overrides: {macros: {is_incremental: true}}
given:
  - {input: ref('stg_orders'), rows: [{id: 1, amount: 1}, {id: 2, amount: 2}]}
  - {input: this, rows: [{id: 1}]}
expect: {rows: [{id: 2, amount: 2}]}
"""


def test_an_increment_yields_what_is_new(tmp_path: Path) -> None:
    results = run(tmp_path, INCREMENT, model="log")
    assert [(r.status, r.diff) for r in results] == [("pass", "")]


def test_an_increment_without_its_table_is_an_error(tmp_path: Path) -> None:
    result = run_one(tmp_path, INCREMENT.replace("  - {input: this, rows: [{id: 1}]}\n", ""), model="log")
    assert result.status == "error"
    assert "no rows are given for this" in result.diff


def test_a_first_build_needs_no_table(tmp_path: Path) -> None:
    test = """
    given: [{input: ref('stg_orders'), rows: [{id: 1, amount: 1}]}]
    expect: {rows: [{id: 1}]}
    """
    assert run_one(tmp_path, test, model="log").diff == ""


def test_a_model_that_is_not_incremental_has_no_increment(tmp_path: Path) -> None:
    result = run_one(tmp_path, f"{GIVEN}\noverrides: {{macros: {{is_incremental: true}}}}\n{EXPECT}")
    assert result.status == "error"
    assert "is not incremental" in result.diff


def test_rows_can_stand_for_an_ephemeral_model(tmp_path: Path) -> None:
    given = "given: [{input: ref('big'), rows: [{customer: ann}, {customer: ann}]}]"
    result = run_one(tmp_path, f"{given}\nexpect: {{rows: [{{customer: ann}}]}}", model="big_customers")
    assert (result.status, result.diff) == ("pass", "")


def test_the_run_clock_stands_still(tmp_path: Path) -> None:
    given = "given: [{input: ref('stg_orders'), rows: [{id: 1}]}]"
    test = f"{given}\nexpect: {{rows: [{{id: 1, day: 2000-01-01, at: '2000-01-01 00:00:00+00'}}]}}"
    assert run_one(tmp_path, test, model="today").diff == ""


@pytest.mark.parametrize(
    ("written", "day", "at"),
    [
        ("2024-05-01", "2024-05-01", "2024-05-01 00:00:00+00"),
        ("2024-05-01 23:30:00", "2024-05-01", "2024-05-01 23:30:00+00"),
        ("2024-05-01T23:30:00-02:00", "2024-05-02", "2024-05-02 01:30:00+00"),
    ],
)
def test_the_run_clock_can_be_set(tmp_path: Path, written: str, day: str, at: str) -> None:
    given = "given: [{input: ref('stg_orders'), rows: [{id: 1}]}]"
    test = f"{given}\noverrides: {{run_clock: {written}}}\nexpect: {{rows: [{{day: {day}, at: '{at}'}}]}}"
    assert run_one(tmp_path, test, model="today").diff == ""


def test_a_run_clock_must_be_an_instant(tmp_path: Path) -> None:
    result = run_one(tmp_path, f"{GIVEN}\noverrides: {{run_clock: tomorrow}}\n{EXPECT}")
    assert (result.status, "is no instant" in result.diff) == ("error", True)


def test_a_model_that_is_not_there_has_no_result_of_its_own(tmp_path: Path) -> None:
    FILES["models/unused.sql"] = "{{ config(enabled=false) }} select id from stg_orders"
    try:
        assert run(tmp_path, "given: []\nexpect: {rows: []}", model="unused") == ()
    finally:
        del FILES["models/unused.sql"]


def test_a_model_that_does_not_compile_is_told_from_one_that_fails(tmp_path: Path) -> None:
    FILES["models/wrong.sql"] = "select idd from stg_orders"
    try:
        (result,) = run(tmp_path, "given: []\nexpect: {rows: []}", model="wrong", sound=False)
    finally:
        del FILES["models/wrong.sql"]
    assert (result.status, result.diff) == (
        "error",
        'the model "wrong" does not compile: its errors come first',
    )


def test_an_override_may_lead_to_another_input(tmp_path: Path) -> None:
    FILES["models/led.sql"] = "select id from {{ ref('log' if var('least') > 50 else 'stg_orders') }}"
    try:
        test = """
        overrides: {vars: {least: 60}}
        given: [{input: ref('log'), rows: [{id: 7}]}]
        expect: {rows: [{id: 7}]}
        """
        assert run_one(tmp_path, test, model="led").diff == ""
    finally:
        del FILES["models/led.sql"]


# ------------------------------------------------------------------------------------ CTEs


def test_a_cte_can_be_looked_at_alone_with_the_inputs_that_it_reads(tmp_path: Path) -> None:
    given = "cte: Kept\ngiven: [{input: ref('stg_orders'), rows: [{id: 1, amount: 20}, {id: 2, amount: 5}]}]"
    passes, fails = run(
        tmp_path,
        f"{given}\nexpect: {{rows: [{{id: 1, amount: 20}}]}}",
        f"{given}\nexpect: {{rows: [{{id: 2}}]}}",
        model="in_steps",
    )
    assert (passes.status, passes.diff) == ("pass", "")
    assert fails.status == "fail"
    assert "~ 1" not in fails.diff
    assert "- 2" in fails.diff


def test_a_later_cte_reads_the_ones_before_it(tmp_path: Path) -> None:
    test = """
        cte: named
        given:
          - {input: ref('stg_orders'), rows: [{id: 1, amount: 20}, {id: 2, amount: 5}]}
          - {input: ref('per_customer'), rows: [{customer: ann, total: 20}, {customer: bob, total: 5}]}
        expect: {rows: [{customer: ann, amount: 20}]}
        """
    assert run_one(tmp_path, test, "in_steps").status == "pass"


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("cte: kepd\nexpect: {rows: []}", 'in_steps has no CTE "kepd". did you mean "kept"?'),
        (
            "cte: named\nexpect: {rows: []}",
            "no rows are given for ref('per_customer'), which the CTE named reads",
        ),
        (
            "cte: kept\ngiven: [{input: ref('per_customer'), rows: []}]\nexpect: {rows: []}",
            "the CTE kept does not read ref('per_customer')",
        ),
        (
            "cte: kept\ngiven: [{input: ref('stg_orders'), rows: [{id: 1}]}]\nexpect: {rows: []}",
            'the column "amount" is missing',
        ),
    ],
)
def test_a_mistake_about_a_cte_is_told(tmp_path: Path, test: str, said: str) -> None:
    result = run_one(tmp_path, test, "in_steps")
    assert result.status == "error"
    assert said in result.diff


# ------------------------------------------------------------------------------------ files of rows


def test_rows_may_stand_in_files_of_their_own(tmp_path: Path) -> None:
    test = """
        cte: kept
        given: [{input: ref('stg_orders'), format: csv, fixture: two_orders}]
        expect: {format: sql, fixture: one_order}
        """
    assert run_one(tmp_path, test, "in_steps").status == "pass"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("format: csv, fixture: two_order", 'there is no fixture "two_order" of the format csv'),
        ("format: sql, fixture: two_orders", 'there is no fixture "two_orders" of the format sql'),
        ("fixture: two_orders", 'the fixture "two_orders" needs a format'),
        ("format: csv, fixture: two_orders, rows: 'id'", '"rows" and "fixture" are both given'),
    ],
)
def test_a_mistake_about_a_file_of_rows_is_told(tmp_path: Path, rows: str, said: str) -> None:
    test = f"given: [{{input: ref('stg_orders'), {rows}}}]\nexpect: {{rows: []}}"
    run(tmp_path, test, model="in_steps", sound=False)
    found = load_project(tmp_path).diagnostics
    assert [(d.message, str(d.location).rpartition(":")[0]) for d in found] == [(said, "models/unit.yml:5")]


# ------------------------------------------------------------------------------------ order


@pytest.mark.parametrize(
    ("given", "expect", "said"),
    [
        ("ann 20, bob 5", "ann 20, bob 5", ""),
        (
            "bob 5, ann 20",
            "bob 5, ann 20",
            "in another order than the model's ORDER BY gives: first (ann, 20.00)",
        ),
        ("ann 5, bob 5", "bob 5, ann 5", ""),
        ("ann 5, bob 5", "ann 5, bob 5", ""),
    ],
)
def test_rows_come_in_the_order_of_an_order_by_without_ties(
    tmp_path: Path, given: str, expect: str, said: str
) -> None:
    def rows(text: str) -> str:
        pairs = [row.split() for row in text.split(", ")]
        return ", ".join(f"{{customer: {name}, amount: {amount}}}" for name, amount in pairs)

    test = f"given: [{{input: ref('stg_orders'), rows: [{rows(given)}]}}]\nexpect: {{rows: [{rows(expect)}]}}"
    result = run_one(tmp_path, test, "ranked")
    assert result.status == ("fail" if said else "pass"), result.diff
    assert said in result.diff
