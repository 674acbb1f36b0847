"""Prints what pip installs for extras of ours: `requirements.py pyproject.toml EXTRA…`.

The first stage of each Containerfile runs it with the base's Python: the layer of packages then depends on
this list alone, and not on every edit of pyproject.toml.
"""

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

#: How an extra includes others of the same project: `twinstack[pipeline,cluster]`.
INCLUDED = re.compile(r"(?P<project>[\w.-]+)\[(?P<extras>[\w,. -]+)\]")


def of_extras(project: dict[str, Any], extras: list[str]) -> list[str]:
    """Requirements of a project with extras, each once and sorted; extras that they include are resolved.

    Args:
        project: Table `project` of pyproject.toml.
        extras: Names of extras.

    Raises:
        KeyError: There is no such extra.
    """
    found = set(project["dependencies"])
    waiting = list(extras)
    while waiting:
        for one in project["optional-dependencies"][waiting.pop()]:
            included = INCLUDED.fullmatch(one)
            if included and included["project"] == project["name"]:
                waiting += [extra.strip() for extra in included["extras"].split(",")]
            else:
                found.add(one)
    return sorted(found)


if __name__ == "__main__":
    table = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["project"]
    sys.stdout.writelines(f"{one}\n" for one in of_extras(table, sys.argv[2:]))
