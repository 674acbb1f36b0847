"""Feature store: Feast, an immutable repository a feature version."""
