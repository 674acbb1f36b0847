"""Every alert in situations where it must fire and in others where it must not."""

from tests.observability.promtool import Case, Fired

CHAMPION = (
    'twinstack_release_info{twin="credit",twin_kind="classic",release="r1",role="champion",model_version="1"}'
)

#: What the chart records for a twin whose front Knative takes away while nobody asks.
MAY_SLEEP = 'twinstack:objective_presence:bool{twin="credit"}'


def requests(code: str, values: str, route: str = "predict_v1") -> dict[str, str]:
    """Counter of a twin's requests with one status code."""
    labels = f'twin="credit",release="r1",role="champion",route="{route}",code="{code}"'
    return {f"twinstack_request_total{{{labels}}}": values}


def answered(fast: str, total: str) -> dict[str, str]:
    """Histogram of a classic twin's seconds: those within the objective, and all; and the same requests."""
    labels = 'twin="credit",role="champion",route="predict_v1"'
    name = "twinstack_request_seconds"
    return {
        **requests("200", total),
        f'{name}_bucket{{{labels},le="0.1"}}': "0x6000",
        f'{name}_bucket{{{labels},le="0.25"}}': fast,
        f'{name}_bucket{{{labels},le="+Inf"}}': total,
        f"{name}_count{{{labels}}}": total,
    }


def first_tokens(fast: str, total: str) -> dict[str, str]:
    """Histogram of an LLM twin's time to the first token, and the same requests."""
    name = "twinstack_time_to_first_token_seconds"
    labels = 'twin="credit"'
    return {
        **requests("200", total, "chat"),
        f'{name}_bucket{{{labels},le="5.0"}}': fast,
        f'{name}_bucket{{{labels},le="+Inf"}}': total,
        f"{name}_count{{{labels}}}": total,
    }


AVAILABILITY = [
    Case(
        "TwinstackAvailabilityBurn",
        "in every window when a fifth of the requests has failed for an hour",
        {**requests("200", "0+80x70"), **requests("500", "0+20x70")},
        65,
        tuple(Fired(value="20%", since=1, window=window) for window in ("1h", "6h", "3d")),
    ),
    Case(
        "TwinstackAvailabilityBurn",
        "not by the fast window when 4 % have failed for six hours, but by both slower ones",
        {**requests("200", "0+96x400"), **requests("503", "0+4x400")},
        370,
        tuple(Fired(value="4%", since=1, window=window) for window in ("6h", "3d")),
    ),
    Case(
        "TwinstackAvailabilityBurn",
        "only by the slowest window when 1 % have failed for three days",
        {**requests("200", "0+396x1110"), **requests("500", "0+4x1110")},
        4400,
        (Fired(value="1%", since=4, window="3d"),),
        step=4,
    ),
    Case(
        "TwinstackAvailabilityBurn",
        "when 0.4 % fail, which the objective allows",
        {**requests("200", "0+996x400"), **requests("500", "0+4x400")},
        370,
    ),
    Case(
        "TwinstackAvailabilityBurn",
        "only by the slowest window forty minutes after the errors ended",
        {**requests("200", "0+80x500"), **requests("500", "0+20x120 2400x380")},
        160,
        (Fired(value="15.79%", since=1, window="3d"),),
    ),
    Case(
        "TwinstackAvailabilityBurn",
        "when callers are at fault, ask too fast, or leave",
        {
            **requests("200", "0+50x70"),
            **requests("400", "0+20x70"),
            **requests("429", "0+20x70"),
            **requests("499", "0+10x70"),
        },
        65,
    ),
    Case(
        "TwinstackAvailabilityBurn",
        "when one of three requests failed, which is no outage",
        {**requests("200", "0 1 2x70"), **requests("500", "0 1x70")},
        65,
    ),
]

