"""Drift as a page and as Markdown."""

import base64
import html as escape
import io
from collections.abc import Sequence

from components.dataflows.drift_window import Drift

#: Signals that get a plot.
PLOTTED = 8

#: How many bins are drawn with their names; more are numbered.
NAMED = 24

STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:72em;padding:0 1em}"
    "table{border-collapse:collapse}td,th{padding:.25em .9em;text-align:left;border-bottom:1px solid #ddd}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}tr.drifted td{background:#fdecea}"
    "img{max-width:100%}"
)

HEAD = (
    "signal",
    "rows",
    "by",
    "statistic",
    "threshold",
    "JS",
    "KS",
    "5 %, 50 %, 95 % before",
    "now",
    "drifted",
)


def _row(one: Drift) -> tuple[str, ...]:
    def value(method: str) -> str:
        return f"{one.statistics[method]:.4f}" if method in one.statistics else ""

    def ends(values: Sequence[float]) -> str:
        return ", ".join(f"{value:.4g}" for value in values)

    return (
        one.name,
        f"{one.rows:,}",
        one.method.upper(),
        f"{one.statistic:.4f}",
        f"{one.threshold:.4f}",
        value("js"),
        value("ks"),
        ends(one.quantiles_before),
        ends(one.quantiles_now),
        "yes" if one.drifted else "no",
    )


def markdown(title: str, described: str, found: Sequence[Drift]) -> str:
    """Table of every signal, the most suspicious first."""
    lines = [f"# {title}", "", described, "", _line(HEAD), _line(["---"] * len(HEAD))]
    return "\n".join([*lines, *(_line(_row(one)) for one in found), ""])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def html(title: str, described: str, found: Sequence[Drift], more: str = "") -> str:
    """The same table with the shares of the most suspicious signals drawn.

    Args:
        title: Of the page.
        described: What was compared.
        found: Every signal, the most suspicious first.
        more: Markup that goes below.
    """
    safe = escape.escape(title)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{safe}</title><style>{STYLE}</style>"
        f"<h1>{safe}</h1>{section(described, found)}{more}"
    )


def section(described: str, found: Sequence[Drift]) -> str:
    """The table and the plots alone, for a page that has several."""
    head = "".join(f"<th>{cell}" for cell in HEAD)
    rows = "".join(
        f"<tr{' class=drifted' if one.drifted else ''}>"
        + "".join(f"<td>{escape.escape(cell)}" for cell in _row(one))
        for one in found
    )
    drawn = [one for one in found if one.bins][:PLOTTED]
    image = f"<p><img alt='shares by bin' src='data:image/png;base64,{_plot(drawn)}'>" if drawn else ""
    return f"<p>{escape.escape(described)}<table><tr>{head}{rows}</table>{image}"


def _plot(found: Sequence[Drift]) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 2.6 * len(found)), layout="constrained")
    axes = figure.subplots(len(found), 1, squeeze=False)
    for axis, one in zip(axes[:, 0], found, strict=True):
        places = range(len(one.bins))
        axis.bar([place - 0.2 for place in places], one.before, width=0.4, label="reference", color="#8da0cb")
        axis.bar([place + 0.2 for place in places], one.now, width=0.4, label="now", color="#fc8d62")
        names = [name[:18] for name in one.bins] if len(one.bins) <= NAMED else [""] * len(one.bins)
        axis.set_xticks(list(places), names, rotation=20, fontsize=7, ha="right")
        # A dollar sign in a name would begin a formula.
        title = f"{one.name}: PSI {one.statistics['psi']:.3f}, threshold {one.thresholds['psi']:.3f}"
        axis.set_title(title.replace("$", r"\$"), fontsize=9)
        axis.set_ylabel("share")
    axes[0, 0].legend()
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=90)
    return base64.b64encode(raw.getvalue()).decode()
