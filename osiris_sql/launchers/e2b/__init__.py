"""Runs a plan in an E2B sandbox: the same worker, the same bytes."""

from osiris_sql.launchers.e2b.launcher import E2BLauncher

PLUGIN = E2BLauncher
