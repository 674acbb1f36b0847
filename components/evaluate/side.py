"""One way to answer as a whole."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Side:
    """What a release of an LLM twin is made of.

    Attributes:
        name: For people.
        adapter: Folder of the LoRA adapter.
        prompt: Text of the system prompt.
        index_version: Where context comes from.
    """

    name: str
    adapter: Path
    prompt: str
    index_version: str
