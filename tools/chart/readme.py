"""The table of values in the chart's README, from the comments of `values.yaml`."""

import json
from pathlib import Path
from typing import Any

import yaml

from tools.chart.comments import described

BEGIN = "<!-- Values: written by tools/generate_docs.py from values.yaml. -->"
END = "<!-- End of values. -->"


def readme(page: Path, values: Path) -> str:
    """The page with its table made anew.

    Raises:
        ValueError: The page has not both marks.
    """
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{page} lacks '{BEGIN}' or '{END}'")
    return f"{before}{BEGIN}\n\n{_table(values)}\n{END}{after}"


def _table(values: Path) -> str:
    defaults = yaml.safe_load(values.read_text(encoding="utf-8"))
    lines = ["| value | default | what it is |", "|---|---|---|"]
    for path, text in described(values).items():
        default = _at(defaults, path)
        shown = (
            "" if isinstance(default, dict) and default and not _is_leaf(default) else f"`{_short(default)}`"
        )
        lines.append(f"| `{path}` | {shown} | {text.replace('|', '/')} |")
    return "\n".join(lines) + "\n"


def _at(whole: Any, path: str) -> Any:
    for name in path.split("."):
        whole = whole[name]
    return whole


def _is_leaf(value: dict[str, Any]) -> bool:
    """Whether a mapping is a value of its own, like resources, and not a section with described keys."""
    return set(value) <= {"requests", "limits"} or not any(
        isinstance(key, str) and key.isalpha() for key in value
    )


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("|", "/")
