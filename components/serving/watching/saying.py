"""Signals of one LLM exchange, as metrics."""

from components.dataflows import signals
from components.serving.exchange import Exchange
from components.shared.interactions import answers_of, question_of
from components.shared.metrics.instruments import Instruments
from components.shared.metrics.llm import (
    CITATION_COVERAGE,
    CONTEXT_TOKENS,
    EMPTY_RETRIEVALS,
    INJECTIONS,
    OUTPUT_TOKEN_SECONDS,
    OUTPUT_TOKENS,
    PERSONAL_DATA,
    QUESTION_CHARACTERS,
    QUESTION_LANGUAGE,
    REFUSALS,
)
from components.shared.metrics.traffic import CACHE


def count(instruments: Instruments, exchange: Exchange, seconds: float) -> None:
    """Count the signals of an answered question.

    Args:
        instruments: Where.
        exchange: Of the kind llm.
        seconds: From the request's first byte to its answer's last.
    """
    twin, question, answers = exchange.twin, question_of(exchange.inputs), answers_of(exchange.output)
    _question(instruments, twin, question)
    if exchange.question_known is not None:
        result = "hit" if exchange.question_known else "miss"
        instruments.add(CACHE, 1, twin, "question_embedding", result)
        instruments.add(EMPTY_RETRIEVALS, 0 if exchange.context else 1, twin)
    if not answers:
        return
    instruments.observe(CONTEXT_TOKENS, exchange.prompt_tokens, twin)
    instruments.observe(OUTPUT_TOKENS, exchange.completion_tokens, twin)
    if exchange.first_token and exchange.completion_tokens > 1:
        each = (seconds - exchange.first_token) / (exchange.completion_tokens - 1)
        instruments.observe(OUTPUT_TOKEN_SECONDS, each, twin)
    for answer in answers:
        _answer(instruments, exchange, answer)


def _question(instruments: Instruments, twin: str, question: str) -> None:
    instruments.observe(QUESTION_CHARACTERS, len(question), twin)
    instruments.add(QUESTION_LANGUAGE, 1, twin, signals.language(question))
    instruments.add(INJECTIONS, signals.injection(question), twin)
    for kind in signals.personal_data(question):
        instruments.add(PERSONAL_DATA, 1, twin, "question", kind)


def _answer(instruments: Instruments, exchange: Exchange, answer: str) -> None:
    instruments.add(REFUSALS, signals.refusal(answer), exchange.twin, exchange.release)
    for kind in signals.personal_data(answer):
        instruments.add(PERSONAL_DATA, 1, exchange.twin, "answer", kind)
    covered = signals.citation_coverage(answer, exchange.passages) if exchange.passages else None
    if covered is not None:
        instruments.observe(CITATION_COVERAGE, covered, exchange.twin)
