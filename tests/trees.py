"""What stands in objects of Kubernetes, at any depth."""

from collections.abc import Iterator
from typing import Any


def texts_of(field: str, tree: Any) -> Iterator[str]:
    """Every text that a field of this name holds, in mappings and lists at any depth."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == field and isinstance(value, str):
                yield value
            else:
                yield from texts_of(field, value)
    elif isinstance(tree, list):
        for value in tree:
            yield from texts_of(field, value)
