"""Many answers of an OpenAI-compatible endpoint, some on their way together, and what each took."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from components.adapters.endpoints.openai import OpenAIEndpoint
from components.shared.conversation import Message
from components.shared.generation import Answer, Parameters, PredictorError


def generate(
    model: OpenAIEndpoint,
    prompts: Sequence[Sequence[Message]],
    *,
    max_new_tokens: int,
    batch_size: int,
    report: Callable[[int, int], None],
) -> list[Answer]:
    """Answers at temperature 0, in the order of the prompts.

    Args:
        model: Answers.
        prompts: Conversations that wait for an answer.
        max_new_tokens: Longest answer.
        batch_size: Conversations that are on their way together.
        report: Called with answers done and in all.

    Raises:
        PredictorError: The endpoint fails.
    """
    done = 0

    async def one(prompt: Sequence[Message], free: asyncio.Semaphore) -> Answer:
        nonlocal done
        async with free:
            begun = time.perf_counter()
            answer = await _whole(model, prompt, max_new_tokens)
            seconds = time.perf_counter() - begun
        done += 1
        report(done, len(prompts))
        return replace(answer, seconds=seconds)

    async def every() -> list[Answer]:
        free = asyncio.Semaphore(batch_size)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(prompt, free)) for prompt in prompts]
        return [task.result() for task in tasks]

    begun = time.perf_counter()
    try:
        found = asyncio.run(every())
    except* PredictorError as errors:
        raise errors.exceptions[0] from None
    return _shared(found, time.perf_counter() - begun)


async def _whole(model: OpenAIEndpoint, prompt: Sequence[Message], max_new_tokens: int) -> Answer:
    """All pieces of an answer together."""
    text, read, said = "", 0, 0
    async with aclosing(model.stream(prompt, Parameters(max_new_tokens))) as pieces:
        async for delta in pieces:
            text, read, said = text + delta.text, delta.prompt_tokens, delta.completion_tokens
    return Answer(text.strip(), read, said, 0.0)


def _shared(answers: Sequence[Answer], seconds: float) -> list[Answer]:
    """Answers that ran side by side, each with its share of the time that all of them took."""
    total = sum(one.seconds for one in answers)
    factor = min(1.0, seconds / total) if total else 0.0
    return [replace(one, seconds=one.seconds * factor) for one in answers]