LATENCY = [
    Case(
        "TwinstackLatencyBurn",
        "in every window when half of the predictions take longer than the objective",
        answered("0+50x70", "0+100x70"),
        65,
        tuple(
            Fired({"twin": "credit", "twin_kind": "classic"}, "50%", 1, window)
            for window in ("1h", "6h", "3d")
        ),
    ),
    Case(
        "TwinstackLatencyBurn",
        "in every window when four of five first tokens are late",
        first_tokens("0+20x70", "0+100x70"),
        65,
        tuple(
            Fired({"twin": "credit", "twin_kind": "llm"}, "80%", 1, window) for window in ("1h", "6h", "3d")
        ),
    ),
    Case(
        "TwinstackLatencyBurn",
        "when 0.5 % of the predictions are late, which the objective allows",
        answered("0+995x70", "0+1000x70"),
        65,
    ),
]

TRAFFIC = [
    Case(
        "TwinstackFrontDown",
        "when a twin that was served has not been scraped for ten minutes",
        {CHAMPION: "1x10 stale"},
        20,
        (Fired(since=11),),
    ),
    Case(
        "TwinstackFrontDown",
        "when a twin that may sleep went while it was asked",
        {MAY_SLEEP: "0x90", CHAMPION: "1x10 stale", **requests("200", "0+5x10 stale")},
        60,
        (Fired(since=11),),
    ),
    Case(
        "TwinstackFrontDown",
        "when a twin that may sleep went with the first request since it woke",
        {MAY_SLEEP: "0x90", CHAMPION: "_x8 1x2 stale", **requests("200", "_x9 1x1 stale")},
        20,
        (Fired(since=11),),
    ),
    Case(
        "TwinstackFrontDown",
        "when a twin that may sleep was idle before it went",
        {MAY_SLEEP: "0x90", CHAMPION: "1x10 stale", **requests("200", "0+5x7 35x3 stale")},
        60,
    ),
    Case(
        "TwinstackFrontDown",
        "when a twin that may sleep woke, was asked nothing, and sleeps again, an hour after work",
        {
            MAY_SLEEP: "0x90",
            CHAMPION: "1x10 stale _x20 1x10 stale",
            **requests("200", "0+5x7 35x3 stale"),
        },
        60,
    ),
    Case(
        "TwinstackFrontDown",
        "when an idle twin that may not sleep has gone",
        {MAY_SLEEP: "1x90", CHAMPION: "1x10 stale", **requests("200", "0+5x7 35x3 stale")},
        20,
        (Fired(since=11),),
    ),
    Case("TwinstackFrontDown", "while a twin is scraped", {CHAMPION: "1x30"}, 20),
    Case("TwinstackFrontDown", "during a restart of three minutes", {CHAMPION: "1x10 stale _x2 1x10"}, 16),
    Case(
        "TwinstackNoTraffic",
        "when a twin is served and nobody asks",
        {CHAMPION: "1x90", **requests("200", "5x90")},
        60,
        (Fired(since=0),),
    ),
    Case(
        "TwinstackNoTraffic",
        "when one request came in the last half hour",
        {CHAMPION: "1x90", **requests("200", "5x40 6x50")},
        60,
    ),
    Case("TwinstackNoTraffic", "for a twin that is not served", requests("200", "5x90"), 60),
    Case(
        "TwinstackFallbackInUse",
        "when a tenth of the answers comes from the fallback",
        {**requests("200", "0+100x30"), 'twinstack_fallback_total{twin="credit",release="r1"}': "0+10x30"},
        20,
        (Fired(value="10%", since=1),),
    ),
    Case(
        "TwinstackFallbackInUse",
        "when one answer in a hundred comes from the fallback",
        {**requests("200", "0+100x30"), 'twinstack_fallback_total{twin="credit",release="r1"}': "0+1x30"},
        20,
    ),
]

BREAKER = 'twinstack_breaker_state{twin="credit",release="r1"}'
FAILED = 'twinstack_release_failed{twin="credit",release="r1"}'
REFUSED = 'twinstack_limited_total{{twin="credit",limit="{}"}}'
BUDGET = 'twinstack_token_budget_spent_ratio{key="team-a"}'
BUDGET_REFUSED = 'twinstack_token_budget_refused_total{key="team-a"}'

