"""Stage: drift of the current window against the training window."""
