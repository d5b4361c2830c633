"""Settings that a person states: they cannot be changed, and say in one line what is wrong with a value."""

from collections.abc import Callable
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from pricer.errors import PricerError

_LONGEST = 80  # characters of a wrong value that are shown


class Stated(BaseModel):
    """Settings of which each field's description says what it should be; PricerError for a value that is not."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @model_validator(mode="wrap")
    @classmethod
    def _explain(cls, values: object, check: Callable[[object], Self]) -> Self:
        try:
            return check(values)
        except ValidationError as error:
            raise PricerError(_explanation(cls, error)) from None

    @classmethod
    def _wanted(cls, field: str, inner: list[int | str]) -> tuple[str, str | None]:
        """What a field, or what stands within it, is called and should be."""
        return field, cls.model_fields[field].description


def _explanation(settings: type[Stated], error: ValidationError) -> str:
    """Say in one line what the first wrong value should have been, and what arrived."""
    name = settings.__name__.lower()
    first = error.errors(include_url=False)[0]
    field, *inner = first["loc"] or ("",)
    got = f"got {repr(first['input'])[:_LONGEST]}"
    if field not in settings.model_fields:
        if first["type"] == "extra_forbidden":
            return f"a {name} has no setting {field!r}; it has {', '.join(settings.model_fields)}"
        return f"a {name} must be a set of named settings, {got}"
    called, expected = settings._wanted(field, inner)
    if first["type"] == "missing":
        return f"a {name} needs {called}: {expected}"
    return f"a {name}'s {called} must be {expected}, {got}"
