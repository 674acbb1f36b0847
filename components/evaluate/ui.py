"""What the KFP UI shows of an evaluation: metrics, ROC, confusion matrix, HTML and Markdown reports."""

import json
import shutil
from typing import Any

from components.runtime.entry import PathArtifact
from components.shared.evaluation import FILE, Evaluation
from components.shared.manifests import Manifest

#: Points of a ROC curve that the UI gets; a curve of 1e6 rows would not be drawn.
POINTS = 200


def show(made: Manifest, metrics: Any, curves: Any, report: PathArtifact, summary: PathArtifact) -> None:
    """Fill the typed KFP artifacts from the folder of the stage.

    Args:
        made: Output of stage evaluate.
        metrics: `dsl.Metrics`.
        curves: `dsl.ClassificationMetrics`; stays empty for an LLM twin.
        report: `dsl.HTML`.
        summary: `dsl.Markdown`.
    """
    numbers = Evaluation.model_validate_json((made.folder / FILE).read_bytes())
    for name, measure in numbers.candidate.items():
        metrics.log_metric(name, measure.value)
        metrics.log_metric(f"{name}_low", measure.low)
        metrics.log_metric(f"{name}_high", measure.high)
    for name, apart in numbers.paired.items():
        metrics.log_metric(f"{name}_less_champion", apart.value)
    shutil.copyfile(made.folder / "report.html", report.path)
    shutil.copyfile(made.folder / "report.md", summary.path)
    if (made.folder / "roc.json").exists():
        roc = json.loads((made.folder / "roc.json").read_text(encoding="utf-8"))
        step = max(1, len(roc["fpr"]) // POINTS)
        curves.log_roc_curve(roc["fpr"][::step], roc["tpr"][::step], roc["thresholds"][::step])
    if (made.folder / "confusion.json").exists():
        confusion = json.loads((made.folder / "confusion.json").read_text(encoding="utf-8"))
        curves.log_confusion_matrix(confusion["categories"], confusion["matrix"])
