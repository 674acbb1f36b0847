"""One way to answer as a whole."""

from dataclasses import dataclass
from pathlib import Path

from components.shared.config.llm import Answering


@dataclass(frozen=True)
class Side:
    """What a release of an LLM twin is made of.

    Attributes:
        name: For people.
        adapter: Folder of the LoRA adapter.
        prompt: Text of the system prompt.
        index_version: Where context comes from.
        answering: Encoder, retrieval and foundation model.
    """

    name: str
    adapter: Path
    prompt: str
    index_version: str
    answering: Answering
