"""Generic tests that the project defines: `{% test name(model, column_name) %}`, in its macros."""

from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import TemplateSyntaxError, nodes

from osiris_sql.compile.jinja import SqlEnvironment
from osiris_sql.types.project import Project


@dataclass(frozen=True, slots=True)
class CustomTest:
    """A generic test of the project: its arguments, `model` left out, and whether each is required.

    `open_ended` says that it takes any others too, as `kwargs`.
    """

    name: str
    path: str
    arguments: Mapping[str, bool]
    open_ended: bool


def custom_tests(project: Project) -> dict[str, CustomTest]:
    """Return the generic tests of a project by name; files that can't be read are reported elsewhere."""
    environment = SqlEnvironment()
    found = {}
    for file in project.macros:
        if "test" not in file.text:
            continue
        try:
            tree = environment.parse(file.text)
        except TemplateSyntaxError:
            continue
        for macro in tree.find_all(nodes.Macro):
            if macro.name.startswith("test_"):
                test = _read_signature(macro, file.path)
                found[test.name] = test
    return found


def _read_signature(macro: nodes.Macro, path: str) -> CustomTest:
    first_default = len(macro.args) - len(macro.defaults)
    arguments = {arg.name: index < first_default for index, arg in enumerate(macro.args)}
    arguments.pop("model", None)
    names = {name.name for name in macro.find_all(nodes.Name)}
    return CustomTest(macro.name.removeprefix("test_"), path, arguments, "kwargs" in names)
