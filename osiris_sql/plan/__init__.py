"""From a Manifest and what was observed to a Plan: pure."""
