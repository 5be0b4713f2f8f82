"""Secrets stay names until the last moment, and their values never get out."""

import base64
import json
import re
import traceback
from dataclasses import dataclass
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from osiris_sql.support.secrets import (
    MASK,
    Redactor,
    all_env_names,
    env_names,
    make_options,
    resolve,
    secret_values,
)
from osiris_sql.types.secret import Secret


@pytest.mark.parametrize(
    ("text", "environ", "expected"),
    [
        ("plain", {}, "plain"),
        ("${A}", {"A": "x"}, "x"),
        ("a${A}b${B}", {"A": "1", "B": "2"}, "a1b2"),
        ("${A:-d}", {}, "d"),
        ("${A:-d}", {"A": ""}, "d"),
        ("${A:-d}", {"A": "x"}, "x"),
        ("${A:-}", {}, ""),
        ("${A:-a:-b}", {}, "a:-b"),
        ("${A:-two words}", {}, "two words"),
        ("$A ${} ${1A} ${A-B}", {"A": "x"}, "$A ${} ${1A} ${A-B}"),
        ("${A}", {"A": "${B}", "B": "no"}, "${B}"),
        (["${A}", {"k": "${A}"}], {"A": "x"}, ["x", {"k": "x"}]),
        (5, {}, 5),
        (None, {}, None),
    ],
)
def test_placeholders_are_replaced_once_and_everywhere(text, environ, expected):
    assert resolve(text, environ) == expected


@pytest.mark.parametrize("environ", [{}, {"NAME": ""}])
def test_a_missing_or_empty_variable_is_named(environ):
    with pytest.raises(KeyError, match="NAME"):
        resolve({"password": "${NAME}"}, environ)


def test_needed_names_are_those_without_a_default():
    value = {"host": "${B}", "port": "${P:-3306}", "list": ["${A}", "${B:-x}", 1, None]}
    assert env_names(value) == ("A", "B")
    assert all_env_names(value) == ("A", "B", "P")


@dataclass(frozen=True, kw_only=True)
class Options:
    host: str = "localhost"
    port: int = 3306
    ratio: float | None = None
    tls: bool = True
    password: Secret | None = None
    tables: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, Options()),
        ({"port": "${PORT}"}, Options(port=3307)),
        ({"port": 1}, Options(port=1)),
        ({"ratio": "${RATIO}"}, Options(ratio=0.5)),
        ({"ratio": None}, Options(ratio=None)),
        ({"tls": "${OFF}"}, Options(tls=False)),
        ({"tls": "${ON}"}, Options(tls=True)),
        ({"tls": False}, Options(tls=False)),
        ({"password": "${PW}"}, Options(password=Secret("s3cret"))),
        ({"tables": ["a", "${HOST}"]}, Options(tables=("a", "db"))),
    ],
)
def test_options_get_the_types_of_their_fields(values, expected):
    environ = {"PORT": "3307", "RATIO": "0.5", "OFF": "No", "ON": "TRUE", "PW": "s3cret", "HOST": "db"}
    assert make_options(Options, values, environ) == expected


@pytest.mark.parametrize("values", [{"port": "${BAD}"}, {"ratio": "${BAD}"}, {"tls": "${BAD}"}])
def test_a_variable_that_does_not_fit_its_option_is_an_error(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        make_options(Options, values, {"BAD": "maybe"})


def test_only_secrets_are_listed_for_masking():
    assert secret_values(Options(host="db", password=Secret("s3cret"))) == ("s3cret",)
    assert secret_values(Options(password=Secret(""))) == ()


def test_a_secret_prints_as_stars_everywhere():
    secret = Secret("s3cret")
    shown = "".join(traceback.format_exception(ValueError(secret)))
    assert "s3cret" not in f"{secret} {secret!r} {[secret]} {Options(password=secret)} {shown}"


secrets = st.text(min_size=4, max_size=24)
ASCII = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=4, max_size=24)


@given(secrets, st.text(max_size=9), st.text(max_size=9))
@example("aaaa", "a", "a")
@example("*" * 5, "", "")
def test_the_value_itself_is_masked(secret, before, after):
    shown = Redactor([secret])(before + secret + after)
    assert shown != before + secret + after or set(secret) <= {"*"}
    assert MASK in shown


@pytest.mark.parametrize(
    "encode",
    [
        quote,
        quote_plus,
        lambda s: quote(s, safe=""),
        lambda s: urlencode({"password": s}),
        lambda s: re.sub("%..", lambda m: m[0].lower(), quote(s, safe="")),
        json.dumps,
        lambda s: json.dumps(s, ensure_ascii=False),
        repr,
        lambda s: "'" + s.replace("'", "''") + "'",
    ],
)
@given(secret=ASCII, before=st.text(" \n", max_size=5), after=st.text(" \n", max_size=5))
@example(secret="p@ss/w\"rd'\\", before="", after="")
@example(secret="0000", before=" ", after="")
def test_encoded_forms_are_masked(encode, secret, before, after):
    shown = Redactor([secret])(before + encode(secret) + after)
    assert MASK in shown
    rest = shown.replace(MASK, "").replace("password=", "")
    assert set(rest) <= set(" \n'\"")


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@given(secret=st.text(min_size=4, max_size=24), before=st.binary(max_size=7), after=st.binary(max_size=7))
def test_base64_is_masked_at_any_offset(encode, secret, before, after):
    raw = secret.encode()
    text = encode(before + raw + after).decode()
    # The characters that hold bits of the secret alone, six bits each.
    first, last = -(-len(before) * 8 // 6), (len(before) + len(raw)) * 8 // 6
    shown = Redactor([secret])(text)
    assert MASK in shown
    assert text[first:last] not in shown


@given(st.text("abcdef", min_size=6, max_size=20), st.integers(1, 5))
def test_secrets_that_overlap_leave_no_rest(text, step):
    starts = [*range(0, len(text) - 5, step), len(text) - 6]
    assert Redactor([text[start : start + 6] for start in starts])(text).strip("*") == ""


def test_short_values_are_left_alone():
    assert Redactor(["abc", ""])("abcdef") == "abcdef"


def test_values_can_be_added_later():
    redactor = Redactor()
    assert redactor("s3cret") == "s3cret"
    redactor.add(["s3cret"])
    assert redactor("a s3cret b") == "a *** b"
