"""The verbs of the program: each takes the noun that the one before it made."""

from osiris_sql.api.backfill import read_backfill
from osiris_sql.api.bootstrap import bootstrap_targets
from osiris_sql.api.comparing import FactChange, compare_runs, read_card
from osiris_sql.api.compiling import compile_project, run_unit_tests
from osiris_sql.api.discovery import SourceChange, discover_sources
from osiris_sql.api.dropping import Dropped, drop_leftovers, drop_named
from osiris_sql.api.history import list_runs, read_plan, read_run, remove_runs, step_seconds
from osiris_sql.api.loading import load_project
from osiris_sql.api.parity import compare_launchers, make_parity_plan
from osiris_sql.api.past import find_past, resume_run
from osiris_sql.api.planning import Command, make_plan, observe_world
from osiris_sql.api.remote import attach_run, collect_sandboxes, make_template
from osiris_sql.api.running import clean_project, new_run_id, prepare_plan, run_plan
from osiris_sql.api.sound import refuse_mistakes, refuse_mistakes_in
from osiris_sql.lint import fix_project, lint_project
from osiris_sql.plan.selection import select_nodes
from osiris_sql.run.difference import diff_publications

__all__ = [
    "Command",
    "Dropped",
    "FactChange",
    "SourceChange",
    "attach_run",
    "bootstrap_targets",
    "clean_project",
    "collect_sandboxes",
    "compare_launchers",
    "compare_runs",
    "compile_project",
    "diff_publications",
    "discover_sources",
    "drop_leftovers",
    "drop_named",
    "find_past",
    "fix_project",
    "lint_project",
    "list_runs",
    "load_project",
    "make_parity_plan",
    "make_plan",
    "make_template",
    "new_run_id",
    "observe_world",
    "prepare_plan",
    "read_backfill",
    "read_card",
    "read_plan",
    "read_run",
    "refuse_mistakes",
    "refuse_mistakes_in",
    "remove_runs",
    "resume_run",
    "run_plan",
    "run_unit_tests",
    "select_nodes",
    "step_seconds",
]
