"""What answers a prompt: a small Protocol, so that any backend can stand behind a front."""

from collections.abc import AsyncGenerator
from typing import Protocol

from components.shared.generation import Delta, Finish, Parameters, PredictorError, PredictorLateError, Prompt

__all__ = ["ChatPredictor", "Delta", "Finish", "Parameters", "PredictorError", "PredictorLateError", "Prompt"]


class ChatPredictor(Protocol):
    """A language model that answers several prompts at once."""

    def count(self, prompt: Prompt) -> int:
        """Tokens of the rendered prompt; a backend without the tokenizer estimates."""

    def stream(self, prompt: Prompt, parameters: Parameters) -> AsyncGenerator[Delta, None]:
        """The answers piece by piece; closing the iterator stops the generation.

        Raises:
            PredictorError: The model fails.
        """

    def start(self) -> None:
        """Load, warm up and be ready; blocks."""

    def stop(self) -> None:
        """Release threads and memory."""
