"""The log of a server: our lines on standard error, with a time."""

import logging
import sys


def to_stderr() -> None:
    """Write lines of ours, once each, and none about the insides of libraries."""
    root = logging.getLogger("twinstack")
    if not root.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        root.propagate = False
