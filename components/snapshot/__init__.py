"""Stage (classic dataset): point-in-time join into an immutable dataset version."""
