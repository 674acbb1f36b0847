"""Golden signals of the fronts: traffic, errors, latency, saturation; and what is degraded."""

from components.shared.metrics.llm import FIRST_TOKEN_SECONDS
from components.shared.metrics.requests import (
    DISCONNECTS,
    FALLBACKS,
    IN_FLIGHT,
    RELEASE_INFO,
    REQUEST_SECONDS,
    REQUESTS,
    STAGE_SECONDS,
)
from components.shared.metrics.traffic import (
    BREAKER,
    LIMITED,
    QUEUE_DEPTH,
    QUEUE_SECONDS,
    RETRIES,
    SHADOWS,
    STANDBY,
)
from tools.observability import slo
from tools.observability.dashboards.parts import (
    Board,
    Panel,
    Query,
    Row,
    average,
    chosen,
    largest,
    line,
    objective,
    per_second,
    quantiles,
    recorded,
    seldom,
    zero,
)
from tools.observability.objectives import AVAILABILITY, LATENCY
from tools.observability.promql import sum_by

TRAFFIC = Row(
    "Traffic",
    [
        Panel(
            "Requests by code",
            "Requests a second to each twin, by HTTP status. 5xx burn the error budget; 429 are callers over "
            "their limits; 499 are callers that left.",
            "reqps",
            [line(per_second, REQUESTS, "code")],
        ),
        Panel(
            "Requests by release",
            "Which release answers, and in which role: after a promotion the new champion takes over.",
            "reqps",
            [line(per_second, REQUESTS, "release", "role")],
        ),
        Panel(
            "Releases that answer",
            "1 for each release that is loaded, with its role and model version.",
            "short",
            [
                Query(
                    largest(RELEASE_INFO, "release", "role", "model_version"),
                    "{{twin}} {{release}} {{role}} model {{model_version}}",
                )
            ],
        ),
        Panel(
            "Releases opened beforehand",
            "What a promotion or a rollback may want next: 0 no longer wanted, 1 not open yet, 2 open, 3 it "
            "could not be opened.",
            "short",
            [Query(f"{largest(STANDBY, 'release')} or {zero()}", "{{twin}} {{release}}")],
        ),
    ],
)

ERRORS = Row(
    "Errors",
    [
        Panel(
            "Failed requests",
            "Share of requests that ended in a 5xx, in 5 minutes and in an hour, and the share that the "
            "objective allows.",
            "percentunit",
            [
                Query(recorded(slo.failed("5m")), "{{twin}} 5m"),
                Query(recorded(slo.failed("1h")), "{{twin}} 1h"),
                Query(f"1 - max({objective(AVAILABILITY)})", "allowed"),
            ],
        ),
        Panel(
            "Slow requests",
            "Share of requests that took longer than the objective (for an LLM twin: until the first token), "
            "and the share that the objective allows.",
            "percentunit",
            [
                Query(recorded(slo.slow("5m")), "{{twin}} 5m"),
                Query(recorded(slo.slow("1h")), "{{twin}} 1h"),
                Query(f"1 - max by (twin_kind) ({objective(LATENCY)})", "allowed {{twin_kind}}"),
            ],
        ),
        Panel(
            "Callers that left",
            "Answers given up because the client had gone. Many of them mean answers that take too long.",
            "reqps",
            [line(seldom, DISCONNECTS)],
        ),
    ],
)

LATENCY_ROW = Row(
    "Latency",
    [
        Panel(
            "Time of a request",
            "From the first byte of a request to the last byte of its answer, by route.",
            "s",
            quantiles(REQUEST_SECONDS, "{{twin}} {{route}}", "route"),
        ),
        Panel(
            "Time to the first token",
            "What a reader of a streamed answer waits for.",
            "s",
            quantiles(FIRST_TOKEN_SECONDS),
        ),
        Panel(
            "Time by stage",
            "Mean time that features, retrieval, prompt and predictor take of an answer: the one that grew "
            "is where to look.",
            "s",
            [line(average, STAGE_SECONDS, "stage")],
        ),
    ],
)

SATURATION = Row(
    "Saturation",
    [
        Panel(
            "Requests in flight",
            "Requests being answered now, by route, over all replicas.",
            "short",
            [Query(sum_by(chosen(IN_FLIGHT), "route"), "{{route}}")],
        ),
        Panel(
            "Queue",
            "Requests that wait for their turn. A queue that does not empty needs replicas.",
            "short",
            [Query(f"{sum_by(chosen(QUEUE_DEPTH), 'twin')} or {zero()}", "{{twin}}")],
        ),
        Panel(
            "Time in the queue",
            "99th percentile of the wait before the work starts.",
            "s",
            [quantiles(QUEUE_SECONDS)[1]],
        ),
        Panel(
            "Refused by limits",
            "Requests refused before work started, by the limit that refused them. `storage` means that "
            "records could not be kept.",
            "reqps",
            [line(seldom, LIMITED, "limit")],
        ),
    ],
)

DEGRADATION = Row(
    "Degradation",
    [
        Panel(
            "Answers by the fallback",
            "Answers a second that the simpler model gave because the champion failed or was too slow.",
            "reqps",
            [line(seldom, FALLBACKS)],
        ),
        Panel(
            "Circuit breaker",
            "0 closed, 1 half open, 2 open: an open release is not asked.",
            "short",
            [
                Query(
                    f"{largest(BREAKER, 'release')} or {zero()}",
                    "{{twin}} {{release}}",
                )
            ],
            limit=1,
        ),
        Panel(
            "Retries",
            "Attempts at a predictor that were repeated.",
            "reqps",
            [line(seldom, RETRIES)],
        ),
        Panel(
            "Shadow",
            "Requests copied to a shadow release: answered, failed, or dropped because it was busy.",
            "reqps",
            [line(seldom, SHADOWS, "shadow")],
        ),
    ],
)

BOARD = Board(
    "golden-signals",
    "Golden signals",
    "Are callers served: how many, how fast, with how many errors, and is there room for more?",
    [TRAFFIC, ERRORS, LATENCY_ROW, SATURATION, DEGRADATION],
)
