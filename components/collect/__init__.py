"""Stage: sources to warehouse, incrementally, deletions honoured."""
