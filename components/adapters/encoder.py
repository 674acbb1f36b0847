"""Embedding model: BERT-like encoders with mean pooling, on transformers.

Mean over the tokens' last hidden states, then L2 norm, as the model card of all-MiniLM-L6-v2 prescribes
(Reimers & Gurevych 2019, Sentence-BERT).
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.adapters.packaged import packaged
from components.shared import digest
from components.shared.config.llm import Encoder as Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

#: Longest input of the model, in tokens; what is longer is cut.
LIMIT = 512

#: WordPiece makes one unknown token of a word of more than 100 characters, be it a megabyte of base64. Such
#: a token counts as pieces of this many characters, so that a chunk stays as short as its tokens promise.
LONG_WORD, PIECE = 100, 4


@dataclass
class Encoder:
    """Texts to unit vectors, and texts to the offsets of their tokens. Loads at first use; for any thread.

    Attributes:
        settings: Model, precision, batch size.
        forward_seconds: Time spent in the model's own forward passes so far.
    """

    settings: Settings
    forward_seconds: float = field(default=0.0, init=False)
    #: The fast tokenizer takes its settings from the last call, and refuses a second one meanwhile.
    _tokenizing: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    @cached_property
    def path(self) -> Path:
        """Folder of the model."""
        return packaged(self.settings.model, "encoder.model")

    @cached_property
    def version(self) -> str:
        """Digest of the weights and the precision: vectors of the same version can be compared."""
        return digest.of_json([digest.of_file(self.path / "model.safetensors"), self.settings.precision])

    @cached_property
    def tokenizer(self) -> Any:
        """The model's fast tokenizer."""
        from transformers import AutoTokenizer

        found = AutoTokenizer.from_pretrained(self.path)
        # Texts are longer than the model's input on purpose while they are being cut into chunks.
        found.model_max_length = 10**9
        return found

    @cached_property
    def _model(self) -> Any:
        import torch
        from transformers import AutoModel
        from transformers.utils import logging

        from components.adapters.foundation.packed import pack

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        model = AutoModel.from_pretrained(self.path, dtype=getattr(torch, self.settings.precision))
        return pack(model.eval())

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Start and end of every token of a text, in characters, in order."""
        with self._tokenizing:
            found = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return [
            piece for start, end in found["offset_mapping"] if end > start for piece in _pieces(start, end)
        ]

    def tokens(self, texts: Sequence[str]) -> int:
        """Tokens that `encode` reads of texts."""
        return sum(len(ids) for ids in self._ids(texts))

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        if not texts:
            return []  # which the tokenizer fails on
        with self._tokenizing:
            found: list[list[int]] = self.tokenizer(list(texts), truncation=True, max_length=LIMIT)[
                "input_ids"
            ]
        return found

    def encode(
        self, texts: Sequence[str], report: Callable[[int, int], None] = lambda done, total: None
    ) -> "Vectors":
        """Unit vectors of texts, shape (texts, dimensions), float32, in the order of the texts.

        Batches are made of texts of like length, so that little of a forward pass is padding.

        Args:
            texts: What to embed; cut at 512 tokens.
            report: Called with texts done and in all.
        """
        import numpy as np
        import torch

        ids = self._ids(texts)
        order = sorted(range(len(texts)), key=lambda at: len(ids[at]), reverse=True)
        vectors = np.empty((len(texts), self._model.config.hidden_size), dtype=np.float32)
        for start in range(0, len(order), self.settings.batch_size):
            batch = order[start : start + self.settings.batch_size]
            padded = self.tokenizer.pad({"input_ids": [ids[at] for at in batch]}, return_tensors="pt")
            clock = time.perf_counter()
            with torch.inference_mode():
                hidden = self._model(**padded).last_hidden_state.float()
            self.forward_seconds += time.perf_counter() - clock
            mask = padded["attention_mask"].unsqueeze(-1).float()
            mean = (hidden * mask).sum(1) / mask.sum(1)
            vectors[batch] = torch.nn.functional.normalize(mean, dim=1).numpy()
            report(min(start + len(batch), len(order)), len(order))
        return vectors


def _pieces(start: int, end: int) -> list[tuple[int, int]]:
    if end - start <= LONG_WORD:
        return [(start, end)]
    return [(at, min(at + PIECE, end)) for at in range(start, end, PIECE)]
