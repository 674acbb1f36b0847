"""Drift as a page and as Markdown."""

import base64
import html as escape
import io

from components.dataflows.drift_window import Drift
from components.monitor.windows import Pair

#: Signals that get a plot.
PLOTTED = 6


def markdown(twin: str, pair: Pair, found: list[Drift]) -> str:
    """Table of every signal, the most suspicious first."""
    lines = [
        f"# Drift of {twin}",
        "",
        f"{pair.rows} rows now, {len(pair.reference)} in training: {pair.described}.",
        "",
        "| signal | PSI | threshold | drifted |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {one.name} | {one.statistic:.4f} | {one.threshold:.4f} | {'yes' if one.drifted else 'no'} |"
        for one in found
    ]
    return "\n".join([*lines, ""])


def html(twin: str, pair: Pair, found: list[Drift]) -> str:
    """The same table with the shares of the most suspicious signals drawn."""
    rows = "".join(
        f"<tr><td>{escape.escape(one.name)}</td><td>{one.statistic:.4f}</td><td>{one.threshold:.4f}</td>"
        f"<td>{'<b>yes</b>' if one.drifted else 'no'}</td></tr>"
        for one in found
    )
    return (
        f"<!doctype html><meta charset='utf-8'><title>Drift of {escape.escape(twin)}</title>"
        "<style>body{font:15px sans-serif;margin:2em}td,th{padding:.2em 1em;text-align:left}</style>"
        f"<h1>Drift of {escape.escape(twin)}</h1><p>{pair.rows} rows now, {len(pair.reference)} in training: "
        f"{escape.escape(pair.described)}.</p><table><tr><th>signal<th>PSI<th>threshold<th>drifted</tr>{rows}"
        f"</table><img alt='shares by bin' src='data:image/png;base64,{_plot(found[:PLOTTED])}'>"
    )


def _plot(found: list[Drift]) -> str:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(len(found), 1, figsize=(9, 2.4 * len(found)), squeeze=False)
    for axis, one in zip(axes[:, 0], found, strict=True):
        places = range(len(one.bins))
        axis.bar([place - 0.2 for place in places], one.before, width=0.4, label="training")
        axis.bar([place + 0.2 for place in places], one.now, width=0.4, label="now")
        axis.set_xticks(list(places), one.bins, rotation=20, fontsize=7)
        axis.set_title(f"{one.name}: PSI {one.statistic:.3f}, threshold {one.threshold:.3f}", fontsize=9)
        axis.set_ylabel("share")
    axes[0, 0].legend()
    figure.tight_layout()
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=90)
    plt.close(figure)
    return base64.b64encode(raw.getvalue()).decode()
