"""Write what is generated: pages of `docs/reference/`, and schema and README of the Helm chart; or check it.

`python -m tools.generate_docs` writes; `--check` writes nothing and exits with 1 where a page is stale.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from tools.chart import permissions, readme, schema
from tools.generated import changed, write_or_check
from tools.reference import command_line, configuration, errors, metrics, operations, stages

ROOT = Path(__file__).resolve().parent.parent
CHART = ROOT / "helm" / "twinstack"

PAGES: dict[str, Callable[[], str]] = {
    "configuration": configuration.page,
    "errors": errors.page,
    "stages": stages.page,
    "metrics": metrics.page,
    "cli": command_line.page,
    "operations-api": operations.page,
    "permissions": permissions.page,
}

NOTE = "<!-- Written by tools/generate_docs.py. Change the code, not this page. -->\n\n"


def rendered() -> dict[Path, str]:
    """Path and text of every generated file."""
    pages = {ROOT / "docs" / "reference" / f"{name}.md": NOTE + page() for name, page in PAGES.items()}
    values = CHART / "values.yaml"
    return {
        **pages,
        CHART / "values.schema.json": schema.schema(values),
        CHART / "files" / "permissions.yaml": permissions.data(),
        CHART / "README.md": readme.readme(CHART / "README.md", values),
    }


def stale() -> list[Path]:
    """Files that differ from what the code says."""
    return changed(rendered())


def main() -> int:
    """Write or check; 1 where a check found a stale file."""
    description = "Write the generated pages, and what is generated for the chart."
    return write_or_check("python -m tools.generate_docs", description, rendered, stale)


if __name__ == "__main__":
    sys.exit(main())
