"""dbt's selection grammar."""

import pytest
from plan.manifests import data_test, manifest, model

from osiris_sql.plan.selection import select_nodes
from osiris_sql.types.diagnostic import ProjectError

ALL = [
    "source:shop.customers",
    "source:shop.orders",
    "model:stg_customers",
    "model:stg_orders",
    "model:enriched",
    "model:revenue",
    "test:unique_revenue_id",
    "test:orders_have_customers",
    "target:app.revenue",
]


def names(select: str, exclude: str = "", *, tests: bool = False) -> list[str]:
    found = select_nodes(manifest(), [select] if select else [], [exclude] if exclude else [])
    return [node.partition(":")[2] for node in found if tests or not node.startswith("test:")]


def test_nothing_selected_is_everything_in_build_order():
    assert select_nodes(manifest(), [], []) == ALL


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ("revenue", ["revenue"]),
        ("+revenue", ["shop.customers", "shop.orders", "stg_customers", "stg_orders", "enriched", "revenue"]),
        ("1+revenue", ["enriched", "revenue"]),
        ("2+revenue", ["stg_customers", "stg_orders", "enriched", "revenue"]),
        ("revenue+", ["revenue", "app.revenue"]),
        ("stg_orders+1", ["stg_orders", "enriched"]),
        ("+stg_orders+", ["shop.orders", "stg_orders", "enriched", "revenue", "app.revenue"]),
        (
            "@stg_orders",
            [
                "shop.customers",
                "shop.orders",
                "stg_customers",
                "stg_orders",
                "enriched",
                "revenue",
                "app.revenue",
            ],
        ),
        ("stg_*", ["stg_customers", "stg_orders"]),
        ("tag:daily", ["shop.orders", "stg_orders"]),
        ("tag:daily,stg_*", ["stg_orders"]),
        ("stg_customers stg_orders", ["stg_customers", "stg_orders"]),
        ("path:models/staging", ["stg_customers", "stg_orders"]),
        ("models/marts/revenue.sql", ["revenue"]),
        ("revenue.sql", ["revenue"]),
        ("staging.stg_orders", ["stg_orders"]),
        ("config.materialized:view", ["stg_customers", "stg_orders"]),
        ("source:shop.orders", ["shop.orders"]),
        ("source:shop", ["shop.customers", "shop.orders"]),
        ("source:shop.orders+1", ["shop.orders", "stg_orders"]),
        ("target:app", ["app.revenue"]),
        ("resource_type:source", ["shop.customers", "shop.orders"]),
        ("file:revenue.sql", ["revenue"]),
        ("fqn:staging.*", ["stg_customers", "stg_orders"]),
        ("stg_orders+,2+revenue", ["stg_orders", "enriched", "revenue"]),
        ("tag:daily,path:models target:app+", ["stg_orders", "app.revenue"]),
    ],
)
def test_select(select, expected):
    assert names(select) == expected


@pytest.mark.parametrize(
    ("select", "exclude", "expected"),
    [
        ("+revenue", "stg_orders", ["shop.customers", "shop.orders", "stg_customers", "enriched", "revenue"]),
        ("", "target:app source:shop", ["stg_customers", "stg_orders", "enriched", "revenue"]),
        ("stg_*", "tag:daily", ["stg_customers"]),
    ],
)
def test_exclude(select, exclude, expected):
    assert names(select, exclude) == expected


def test_a_data_test_is_selected_with_any_node_that_it_reads():
    assert names("stg_customers", tests=True) == ["stg_customers", "orders_have_customers"]
    assert names("test_name:unique", tests=True) == ["unique_revenue_id", "orders_have_customers"]
    assert names("unique_revenue_id", tests=True) == ["unique_revenue_id"]


def test_a_data_test_is_excluded_with_the_node_that_it_is_of():
    assert names("test_type:data", "revenue", tests=True) == ["orders_have_customers"]
    assert names("test_type:data", "stg_customers", tests=True) == [
        "unique_revenue_id",
        "orders_have_customers",
    ]
    assert names("", "stg_orders", tests=True)[-2:] == ["unique_revenue_id", "app.revenue"]


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ("revenue,test_type:generic", ["test:unique_revenue_id"]),
        ("source:shop.orders,revenue", ["test:no_loss"]),
        ("test_type:generic", ["test:unique_revenue_id"]),
        ("test_type:singular", ["test:no_loss"]),
        ("test_type:data", ["test:unique_revenue_id", "test:no_loss"]),
        ("resource_type:test", ["test:unique_revenue_id", "test:no_loss"]),
        ("stg_orders+,test_type:singular", ["test:no_loss"]),
        ("resource_type:snapshot", ["model:history"]),
    ],
)
def test_nodes_are_selected_by_their_kind(select, expected):
    unique = data_test("unique_revenue_id", "model:revenue")
    loss = data_test("no_loss", "model:revenue", "model:revenue", "source:shop.orders", test="")
    history = model("history", "source:shop.customers", materialized="snapshot")
    made = manifest(models=(*manifest().models, history), tests=(unique, loss))
    assert select_nodes(made, [select], []) == expected


@pytest.mark.parametrize(
    ("word", "message", "fix"),
    [
        ("revenu", 'nothing matches "revenu"', 'did you mean "revenue"?'),
        ("tag:none", 'nothing matches "tag:none"', "`osiris-sql ls` lists what there is"),
        ("colour:red", 'there is no selection method "colour"', ""),
        ("++", '"++" is no selection', None),
    ],
)
def test_words_that_mean_nothing(word, message, fix):
    with pytest.raises(ProjectError) as raised:
        names(word)
    assert raised.value.diagnostics[0].message == message
    assert fix is None or raised.value.diagnostics[0].fix == fix
    assert raised.value.exit_code == 2
