"""The evaluation of an LLM twin as a page and as Markdown."""

import base64
import html as escape
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from components.evaluate import page
from components.evaluate.questions import Question
from components.shared import comparison
from components.shared.evaluation import Evaluation
from components.shared.page import document

if TYPE_CHECKING:
    from components.adapters.vectors.contract import Found
    from components.evaluate.measuring import Values

STYLE = (
    ".answers td,.answers th{text-align:left;vertical-align:top;overflow-wrap:anywhere;min-width:6rem}"
    ".miss{color:#b00;color:light-dark(#b00,#ff8a80)}.answers th{overflow-wrap:normal}"
)


def rows(
    asked: Sequence[Question],
    hits: "Sequence[Sequence[Found]]",
    said: Sequence[str],
    base_said: Sequence[str],
    values: "Values",
) -> list[dict[str, Any]]:
    """Every question that was answered, worst answer first."""
    found = [
        {
            "question": one.question,
            "reference": one.answer,
            "answer": said[number],
            "foundation": base_said[number],
            "f1": round(float(values["answer_f1"][number]), 3),
            "document": one.document,
            "retrieved": [hit.path for hit in hits[number][:5]],
        }
        for number, one in enumerate(asked[: len(said)])
    ]
    return sorted(found, key=lambda row: row["f1"])


def markdown(found: Evaluation, trained_on: str) -> str:
    """Numbers with intervals."""
    return (
        "\n\n".join(
            [
                f"# Evaluation of twin {found.twin}",
                page.markdown(comparison.rows(found)),
                *_notes(found, trained_on),
            ]
        )
        + "\n"
    )


def _notes(found: Evaluation, trained_on: str) -> list[str]:
    against = f"release {found.champion_release}" if found.champion else "none to compare with"
    return [
        f"Questions: {found.cases} (version {found.cases_version}); {found.level:.0%} bootstrap intervals, "
        "the same resamples for every side.",
        f"Candidate trained on {trained_on}. Champion: {against}.",
        "↑ higher is better, ↓ lower is better.",
        *comparison.remarks(found),
    ]


def html(found: Evaluation, trained_on: str, answered: Sequence[dict[str, Any]]) -> str:
    """Numbers, a plot of them, and every answer beside its reference."""
    answers = "".join(
        f"<tr><td>{_text(row['question'])}<td>{_text(row['reference'])}<td>{_text(row['answer'])}"
        f"<td>{_text(row['foundation'])}<td>{row['f1']:.2f}"
        f"<td{'' if row['document'] in row['retrieved'] else ' class=miss'}>{_text(row['document'])}</tr>"
        for row in answered
    )
    notes = "".join(f"<p>{_text(note)}</p>" for note in _notes(found, trained_on))
    body = (
        f"{page.table(comparison.rows(found))}{notes}"
        f"<img alt='metrics with intervals' src='data:image/png;base64,{_plot(found)}'>"
        f"<h2>Answers to the first {len(answered)} questions, worst first</h2>"
        "<p>A document in red was not among the best five that were retrieved.</p>"
        "<table class='answers'><tr><th>Question<th>Reference<th>Candidate with retrieval"
        f"<th>Foundation model alone<th>F1<th>Document</tr>{answers}</table>"
    )
    return document(f"Evaluation of twin {found.twin}", body, page.STYLE + STYLE)


def _text(text: str) -> str:
    return escape.escape(text)


def _plot(found: Evaluation) -> str:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(9, 4))
    sides = [
        ("candidate", found.candidate),
        (found.baseline_name, found.baseline),
        ("champion", found.champion),
    ]
    # Losses, times and money have other units and would press the scores into a corner.
    names = [name for name, one in found.candidate.items() if one.better == "higher"]
    for shift, (label, measures) in zip((-0.2, 0.0, 0.2), sides, strict=True):
        places = [place + shift for place, name in enumerate(names) if name in measures]
        shown = [measures[name] for name in names if name in measures]
        if shown:
            low = [one.value - one.low for one in shown]
            high = [one.high - one.value for one in shown]
            axis.errorbar(
                [one.value for one in shown], places, xerr=[low, high], fmt="o", capsize=3, label=label
            )
    axis.set_yticks(range(len(names)), [comparison.TITLES.get(name, name) for name in names])
    axis.invert_yaxis()
    axis.set_xlim(-0.02, 1.02)
    axis.grid(axis="x", alpha=0.3)
    axis.legend()
    figure.tight_layout()
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=90)
    plt.close(figure)
    return base64.b64encode(raw.getvalue()).decode()
