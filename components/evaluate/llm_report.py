"""The evaluation of an LLM twin as a page and as Markdown."""

import base64
import html as escape
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from components.evaluate.questions import Question
from components.shared.evaluation import Evaluation, Measure

if TYPE_CHECKING:
    from components.adapters.vectors import Found
    from components.evaluate.measuring import Values

STYLE = (
    "body{font:15px sans-serif;margin:2em;max-width:75em}td,th{padding:.3em .8em;text-align:left;"
    "vertical-align:top;border-bottom:1px solid #ddd;overflow-wrap:anywhere}.miss{color:#b00}"
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
    lines = [
        f"# Evaluation of {found.twin}",
        "",
        f"{found.cases} questions; {found.level:.0%} bootstrap intervals. Trained on {trained_on}.",
        "",
        f"| metric | candidate | {found.baseline_name} | champion {found.champion_release} |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {_shown(one)} | {_shown(found.baseline.get(name))} "
        f"| {_shown(found.champion.get(name))} |"
        for name, one in found.candidate.items()
    ]
    return "\n".join([*lines, ""])


def html(found: Evaluation, trained_on: str, answered: Sequence[dict[str, Any]]) -> str:
    """Numbers, a plot of them, and every answer beside its reference."""
    metrics = "".join(
        f"<tr><td>{name}<td>{_shown(one)}<td>{_shown(found.baseline.get(name))}"
        f"<td>{_shown(found.champion.get(name))}</tr>"
        for name, one in found.candidate.items()
    )
    answers = "".join(
        f"<tr><td>{_text(row['question'])}<td>{_text(row['reference'])}<td>{_text(row['answer'])}"
        f"<td>{_text(row['foundation'])}<td>{row['f1']:.2f}"
        f"<td{'' if row['document'] in row['retrieved'] else ' class=miss'}>{_text(row['document'])}</tr>"
        for row in answered
    )
    return (
        f"<!doctype html><meta charset='utf-8'><title>Evaluation of {_text(found.twin)}</title>"
        f"<style>{STYLE}</style><h1>Evaluation of {_text(found.twin)}</h1>"
        f"<p>{found.cases} questions; {found.level:.0%} bootstrap intervals. "
        f"Trained on {_text(trained_on)}.</p>"
        f"<img alt='metrics with intervals' src='data:image/png;base64,{_plot(found)}'>"
        f"<table><tr><th>metric<th>candidate<th>{_text(found.baseline_name)}"
        f"<th>champion {_text(found.champion_release)}</tr>{metrics}</table>"
        "<h2>Answers, worst first</h2><p>A document in red was not retrieved.</p>"
        "<table><tr><th>question<th>reference<th>candidate with retrieval<th>foundation model alone<th>F1"
        f"<th>document</tr>{answers}</table>"
    )


def _shown(one: Measure | None) -> str:
    return f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]" if one else "–"


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
    # Losses have another unit and would press the scores into a corner.
    names = [name for name, one in found.candidate.items() if one.better == "higher"]
    for shift, (label, measures) in zip((0.2, 0.0, -0.2), sides, strict=True):
        places = [place + shift for place, name in enumerate(names) if name in measures]
        shown = [measures[name] for name in names if name in measures]
        if shown:
            low = [one.value - one.low for one in shown]
            high = [one.high - one.value for one in shown]
            axis.errorbar(
                [one.value for one in shown], places, xerr=[low, high], fmt="o", capsize=3, label=label
            )
    axis.set_yticks(range(len(names)), names)
    axis.grid(axis="x", alpha=0.3)
    axis.legend()
    figure.tight_layout()
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=90)
    plt.close(figure)
    return base64.b64encode(raw.getvalue()).decode()
