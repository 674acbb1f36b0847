"""A budget of retries: a share of the requests, so that retries cannot multiply an overload."""

#: Retries that can be saved up in quiet times.
SAVED = 10.0


class RetryBudget:
    """Every request pays in a share of a retry; a retry takes a whole one.

    The method of Finagle's and gRPC's retry throttling.

    Args:
        share: Retries a request.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._saved = SAVED if share else 0.0

    def deposit(self) -> None:
        """Count a request."""
        self._saved = min(SAVED, self._saved + self._share)

    def take(self) -> bool:
        """Whether there is a retry left; it is gone then."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True
