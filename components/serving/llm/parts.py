"""What an LLM release names, opened: index, encoder, prompt, and the model with its adapter."""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.adapters.encoder import Encoder
from components.adapters.endpoints.openai import OpenAIEndpoint
from components.adapters.model_files import local_folder
from components.adapters.stores import Stores
from components.adapters.vectors.contract import Index
from components.dataflows import passages, prompts
from components.runtime.retriever import Retriever
from components.serving.exchange import current
from components.serving.llm.asking import Citation, Page
from components.serving.llm.local import LocalPredictor
from components.serving.llm.predictor import ChatPredictor
from components.serving.llm.release import LlmRelease
from components.serving.sharing import Loans, Shared
from components.shared import digest
from components.shared.config import Config, LlmTwin
from components.shared.config.llm import Answering
from components.shared.endpoints import endpoint
from components.shared.errors import ConfigError
from components.shared.metrics.instruments import Instruments
from components.shared.releases import Release

if TYPE_CHECKING:
    from components.adapters.encoder import Vectors

log = logging.getLogger("twinstack.serving")


#: Passages of a page in a prompt.
PASSAGES = 2


class ReleaseContext:
    """Context of one release: its index version and its prompt.

    Args:
        found: Searches the index version.
        template: The release's prompt.
        top_k: Chunks in a prompt.
    """

    def __init__(self, found: Retriever, template: str, top_k: int) -> None:
        self._found = found
        self._template = template
        self._top_k = top_k

    def find(self, question: str) -> list[Citation]:
        """Chunks for a question, best first."""
        exchange = current()
        exchange.question_embedding, exchange.question_known = self._found.embedded(question)
        return [
            Citation(
                path=one.path, heading=one.heading, chunk_id=one.chunk_id, score=one.score, text=one.text
            )
            for one in self._found.search(question, self._top_k)
        ]

    def quote(self, question: str, page: Page) -> list[Citation]:
        """The passages of a page that are nearest to a question, best first; scores are cosines."""
        cut = passages.cut(page.text)
        if not cut:
            return []
        vectors = self._found.encoder.encode([question, *cut])
        scores = vectors[1:] @ vectors[0]
        return [
            Citation(
                path=page.url,
                heading=page.title,
                chunk_id=digest.of_json([page.url, cut[at]]),
                score=float(scores[at]),
                text=cut[at],
            )
            for at in (-scores).argsort(kind="stable")[:PASSAGES].tolist()
        ]

    def embed(self, texts: Sequence[str]) -> "tuple[Vectors, int]":
        """Unit vectors of texts, shape (texts, dimensions), and the tokens that were read."""
        encoder = self._found.encoder
        return encoder.encode(texts), encoder.tokens(texts)

    def prompt(self, citations: Sequence[Citation], variables: Mapping[str, str | int | float]) -> str:
        """The system prompt of the release with the chunks and the values in it."""
        return prompts.render(self._template, citations, variables)


def answering_of(release: Release) -> Answering:
    """Encoder, retrieval and foundation model of a release; those of the configuration may have moved on."""
    if release.answering is None:
        raise TypeError(f"release {release.id} is of kind {release.kind}")
    return release.answering


def open_release(
    config: Config, stores: Stores, release: Release, instruments: Instruments, shared: Shared
) -> LlmRelease:
    """Load all that a release names and no other open one has; blocks until it can answer.

    Raises:
        TwinError: A file or a version is gone or cannot be read.
    """
    loans = Loans(shared)
    try:
        predictor = open_predictor(config, release, loans)
        retriever = open_retriever(stores, release, loans)
        base = answering_of(release).foundation
        prices = _twin(config, release).costs.of(base.model)
        return LlmRelease(release, base.context_tokens, retriever, predictor, instruments, prices, loans.end)
    except BaseException:
        loans.end()
        raise


def _twin(config: Config, release: Release) -> LlmTwin:
    twin = config.twin(release.twin)
    if not isinstance(twin, LlmTwin):
        raise ConfigError(
            f"release {release.id} is of kind llm, twin '{release.twin}' of kind {twin.kind}",
            where=f"twins.{release.twin}.kind",
            remedy="give the new twin another name",
        )
    return twin


def open_retriever(stores: Stores, release: Release, loans: Loans) -> ReleaseContext:
    """The index version of a release and its encoder, ready to search.

    Args:
        stores: Hold the index.
        release: Names index and encoder.
        loans: Lend both.

    Raises:
        MissingError: The index version is gone.
    """
    answering = answering_of(release)

    def load() -> Index:
        log.info("index version %s is loading", release.index_version)
        return stores.vectors.open(release.twin, release.index_version)

    index = loans.take(("index", release.twin, release.index_version), load, _close)
    encoder = loans.take(("encoder", answering.encoder), lambda: Encoder(answering.encoder), _drop)
    retriever = Retriever(encoder, index, answering.retrieval)
    found = ReleaseContext(retriever, release.prompt, answering.retrieval.top_k)
    found.find("warm up")
    return found


def _close(index: Index) -> None:
    index.close()


def _drop(_: object) -> None:
    """Nothing to end: it goes with the last reference."""


def open_predictor(config: Config, release: Release, loans: Loans) -> ChatPredictor:
    """The predictor of a release: where its `predictor` says, where its foundation model is, or in here.

    Releases with the same adapter on the same foundation model have the same predictor: a new prompt or index
    costs neither time nor memory for weights.

    Args:
        config: Says where converted weights are kept and how endpoints are called.
        release: Names model and adapter.
        loans: Lend a predictor of this process; it is started.

    Raises:
        ConfigError: The adapter was trained on another foundation model, or the endpoint's key is missing.
        NotFoundError: The adapter's files are gone.
    """
    base = answering_of(release).foundation
    place = endpoint(release.predictor, "release.predictor") or endpoint(base.model, "foundation.model")
    if place is not None and release.predictor:
        return OpenAIEndpoint(place, _twin(config, release).remote)
    adapter = local_folder(release.model_uri)
    _belongs(adapter, base.model, release)
    if place is not None:
        return OpenAIEndpoint(place, _twin(config, release).remote)

    def load() -> tuple[Any, Any]:
        from components.adapters import foundation

        log.info("foundation model %s with adapter %s is loading", base.model, release.model_version)
        made = foundation.load(
            base, _cache(config), adapter=adapter, streams=True, note=lambda text: log.info("%s", text)
        )
        return made.model, made.tokenizer

    def started() -> LocalPredictor:
        predictor = LocalPredictor(load)
        predictor.start()
        return predictor

    return loans.take(("predictor", base, release.model_uri), started, LocalPredictor.stop)


def _belongs(adapter: Path, base: str, release: Release) -> None:
    """Refuse an adapter on a foundation model that it was not trained on: its numbers would mean nothing."""
    path = adapter / "adapter_config.json"
    if not path.is_file():
        return
    trained_on = json.loads(path.read_text(encoding="utf-8")).get("base_model_name_or_path") or ""
    # Adapters from elsewhere name a folder of the machine that trained them, which says nothing here.
    if endpoint(base) or (trained_on.startswith("package:") and trained_on != base):
        raise ConfigError(
            f"the adapter of release {release.id} was trained on {trained_on}, not on {base}",
            where="foundation.model",
            remedy=f"run `twin run end_to_end --twin {release.twin}`, which makes a model version for it",
        )


def _cache(config: Config) -> Path:
    """Where converted weights are kept; the pipeline's stages use the same folder."""
    return config.state_path / "foundation"
