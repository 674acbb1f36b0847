"""Ways to answer a question, and what each said; nothing is generated twice."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.adapters.foundation import Foundation
from components.evaluate.questions import Question
from components.runtime.context import Context
from components.shared import digest
from components.shared.config.llm import Foundation as Settings
from components.shared.endpoints import endpoint
from components.shared.files import write_atomic
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


def answers(context: Context, models: Models, variant: Variant) -> list[str]:
    """What a variant says to every question."""
    from components.adapters import foundation, openai_endpoint

    settings = context.llm.questions
    place = endpoint(variant.foundation.model)

    def report(done: int, total: int) -> None:
        context.progress.step(f"answers of {variant.name}", done, total)

    def work() -> list[str]:
        if place is not None:
            return openai_endpoint.generate(
                openai_endpoint.OpenAIEndpoint(place, context.llm.remote),
                variant.prompts,
                max_new_tokens=settings.max_new_tokens,
                batch_size=settings.batch_size,
                report=report,
            )
        return foundation.generate(
            models.get(variant.foundation, variant.folder),
            [list(prompt) for prompt in variant.prompts],
            max_new_tokens=settings.max_new_tokens,
            batch_size=settings.batch_size,
            report=report,
        )

    key = [variant.foundation.model, variant.adapter, variant.prompts, settings.max_new_tokens]
    return remembered(context, "answers", key, work)


def closed_book(questions: Sequence[Question]) -> tuple[tuple[Message, ...], ...]:
    """The bare questions."""
    return tuple(({"role": "user", "content": one.question},) for one in questions)
