"""An LLM twin: which of its releases answers a conversation."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from kserve import Model

from components.serving.asking import Ask, Prepared
from components.serving.exchange import current
from components.serving.llm_release import LlmRelease
from components.serving.predictor import Delta
from components.shared.errors import RequestError
from components.shared.releases import Release

if TYPE_CHECKING:
    from components.adapters.encoder import Vectors


class LlmFront(Model):  # type: ignore[misc]
    """One LLM twin.

    It is registered with KServe, so that the model lists and the health of KServe's protocols hold it; it
    answers on the OpenAI API.

    Args:
        champion: The release that answers.
    """

    def __init__(self, champion: LlmRelease) -> None:
        super().__init__(champion.release.twin)
        self._champion = champion
        self.ready = True

    @property
    def release(self) -> Release:
        """The champion."""
        return self._champion.release

    async def preprocess(self, payload: Any, headers: dict[str, str] | None = None) -> Any:
        """Refuse V1 and V2: they have no conversation."""
        raise RequestError(
            f"twin '{self.name}' is of kind llm, which this protocol does not serve",
            param="model",
            remedy="POST /openai/v1/chat/completions",
        )

    def stop(self) -> None:
        """Stop generating and release everything."""
        self.ready = False
        self._champion.close()

    async def prepare(self, ask: Ask) -> Prepared:
        """Context for the last question, before the conversation; see `LlmRelease.prepare`."""
        current().answered_by(self.name, self.release.id)
        return await self._champion.prepare(ask)

    async def embed(self, texts: Sequence[str]) -> "tuple[list[Vectors], int]":
        """Unit vectors of texts; see `LlmRelease.embed`."""
        current().answered_by(self.name, self.release.id)
        return await self._champion.embed(texts)

    def answer(self, prepared: Prepared, gone: Callable[[], Awaitable[bool]]) -> AsyncGenerator[Delta, None]:
        """The answer piece by piece; see `LlmRelease.answer`."""
        return self._champion.answer(prepared, gone)
