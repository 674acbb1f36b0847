"""Documents of the stores. A version of Twinstack reads what the version after it has written, as long as
that can be done rightly: fronts of both run beside each other in an upgrade, and a rollback goes back to one.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Stored(BaseModel):
    """Frozen. It tells something, so fields of a later version are left aside: they tell more of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Binding(BaseModel):
    """Frozen. Something acts on it, so a field of a later version is refused unless it is empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _what_is_empty_says_nothing(cls, fields: Any) -> Any:
        if not isinstance(fields, dict):
            return fields
        return {name: value for name, value in fields.items() if value or name in cls.model_fields}
