"""The verbs of the program: each takes the noun that the one before it made."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from osiris_sql.api.backfill import read_backfill as read_backfill
    from osiris_sql.api.bootstrap import bootstrap_targets as bootstrap_targets
    from osiris_sql.api.choosing import compile_chosen as compile_chosen
    from osiris_sql.api.comparing import FactChange as FactChange
    from osiris_sql.api.comparing import compare_runs as compare_runs
    from osiris_sql.api.comparing import read_card as read_card
    from osiris_sql.api.compiling import compile_project as compile_project
    from osiris_sql.api.compiling import run_unit_tests as run_unit_tests
    from osiris_sql.api.discovery import SourceChange as SourceChange
    from osiris_sql.api.discovery import discover_sources as discover_sources
    from osiris_sql.api.dropping import Dropped as Dropped
    from osiris_sql.api.dropping import drop_leftovers as drop_leftovers
    from osiris_sql.api.dropping import drop_named as drop_named
    from osiris_sql.api.history import list_runs as list_runs
    from osiris_sql.api.history import read_plan as read_plan
    from osiris_sql.api.history import read_run as read_run
    from osiris_sql.api.history import remove_runs as remove_runs
    from osiris_sql.api.history import step_seconds as step_seconds
    from osiris_sql.api.linting import lint_project as lint_project
    from osiris_sql.api.loading import load_project as load_project
    from osiris_sql.api.parity import compare_launchers as compare_launchers
    from osiris_sql.api.parity import make_parity_plan as make_parity_plan
    from osiris_sql.api.past import find_past as find_past
    from osiris_sql.api.past import resume_run as resume_run
    from osiris_sql.api.planning import Command as Command
    from osiris_sql.api.planning import make_plan as make_plan
    from osiris_sql.api.planning import observe_world as observe_world
    from osiris_sql.api.proposing import propose_sources as propose_sources
    from osiris_sql.api.remote import attach_run as attach_run
    from osiris_sql.api.remote import collect_sandboxes as collect_sandboxes
    from osiris_sql.api.remote import make_template as make_template
    from osiris_sql.api.running import clean_project as clean_project
    from osiris_sql.api.running import new_run_id as new_run_id
    from osiris_sql.api.running import prepare_plan as prepare_plan
    from osiris_sql.api.running import run_plan as run_plan
    from osiris_sql.api.sound import add_wrong_models as add_wrong_models
    from osiris_sql.api.sound import are_stopped as are_stopped
    from osiris_sql.api.sound import errors_of as errors_of
    from osiris_sql.api.sound import refuse_mistakes as refuse_mistakes
    from osiris_sql.api.sound import refuse_mistakes_in as refuse_mistakes_in
    from osiris_sql.lint import fix_project as fix_project
    from osiris_sql.lint import lint_along as lint_along
    from osiris_sql.plan.selection import select_nodes as select_nodes
    from osiris_sql.run.difference import diff_publications as diff_publications

_VERBS = {
    "osiris_sql.api.backfill": ("read_backfill",),
    "osiris_sql.api.bootstrap": ("bootstrap_targets",),
    "osiris_sql.api.choosing": ("compile_chosen",),
    "osiris_sql.api.comparing": ("FactChange", "compare_runs", "read_card"),
    "osiris_sql.api.compiling": ("compile_project", "run_unit_tests"),
    "osiris_sql.api.discovery": ("SourceChange", "discover_sources"),
    "osiris_sql.api.dropping": ("Dropped", "drop_leftovers", "drop_named"),
    "osiris_sql.api.history": ("list_runs", "read_plan", "read_run", "remove_runs", "step_seconds"),
    "osiris_sql.api.linting": ("lint_project",),
    "osiris_sql.api.loading": ("load_project",),
    "osiris_sql.api.parity": ("compare_launchers", "make_parity_plan"),
    "osiris_sql.api.past": ("find_past", "resume_run"),
    "osiris_sql.api.planning": ("Command", "make_plan", "observe_world"),
    "osiris_sql.api.proposing": ("propose_sources",),
    "osiris_sql.api.remote": ("attach_run", "collect_sandboxes", "make_template"),
    "osiris_sql.api.running": ("clean_project", "new_run_id", "prepare_plan", "run_plan"),
    "osiris_sql.api.sound": (
        "add_wrong_models",
        "are_stopped",
        "errors_of",
        "refuse_mistakes",
        "refuse_mistakes_in",
    ),
    "osiris_sql.lint": ("fix_project", "lint_along"),
    "osiris_sql.plan.selection": ("select_nodes",),
    "osiris_sql.run.difference": ("diff_publications",),
}
_HOMES = {verb: home for home, verbs in _VERBS.items() for verb in verbs}


def __getattr__(name: str) -> Any:
    """Return a verb, whose module is loaded when it is first used: a command needs few of them."""
    if name not in _HOMES:
        raise AttributeError(f"osiris_sql.api has no verb {name!r}")
    return globals().setdefault(name, getattr(import_module(_HOMES[name]), name))
