"""Letting a model answer in a required form: it is told, checked, and asked once more where it failed."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from components.serving.llm.choices import Collected
from components.serving.llm.forms import Form, FormError, Misfit
from components.serving.llm.predictor import ChatPredictor, Delta, Parameters, Prompt


async def formed(
    predictor: ChatPredictor, prompt: Prompt, parameters: Parameters, form: Form
) -> AsyncGenerator[Delta, None]:
    """Each answer in one piece, once it has its form.

    Before it, a piece without text for each one that the model says: so it is known when the answer begins,
    what it has cost when it is given up, and where the client leaves.

    Args:
        predictor: Answers.
        prompt: A conversation that holds the form's instruction.
        parameters: How to generate.
        form: What the answers have to look like.

    Raises:
        FormError: An answer does not have its form, and neither has the one that was to repair it.
        PredictorError: The model fails.
    """
    first = Collected(parameters.choices)
    async with aclosing(_heard(predictor, prompt, parameters, first)) as counted:
        async for silent in counted:
            yield silent
    read, spent = first.prompt_tokens, first.completion_tokens
    for choice, text in enumerate(first.texts):
        bare = form.read(text)
        if isinstance(bare, Misfit):
            second, again = Collected(1), replace(parameters, choices=1)
            async with aclosing(_heard(predictor, _repair(prompt, text, bare), again, second)) as counted:
                async for silent in counted:
                    yield _above(silent, read, spent)
            read, spent = read + second.prompt_tokens, spent + second.completion_tokens
            bare = form.read(second.texts[0])
        if isinstance(bare, Misfit):
            raise FormError(
                f"the model's answer does not have the form that was asked for, in two tries: {bare.rule}",
                param="response_format",
                remedy="ask for a simpler form, or allow more tokens",
            )
        yield Delta(bare, read, spent, "stop", choice)


async def _heard(
    predictor: ChatPredictor, prompt: Prompt, parameters: Parameters, said: Collected
) -> AsyncGenerator[Delta, None]:
    """What the model says goes into `said`; who waits for it gets the counts."""
    async with aclosing(predictor.stream(prompt, parameters)) as pieces:
        async for delta in pieces:
            said.take(delta)
            yield Delta("", said.prompt_tokens, said.completion_tokens)


def _above(silent: Delta, read: int, spent: int) -> Delta:
    """Counts on top of what the first try has taken."""
    return Delta("", read + silent.prompt_tokens, spent + silent.completion_tokens)


def _repair(prompt: Prompt, text: str, misfit: Misfit) -> Prompt:
    """The conversation, the answer, and what is wrong with it."""
    assert not isinstance(prompt, str)
    wanted = f"That is not what was asked for: {misfit.detail}. Send the corrected JSON and nothing else."
    return [*prompt, {"role": "assistant", "content": text}, {"role": "user", "content": wanted}]
