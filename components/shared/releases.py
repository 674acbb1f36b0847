"""Release: model version + prompt version + index version + feature-service version, and their numbers."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from components.shared.config.llm import Answering
from components.shared.evaluation import Evaluation

#: Warehouse collections.
RELEASES = "releases"
TRAFFIC = "traffic"


class Release(BaseModel):
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
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    twin: str
    kind: Literal["classic", "llm"]
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

    @model_validator(mode="after")
    def _llm_knows_how_it_answers(self) -> Self:
        if (self.kind == "llm") != (self.answering is not None):
            raise ValueError("answering belongs to every release of kind llm, and to no other")
        return self


class Traffic(BaseModel):
    """Which release answers. `history` is newest first and holds what `rollback` goes back to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    twin: str
    champion: str
    history: tuple[str, ...] = ()
