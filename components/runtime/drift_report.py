"""Drift as a page and as Markdown."""

import base64
import html as escape
import io
from collections.abc import Sequence

from components.dataflows.drift_reference import figure
from components.dataflows.drift_window import Drift
from components.shared.page import document

#: Signals that get a plot.
PLOTTED = 8

#: How many bins are drawn with their names; more are numbered.
NAMED = 24

STYLE = (
    "table{font-size:13px}"
    "td,th{padding:.25em .6em;text-align:left;border-bottom:1px solid #8886}"
    "td{white-space:nowrap}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}"
    "tr.drifted td{background:#fdecea;background:light-dark(#fdecea,#5c1f1a)}"
    ".legend{opacity:.8;max-width:60em}"
)

HEAD = (
    "signal",
    "rows",
    "by",
    "statistic",
    "threshold",
    "drifted",
    "missing before",
    "missing now",
    "5 %, 50 %, 95 % before",
    "5 %, 50 %, 95 % now",
    "JS",
    "KS",
)

#: How a page is read, for who sees one for the first time.
LEGEND = (
    "A signal has drifted where its statistic is above its threshold. PSI decides for numbers and "
    "categories, the squared MMD for vectors, which have no bins to draw; JS and KS stand beside it and "
    "decide nothing. The threshold is what windows of this many rows exceed without any drift only at the "
    "configured rate of false alarms, and for PSI at least the smallest one worth attention. The bin “other” "
    "holds categories that were rare in the reference, and new ones."
)

#: Longest name of a bin that is drawn whole.
NAME = 24


#: Distances that decide, as they are written.
METHODS = {"psi": "PSI", "mmd": "MMD²"}

#: Distances below this are written with an exponent: a small one is not the same as none.
SMALL = 0.001


def _row(one: Drift) -> tuple[str, ...]:
    def value(method: str) -> str:
        return _distance(one.statistics[method]) if method in one.statistics else ""

    def ends(values: Sequence[float]) -> str:
        return " · ".join(figure(value) for value in values)

    def missing(shares: Sequence[float]) -> str:
        return f"{shares[-1]:.1%}" if shares else ""

    return (
        one.name,
        f"{one.rows:,}",
        METHODS[one.method],
        _distance(one.statistic),
        _distance(one.threshold),
        "yes" if one.drifted else "no",
        missing(one.before),
        missing(one.now),
        ends(one.quantiles_before),
        ends(one.quantiles_now),
        value("js"),
        value("ks"),
    )


def _distance(value: float) -> str:
    return f"{value:.1e}" if 0 < value < SMALL else f"{value:.4f}"


def _summary(found: Sequence[Drift]) -> str:
    return f"{sum(one.drifted for one in found)} of {len(found)} signals drifted."


def markdown(title: str, described: str, found: Sequence[Drift]) -> str:
    """Table of every signal, the most suspicious first."""
    lines = [f"# {title}", "", described, _summary(found), "", _line(HEAD), _line(["---"] * len(HEAD))]
    return "\n".join([*lines, *(_line(_row(one)) for one in found), "", LEGEND, ""])


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
    return document(title, f"<p class=legend>{LEGEND}{section(described, found)}{more}", STYLE)


def section(described: str, found: Sequence[Drift]) -> str:
    """The table and the plots alone, for a page that has several."""
    head = "".join(f"<th scope=col>{cell}" for cell in HEAD)
    rows = "".join(
        f"<tr{' class=drifted' if one.drifted else ''}>"
        + "".join(f"<td>{escape.escape(cell)}" for cell in _row(one))
        for one in found
    )
    drawn = [one for one in found if one.bins][:PLOTTED]
    image = f"<p><img alt='shares by bin' src='data:image/png;base64,{_plot(drawn)}'>" if drawn else ""
    said = f"{escape.escape(described)} <b>{_summary(found)}</b>"
    return f"<p>{said}<table><tr>{head}{rows}</table>{image}"


def _short(name: str) -> str:
    return name if len(name) <= NAME else f"{name[: NAME - 1]}…"


def _plot(found: Sequence[Drift]) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 2.6 * len(found)), layout="constrained")
    axes = figure.subplots(len(found), 1, squeeze=False)
    for axis, one in zip(axes[:, 0], found, strict=True):
        places = range(len(one.bins))
        axis.bar([place - 0.2 for place in places], one.before, width=0.4, label="reference", color="#8da0cb")
        axis.bar([place + 0.2 for place in places], one.now, width=0.4, label="now", color="#fc8d62")
        names = [_short(name) for name in one.bins] if len(one.bins) <= NAMED else [""] * len(one.bins)
        axis.set_xticks(list(places), names, rotation=20, fontsize=7, ha="right")
        state = "drifted" if one.drifted else "not drifted"
        # A dollar sign in a name would begin a formula.
        title = f"{one.name}, {state}: PSI {one.statistics['psi']:.3f}, threshold {one.thresholds['psi']:.3f}"
        axis.set_title(title.replace("$", r"\$"), fontsize=9)
        axis.set_ylabel("share of rows")
        axis.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))  # beside the bars, not over them
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=90)
    return base64.b64encode(raw.getvalue()).decode()
