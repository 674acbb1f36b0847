"""Release: model version + prompt version + index version + feature-service version, and their numbers."""

from typing import Self

from pydantic import Field, model_validator

from components.shared.config.base import Kind
from components.shared.config.llm import Answering
from components.shared.evaluation import Evaluation
from components.shared.stored import Binding

#: Warehouse collections.
RELEASES = "releases"
TRAFFIC = "traffic"


class Release(Binding):
    """What answers requests, by exact versions.

    Attributes:
        id: Digest of every version below: the same parts are the same release.
        twin: Name of the twin.
        kind: Its kind.
        model_version: Version in the model registry, whose model has the twin's name.
        model_uri: Folder of the model's files.
        prompt: Text of the prompt (llm), empty for classic.
        prompt_version: Digest of the prompt.
        index_version: Index version (llm).
        answering: Encoder, retrieval and foundation model (llm): a changed configuration is another release.
        feature_version: Feature-service version (classic).
        dataset_version: What the model was trained on.
        commit: Git commit of the code that trained it.
        dirty: Whether uncommitted changes were allowed.
        trained_on: One line for people.
        evaluation: The numbers its gate decided on.
        created: ISO 8601 time of the first release.
        model_digest: Content version of the model's files.
        run: Run of the experiment tracker that trained the model.
        predictor: URI where the model answers; empty means in the front's own process.
        model_endpoint: URI of a classic model that is not trained here and answers there whoever asks; empty
            means that its files are at `model_uri`.
    """

    id: str
    twin: str
    kind: Kind
    model_version: str
    model_uri: str
    prompt: str = ""
    prompt_version: str = ""
    index_version: str = ""
    answering: Answering | None = None
    feature_version: str = ""
    dataset_version: str
    commit: str
    dirty: bool
    trained_on: str
    evaluation: Evaluation
    created: str
    model_digest: str = ""
    run: str = ""
    predictor: str = ""
    model_endpoint: str = ""

    @model_validator(mode="after")
    def _llm_knows_how_it_answers(self) -> Self:
        if (self.kind == "llm") != (self.answering is not None):
            raise ValueError("answering belongs to every release of kind llm, and to no other")
        return self


class Part(Binding):
    """A release with a share of the requests, between 0 and 1."""

    release: str = Field(min_length=1)
    share: float = Field(gt=0, le=1)


#: What answers where a release cannot, without another release: the scorecard of a classic twin, the passages
#: that were found for an LLM twin.
BUILT_IN = "built-in"

#: Nothing answers where a release cannot: callers get its error.
NOTHING = "none"


class Traffic(Binding):
    """Which releases answer.

    Attributes:
        twin: Name of the twin.
        champion: Release that answers.
        canary: Release that answers a share of the callers instead of the champion, always the same ones.
        shadow: Release that answers a share of the requests as well, for the record only.
        fallback: What answers where a release cannot: `built-in`, `none`, or the id of a release.
        history: Earlier champions, newest first: what `rollback` goes back to.
        revision: Counts the changes; a change of an older revision is refused.
    """

    twin: str
    champion: str
    canary: Part | None = None
    shadow: Part | None = None
    fallback: str = BUILT_IN
    history: tuple[str, ...] = ()
    revision: int = 0

    @property
    def answering(self) -> tuple[str, ...]:
        """Every release that has to be open, the champion first, each once."""
        parts = [one.release for one in (self.canary, self.shadow) if one]
        last = [] if self.fallback in (BUILT_IN, NOTHING) else [self.fallback]
        return tuple(dict.fromkeys([self.champion, *parts, *last]))

    def named(self, kept: int) -> tuple[str, ...]:
        """Releases that answer, and the last `kept` that a rollback goes back to."""
        return tuple(dict.fromkeys([*self.answering, *self.history[:kept]]))
