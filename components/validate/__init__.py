"""Stage: refuse data that breaks its declared rules before anything is built on it."""
