"""Metrics of what an LLM twin reads and says, and of what callers think of it."""

from components.shared.metrics.metric import LENGTHS, SCORES, SECONDS, TOKEN_SECONDS, Metric

TOKENS = Metric(
    "twinstack_tokens_total", "counter", ("twin", "release", "kind"), "Tokens read and generated."
)
FIRST_TOKEN_SECONDS = Metric(
    "twinstack_time_to_first_token_seconds",
    "histogram",
    ("twin",),
    "Time from a request to the first token of its answer.",
    SECONDS,
)
OUTPUT_TOKEN_SECONDS = Metric(
    "twinstack_time_per_output_token_seconds",
    "histogram",
    ("twin",),
    "Time of a token of an answer after the first.",
    TOKEN_SECONDS,
)
COST = Metric(
    "twinstack_cost_total", "counter", ("twin", "release"), "Money that answers cost, in the configured unit."
)
CONTEXT_TOKENS = Metric(
    "twinstack_context_tokens",
    "histogram",
    ("twin",),
    "Tokens that the model read for an answer: prompt, chunks and conversation.",
    LENGTHS,
)
OUTPUT_TOKENS = Metric("twinstack_output_tokens", "histogram", ("twin",), "Tokens of an answer.", LENGTHS)
QUESTION_CHARACTERS = Metric(
    "twinstack_question_characters", "histogram", ("twin",), "Characters of a caller's last message.", LENGTHS
)
REFUSALS = Metric(
    "twinstack_refusal_total", "counter", ("twin", "release"), "Answers that decline to answer."
)
RETRIEVAL_SCORE = Metric(
    "twinstack_retrieval_score", "histogram", ("twin",), "Score of the best chunk found.", SCORES
)
EMPTY_RETRIEVALS = Metric(
    "twinstack_empty_retrieval_total", "counter", ("twin",), "Questions answered without any chunk found."
)
QUESTION_LANGUAGE = Metric(
    "twinstack_language_total", "counter", ("twin", "language"), "Questions by language."
)
PERSONAL_DATA = Metric(
    "twinstack_personal_data_total",
    "counter",
    ("twin", "text", "data"),
    "Questions and answers that hold personal data of a kind.",
)
INJECTIONS = Metric(
    "twinstack_injection_signal_total",
    "counter",
    ("twin",),
    "Questions that look like a prompt injection; counted, never acted upon.",
)
CITATION_COVERAGE = Metric(
    "twinstack_citation_coverage",
    "histogram",
    ("twin",),
    "Share of an answer's sentences that a chunk in its prompt supports.",
    SCORES,
)
FEEDBACK = Metric("twinstack_feedback_total", "counter", ("twin", "release", "verdict"), "Feedback received.")
