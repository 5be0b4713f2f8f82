"""Shapes: pydantic models of what a mapping in a file may hold."""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Protocol

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ModelWrapValidatorHandler,
    PrivateAttr,
    WithJsonSchema,
    model_validator,
)

from osiris_sql.support.yamlfile import KeyPath
from osiris_sql.types.diagnostic import Diagnostic, Location

Report = Callable[[Diagnostic], None]


class Locate(Protocol):
    """Finds the place in a file of what stands at a path of keys and indexes."""

    def __call__(self, path: KeyPath, *, key: bool = False) -> Location:
        """Return the place of the value, or of its key."""
        ...


class Placed(dict[str, Any]):
    """A mapping that knows where in its file it stands."""

    __slots__ = ("path",)

    def __init__(self, entries: Any, path: KeyPath) -> None:
        super().__init__(entries)
        self.path = path


class Shape(BaseModel):
    """What a mapping in a file may hold; a key with an empty value counts as absent."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)
    _path: KeyPath = PrivateAttr(default=())

    @model_validator(mode="wrap")
    @classmethod
    def _remember_path(cls, data: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        if not isinstance(data, Placed):
            return handler(data)
        made = handler({key: value for key, value in data.items() if value is not None})
        made._path = data.path
        return made

    @property
    def path(self) -> KeyPath:
        """Where in its file the mapping stands."""
        return self._path


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[
    list[str],
    BeforeValidator(_as_list),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""One name, or a list of names."""


def place(value: Any, path: KeyPath) -> Any:
    """Return a copy of plain data in which each mapping is `Placed`."""
    if isinstance(value, dict):
        return Placed({key: place(item, (*path, key)) for key, item in value.items()}, path)
    if isinstance(value, list):
        return [place(item, (*path, index)) for index, item in enumerate(value)]
    return value
