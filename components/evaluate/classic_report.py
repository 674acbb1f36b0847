"""Report of a classic twin's evaluation, as Markdown and as one HTML file with the plots inside."""

import io
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from components.evaluate import page
from components.shared import comparison
from components.shared.evaluation import Evaluation
from components.shared.page import document

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def _notes(found: Evaluation, trained_on: str) -> list[str]:
    against = f"release {found.champion_release}" if found.champion else "none to compare with"
    return [
        f"{found.cases} cases (version {found.cases_version}), the newest rows; intervals at "
        f"{found.level:.0%}, bootstrap over cases, the same resamples for every model.",
        f"Candidate trained on {trained_on}. Champion: {against}.",
        "↑ higher is better, ↓ lower is better. Calibration error: mean gap between predicted and observed "
        "share in ten quantile bins.",
        *comparison.remarks(found),
    ]


def _outcomes(confusion: Mapping[str, Any]) -> str:
    threshold = f"{confusion['threshold']:.3f}, the share of positives in training"
    return f"Outcomes of the candidate at threshold {threshold}:"


def _matrix(confusion: Mapping[str, Any]) -> list[list[str]]:
    names, matrix = confusion["categories"], confusion["matrix"]
    return [
        ["Outcome", *(f"Called {name}" for name in names)],
        *([str(name), *map(str, row)] for name, row in zip(names, matrix, strict=True)),
    ]


def markdown(found: Evaluation, confusion: Mapping[str, Any], trained_on: str) -> str:
    """The numbers as Markdown tables."""

    return "\n\n".join(
        [
            f"# Evaluation of twin {found.twin}",
            page.markdown(comparison.rows(found)),
            *_notes(found, trained_on),
            _outcomes(confusion),
            page.markdown(_matrix(confusion)) + "\n",
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
    notes = "".join(f"<p>{escape(note)}</p>" for note in _notes(found, trained_on))
    body = (
        f"{page.table(comparison.rows(found))}{notes}"
        f"<p>{_outcomes(confusion)}</p>{page.table(_matrix(confusion))}{plots(labels, curves)}"
    )
    return document(f"Evaluation of twin {found.twin}", body, page.STYLE)


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
