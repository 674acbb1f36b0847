"""A language model in this process: transformers with continuous batching, several requests at once."""

import asyncio
import random
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from components.serving.llm.choices import together
from components.serving.llm.predictor import Delta, Finish, Parameters, PredictorError, Prompt
from components.serving.llm.sampling import SEEDS, install, settings
from components.shared import conversation

#: Room of the key-value cache in blocks of 256 tokens, and tokens of one forward pass. Left to itself,
#: transformers takes 8 GB and 13 s for the first token on a CPU; so it is 1.1 GB and half a second.
BLOCKS, BATCH_TOKENS = 64, 512

#: A character that stands for bytes which do not make a whole one yet.
HALF = "\ufffd"

#: Tokens after which their text is settled, so that a piece costs the same at the end of a long answer.
WINDOW = 16


@dataclass
class Decoder:
    """Turns a growing list of tokens into text pieces, holding back half characters and half stop words."""

    decode: Callable[[list[int]], str]
    stop: tuple[str, ...]
    sent: int = field(default=0, init=False)
    #: Whether a stop text came.
    stopped: bool = field(default=False, init=False)
    #: Text of the settled tokens, and how many they are.
    _text: str = field(default="", init=False)
    _settled: int = field(default=0, init=False)
    #: First token that is decoded again, for some tokenizers look at the one before, and length of its text.
    _from: int = field(default=0, init=False)
    _again: int = field(default=0, init=False)

    def feed(self, tokens: list[int], *, last: bool) -> str:
        """The text that can be sent now.

        Args:
            tokens: Every token of the answer so far.
            last: Whether no more will come.
        """
        text = self._whole(tokens)
        cuts = [at for one in self.stop if (at := text.find(one)) >= 0]
        if cuts:
            self.stopped = True
            text = text[: min(cuts)]
        elif not last:
            text = text.rstrip(HALF)
            text = text[: len(text) - self._held(text)]
        piece = text[self.sent :]
        self.sent = max(self.sent, len(text))
        return piece

    def _whole(self, tokens: list[int]) -> str:
        """The text of all tokens, of which only the last are decoded."""
        text = self._text + self.decode(tokens[self._from :])[self._again :]
        if len(tokens) - self._settled >= WINDOW and not text.endswith(HALF):
            self._text, self._from, self._settled = text, self._settled, len(tokens)
            self._again = len(self.decode(tokens[self._from :]))
        return text

    def _held(self, text: str) -> int:
        """Length of the longest end of the text that could be the start of a stop text."""
        longest = 0
        for one in self.stop:
            for size in range(min(len(one) - 1, len(text)), longest, -1):
                if text.endswith(one[:size]):
                    longest = size
                    break
        return longest


class LocalPredictor:
    """transformers' continuous batching behind the `ChatPredictor` protocol.

    Args:
        load: Gives the model (merged, in its serving precision) and its tokenizer; called once, by `start`.
    """

    def __init__(self, load: Callable[[], tuple[Any, Any]]) -> None:
        self._load = load
        self._manager: Any = None
        #: What the model was prepared with for the manager.
        self._undo = ExitStack()

    @cached_property
    def _parts(self) -> tuple[Any, Any]:
        return self._load()

    @property
    def tokenizer(self) -> Any:
        """The tokenizer with its chat template."""
        return self._parts[1]

    def start(self) -> None:
        """Load the model and start the thread that generates."""
        from transformers import ContinuousBatchingConfig, GenerationConfig

        from components.adapters.foundation import paged_attention
        from components.adapters.foundation.packed import calm

        model, tokenizer = self._parts
        # The processors choose the token, so nothing is left to sample.
        greedy = GenerationConfig(  # type: ignore[no-untyped-call]
            do_sample=False,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
        self._manager = model.init_continuous_batching(
            generation_config=greedy,
            continuous_batching_config=ContinuousBatchingConfig(
                num_blocks=BLOCKS,
                max_batch_tokens=BATCH_TOKENS,
                # A shared prefix would change the shape of a pass, and with it the last bits of the logits.
                allow_block_sharing=False,
            ),
        )
        install(self._manager)
        paged_attention.install(model)
        self._undo.callback(paged_attention.remove, model)
        self._undo.callback(calm(model))
        self._manager.start()

    def stop(self) -> None:
        """Fail what is being generated and end the thread."""
        if self._manager is not None:
            self._manager.stop(block=True, timeout=5, hard_stop=True)
            self._manager = None
            self._undo.close()

    def _tokens(self, prompt: Prompt) -> list[int]:
        if isinstance(prompt, str):
            return list(self.tokenizer(prompt)["input_ids"])
        return conversation.tokens(self.tokenizer, prompt, prompt=True)

    def count(self, prompt: Prompt) -> int:
        """Tokens of the rendered prompt."""
        return len(self._tokens(prompt))

    def stream(self, prompt: Prompt, parameters: Parameters) -> AsyncGenerator[Delta, None]:
        """The answers piece by piece; closing the iterator cancels them in the batch.

        Raises:
            PredictorError: The model fails, or is not started.
        """
        tokens = self._tokens(prompt)
        if parameters.choices == 1:
            return self._one(tokens, parameters)
        return together(lambda each: self._one(tokens, each), parameters)

    async def _one(self, tokens: list[int], parameters: Parameters) -> AsyncGenerator[Delta, None]:
        if self._manager is None or not self._manager.is_running():
            raise PredictorError("the model is not running", remedy="see the server's log; restart it")
        outputs: asyncio.Queue[Any] = asyncio.Queue()
        name = uuid.uuid4().hex
        self._manager.register_result_handler(name, outputs.put_nowait)
        finished = False
        try:
            self._submit(name, tokens, parameters)
            decoder = Decoder(self._decode, parameters.stop)
            while not finished:
                made = await outputs.get()
                if made.error:
                    finished = True
                    raise PredictorError(f"the model failed: {made.error}", remedy="try again")
                finished = made.is_finished()
                text = decoder.feed(made.generated_tokens, last=finished)
                finish = self._finish(made, finished, decoder, parameters)
                if text or finish:
                    yield Delta(text, len(tokens), len(made.generated_tokens), finish)
                if decoder.stopped:
                    return
        finally:
            if not finished:
                self._manager.cancel_request(name)
                self._manager.output_router.result_handlers.pop(name, None)

    def _submit(self, name: str, tokens: list[int], parameters: Parameters) -> None:
        seed = random.randrange(SEEDS) if parameters.seed is None else parameters.seed  # noqa: S311
        added = self._manager.add_request(
            tokens,
            request_id=name,
            max_new_tokens=parameters.max_tokens,
            streaming=True,
            **settings(parameters, seed),
        )
        if added is None:
            raise PredictorError("the model takes no more requests", remedy="try again later")

    def _decode(self, tokens: list[int]) -> str:
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True))

    def _finish(self, made: Any, finished: bool, decoder: Decoder, parameters: Parameters) -> Finish | None:
        if decoder.stopped:
            return "stop"
        if not finished:
            return None
        ended = bool(made.generated_tokens) and made.generated_tokens[-1] == self.tokenizer.eos_token_id
        return "length" if len(made.generated_tokens) >= parameters.max_tokens and not ended else "stop"
