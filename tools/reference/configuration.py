"""The page about `twinstack.yaml`, from the pydantic models."""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from components.shared.config.root import Config

INTRO = """# Configuration

## The file
Everything is in one file, `twinstack.yaml`. Unknown fields are refused, numbers are bounded, and a \
wrong value names the field, the value and what is allowed. Relative paths start from the folder of the \
file.

## Environment variables
An environment variable overrides a field. Its name is `TWINSTACK_` and the path of the field in \
capitals, with two underscores between levels: `TWINSTACK_TWINS__DOCS__TRAINING__STEPS=30`. A variable \
that names no field is refused. Not fields, but read as well: `TWINSTACK_GIT_COMMIT` (the commit of the \
code where there is no checkout) and `TWINSTACK_CRASH_AT` (see [resume after a \
crash](../how-to/resume-after-a-crash.md)).

## Secrets
Secrets come by environment variables or mounted files, never from this file.
"""

WORDS = {int: "integer", float: "number", str: "text", bool: "yes or no"}
BOUNDS = {
    "ge": "at least {}",
    "gt": "more than {}",
    "le": "at most {}",
    "lt": "less than {}",
    "min_length": "at least {} long",
    "max_length": "at most {} long",
    "pattern": "matching `{}`",
}


def page() -> str:
    """The whole page: a section a model, a line a field."""
    sections: list[str] = []
    _collect(Config, "", sections)
    return INTRO + "\n" + "\n".join(sections)


def _collect(model: type[BaseModel], place: str, sections: list[str]) -> None:
    """Add the section of a model and, below it, of every model inside it."""
    inner: list[tuple[str, type[BaseModel]]] = []
    lines = []
    for name, field in model.model_fields.items():
        path = f"{place}.{name}" if place else name
        lines.append(_line(name, field))
        inner += _models(field.annotation, path)
    head = f"`{place}`" if place else "Top level"
    variant = _variant(model)
    text = f"## {head}{variant}\n{(model.__doc__ or '').strip()}\n\n" + "\n".join(lines) + "\n"
    if text not in sections:
        sections.append(text)
        for path, found in inner:
            _collect(found, path, sections)


def _variant(model: type[BaseModel]) -> str:
    """` of kind llm`, where several models may stand in one place."""
    for name in ("kind", "type"):
        if name in model.model_fields and get_origin(model.model_fields[name].annotation) is Literal:
            values = get_args(model.model_fields[name].annotation)
            if len(values) == 1:
                return f" of {name} `{values[0]}`"
    home = model.__module__.rsplit(".", 1)[-1]
    return {"classic": " of a classic twin", "llm": " of an LLM twin"}.get(home, "")


def _line(name: str, field: FieldInfo) -> str:
    parts = [_type(field.annotation)]
    bounds = [text for one in field.metadata if (text := _bound(one))]
    if bounds:
        parts.append(" and ".join(bounds))
    parts.append(_default(field))
    described = f": {' '.join(field.description.split())}" if field.description else ""
    return f"- `{name}` ({', '.join(part for part in parts if part)}){described}"


def _bound(constraint: Any) -> str:
    found = []
    for name, words in BOUNDS.items():
        value = getattr(constraint, name, None)
        if value is not None:
            found.append(words.format(f"{value:,}" if isinstance(value, int) else value))
    return " and ".join(found)


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "required"
    if value is None or value in ("", (), {}):
        return "not set by default"
    if isinstance(value, BaseModel):
        return "has defaults"
    if isinstance(value, tuple):
        return "default " + ", ".join(f"`{one}`" for one in value)
    return f"default `{value}`"


def _type(annotation: Any) -> str:
    """A type in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        words = "section"
    elif origin is Annotated:
        words = _type(arguments[0])
    elif origin is Literal:
        words = ("one of " if len(arguments) > 1 else "") + ", ".join(f"`{one}`" for one in arguments)
    elif origin in (Union, types.UnionType):
        words = " or ".join(dict.fromkeys(_type(one) for one in arguments if one is not type(None)))
    elif origin is tuple:
        words = f"list of {_type(arguments[0])}"
    elif origin is dict:
        words = f"mapping of names to {_type(arguments[1])}"
    else:
        words = WORDS.get(annotation, str(annotation))
    return words


def _models(annotation: Any, path: str) -> list[tuple[str, type[BaseModel]]]:
    """Models inside an annotation, with the path of each."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [(path, annotation)]
    if origin is dict:
        return _models(arguments[1], f"{path}.NAME")
    if origin is tuple:
        return _models(arguments[0], f"{path}[]")
    return [found for one in arguments for found in _models(one, path)]