DEGRADED = [
    Case(
        "TwinstackBreakerOpen",
        "when the circuit stays open",
        {BREAKER: "0x5 2x20"},
        10,
        (Fired({"twin": "credit", "release": "r1"}, since=6),),
    ),
    Case(
        "TwinstackBreakerOpen", "when the circuit opens for a minute and probes", {BREAKER: "0x5 2 1 0x9"}, 10
    ),
    Case(
        "TwinstackReleaseFailed",
        "when a front cannot open a release",
        {FAILED: "0x5 1x20"},
        10,
        (Fired({"twin": "credit", "release": "r1"}, since=6),),
    ),
    Case("TwinstackReleaseFailed", "when the second try opens it", {FAILED: "0x5 1 0x9"}, 10),
    Case(
        "TwinstackQueueFull",
        "when one request in ten finds the queue full",
        {**requests("200", "0+90x30"), **requests("503", "0+10x30"), REFUSED.format("queue"): "0+10x30"},
        20,
        (Fired(value="10%", since=1),),
    ),
    Case(
        "TwinstackQueueFull",
        "when keys are refused for their rate",
        {**requests("200", "0+90x30"), **requests("429", "0+10x30"), REFUSED.format("rate"): "0+10x30"},
        20,
    ),
    Case(
        "TwinstackStorageFull",
        "when requests are refused because they cannot be kept",
        {REFUSED.format("storage"): "0x5 3x20"},
        9,
        (Fired(since=6),),
    ),
    Case("TwinstackStorageFull", "a quarter of an hour later", {REFUSED.format("storage"): "0x5 3x30"}, 22),
    Case(
        "TwinstackInteractionsNotShipped",
        "when the oldest interaction waits for more than a quarter of an hour",
        {"twinstack_spool_lag_seconds": "0+60x30"},
        21,
        (Fired({}, value="21m 0s", since=16),),
    ),
    Case(
        "TwinstackInteractionsNotShipped",
        "during an outage of ten minutes",
        {"twinstack_spool_lag_seconds": "0+60x10 0x20"},
        20,
    ),
    Case(
        "TwinstackRecordDamaged",
        "when a checksum in the spool is wrong",
        {
            'twinstack_record_total{fate="damaged"}': "0x5 1x30",
            'twinstack_record_total{fate="stored"}': "0+9x30",
        },
        10,
        (Fired({"fate": "damaged"}, since=6),),
    ),
    Case(
        "TwinstackRecordDamaged",
        "while records are spooled and stored",
        {f'twinstack_record_total{{fate="{fate}"}}': "0+9x30" for fate in ("spooled", "stored")},
        10,
    ),
    Case(
        "TwinstackTokenBudgetSpent",
        "when a key has spent most of its budget",
        {BUDGET: "0.5x8 0.95x20"},
        12,
        (Fired({"key": "team-a"}, value="95%", since=9),),
    ),
    Case("TwinstackTokenBudgetSpent", "when half of the budget is left", {BUDGET: "0.5x30"}, 10),
    Case(
        "TwinstackTokenBudgetSpent",
        "when a request may need more than the half that is left",
        {BUDGET: "0.5x30", BUDGET_REFUSED: "_x5 1x25"},
        10,
        (Fired({"key": "team-a"}, value="50%", since=5),),
    ),
    Case(
        "TwinstackTokenBudgetSpent",
        "when a new day has begun since the last refusal",
        {BUDGET: "0.95x20 0x60", BUDGET_REFUSED: "1x80"},
        25,
    ),
    Case(
        "TwinstackTokenBudgetSpent",
        "when the last refusal is more than an hour ago",
        {BUDGET: "0.5x100", BUDGET_REFUSED: "0x5 1x95"},
        90,
    ),
]


def windows(statistic: str, closed: str) -> dict[str, str]:
    """Drift of one feature: distances and the times at which windows closed. The threshold is 0.1."""
    labels = '{twin="credit",feature="age",method="psi"}'
    return {
        f"twinstack_drift_statistic{labels}": statistic,
        f"twinstack_drift_threshold{labels}": "0.1x400",
        'twinstack_drift_window_timestamp_seconds{twin="credit"}': closed,
    }


