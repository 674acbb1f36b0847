"""Alerts on the fronts: gone, idle, degraded, full."""

from components.shared.metrics.records import SPOOL_LAG, SPOOLED
from components.shared.metrics.requests import FALLBACKS, RELEASE_FAILED, RELEASE_INFO, REQUESTS
from components.shared.metrics.traffic import BREAKER, BUDGET_REFUSED, LIMITED, TOKEN_BUDGET
from tools.observability import objectives
from tools.observability.promql import Clock, increase, max_by, on, rate, risen, select, series, sum_by
from tools.observability.rules import Alert, Group, Record
from tools.observability.slo import ANSWERING

#: Whether a twin was asked a moment ago, recorded as long as it is served: the last value is of when it went.
FRONT_ASKED = "twinstack:front_asked:bool"

#: Knative takes the last pod away after its stable window of 60 s without a request and a grace of 30 s.
ASLEEP_AFTER = "90s"


def recording(clock: Clock) -> Group:
    """What the alerts ask of a front that is gone."""
    champion = max_by(select(RELEASE_INFO, role="champion"), "twin")
    asked = sum_by(risen(select(REQUESTS, route=f"=~{ANSWERING}"), clock(ASLEEP_AFTER)), "twin")
    return Group(
        "twinstack-fronts",
        [Record(FRONT_ASKED, f"({champion} and {on('twin')} {asked}) or 0 * {champion}")],
    )


def front_down(clock: Clock) -> Alert:
    """A twin that was served and is not scraped any more.

    One that may sleep, which only Knative lets it, is missed where it went while it was asked: what sleeps
    was idle before.
    """
    champion = select(RELEASE_INFO, role="champion")
    before = max_by(f"max_over_time({champion}[{clock('1h')}])", "twin")
    asked = f"last_over_time({series(FRONT_ASKED)}[{clock('1h')}]) == 1"
    asleep = f"({series(objectives.PRESENCE)} == 0 unless {on('twin')} {asked})"
    return Alert(
        "TwinstackFrontDown",
        f"{before} unless {on('twin')} {max_by(champion, 'twin')} unless {on('twin')} {asleep}",
        clock("5m"),
        "page",
        "No front serves twin {{ $labels.twin }}, or Prometheus no longer reaches it.",
        "Targets page of Prometheus; kubectl get pods, events and logs of the twin's front.",
        "Restart the front; if it dies while loading a release, twin rollback --twin {{ $labels.twin }}.",
    )


def no_traffic(clock: Clock) -> Alert:
    """A twin that answers nobody: a wrong route, an expired key, or nobody who needs it."""
    champion = max_by(select(RELEASE_INFO, role="champion"), "twin")
    asked = sum_by(increase(select(REQUESTS, route=f"=~{ANSWERING}"), clock("30m")), "twin")
    return Alert(
        "TwinstackNoTraffic",
        f"{champion} unless {on('twin')} ({asked} > 0)",
        clock("15m"),
        "ticket",
        "Twin {{ $labels.twin }} is served, and nobody has asked it anything for half an hour.",
        "Dashboard Golden signals, row Traffic; the gateway in front of the twin; its callers.",
        "Send it one request yourself (twin ask, twin predict); if that answers, look at the callers' side.",
    )


def fallback(clock: Clock) -> Alert:
    """Callers get the simpler answer."""
    by_fallback = sum_by(rate(select(FALLBACKS), clock("10m")), "twin")
    all_answers = sum_by(rate(select(REQUESTS, route=f"=~{ANSWERING}", code="=~2.."), clock("10m")), "twin")
    return Alert(
        "TwinstackFallbackInUse",
        f"{by_fallback} / ({all_answers} > 0) > {objectives.FALLBACK_SHARE}",
        clock("5m"),
        "ticket",
        "{{ $value | humanizePercentage }} of the answers of twin {{ $labels.twin }} come from its fallback.",
        "Dashboard Golden signals, row Degradation; the fronts' log says why the champion was given up.",
        "Mend or roll back the champion: twin rollback --twin {{ $labels.twin }}.",
    )


def breaker(clock: Clock) -> Alert:
    """A release is not asked any more because it failed too often."""
    return Alert(
        "TwinstackBreakerOpen",
        f"{max_by(select(BREAKER), 'twin', 'release')} == 2",
        clock("2m"),
        "page",
        "The circuit breaker of release {{ $labels.release }} of twin {{ $labels.twin }} stays open: "
        "it is not asked any more.",
        "Dashboard Golden signals, row Degradation; logs of the predictor of this release.",
        "Restart the predictor; if the release is new, twin rollback --twin {{ $labels.twin }}. The breaker "
        "closes by itself.",
        by=("twin", "release"),
    )


