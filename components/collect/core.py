"""Sources to warehouse, by kind."""

from components.collect import documents, table
from components.runtime.context import Context
from components.shared.manifests import Manifest


def run(context: Context) -> Manifest:
    """Bring the warehouse to the state of the twin's sources.

    Raises:
        DataError: A source cannot be used; the warehouse keeps what it had.
    """
    if context.config.twin(context.twin).kind == "llm":
        return documents.collect(context)
    return table.collect(context)
