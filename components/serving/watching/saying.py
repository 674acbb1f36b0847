"""Signals of one LLM exchange, as metrics."""

from typing import Any

from components.dataflows import signals
from components.serving.exchange import Exchange
from components.shared.metrics import (
    CACHE,
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
    Instruments,
)


def question_of(exchange: Exchange) -> str:
    """The caller's last message, or prompt; empty where there was none."""
    inputs = exchange.inputs
    if isinstance(inputs, str):
        return inputs
    last: Any = inputs[-1] if isinstance(inputs, list) and inputs else ""
    return str(last.get("content") or "") if isinstance(last, dict) else str(last)


def answers_of(exchange: Exchange) -> list[str]:
    """The texts of the answer."""
    output = exchange.output
    if not output:
        return []
    return [output] if isinstance(output, str) else [str(one) for one in output if one]


def count(instruments: Instruments, exchange: Exchange, seconds: float) -> None:
    """Count the signals of an answered question.

    Args:
        instruments: Where.
        exchange: Of the kind llm.
        seconds: From the request's first byte to its answer's last.
    """
    twin, question, answers = exchange.twin, question_of(exchange), answers_of(exchange)
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
