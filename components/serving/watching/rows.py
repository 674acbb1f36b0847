"""Exchanges as rows of a window: the signals that were frozen when the release was evaluated."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from components.dataflows.drift_reference import Reference
from components.serving.exchange import Exchange
from components.shared.interactions import answers_of, question_of

#: Rows of one request that are watched; of a larger batch as many, evenly spread.
PER_REQUEST = 256


def classic(exchanges: Sequence[Exchange], features: Sequence[str]) -> tuple[int, dict[str, Any]]:
    """Features and predictions of answered requests.

    Args:
        exchanges: Of one release.
        features: Names of the model's columns, in their order.

    Returns:
        How many rows, and signal to values of shape (rows,).
    """
    matrices, chances = [], []
    for one in exchanges:
        step = -(-len(one.features) // PER_REQUEST)
        matrices.append(one.features[::step])
        if one.answered == "model":
            chances += [row["probability"] for row in one.output[::step]]
    matrix = np.concatenate(matrices)
    values: dict[str, Any] = {name: matrix[:, place] for place, name in enumerate(features)}
    return len(matrix), {**values, "prediction": np.asarray(chances)}


def llm(exchanges: Sequence[Exchange]) -> tuple[int, dict[str, Any]]:
    """Questions and answers of answered requests: one row each."""
    embedded = [one.question_embedding for one in exchanges if one.question_embedding is not None]
    found = [one.scores[0] for one in exchanges if one.scores]
    lengths = [len(text) for one in exchanges for text in answers_of(one.output)]
    return len(exchanges), {
        "question": np.asarray(embedded),
        "question_characters": np.asarray([len(question_of(one.inputs)) for one in exchanges], dtype=float),
        "retrieval_score": np.asarray(found, dtype=float),
        "answer_characters": np.asarray(lengths, dtype=float),
    }


def columns(reference: Reference) -> list[str]:
    """Names of a classic twin's features in the order of the model, from its reference."""
    return [one.name for one in reference.signals if one.name != "prediction"]
