"""Warehouse to an immutable, checked snapshot, by kind."""

from components.runtime.context import Context
from components.shared.manifests import Manifest
from components.validate import documents, table


def run(context: Context, collected: Manifest) -> Manifest:
    """Check what was collected and freeze it.

    Raises:
        DataError: The data breaks its rules, or changed since it was collected.
    """
    if context.config.twin(context.twin).kind == "llm":
        return documents.validate(context, collected)
    return table.validate(context, collected)
