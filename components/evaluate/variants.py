"""Ways to answer a question, and what each said; nothing is generated twice."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from components.adapters.foundation.model import Foundation
from components.evaluate.questions import Question
from components.runtime.context import Context
from components.shared import digest
from components.shared.config.llm import Foundation as Settings
from components.shared.endpoints import endpoint
from components.shared.files import write_atomic
from components.shared.generation import Answer
from components.shared.manifests import Manifest

FILE = "values.json"

Message = dict[str, str]


@dataclass(frozen=True)
class Variant:
    """One way to answer.

    Attributes:
        name: For people.
        adapter: Digest of the LoRA adapter, empty for the foundation model.
        folder: Folder of the adapter, None for the foundation model.
        prompts: Messages of every question.
        foundation: The base model.
    """

    name: str
    adapter: str
    folder: Path | None
    prompts: tuple[tuple[Message, ...], ...]
    foundation: Settings


class Models:
    """Foundation model with one adapter at a time; loads when something has to be generated."""

    def __init__(self, open_model: Callable[[Settings, Path | None], Foundation]) -> None:
        self._open = open_model
        self._held: tuple[tuple[Settings, Path | None], Foundation] | None = None

    def get(self, settings: Settings, folder: Path | None) -> Foundation:
        """The model with this adapter."""
        if self._held is None or self._held[0] != (settings, folder):
            self._held = None  # the last one is given back before the next is loaded
            self._held = ((settings, folder), self._open(settings, folder))
        return self._held[1]


def remembered(context: Context, what: str, key: Sequence[Any], work: Callable[[], list[Any]]) -> list[Any]:
    """Values that were computed before for the same key, or what `work` computes now."""
    recipe = digest.of_json([what, digest.of_code("evaluate", "dataflows", "adapters", "shared"), *key])
    draft = Manifest(stage=what, twin=context.twin, recipe=recipe, version=recipe, uri="")

    def build(folder: Path) -> Manifest:
        write_atomic(folder / FILE, json.dumps(work(), ensure_ascii=False))
        return draft

    store = context.stores.artifacts
    found = store.find(what, recipe) or store.commit(draft, build)
    values: list[Any] = json.loads((found.folder / FILE).read_text(encoding="utf-8"))
    return values


def answers(context: Context, models: Models, variant: Variant, occasion: str = "") -> list[Answer]:
    """What a variant says to every question.

    Args:
        context: Of the stage.
        models: Open the model where something has to be generated.
        variant: The way to answer.
        occasion: Names the evaluation where its own times are wanted; otherwise earlier answers will do.
    """
    settings = context.llm.questions
    key = [variant.foundation.model, variant.adapter, variant.prompts, settings.max_new_tokens, occasion]
    made = remembered(
        context,
        "answers",
        key,
        lambda: [asdict(one) for one in _generated(context, models, variant, settings.batch_size)],
    )
    return [Answer(**one) for one in made]


def seconds(context: Context, models: Models, variant: Variant, occasion: str) -> list[float]:
    """Time of each answer to the variant's prompts, asked for one after the other, in their order.

    Made for one evaluation, so that candidate and champion are timed on the same machine, right after each
    other. The first prompt is answered once before: a model that has just been loaded is slow.

    Args:
        context: Of the stage.
        models: Open the model.
        variant: The way to answer.
        occasion: Names the evaluation.
    """
    timed = replace(variant, name=f"{variant.name}, one at a time")

    def work() -> list[float]:
        _generated(context, models, replace(timed, prompts=timed.prompts[:1]), 1)
        return [one.seconds for one in _generated(context, models, timed, 1)]

    longest = context.llm.questions.max_new_tokens
    key = [variant.foundation.model, variant.adapter, variant.prompts, longest, occasion]
    return remembered(context, "seconds", key, work)


def _generated(context: Context, models: Models, variant: Variant, batch_size: int) -> list[Answer]:
    from components.adapters import foundation
    from components.adapters.endpoints import openai_batch
    from components.adapters.endpoints.openai import OpenAIEndpoint

    longest = context.llm.questions.max_new_tokens
    place = endpoint(variant.foundation.model)

    def report(done: int, total: int) -> None:
        context.progress.step(f"answers of {variant.name}", done, total)

    if place is not None:
        return openai_batch.generate(
            OpenAIEndpoint(place, context.llm.remote),
            variant.prompts,
            max_new_tokens=longest,
            batch_size=batch_size,
            report=report,
        )
    return foundation.generate(
        models.get(variant.foundation, variant.folder),
        [list(prompt) for prompt in variant.prompts],
        max_new_tokens=longest,
        batch_size=batch_size,
        report=report,
    )


def closed_book(questions: Sequence[Question]) -> tuple[tuple[Message, ...], ...]:
    """The bare questions."""
    return tuple(({"role": "user", "content": one.question},) for one in questions)
