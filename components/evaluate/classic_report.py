"""Report of a classic twin's evaluation, as Markdown and as one HTML file with the plots inside."""

import io
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from components.shared.evaluation import Evaluation, Measure

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TITLES = {
    "roc_auc": "ROC AUC",
    "pr_auc": "PR AUC",
    "brier": "Brier score",
    "calibration_error": "Calibration error",
}

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}
table{border-collapse:collapse;margin:1rem 0}th,td{border:1px solid #d0d7de;padding:.35rem .7rem}
th,td{text-align:right}th:first-child,td:first-child{text-align:left}svg{max-width:100%;height:auto}
"""


def _shown(measure: Measure | None) -> str:
    return f"{measure.value:.3f} [{measure.low:.3f}, {measure.high:.3f}]" if measure else "–"


def _rows(found: Evaluation) -> list[list[str]]:
    """Heading and one row a metric."""
    heading = ["Metric", "Candidate", found.baseline_name.capitalize()]
    if found.champion:
        heading += ["Champion", "Candidate less champion"]
    rows = [heading]
    for name, measure in found.candidate.items():
        arrow = "↑" if measure.better == "higher" else "↓"
        row = [f"{TITLES.get(name, name)} {arrow}", _shown(measure), _shown(found.baseline.get(name))]
        if found.champion:
            paired = found.paired.get(name)
            change = f"{paired.value:+.3f} [{paired.low:+.3f}, {paired.high:+.3f}]" if paired else "–"
            row += [_shown(found.champion.get(name)), change]
        rows.append(row)
    return rows


def _notes(found: Evaluation, trained_on: str) -> list[str]:
    against = f"release {found.champion_release}" if found.champion else "none to compare with"
    return [
        f"{found.cases} cases (version {found.cases_version}), the newest rows; intervals at "
        f"{found.level:.0%}, bootstrap over cases, the same resamples for every model.",
        f"Candidate trained on {trained_on}. Champion: {against}.",
        "↑ higher is better, ↓ lower is better. Calibration error: mean gap between predicted and observed "
        "share in ten quantile bins.",
    ]


def _matrix(confusion: Mapping[str, Any]) -> list[list[str]]:
    names, matrix = confusion["categories"], confusion["matrix"]
    return [
        ["Outcome", *(f"Called {name}" for name in names)],
        *([str(name), *map(str, row)] for name, row in zip(names, matrix, strict=True)),
    ]


def markdown(found: Evaluation, confusion: Mapping[str, Any], trained_on: str) -> str:
    """The numbers as Markdown tables."""

    def table(rows: list[list[str]]) -> str:
        cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
        rule = ["---", *["---:"] * (len(rows[0]) - 1)]
        return "\n".join("| " + " | ".join(row) + " |" for row in [cells[0], rule, *cells[1:]])

    return "\n\n".join(
        [
            f"# Evaluation of twin {found.twin}",
            table(_rows(found)),
            *_notes(found, trained_on),
            f"Outcomes at threshold {confusion['threshold']:.3f}, the share of positives in training:",
            table(_matrix(confusion)) + "\n",
        ]
    )


def html(
    found: Evaluation,
    confusion: Mapping[str, Any],
    trained_on: str,
    labels: "Floats",
    curves: Mapping[str, "Floats"],
) -> str:
    """The numbers and the plots as one HTML document that loads nothing.

    Args:
        found: The numbers.
        confusion: `categories`, `matrix`, `threshold`.
        trained_on: One line for people.
        labels: 0 or 1, shape (cases,).
        curves: Model to its probabilities, shape (cases,).
    """

    def table(rows: list[list[str]]) -> str:
        head = "".join(f"<th scope=col>{escape(cell)}</th>" for cell in rows[0])
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows[1:]
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    title = f"Evaluation of twin {escape(found.twin)}"
    notes = "".join(f"<p>{escape(note)}</p>" for note in _notes(found, trained_on))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f"<h1>{title}</h1>{table(_rows(found))}{notes}"
        f"<p>Outcomes at threshold {confusion['threshold']:.3f}, the share of positives in training:</p>"
        f"{table(_matrix(confusion))}{plots(labels, curves)}</html>\n"
    )


def plots(labels: "Floats", curves: Mapping[str, "Floats"]) -> str:
    """ROC, precision-recall and calibration side by side, as SVG with the same bytes for the same numbers."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    with mpl.rc_context({"svg.hashsalt": "twinstack", "svg.fonttype": "none", "font.size": 9}):
        figure, (left, middle, right) = pyplot.subplots(1, 3, figsize=(12, 4), layout="constrained")
        try:
            for name, scores in curves.items():
                _draw(left, middle, right, name, labels, scores)
            left.plot([0, 1], [0, 1], color="0.7", linewidth=0.8, linestyle=":")
            left.set(title="ROC", xlabel="False positive rate", ylabel="True positive rate")
            middle.axhline(float(labels.mean()), color="0.7", linewidth=0.8, linestyle=":")
            middle.set(title="Precision and recall", xlabel="Recall", ylabel="Precision", ylim=(0, 1.02))
            right.plot([0, 1], [0, 1], color="0.7", linewidth=0.8, linestyle=":")
            right.set(title="Calibration", xlabel="Predicted share", ylabel="Observed share")
            left.legend(loc="lower right")
            out = io.StringIO()
            figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
        finally:
            pyplot.close(figure)
    text = out.getvalue()
    return text[text.index("<svg") :]


def _draw(left: "Axes", middle: "Axes", right: "Axes", name: str, labels: "Floats", scores: "Floats") -> None:
    """One model's three curves."""
    import numpy as np
    from sklearn.metrics import precision_recall_curve, roc_curve

    from components.dataflows.classification import quantile_bins

    rates = roc_curve(labels, scores)
    left.plot(rates[0], rates[1], label=name)
    precision, recall, _ = precision_recall_curve(labels, scores)
    middle.plot(recall, precision, label=name)
    number = quantile_bins(scores)
    inside = [number == one for one in np.unique(number)]
    right.plot(
        [scores[one].mean() for one in inside], [labels[one].mean() for one in inside], marker="o", label=name
    )
