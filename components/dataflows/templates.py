"""Prompt templates: text with declared, typed variables.

A template is data. `{name}` is replaced by a value in one pass over the template: what a value or a document
holds is never looked at again, so braces in it stay text, and nothing is executed.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from components.shared.config.base import Settings
from components.shared.errors import ConfigError, RequestError

#: Where the excerpts go.
CONTEXT = "context"

PLACE = re.compile(r"\{([a-z][a-z0-9_]{0,59})\}")
FRONT = re.compile(r"\A---\n(.*?)^---\n(.*)\Z", re.DOTALL | re.MULTILINE)

Value = str | int | float


class TextVariable(Settings):
    """One line of text."""

    type: Literal["text"]
    """One line of text."""
    default: str
    """What is filled in where a request names no value."""
    max_characters: int = Field(default=200, ge=1, le=8_000)
    """Longest value."""

    def refusal(self, value: object) -> str:
        """What is allowed, where the value is not; otherwise empty."""
        fits = isinstance(value, str) and 0 < len(value) <= self.max_characters and value.isprintable()
        return "" if fits else f"one line of 1 to {self.max_characters} printable characters"


class ChoiceVariable(Settings):
    """One of several texts."""

    type: Literal["choice"]
    """One of several texts."""
    allowed: tuple[str, ...] = Field(min_length=1, max_length=200)
    """The texts."""
    default: str
    """What is filled in where a request names no value."""

    def refusal(self, value: object) -> str:
        """What is allowed, where the value is not; otherwise empty."""
        return "" if isinstance(value, str) and value in self.allowed else f"one of {', '.join(self.allowed)}"


class NumberVariable(Settings):
    """A bounded number."""

    type: Literal["integer", "number"]
    """Whether it is whole."""
    minimum: float
    """Smallest value."""
    maximum: float
    """Largest value."""
    default: int | float
    """What is filled in where a request names no value."""

    def refusal(self, value: object) -> str:
        """What is allowed, where the value is not; otherwise empty."""
        kinds = int if self.type == "integer" else (int, float)
        number = isinstance(value, kinds) and not isinstance(value, bool)
        fits = number and self.minimum <= value <= self.maximum  # type: ignore[operator]
        return "" if fits else f"{self.type} from {self.minimum:g} to {self.maximum:g}"


Variable = Annotated[TextVariable | ChoiceVariable | NumberVariable, Field(discriminator="type")]


class Template(Settings):
    """A parsed template."""

    body: str
    """The text with its places."""
    variables: dict[str, Variable] = Field(default_factory=dict)
    """Declared variables by name, beside `context`. Every one has a default: what the evaluation measures,
    and what a request gets that names none."""

    @model_validator(mode="after")
    def _places_are_declared(self) -> Self:
        places, declared = set(PLACE.findall(self.body)), {CONTEXT, *self.variables}
        if unknown := sorted(places - declared):
            raise ValueError(f"{{{unknown[0]}}} is not declared under variables")
        if unused := sorted(declared - places):
            raise ValueError(f"{{{unused[0]}}} has no place in the text")
        if CONTEXT in self.variables:
            raise ValueError("{context} is declared already")
        for name, variable in self.variables.items():
            if allowed := variable.refusal(variable.default):
                raise ValueError(f"default of {name} is {variable.default!r}; allowed: {allowed}")
        return self

    def render(self, context: str, given: Mapping[str, Value]) -> str:
        """The template with its values.

        Args:
            context: The excerpts.
            given: Values of variables; the others have their defaults.

        Raises:
            RequestError: A variable is not declared, or a value is not allowed.
        """
        values: dict[str, object] = {name: one.default for name, one in self.variables.items()}
        for name, value in given.items():
            place = f"twinstack.variables.{name}"
            if name not in self.variables:
                known = ", ".join(self.variables) or "none"
                raise RequestError(
                    f"the prompt has no variable '{name}'", param=place, remedy=f"it has: {known}"
                )
            if allowed := self.variables[name].refusal(value):
                raise RequestError(f"{place} is not allowed; allowed: {allowed}", param=place)
            values[name] = value
        values[CONTEXT] = context
        return PLACE.sub(lambda found: str(values[found.group(1)]), self.body).strip()


@lru_cache(maxsize=64)
def template(text: str) -> Template:
    """Parse a template: its text, after a YAML block between `---` lines that declares variables, if any.

    Raises:
        ConfigError: The block is no YAML, or variables and places do not fit.
    """
    found = FRONT.match(text)
    head, body = (found.group(1), found.group(2)) if found else ("", text)
    try:
        declared: Any = yaml.safe_load(head) or {}
        if not isinstance(declared, dict) or set(declared) - {"variables"}:
            raise ValueError("the block at its head holds something else than 'variables'")
        return TypeAdapter(Template).validate_python({"body": body, **declared})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _wrong(f"{place}: {first['msg']}" if place else first["msg"]) from None
    except (ValueError, yaml.YAMLError) as error:
        raise _wrong(str(error)) from None


def _wrong(why: str) -> ConfigError:
    return ConfigError(
        f"the prompt cannot be used: {why}",
        where="prompt",
        remedy="see docs/how-to/change-the-prompt.md",
    )