def release_failed(clock: Clock) -> Alert:
    """A release was promoted, or given a share, and does not answer."""
    return Alert(
        "TwinstackReleaseFailed",
        f"{max_by(select(RELEASE_FAILED), 'twin', 'release')} > 0",
        clock("1m"),
        "ticket",
        "A front cannot open release {{ $labels.release }} of twin {{ $labels.twin }}; what answered before "
        "goes on answering.",
        "twin traffic {{ $labels.twin }} says why; so does the front's log.",
        "Bring back what the release names (model files, index version, endpoint, key); or go back: "
        "twin rollback --twin {{ $labels.twin }}.",
        by=("twin", "release"),
    )


def queue_full(clock: Clock) -> Alert:
    """More work than the fronts can take."""
    refused = sum_by(rate(select(LIMITED, limit="queue"), clock("10m")), "twin")
    asked = sum_by(rate(select(REQUESTS, route=f"=~{ANSWERING}"), clock("10m")), "twin")
    return Alert(
        "TwinstackQueueFull",
        f"{refused} / ({asked} > 0) > {objectives.REFUSED_SHARE}",
        clock("5m"),
        "ticket",
        "{{ $value | humanizePercentage }} of the requests to twin {{ $labels.twin }} are refused because "
        "its queue is full.",
        "Dashboard Golden signals, row Saturation: queue, waiting time, requests in flight.",
        "Add replicas of the front or of its predictor; a single key that floods gets a lower rate.",
    )


def storage_full(clock: Clock) -> Alert:
    """Requests are refused rather than lost."""
    refused = sum_by(risen(select(LIMITED, limit="storage"), clock("10m")), "twin")
    return Alert(
        "TwinstackStorageFull",
        f"{refused} > 0",
        clock("1m"),
        "page",
        "Twin {{ $labels.twin }} refuses requests because their record could not be kept: its disk is nearly "
        "full.",
        "Dashboard Data, row Interactions; df on the volume of the spool.",
        "Let the warehouse take interactions again, or enlarge the volume; then the front admits by itself.",
    )


def not_shipped(clock: Clock) -> Alert:
    """Interactions pile up on the front's disk."""
    return Alert(
        "TwinstackInteractionsNotShipped",
        f"{max_by(select(SPOOL_LAG))} > {clock.seconds(objectives.SPOOL_AGE):g}",
        clock("5m"),
        "ticket",
        "Interactions wait for the warehouse since {{ $value | humanizeDuration }}.",
        "Dashboard Data, row Interactions; the fronts' log lines on shipping; the warehouse itself.",
        "Bring the warehouse back; nothing is lost until the spool's disk is full.",
        by=(),
    )


def record_damaged(clock: Clock) -> Alert:
    """A record that will not reach the warehouse by itself."""
    lost = sum_by(risen(select(SPOOLED, fate="=~damaged|refused"), clock("30m")), "fate")
    return Alert(
        "TwinstackRecordDamaged",
        f"{lost} > 0",
        clock("1m"),
        "ticket",
        "Records of interactions or feedback are {{ $labels.fate }}: they do not reach the warehouse.",
        "Dashboard Data, row Interactions; the fronts' log names file and reason.",
        "Keep the spool's files; mend what the log names, disk or warehouse.",
        by=("fate",),
    )


def token_budget(clock: Clock) -> Alert:
    """A caller is refused, or soon will be; who asks for much at a time is refused long before the end."""
    spent = max_by(select(TOKEN_BUDGET), "key")
    refused = sum_by(risen(select(BUDGET_REFUSED), clock("1h")), "key")
    return Alert(
        "TwinstackTokenBudgetSpent",
        f"{spent} >= {objectives.BUDGET_SHARE} or ({spent} > 0 and {on('key')} {refused} > 0)",
        clock("1m"),
        "ticket",
        "API key {{ $labels.key }} has spent {{ $value | humanizePercentage }} of its token budget, and "
        "requests are refused for want of tokens or soon will be.",
        "Dashboard Business, row Keys.",
        "Ask its owner; raise the budget of the key, or let it run into 429 until the budget renews.",
        by=("key",),
    )


def group(clock: Clock) -> Group:
    """All of them."""
    makers = (
        front_down, no_traffic, fallback, breaker, release_failed, queue_full, storage_full, not_shipped,
        record_damaged, token_budget,
    )  # fmt: skip
    return Group("twinstack-serving", [make(clock) for make in makers])
