"""Which release answers a request: open releases, shares, shadow, retries, circuit breaker, fallback."""
