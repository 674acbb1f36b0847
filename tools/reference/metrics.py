"""The page about metrics, from the table in `components/shared/metrics/`."""

from components.shared.metrics.metric import VALUES, Metric
from components.shared.metrics.table import TABLE, exposed

INTRO = """# Metrics

## Where they are
The server answers `GET /metrics` in Prometheus' text format; what stages of a pipeline measure goes through \
the Pushgateway. Names start with `twinstack_`, units are \
base units (seconds, bytes, ratios), and labels come from closed sets only: never a user, a prompt or a \
request id.
"""


def page() -> str:
    """The whole page: a table, the label values, then a section a metric."""
    rows = [f"| `{one.name}` | {one.kind} | {_code(one.labels)} | {one.help} |" for one in TABLE]
    table = "\n".join(["| metric | type | labels | meaning |", "|---|---|---|---|", *rows])
    values = "\n".join(f"- `{label}` is one of {_code(allowed)}." for label, allowed in VALUES.items())
    sections = "\n\n".join(_section(one) for one in TABLE)
    return (
        f"{INTRO}\n## Table of metrics\n{table}\n\n## Values of labels\n{values}\n- Every other label has "
        f"the values of the configuration, of the releases, or of HTTP.\n\n{sections}\n"
    )


def _section(one: Metric) -> str:
    buckets = f" Upper bounds: {', '.join(f'{bound:g}' for bound in one.buckets)}." if one.buckets else ""
    pushed = " Pushed by stages." if one.side == "step" else ""
    return (
        f"## `{one.name}`\n{one.help} Type: {one.kind}; labels: {_code(one.labels)}; "
        f"series: {_code(tuple(exposed(one)))}.{buckets}{pushed}"
    )


def _code(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)
