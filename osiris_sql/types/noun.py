"""The shape every noun of the program shares: a frozen dataclass that crosses a border as JSON."""

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, dataclass_transform

T = TypeVar("T", bound=type)

Json = Any
"""A value as JSON holds it: null, bool, int, float, str, a list of them, or a mapping from str."""


class Discriminated:
    """Marks a union whose members are told apart by the field `kind`, so that a broken one gives one
    error and not one a member."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic import Field  # types need only the standard library; this runs on the wire alone

        return handler.generate_schema(Annotated[source, Field(discriminator="kind")])


@dataclass_transform(kw_only_default=True, frozen_default=True)
def noun(cls: T) -> T:
    """Return `cls` as a frozen, keyword-only, slotted dataclass that refuses unknown keys on the wire."""
    cls.__pydantic_config__ = {"extra": "forbid"}  # type: ignore[attr-defined]
    made: Any = dataclass(frozen=True, kw_only=True, slots=True)(cls)
    return made  # type: ignore[no-any-return]
