"""The configuration of a data test: what YAML and `config()` in its own file say."""

from typing import Any

from osiris_sql.compile.data_tests.mistakes import TestMistakeError
from osiris_sql.compile.render import Rendered
from osiris_sql.project.check import check_shape
from osiris_sql.project.declared_tests import DataTestConfigShape
from osiris_sql.support.yamlfile import KeyPath
from osiris_sql.types.diagnostic import Diagnostic, Location
from osiris_sql.types.project import DataTest

_PASSED_ON = ("severity", "warn_if", "error_if", "limit", "store_failures")


def merged_config(test: DataTest, rendered: Rendered) -> dict[str, Any]:
    """Return the configuration of a test; raises TestMistakeError.

    `config()` in a file of its own goes over YAML; in a generic test it is the default of all its uses.
    """
    found: list[Diagnostic] = []

    def locate(path: KeyPath, *, key: bool = False) -> Location:
        return rendered.config[str(path[0])].location if path else test.location

    given = {key: entry.value for key, entry in rendered.config.items()}
    given = {key: list(value) if isinstance(value, tuple) else value for key, value in given.items()}
    if "where" in given:
        found.append(_late_where(rendered.config["where"].location, test))
    shape = check_shape(DataTestConfigShape, given, locate, found.append).value
    if found:
        raise TestMistakeError(*found)
    inline = shape.model_dump(exclude_unset=True) if shape else {}
    if test.kind == "singular":
        return {**test.config, **inline}
    tags = dict.fromkeys([*(inline.get("tags") or ()), *(test.config.get("tags") or ())])
    return {**inline, **test.config, "tags": list(tags)}


def _late_where(place: Location, test: DataTest) -> Diagnostic:
    own = (
        "write the condition into the SELECT" if test.kind == "singular" else "give it where the test is used"
    )
    message = '"where" in config() comes too late: the rows are chosen before'
    return Diagnostic(rule="late-where", message=message, location=place, fix=own)


def compiled_settings(config: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a configuration that a compiled test carries, defaults left out."""
    settings = {key: config[key] for key in _PASSED_ON if config.get(key) is not None}
    return {**settings, "tags": tuple(config.get("tags") or ())}


def is_enabled(config: dict[str, Any]) -> bool:
    """Say whether a test is to be compiled at all."""
    return config.get("enabled") is not False
