"""The shape every noun of the program shares: a frozen dataclass that crosses a border as JSON."""

from dataclasses import dataclass
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T", bound=type)

Json = Any
"""A value as JSON holds it: null, bool, int, float, str, a list of them, or a mapping from str."""


@dataclass_transform(kw_only_default=True, frozen_default=True)
def noun(cls: T) -> T:
    """Return `cls` as a frozen, keyword-only, slotted dataclass that refuses unknown keys on the wire."""
    cls.__pydantic_config__ = {"extra": "forbid"}  # type: ignore[attr-defined]
    made: Any = dataclass(frozen=True, kw_only=True, slots=True)(cls)
    return made  # type: ignore[no-any-return]
