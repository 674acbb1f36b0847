"""The page about metrics, from the collectors in `components/shared/metrics.py`."""

from typing import Any

from components.shared import metrics

INTRO = """# Metrics

## Where they are
The server answers `GET /metrics` in Prometheus' text format. Names start with `twinstack_`, units are \
base units (seconds, bytes, ratios), and labels come from closed sets only: never a user, a prompt or a \
request id.
"""


def page() -> str:
    """The whole page: a section a metric."""
    found = sorted(_collectors(), key=lambda one: str(one._name))
    return INTRO + "\n" + "\n".join(_section(one) for one in found)


def _collectors() -> list[Any]:
    """Prometheus collectors at module level, each once."""
    seen = {
        id(one): one
        for one in vars(metrics).values()
        if hasattr(one, "_labelnames") and hasattr(one, "_type")
    }
    return list(seen.values())


def _section(one: Any) -> str:
    suffix = "_total" if one._type == "counter" else ""
    labels = ", ".join(f"`{label}`" for label in one._labelnames) or "none"
    return f"## `{one._name}{suffix}`\n{one._documentation} Type: {one._type}. Labels: {labels}.\n"
