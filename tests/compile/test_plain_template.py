"""Templates that need no Jinja are rendered as Jinja renders them: text, configuration, mistakes, places."""

from unittest.mock import patch

import pytest
from compile.films import project
from hypothesis import given
from hypothesis import strategies as st

from osiris_sql.compile import render
from osiris_sql.compile.plain_template import SIMPLE, render_plain
from osiris_sql.compile.render import Rendered, Renderer
from osiris_sql.compile.rendering import Rendering

HIDDEN = {"own": "{% macro var(x) %}mine {{ x }}{% endmacro %}"}
RENDERERS = [
    Renderer(project({"m": "", "Orders": ""}, macros=macros), environ={"CITY": "Brno"})
    for macros in ({}, HIDDEN)
]
EXPRESSIONS = [
    "ref('orders')",
    'ref("film", "m")',
    "ref('nope')",
    "ref('orders').name",
    "ref\n('orders')",
    "source('cinema', 'movies')",
    "source('cinema')",
    "source('cinema', 'move''s')",
    "config(materialized='table', tags=['a', 'b'], enabled=true)",
    "config(\n    materialized='view',\n    unique_key=[\"id\"],\n)",
    "config('table')",
    "config(a=none, a=1)",
    "var('first_year')",
    "var('x', 5)",
    "var('x', 'a' 'b')",
    "var('x', u'b')",
    "var('x', 0x1f)",
    "var('x', 01)",
    "var('x', -1)",
    "var('x', 1.50)",
    "var('x', [1, 'ř', none, True])",
    "var('x', default=false)",
    "var('a}}b', 1)",
    "var('x', '{{ y }}')",
    "var('x', 'a\\tb')",
    "var('x', (1))",
    "var('x', ())",
    "var('x', **{})",
    "var('x', 1) | upper",
    "var('missing')",
    "env_var('CITY')",
    "env_var('NOPE')",
    "env_var('NOPE', 'x')",
    "this",
    "1 + 1",
    "",
    "lambda: 1",
    "print('x')",
    "var('x', 1) # note",
]
TEXTS = ["select ", "\n", " ", "a, b\n  from ", "-- ř\n", "{ }", "}}", "{{"]
TEXTS += ["{# note #}", "{% if true %}", "{% endif %}"]
HEADS, TAILS = ["{{ ", "{{", "{{- ", "{{\n  ", "{{+ "], [" }}", "}}", " -}}", "\n}}"]

expression = st.builds(
    lambda head, inner, tail: head + inner + tail,
    st.sampled_from(HEADS),
    st.sampled_from(EXPRESSIONS),
    st.sampled_from(TAILS),
)
templates = st.lists(st.sampled_from(TEXTS) | expression, max_size=7).map("".join)


def seen(rendered: Rendered) -> object:
    text = rendered.sql or ""
    places = [rendered.locate(offset, 3) for offset in range(len(text))]
    return rendered.sql, rendered.config, rendered.diagnostics, rendered.unresolved, places


@pytest.mark.parametrize("text", [f"a\n{{{{ {expression} }}}} b\n" for expression in EXPRESSIONS])
@pytest.mark.parametrize("renderer", RENDERERS)
def test_each_expression(renderer: Renderer, text: str) -> None:
    check(renderer, text)


@given(text=templates, which=st.sampled_from(RENDERERS))
def test_any_template(text: str, which: Renderer) -> None:
    check(which, text)


def check(renderer: Renderer, text: str) -> None:
    mine = seen(renderer.render("models/m.sql", text, name="m"))
    with patch.object(render, "render_plain", return_value=None):
        assert mine == seen(renderer.render("models/m.sql", text, name="m"))


@pytest.mark.parametrize("text", ["{{ ref('a') }} b {{ config(a=1) }}", "x\n{{\n  var('y_2', [1, 'ř']) }}"])
def test_plain_ones_are_taken(text: str) -> None:
    functions = {name: lambda *_, **__: "found" for name in SIMPLE}
    found = render_plain(text, Rendering(path="m.sql"), functions)
    assert found is not None
    assert found[0].count("found") == text.count("{{")


def test_a_macro_that_hides_a_function_is_asked() -> None:
    assert RENDERERS[1].render("models/m.sql", "{{ var('x') }}", name="m").sql == "mine x"
