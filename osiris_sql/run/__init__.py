"""Executes a Plan: the only loop."""
