"""Data tests as YAML declares them become named, placed nouns."""

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from osiris_sql.project.declared_tests import Subject, generic_name, read_data_tests
from osiris_sql.support.yamlfile import read_yaml

COLUMN = Subject("model:orders", "status")
TABLE = Subject("model:orders")


def read(text, subject=COLUMN):
    file, _ = read_yaml(text, "f.yml")
    found = []
    tests = read_data_tests(file.data, (), subject, file, found.append)
    assert not found, found
    return tests


@pytest.mark.parametrize(
    ("text", "name", "arguments", "config"),
    [
        ("[unique]", "unique_orders_status", {}, {}),
        ("[{unique: }]", "unique_orders_status", {}, {}),
        ("[{unique: {name: mine}}]", "mine", {}, {}),
        (
            "[{accepted_values: {values: [a, b]}}]",
            "accepted_values_orders_status__a__b",
            {"values": ["a", "b"]},
            {},
        ),
        (
            "[{accepted_values: {arguments: {values: [a, b], quote: false}, severity: warn}}]",
            "accepted_values_orders_status__False__a__b",
            {"values": ["a", "b"], "quote": False},
            {"severity": "warn"},
        ),
        (
            "[{test_name: accepted_values, values: [a], where: x > 1, name: n}]",
            "n",
            {"values": ["a"]},
            {"where": "x > 1"},
        ),
        (
            "[{relationships: {to: ref('people'), field: id, config: {severity: WARN, tags: x}}}]",
            "relationships_orders_status__id__ref_people_",
            {"to": "ref('people')", "field": "id"},
            {"severity": "warn", "tags": ["x"]},
        ),
        (
            "[{not_null: {where: a, limit: 5, config: {where: b, warn_if: '> 1', error_if: '>= 10'}}}]",
            "not_null_orders_status",
            {},
            {"where": "b", "limit": 5, "warn_if": "> 1", "error_if": ">= 10"},
        ),
    ],
)
def test_both_styles_of_arguments_and_config(text, name, arguments, config):
    [test] = read(text)
    assert (test.name, test.arguments, test.config) == (name, arguments, config)
    assert (test.kind, test.node, test.column) == ("generic", "model:orders", "status")


@pytest.mark.parametrize(
    ("test", "subject", "arguments", "name"),
    [
        ("not_null", Subject("model:orders", "id"), {}, "not_null_orders_id"),
        ("not_null", Subject("source:shop.orders", "id"), {}, "source_not_null_shop_orders_id"),
        ("row_count", TABLE, {"min": 1, "max": 2}, "row_count_orders_2__1"),
        (
            "unique_combination_of_columns",
            TABLE,
            {"columns": ["a", "b"]},
            "unique_combination_of_columns_orders_a__b",
        ),
        ("expression", TABLE, {"sql": "a + b > 0"}, "expression_orders_a_b_0"),
        ("x", TABLE, {"by": {"a": 1, "b": "c d"}}, "x_orders_1__c_d"),
    ],
)
def test_names_are_those_of_dbt(test, subject, arguments, name):
    assert generic_name(test, subject, arguments) == name


def test_a_long_name_is_cut_and_hashed():
    values = {"values": ["one", "two", "three", "four", "five", "six", "seven"]}
    name = generic_name("accepted_values", COLUMN, values)
    assert re.fullmatch(r"accepted_values_orders_[0-9a-f]{32}", name)
    assert name != generic_name("accepted_values", COLUMN, {"values": [*values["values"], "eight"]})


@given(st.text(max_size=30), st.text(max_size=70), st.dictionaries(st.text(max_size=5), st.lists(st.text())))
def test_a_name_is_short_whatever_the_arguments(test, relation, arguments):
    assert len(generic_name(test, Subject(f"model:{relation}"), arguments)) <= 63


def test_each_test_has_its_place():
    tests = read("- unique\n- not_null:\n    severity: warn\n- test_name: row_count\n  min: 1\n")
    assert [str(test.location) for test in tests] == ["f.yml:1:3", "f.yml:2:3", "f.yml:4:3"]


plain = (
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["unique", "severity", "config", "x"])
)
entries = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["unique", "severity", "config", "arguments", "name", "where", "test_name", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(st.lists(entries, max_size=3))
def test_no_declaration_crashes_and_each_gives_a_test_or_a_finding(declared):
    file, _ = read_yaml(yaml.safe_dump(declared), "f.yml")
    found = []
    tests = read_data_tests(file.data, (), COLUMN, file, found.append)
    assert len(tests) + len(found) >= len(declared)
    assert all(finding.location.line for finding in found)
    assert all(isinstance(test.name, str) and test.name for test in tests)
