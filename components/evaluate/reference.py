"""What drift will be measured against, frozen with the evaluation: the data and the cases it was made on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from components.dataflows import drift_reference
from components.dataflows.drift_reference import Reference, Signal
from components.evaluate.questions import Question
from components.runtime.context import Context
from components.shared.config import ClassicTwin
from components.shared.manifests import Manifest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from components.adapters.vectors.contract import Found

FILE = "drift_reference.json"

#: Parts of a dataset that training sees.
PARTS = ("train", "validation")


def classic(dataset: Manifest, twin: ClassicTwin, predictions: "NDArray[np.float64]") -> Reference:
    """Features of the parts that training saw, and predictions on the part it did not see.

    Args:
        dataset: The dataset version.
        twin: Its features and bins.
        predictions: Of the candidate on the test part, shape (cases,).
    """
    import pandas as pd

    names = list(twin.features)
    parts = [pd.read_parquet(dataset.folder / f"{part}.parquet", columns=names) for part in PARTS]
    seen = pd.concat(parts, ignore_index=True)
    signals: list[Signal] = [
        drift_reference.numeric(name, seen[name].to_numpy("float64"), twin.monitor.bins) for name in names
    ]
    signals.append(drift_reference.numeric("prediction", predictions, twin.monitor.bins))
    described = f"{len(seen)} rows of dataset {dataset.version}; predictions on {len(predictions)} newer ones"
    return _made(described, signals)


def llm(
    context: Context,
    vectors: "NDArray[np.float32]",
    asked: Sequence[Question],
    hits: "Sequence[Sequence[Found]]",
    said: Sequence[str],
    index_version: str,
) -> Reference:
    """Questions of the evaluation set, what was found for them, and what was said.

    Args:
        context: Of the stage.
        vectors: Of the questions, shape (questions, dimensions).
        asked: The questions.
        hits: Chunks found for each, best first.
        said: Answers to the first of them.
        index_version: What was searched.
    """
    import numpy as np

    bins = context.llm.monitor.bins
    numbers: dict[str, Any] = {
        "question_characters": [len(one.question) for one in asked],
        "retrieval_score": [found[0].score for found in hits if found],
        "answer_characters": [len(text) for text in said],
    }
    signals: list[Signal] = [drift_reference.embedding("question", vectors)]
    for name, values in numbers.items():
        if values:
            signals.append(drift_reference.numeric(name, np.asarray(values, dtype=float), bins))
    return _made(f"{len(asked)} evaluated questions, index version {index_version}", signals)


def _made(described: str, signals: Sequence[Signal]) -> Reference:
    # The time is that of the release: running an evaluation again makes the same file.
    return Reference(made="", described=described, signals=tuple(signals))
