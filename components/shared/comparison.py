"""An evaluation as a table for people: the same rows in a report and on the command line."""

from components.shared.evaluation import Evaluation

TITLES = {
    "roc_auc": "ROC AUC",
    "pr_auc": "PR AUC",
    "brier": "Brier score",
    "calibration_error": "Calibration error",
    "recall_at_5": "Recall at 5",
    "ndcg_at_10": "nDCG at 10",
    "mrr": "Mean reciprocal rank",
    "answer_f1": "Answer F1",
    "answer_f1_tuned": "Answer F1 without retrieval",
    "held_out_loss": "Held-out loss",
    "citation_coverage": "Citation coverage",
    "refusals": "Refusals",
    "personal_data": "Answers with personal data",
    "cost_per_1000": "Cost of 1,000 requests",
    "champion": "Cost of the champion",
    "latency": "Latency",
    "latency_p50": "Latency, median",
    "latency_p95": "Latency, 95th percentile",
}


def rows(found: Evaluation) -> list[list[str]]:
    """A heading and one row a metric: title, name in gate rules, and the numbers of every side."""
    heading = ["Metric", "In rules", "Candidate", found.baseline_name.capitalize()]
    if found.champion:
        heading += ["Champion", "Candidate less champion"]
    return [heading, *(_row(found, name) for name in found.names)]


def _row(found: Evaluation, name: str) -> list[str]:
    measure = found.candidate.get(name) or found.champion.get(name)
    arrow = "" if measure is None else {"higher": " ↑", "lower": " ↓"}[measure.better]
    own = "not measured" if name in found.unmeasured else found.shown(name, found.candidate.get(name))
    row = [TITLES.get(name, name) + arrow, name, own, found.shown(name, found.baseline.get(name))]
    if found.champion:
        row += [
            found.shown(name, found.champion.get(name)),
            found.shown(name, found.paired.get(name)),
        ]
    return row


def remarks(found: Evaluation) -> list[str]:
    """What the table does not say: how a metric was measured, or why it was not."""
    lines = [f"{TITLES.get(name, name)}: {text}." for name, text in found.notes.items()]
    return lines + [
        f"{TITLES.get(name, name)} is not measured: {reason}." for name, reason in found.unmeasured.items()
    ]
