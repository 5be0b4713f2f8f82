"""The rules by name: each is a file of `lint/rules`."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from osiris_sql.lint import rules

if TYPE_CHECKING:
    from osiris_sql.protocols import Rule


@cache
def rule_table() -> dict[str, Rule]:
    """Return every rule by name, which is its file's name with dashes."""
    modules = (f"{rules.__name__}.{found.name}" for found in pkgutil.iter_modules(rules.__path__))
    return {name.rpartition(".")[2].replace("_", "-"): import_module(name) for name in sorted(modules)}


@cache
def unsafe_rules() -> frozenset[str]:
    """Return the rules that say what the compiler says of unsafe constructs, each in its own words."""
    return frozenset(name for name, rule in rule_table().items() if getattr(rule, "IS_VERDICT", False))
