"""What LLM twins read, find and say."""

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
    RETRIEVAL_SCORE,
    TOKENS,
)
from components.shared.metrics.traffic import CACHE
from tools.observability.dashboards.parts import (
    Board,
    Panel,
    Row,
    average,
    line,
    per_second,
    quantiles,
    seldom,
)

SPEED = Row(
    "Tokens",
    [
        Panel(
            "Tokens a second",
            "Tokens read (prompt) and generated (completion).",
            "short",
            [line(per_second, TOKENS, "kind")],
        ),
        Panel(
            "Time per output token",
            "Time of a token after the first: what a reader sees as the speed of writing.",
            "s",
            quantiles(OUTPUT_TOKEN_SECONDS),
        ),
        Panel(
            "Length of the prompt",
            "Tokens that the model read for an answer: instructions, chunks and conversation. Longer prompts "
            "make a later first token and cost more.",
            "short",
            quantiles(CONTEXT_TOKENS),
        ),
        Panel(
            "Length of an answer",
            "Tokens of an answer. A jump to the limit means answers that do not end.",
            "short",
            quantiles(OUTPUT_TOKENS),
        ),
    ],
)

RETRIEVAL = Row(
    "Retrieval",
    [
        Panel(
            "Score of the best chunk",
            "Mean similarity of the best chunk found. It falls when people ask beyond the corpus.",
            "short",
            [line(average, RETRIEVAL_SCORE)],
        ),
        Panel(
            "Questions without a chunk",
            "Questions a second that were answered without any chunk found.",
            "reqps",
            [line(seldom, EMPTY_RETRIEVALS)],
        ),
        Panel(
            "Supported sentences",
            "Mean share of an answer's sentences that a chunk in its prompt supports.",
            "percentunit",
            [line(average, CITATION_COVERAGE)],
        ),
        Panel(
            "Embeddings from the cache",
            "Look-ups a second of the embedding of a question, found or computed.",
            "reqps",
            [line(seldom, CACHE, "result")],
        ),
    ],
)

QUESTIONS = Row(
    "Questions and answers",
    [
        Panel(
            "Length of a question",
            "Characters of a caller's last message.",
            "short",
            quantiles(QUESTION_CHARACTERS),
        ),
        Panel(
            "Languages",
            "Questions a second by language. A new one may need its own evaluation.",
            "reqps",
            [line(per_second, QUESTION_LANGUAGE, "language")],
        ),
        Panel(
            "Refusals",
            "Answers a second that decline to answer.",
            "reqps",
            [line(seldom, REFUSALS)],
        ),
        Panel(
            "Personal data",
            "Questions and answers a second that hold personal data, by kind.",
            "reqps",
            [line(seldom, PERSONAL_DATA, "text", "data")],
        ),
        Panel(
            "Signs of prompt injection",
            "Questions a second that look like an injection. Counted, never acted upon: harmless questions "
            "look like it as well.",
            "reqps",
            [line(seldom, INJECTIONS)],
        ),
    ],
)

BOARD = Board(
    "llm",
    "LLM",
    "What do people ask, what is found for it, what is answered, and how fast is it written?",
    [SPEED, RETRIEVAL, QUESTIONS],
)