AGE = Fired({"twin": "credit", "feature": "age"}, value="3.0", since=90)

DRIFT = [
    Case(
        "TwinstackDrift",
        "when windows that close every half hour have exceeded for an hour",
        windows("0x29 0.3x200", "0x29 1800x29 3600x29 5400x29 7200x60"),
        95,
        (AGE,),
    ),
    Case(
        "TwinstackDrift",
        "on, after traffic has stopped and no window closes any more",
        windows("0x29 0.3x300", "0x29 1800x29 3600x29 5400x29 7200x300"),
        300,
        (AGE,),
    ),
    Case(
        "TwinstackDrift",
        "when one window of half an hour exceeded by chance",
        windows("0x29 0.3x29 0.05x200", "0x29 1800x29 3600x29 5400x29 7200x60"),
        45,
    ),
    Case(
        "TwinstackDrift",
        "when a single window exceeded and no other has closed for hours",
        windows("0x29 0.3x300", "0x29 1800x300"),
        200,
    ),
    Case(
        "TwinstackDrift",
        "once a window does not exceed any more",
        windows("0x29 0.3x89 0.05x200", "0x29 1800x29 3600x29 5400x29 7200x60"),
        125,
    ),
]

HOUR = 3600


def succeeded(step: str, values: str) -> dict[str, str]:
    """Last success of a stage, as the Pushgateway shows it."""
    name = "twinstack_step_last_success_timestamp_seconds"
    return {f'{name}{{twin="credit",step="{step}",job="twinstack"}}': values}


FAILED = 'twinstack_step_last_failure_timestamp_seconds{twin="credit",step="train",job="twinstack"}'
STEP = Fired({"twin": "credit", "step": "train"}, since=5)

DATA = [
    Case(
        "TwinstackDataStale",
        "when sources were collected 27 hours ago",
        succeeded("collect", "0x500"),
        27 * 60,
        (Fired(value="1d 3h 0m 0s", since=26 * 60 + 4),),
        step=4,
    ),
    Case(
        "TwinstackDataStale",
        "while they are collected daily",
        succeeded("collect", f"{2 * HOUR}x500"),
        27 * 60,
        step=4,
    ),
    Case("TwinstackDataStale", "when another stage is old", succeeded("train", "0x500"), 27 * 60, step=4),
    Case(
        "TwinstackMonitorStale",
        "when the monitor stage ended well 27 hours ago",
        succeeded("monitor", "0x500"),
        27 * 60,
        (Fired(value="1d 3h 0m 0s", since=26 * 60 + 4),),
        step=4,
    ),
    Case(
        "TwinstackMonitorStale",
        "when a front answers and closes no window",
        {
            **requests("200", "0+100x500"),
            'twinstack_drift_window_timestamp_seconds{twin="credit"}': "0x500",
            'twinstack_drift_window_rows{twin="credit"}': "500x500",
        },
        27 * 60,
        (Fired(value="1d 3h 0m 0s", since=26 * 60 + 4),),
        step=4,
    ),
    Case(
        "TwinstackMonitorStale",
        "when too few have asked to fill a window",
        {
            **requests("200", "0+1x500"),
            'twinstack_drift_window_timestamp_seconds{twin="credit"}': "0x500",
            'twinstack_drift_window_rows{twin="credit"}': "500x500",
        },
        27 * 60,
        step=4,
    ),
    Case(
        "TwinstackStepFailed",
        "when a stage failed after its last success",
        {FAILED: "_x5 360x20", **succeeded("train", "60x30")},
        10,
        (STEP,),
    ),
    Case("TwinstackStepFailed", "when a stage has only ever failed", {FAILED: "_x5 360x20"}, 10, (STEP,)),
    Case(
        "TwinstackStepFailed",
        "when it ended well in the next run",
        {FAILED: "_x5 360x20", **succeeded("train", "60x7 480x20")},
        10,
    ),
]

CASES = [*AVAILABILITY, *LATENCY, *TRAFFIC, *DEGRADED, *DRIFT, *DATA]
