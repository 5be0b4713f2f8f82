"""From a Manifest to diagnostics: rules that nothing else depends on."""

from osiris_sql.lint.lint import lint_project

__all__ = ["lint_project"]
