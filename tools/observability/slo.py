"""Error budgets of availability and latency: recorded ratios, and alerts on how fast they burn."""

from components.shared.metrics.llm import FIRST_TOKEN_SECONDS
from components.shared.metrics.metric import VALUES
from components.shared.metrics.requests import REQUEST_SECONDS, REQUESTS
from tools.observability.objectives import AVAILABILITY, BURNS, LATENCY, LEAST_REQUESTS, Burn
from tools.observability.promql import Clock, on, rate, select, series, sum_by
from tools.observability.rules import Alert, Group, Record

#: Routes on which a classic twin answers.
CLASSIC_ROUTES = ("predict_v1", "infer_v2")

#: Routes that promise nothing: they ask no twin.
ASIDE = ("models", "health", "metrics", "other")

#: Routes on which any twin answers, as a pattern.
ANSWERING = "|".join(route for route in VALUES["route"] if route not in ASIDE)

WINDOWS = sorted({window for burn in BURNS for window in (burn.long, burn.short)}, key=Clock().seconds)


def failed(window: str) -> str:
    """Name of the recorded share of requests that ended in a 5xx."""
    return f"twinstack:requests_failed:ratio_rate{window}"


def slow(window: str) -> str:
    """Name of the recorded share of requests that took longer than the objective."""
    return f"twinstack:requests_slow:ratio_rate{window}"


def rates(window: str) -> str:
    """Name of the recorded rate of requests."""
    return f"twinstack:requests:rate{window}"


def _total(clock: Clock, window: str) -> str:
    return sum_by(rate(select(REQUESTS, route=f"=~{ANSWERING}", role="!=shadow"), clock(window)), "twin")


def _failures(clock: Clock, window: str) -> str:
    errors = select(REQUESTS, route=f"=~{ANSWERING}", role="!=shadow", code="=~5..")
    return sum_by(rate(errors, clock(window)), "twin")


def _recorded(clock: Clock, window: str) -> list[Record]:
    asked = series(rates(window))
    classic = {"route": f"=~{'|'.join(CLASSIC_ROUTES)}", "role": "!=shadow"}
    return [
        Record(rates(window), _total(clock, window)),
        # A twin that never failed has no series of errors: it failed 0 times.
        Record(failed(window), f"({_failures(clock, window)} or 0 * {asked}) / ({asked} > 0)"),
        Record(
            slow(window),
            _slow(
                rate(select(REQUEST_SECONDS, "bucket", **classic), clock(window)),
                rate(select(REQUEST_SECONDS, "count", **classic), clock(window)),
                "classic",
            ),
            {"twin_kind": "classic"},
        ),
        Record(
            slow(window),
            _slow(
                rate(select(FIRST_TOKEN_SECONDS, "bucket"), clock(window)),
                rate(select(FIRST_TOKEN_SECONDS, "count"), clock(window)),
                "llm",
            ),
            {"twin_kind": "llm"},
        ),
    ]


def _slow(buckets: str, count: str, kind: str) -> str:
    """1 minus the share in the bucket that the objective names."""
    fast = sum_by(f"{buckets} and on (le) max by (le) ({series(LATENCY, twin_kind=kind)})", "twin")
    return f"1 - {fast} / ({sum_by(count, 'twin')} > 0)"


def recording(clock: Clock) -> Group:
    """Rates and ratios of every window."""
    return Group("twinstack-slo", [rule for window in WINDOWS for rule in _recorded(clock, window)])


def _enough(clock: Clock, burn: Burn) -> str:
    requests = f"{series(rates(burn.long))} * {clock.seconds(burn.long):g}"
    return f"{on('twin')} ({requests} >= {LEAST_REQUESTS})"


def _availability(clock: Clock, burn: Burn) -> Alert:
    budget = f"on () group_left () ({burn.factor:g} * (1 - max({series(AVAILABILITY)})))"
    return Alert(
        "TwinstackAvailabilityBurn",
        f"({series(failed(burn.long))} > {budget}) and {on('twin')} ({series(failed(burn.short))} > {budget})"
        f" and {_enough(clock, burn)}",
        clock("1m"),
        burn.severity,
        f"{{{{ $value | humanizePercentage }}}} of the requests to twin {{{{ $labels.twin }}}} failed in "
        f"{burn.long}: the error budget burns more than {burn.factor:g} times as fast as it may.",
        "Dashboard Golden signals, rows Errors and Latency, and the fronts' log lines with this twin's name.",
        "twin rollback --twin {{ $labels.twin }} if a release came just before; else follow the runbook.",
        window=burn.long,
    )


def _latency(clock: Clock, burn: Burn) -> Alert:
    budget = f"on (twin_kind) group_left () ({burn.factor:g} * (1 - max by (twin_kind) ({series(LATENCY)})))"
    return Alert(
        "TwinstackLatencyBurn",
        f"({series(slow(burn.long))} > {budget}) and {on('twin')} ({series(slow(burn.short))} > {budget})"
        f" and {_enough(clock, burn)}",
        clock("1m"),
        burn.severity,
        f"{{{{ $value | humanizePercentage }}}} of the requests to twin {{{{ $labels.twin }}}} were too slow "
        f"in {burn.long}: the error budget burns more than {burn.factor:g} times as fast as it may.",
        "Dashboard Golden signals, row Latency: which of features, retrieval, prompt, predictor grew.",
        "Add replicas where the queue grows; roll back where only the new release is slow.",
        window=burn.long,
    )


def alerts(clock: Clock) -> Group:
    """Alerts of both objectives, each with the windows of the table."""
    return Group(
        "twinstack-budgets",
        [make(clock, burn) for make in (_availability, _latency) for burn in BURNS],
    )
