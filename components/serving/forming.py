"""Letting a model answer in a required form: it is told, checked, and asked once more where it failed."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace

from components.serving.choices import Collected
from components.serving.forms import Form, FormError, Misfit
from components.serving.predictor import ChatPredictor, Delta, Parameters, Prompt

Gone = Callable[[], Awaitable[bool]]


async def formed(
    predictor: ChatPredictor, prompt: Prompt, parameters: Parameters, form: Form, gone: Gone
) -> AsyncGenerator[Delta, None]:
    """Each answer in one piece, once it has its form; nothing at all where the client has left.

    Args:
        predictor: Answers.
        prompt: A conversation that holds the form's instruction.
        parameters: How to generate.
        form: What the answers have to look like.
        gone: Whether the client has left.

    Raises:
        FormError: An answer does not have its form, and neither has the one that was to repair it.
        PredictorError: The model fails.
    """
    first = await _said(predictor, prompt, parameters, gone)
    if first is None:
        return
    spent = first.completion_tokens
    read = 0
    for choice, text in enumerate(first.texts):
        bare = form.read(text)
        if isinstance(bare, Misfit):
            again = replace(parameters, choices=1)
            second = await _said(predictor, _repair(prompt, text, bare), again, gone)
            if second is None:
                return
            read, spent = read + second.prompt_tokens, spent + second.completion_tokens
            bare = form.read(second.texts[0])
        if isinstance(bare, Misfit):
            yield Delta("", first.prompt_tokens + read, spent, None, choice)
            raise FormError(
                f"the model's answer does not have the form that was asked for, in two tries: {bare.rule}",
                param="response_format",
                remedy="ask for a simpler form, or allow more tokens",
            )
        yield Delta(bare, first.prompt_tokens + read, spent, "stop", choice)


async def _said(
    predictor: ChatPredictor, prompt: Prompt, parameters: Parameters, gone: Gone
) -> Collected | None:
    """Whole answers, or None where the client has left meanwhile."""
    said = Collected(parameters.choices)
    async with aclosing(predictor.stream(prompt, parameters)) as pieces:
        async for delta in pieces:
            said.take(delta)
            if not said.done and await gone():
                return None
    return said


def _repair(prompt: Prompt, text: str, misfit: Misfit) -> Prompt:
    """The conversation, the answer, and what is wrong with it."""
    assert not isinstance(prompt, str)
    wanted = f"That is not what was asked for: {misfit.detail}. Send the corrected JSON and nothing else."
    return [*prompt, {"role": "assistant", "content": text}, {"role": "user", "content": wanted}]
