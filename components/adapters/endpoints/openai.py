"""Any OpenAI-compatible endpoint as a language model: vLLM, a KServe InferenceService, a commercial API."""

import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from components.shared.config.llm import Remote
from components.shared.endpoints import Endpoint
from components.shared.errors import ConfigError
from components.shared.generation import Delta, Finish, Parameters, PredictorError, PredictorLateError, Prompt

#: Characters of a token and tokens around a message, for an estimate that is rather too high.
CHARACTERS, AROUND = 3, 8


class OpenAIEndpoint:
    """A model behind OpenAI's API; answers on the event loop of its first call.

    Args:
        endpoint: Where, and the model's name there.
        remote: How it is called.

    Raises:
        ConfigError: The environment variable of the key is named and empty.
    """

    def __init__(self, endpoint: Endpoint, remote: Remote) -> None:
        self._endpoint = endpoint
        self._remote = remote
        self._key = key_of(remote)
        self._opened: Any = None

    @property
    def _client(self) -> Any:
        if self._opened is None:
            import openai

            limits = openai.Timeout(self._remote.piece_seconds, connect=self._remote.connect_seconds)
            self._opened = openai.AsyncOpenAI(
                base_url=self._endpoint.base, api_key=self._key, timeout=limits, max_retries=0
            )
        return self._opened

    def count(self, prompt: Prompt) -> int:
        """An estimate: the tokenizer is elsewhere."""
        texts = [prompt] if isinstance(prompt, str) else [one["content"] for one in prompt]
        return sum(AROUND + -(-len(text.encode()) // CHARACTERS) for text in texts)

    def start(self) -> None:
        """Nothing to load."""

    def stop(self) -> None:
        """Connections end with the event loop."""

    async def stream(self, prompt: Prompt, parameters: Parameters) -> AsyncGenerator[Delta, None]:
        """The answers piece by piece; closing the iterator closes the connection, which ends the generation.

        Until the last piece the tokens generated are counted in pieces; then they are what the endpoint says.

        Raises:
            PredictorError: It does not answer, refuses, or breaks off.
            PredictorLateError: Its first piece, or the next one, does not come in time.
        """
        import openai

        try:
            async with aclosing(self._stream(prompt, parameters)) as pieces:
                async for delta in pieces:
                    yield delta
        except openai.APIStatusError as error:
            # Its own text may quote the prompt.
            raise _failed(f"the model's endpoint answers with status {error.status_code}") from None
        except openai.APITimeoutError:
            raise PredictorLateError(
                "the model's endpoint gave no answer in time", remedy="try again later"
            ) from None
        except openai.APIError as error:
            raise _failed(f"the model's endpoint failed: {type(error).__name__}") from None

    async def _stream(self, prompt: Prompt, parameters: Parameters) -> AsyncGenerator[Delta, None]:
        finishes: dict[int, Finish] = {}
        pieces, usage = 0, None
        async with await self._begun(prompt, parameters) as events:
            async for event in events:
                usage = event.usage or usage
                for choice in event.choices:
                    text = (choice.text if isinstance(prompt, str) else choice.delta.content) or ""
                    if text:
                        pieces += 1
                        yield Delta(text, self.count(prompt), pieces, None, choice.index)
                    if choice.finish_reason:
                        finishes[choice.index] = "length" if choice.finish_reason == "length" else "stop"
        if len(finishes) < parameters.choices:
            raise _failed("the model's endpoint broke off its answer")
        read, said = (usage.prompt_tokens, usage.completion_tokens) if usage else (self.count(prompt), pieces)
        for choice, finish in sorted(finishes.items()):
            yield Delta("", read, said, finish, choice)

    async def _begun(self, prompt: Prompt, parameters: Parameters) -> Any:
        words: dict[str, Any] = {
            "model": self._endpoint.model,
            "max_tokens": parameters.max_tokens,
            "temperature": parameters.temperature,
            "top_p": parameters.top_p,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        # What is not asked for is not sent: not every endpoint knows every field.
        if parameters.seed is not None:
            words["seed"] = parameters.seed
        if parameters.stop:
            words["stop"] = list(parameters.stop)
        if parameters.choices > 1:
            words["n"] = parameters.choices
        if isinstance(prompt, str):
            return await self._client.completions.create(prompt=prompt, **words)
        if parameters.response_format is not None and self._remote.enforces_format:
            words["response_format"] = parameters.response_format
        return await self._client.chat.completions.create(messages=list(prompt), **words)


def key_of(remote: Remote) -> str:
    """The key of an endpoint; a word that is none where it needs none.

    Raises:
        ConfigError: The environment variable is named and empty.
    """
    if not remote.key_variable:
        return "none"
    found = os.environ.get(remote.key_variable, "")
    if not found:
        raise ConfigError(
            f"environment variable {remote.key_variable} is empty",
            where="remote.key_variable",
            remedy="set it to the key of the model's endpoint",
        )
    return found


def _failed(what: str) -> PredictorError:
    return PredictorError(what, remedy="try again")
