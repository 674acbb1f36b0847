"""The local predictor with the real model: what it writes is what transformers alone would write."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from components.adapters import foundation
from components.adapters.foundation.model import Foundation
from components.serving.llm import local
from components.serving.llm.local import LocalPredictor
from components.serving.llm.sampling import SeededChoice, seed_at
from components.shared import conversation
from components.shared.config.llm import Foundation as Settings
from components.shared.generation import Parameters, PredictorError
from tests.components import llm_fixtures

QUESTIONS = ("What is the capital of France?", "Name a colour.", "Write one line about the sea, a calm one.")

#: A prompt over several blocks of the cache, and more than one pass.
LONG = "Sum this up: " + " ".join(f"Room {one} is {'green' if one % 3 else 'red'}." for one in range(130))

#: Difference of two logits near 20 that bfloat16 arithmetic can turn around.
TIE = 0.5


@pytest.fixture(scope="module")
def adapter(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that changes answers, but not so much that nothing but noise is left."""
    folder = tmp_path_factory.mktemp("adapter")
    llm_fixtures.adapted(weights, folder, 0.02)
    return folder


@pytest.fixture(scope="module", params=["plain", "adapted"])
def sides(
    request: pytest.FixtureRequest, weights: Path, adapter: Path
) -> Iterator[tuple[LocalPredictor, Foundation]]:
    """The predictor, and the same weights in transformers' own layers."""
    chosen = adapter if request.param == "adapted" else None
    plain = foundation.base(Settings(), weights, dtype="bfloat16")
    if chosen:
        plain = Foundation(foundation.merged(plain.model, chosen), plain.tokenizer)
    served = foundation.load(Settings(), weights, adapter=chosen, streams=True)
    predictor = LocalPredictor(lambda: (served.model, served.tokenizer))
    predictor.start()
    yield predictor, plain
    predictor.stop()


def said(predictor: LocalPredictor, questions: tuple[str, ...], **more: Any) -> list[str]:
    """Answers to questions that are asked at once."""

    async def one(question: str) -> str:
        prompt = [{"role": "user", "content": question}]
        parameters = Parameters(max_tokens=16, **{"temperature": 0.0, **more})
        return "".join([piece.text async for piece in predictor.stream(prompt, parameters)])

    async def every() -> list[str]:
        return list(await asyncio.gather(*map(one, questions)))

    return asyncio.run(every())


def behind(plain: Foundation, question: str, answer: str) -> list[float]:
    """By how much each token of an answer is less likely, in logits, than the likeliest one."""
    answered = list(plain.tokenizer(answer, add_special_tokens=False)["input_ids"])
    return short_of_best(logits(plain, question, answered), answered)


def behind_noise(plain: Foundation, question: str, answered: list[int], seed: int) -> list[float]:
    """By how much each token of an answer is below the largest sum of a logit and the noise of a seed."""
    seeds = [seed_at(seed, position) for position in range(len(answered))]
    noisy = SeededChoice()(logits(plain, question, answered), torch.tensor(seeds, dtype=torch.int32))
    return short_of_best(noisy, answered)


def logits(plain: Foundation, question: str, answered: list[int]) -> torch.Tensor:
    """What the plain model says at each token of an answer, shape (tokens, vocabulary)."""
    ids = conversation.tokens(plain.tokenizer, [{"role": "user", "content": question}], prompt=True)
    with torch.inference_mode():
        found: torch.Tensor = plain.model(input_ids=torch.tensor([ids + answered])).logits
    return found[0, len(ids) - 1 : -1].float()


def short_of_best(scores: torch.Tensor, answered: list[int]) -> list[float]:
    less: list[float] = (scores.max(-1).values - scores[range(len(answered)), answered]).tolist()
    return less


def drawn(predictor: LocalPredictor, questions: tuple[str, ...]) -> list[int]:
    """Tokens of the answer to the first of some questions that are asked at once, drawn with seed 7."""
    decoders: list[Any] = []

    class Watched(local.Decoder):
        def __init__(self, decode: Callable[[list[int]], str], stop: tuple[str, ...]) -> None:
            super().__init__(decode, stop)
            self.tokens: list[int] = []
            decoders.append(self)

        def feed(self, tokens: list[int], *, last: bool) -> str:
            self.tokens = list(tokens)
            return super().feed(tokens, last=last)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local, "Decoder", Watched)
        said(predictor, questions, temperature=1.0, seed=7)
    assert len(decoders) == len(questions)
    return list(decoders[0].tokens)


@pytest.mark.parametrize("questions", [(one,) for one in (*QUESTIONS, LONG)] + [(*QUESTIONS * 2, LONG)])
def test_every_token_is_the_likeliest_to_the_plain_model(
    sides: tuple[LocalPredictor, Foundation], questions: tuple[str, ...]
) -> None:
    predictor, plain = sides
    for question, answer in zip(questions, said(predictor, questions), strict=True):
        gaps = behind(plain, question, answer)
        assert len(gaps) > 2
        assert max(gaps) <= TIE
        assert sum(one == 0 for one in gaps) >= 0.8 * len(gaps)


def test_the_comparison_can_fail(sides: tuple[LocalPredictor, Foundation]) -> None:
    assert max(behind(sides[1], QUESTIONS[0], "Perhaps the moon, and its cheese.")) > TIE


def test_a_seed_repeats_an_answer(sides: tuple[LocalPredictor, Foundation]) -> None:
    predictor, _ = sides
    alone = said(predictor, QUESTIONS[:1], temperature=1.0, seed=7)
    assert alone == said(predictor, QUESTIONS[:1], temperature=1.0, seed=7)
    assert alone != said(predictor, QUESTIONS[:1], temperature=1.0, seed=8)


@pytest.mark.parametrize("questions", [QUESTIONS[:1], QUESTIONS, QUESTIONS * 3])
def test_a_token_is_drawn_by_its_own_seed_whoever_shares_the_pass(
    sides: tuple[LocalPredictor, Foundation], questions: tuple[str, ...]
) -> None:
    # Not equal: how many rows share a pass chooses its kernel, and kernels differ in the last digits.
    predictor, plain = sides
    answered = drawn(predictor, questions)
    assert len(answered) > 2
    assert max(behind_noise(plain, QUESTIONS[0], answered, 7)) <= TIE
    assert max(behind_noise(plain, QUESTIONS[0], answered, 8)) > TIE


def test_a_predictor_that_was_stopped_starts_again(sides: tuple[LocalPredictor, Foundation]) -> None:
    predictor, _ = sides
    before = said(predictor, QUESTIONS[:1])
    predictor.stop()
    with pytest.raises(PredictorError, match="not running"):
        said(predictor, QUESTIONS[:1])
    predictor.start()
    assert said(predictor, QUESTIONS[:1]) == before
