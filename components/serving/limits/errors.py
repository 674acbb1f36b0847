"""Errors of limits: each says when to come back, where that helps."""

from components.shared.errors import TwinError


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
