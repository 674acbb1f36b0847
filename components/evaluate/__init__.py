"""Stage: candidate and champion on the same cases, with intervals."""
