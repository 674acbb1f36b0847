"""What one metric is: its type, buckets and the values of its labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]

#: What a scrape of several processes shows of a gauge: the sum or the largest over those that live, or what
#: was set last.
Mode = Literal["livesum", "livemax", "mostrecent"]

#: Who exposes a metric: the server on `/metrics`, a stage through the Pushgateway, or the operations API.
Side = Literal["front", "step", "console"]


#: Seconds, from what a feature look-up takes to what a long answer takes.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

#: Scores lie between 0 and 1 for cosine similarity and for fused ranks.
SCORES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

#: Seconds a token of an answer takes, from a GPU to a small CPU.
TOKEN_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

#: Tokens, or characters, of one text.
LENGTHS = (16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0, 16384.0, 32768.0, 131072.0)

#: ISO 639-1 codes that are told apart.
LANGUAGES = (
    "ar", "bg", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hu", "id", "it", "ja",
    "ko", "nl", "no", "pl", "pt", "ro", "ru", "sv", "th", "tr", "uk", "vi", "zh", "other", "unknown",
)  # fmt: skip

#: Pipelines; on a cluster a whole run is a step too.
PIPELINES = ("collect", "features", "train", "release", "monitor", "end_to_end")

#: What a label says where a request never reached a twin.
NONE = "none"

#: Label to every value it may have. Labels that are not here have the values of the configuration (`twin`),
#: of the releases (`release`, `model_version`) or of HTTP (`code`).
VALUES: Mapping[str, tuple[str, ...]] = {
    "role": ("champion", "canary", "shadow", "fallback", "none"),
    "route": (
        *("chat", "completions", "embeddings", "models", "predict_v1", "infer_v2", "infer_grpc"),
        *("feedback", "health", "metrics", "other"),
    ),
    "stage": ("features", "retrieval", "prompt", "predictor", "fallback"),
    "kind": ("prompt", "completion"),
    "twin_kind": ("classic", "llm"),
    "fate": ("spooled", "stored", "damaged", "refused"),
    "limit": ("key", "rate", "concurrency", "tokens", "size", "queue", "deadline", "storage"),
    "cache": ("question_embedding",),
    "result": ("hit", "miss"),
    "shadow": ("answered", "failed", "dropped"),
    "language": LANGUAGES,
    "text": ("question", "answer"),
    "data": ("email", "phone", "iban", "card", "ip_address"),
    "verdict": ("positive", "neutral", "negative"),
    "method": ("psi", "js", "ks", "mmd"),
    "measure": ("roc_auc", "calibration_error", "accuracy"),
    "bound": ("estimate", "lower", "upper"),
    "subject": ("release", "retraining"),
    "state": ("succeeded", "failed", "interrupted"),
    "pipeline": PIPELINES,
    "step": (
        "collect", "validate", "materialize", "embed", "snapshot", "instruct", "train", "finetune",
        "evaluate", "gate", "release", "monitor", *(f"pipeline-{name}" for name in PIPELINES),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Metric:
    """One metric: what Prometheus needs to know of it.

    Attributes:
        name: As it is exposed; a counter ends in `_total`.
        kind: Its type.
        labels: Names of its labels.
        help: One sentence.
        buckets: Upper bounds of a histogram.
        mode: What a scrape of several processes shows of a gauge.
        side: Who exposes it.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()
    mode: Mode = "livesum"
    side: Side = "front"
