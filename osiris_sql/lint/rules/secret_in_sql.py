"""Find secrets written into a model's file.

Why: SQL goes to version control, to logs and to sandboxes, where anybody reads it.

Bad:
    select order_id, 'postgresql://app:hunter22@db.example.com/app' as origin from shop.orders

Good:
    select order_id, 'postgresql://db.example.com/app' as origin from shop.orders
"""

import re
from collections.abc import Iterator

from osiris_sql.lint.finding import Finding
from osiris_sql.lint.linted_model import LintedModel
from osiris_sql.types.diagnostic import Location

SEVERITY = "error"

_SECRETS = {
    "a password in an address": re.compile(
        r"\b[a-z][a-z0-9+.-]*://[^\s/:@'\"{}$]+:(?!\$?{)([^\s/@'\"<*]{3,})@"
    ),
    "a password in a connection": re.compile(
        r"'(?=[^'\n]*\b(?:host|server|user|uid|dbname)\s?=)[^'\n]*?\b(?:password|passwd|pwd)\s?=([^\s';{}$<*]{3,})",
        re.IGNORECASE,
    ),
    "a password": re.compile(
        r"(?:\b|_)(?:password|passwd|pwd)\s*(?:=|:|:=|=>)\s*'([^'\s{}$]{6,})'", re.IGNORECASE
    ),
    "a secret key": re.compile(
        r"(?:secret|api_?key|secret_?key|access_?key|accountkey)\s*(?:=|:|:=|=>)\s*'?"
        r"(?=[^\s']*[0-9])([0-9A-Za-z/+=_-]{20,})",
        re.IGNORECASE,
    ),
    "a key of AWS": re.compile(r"\b((?:AKIA|ASIA)[0-9A-Z]{16})\b"),
    "a token of GitHub": re.compile(r"\b(gh[pousr]_[0-9A-Za-z]{36,}|github_pat_\w{22,})"),
    "a token of Slack": re.compile(r"\b(xox[abprs]-[0-9A-Za-z-]{10,})"),
    "a key of Stripe": re.compile(r"\b((?:sk|rk)_live_[0-9A-Za-z]{16,})"),
    "a key of Supabase": re.compile(r"\b(sb_secret_[0-9A-Za-z_-]{16,}|sbp_[0-9a-f]{40})"),
    "a key of E2B": re.compile(r"\b(e2b_[0-9a-f]{40})\b"),
    "a key of Google": re.compile(r"\b(AIza[0-9A-Za-z_-]{35})"),
    "a key of a language model": re.compile(r"\b(sk-(?:proj-|ant-\w+-)?[0-9A-Za-z_]{32,})"),
    "a signed token": re.compile(r"\b(eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})"),
    "a private key": re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)"),
}
_WORDS = {
    "a password in an address": ("://",),
    "a password": ("password", "passwd", "pwd"),
    "a password in a connection": ("password", "passwd", "pwd"),
    "a secret key": ("secret", "api_key", "apikey", "access_key", "accesskey", "accountkey"),
    "a key of AWS": ("akia", "asia"),
    "a token of GitHub": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    "a token of Slack": ("xox",),
    "a key of Stripe": ("_live_",),
    "a key of Supabase": ("sb_secret_", "sbp_"),
    "a key of E2B": ("e2b_",),
    "a key of Google": ("aiza",),
    "a key of a language model": ("sk-",),
    "a signed token": (".eyj",),
    "a private key": ("private key-----",),
}


def check(model: LintedModel) -> Iterator[Finding]:
    """Yield each text in a model's file that is a secret."""
    yield from find_secrets(model.compiled.path, model.text)


def find_secrets(path: str, text: str) -> Iterator[Finding]:
    """Yield each text in a file, comments too, that is a secret by its form; its value is not said."""
    # Few files hold any of these words, and looking for a word costs nearly nothing.
    lowered = text.lower()
    likely = [what for what, words in _WORDS.items() if any(word in lowered for word in words)]
    for what in likely:
        for match in _SECRETS[what].finditer(text):
            before = text[: match.start(1)]
            place = Location(
                path=path,
                line=before.count("\n") + 1,
                column=len(before) - before.rfind("\n"),
                length=match.end(1) - match.start(1),
            )
            yield Finding(
                f"{what} stands in this file",
                location=place,
                why="whoever reads the file, a log or a plan has it",
                fix="remove it, and change it where it is used",
            )
