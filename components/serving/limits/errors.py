"""Errors of limits: each says when to come back, where that helps."""

from components.shared.errors import RequestError, TwinError


class RateError(RequestError):
    """A limit of the API key is reached.

    Args:
        limit: Which one, in the words of the metric.
        retry_after: Seconds after which another try can succeed.
    """

    http_status = 429
    kind = "rate_limit_error"

    def __init__(self, what: str, *, limit: str, retry_after: float, remedy: str = "") -> None:
        self.limit = limit
        self.retry_after = retry_after
        again = f"try again in {max(1, round(retry_after))} s"
        super().__init__(what, param="authorization", remedy=remedy or again)


class BusyError(TwinError):
    """The queue of the twin is full, or a request has waited in it for too long.

    Args:
        retry_after: Seconds after which another try can succeed.
    """

    http_status = 503
    kind = "overloaded_error"

    def __init__(self, what: str, *, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(what, remedy=f"try again in {max(1, round(retry_after))} s")


class DeadlineError(TwinError):
    """No answer within the deadline."""

    http_status = 504
    kind = "deadline_error"


def late() -> DeadlineError:
    """That an answer took longer than it may."""
    return DeadlineError(
        "no whole answer before the deadline", remedy="ask for less, or raise serving.deadline_seconds"
    )
