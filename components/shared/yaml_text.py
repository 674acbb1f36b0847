"""YAML as people write it by hand: a key that stands twice is an error, and an error is one line."""

from collections.abc import Hashable
from typing import Any

import yaml


class NotYamlError(ValueError):
    """A text is no YAML, or says two things under one key; its message names line and column."""


class _Strict(yaml.SafeLoader):
    """PyYAML takes the last of two equal keys, and so loses what the first one said."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        marks: dict[str, yaml.Mark] = {}
        for key, _ in node.value:
            # Looked at before merge keys (`<<`) are laid in, whose fields may stand again.
            if isinstance(key, yaml.ScalarNode):
                if first := marks.get(key.value):
                    lines = f"lines {first.line + 1} and {key.start_mark.line + 1}"
                    raise NotYamlError(f"'{key.value}' stands twice, in {lines}")
                marks[key.value] = key.start_mark
        return super().construct_mapping(node, deep)


def read(text: str) -> Any:
    """What a YAML text says.

    Raises:
        NotYamlError: It says nothing, or a key stands twice.
    """
    try:
        return yaml.load(text, Loader=_Strict)  # noqa: S506  (a safe loader)
    except yaml.MarkedYAMLError as error:
        raise NotYamlError(_told(error)) from error
    except yaml.reader.ReaderError as error:
        raise NotYamlError(f"{error.reason} (character {error.position + 1})") from error
    except RecursionError as error:
        raise NotYamlError("brackets lie too deep in each other") from error
    except yaml.YAMLError as error:
        raise NotYamlError(str(error)) from error


def _told(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    opened = error.context_mark
    context = f", {error.context} that starts in line {opened.line + 1}" if error.context and opened else ""
    hint = "; indent by spaces, not by tabs" if "'\\t'" in (error.problem or "") else ""
    return f"{place}{error.problem}{context}{hint}"
