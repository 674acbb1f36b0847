"""A classic twin: its front, and its open releases."""
