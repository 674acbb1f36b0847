"""An interaction: one request to a twin and its answer, as it is stored."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

#: Warehouse collection.
INTERACTIONS = "interactions"


class Interaction(BaseModel):
    """One request and its answer.

    Attributes:
        id: Unique; storing twice stores once.
        request_id: What the caller got back as `x-request-id`; its own word where it gave one.
        at: ISO 8601 time of the request.
        twin: Name of the twin.
        kind: Its kind.
        release: Release that answered.
        role: Role of the release in the traffic then.
        route: Route in metrics' words.
        status: HTTP status of the answer; 499 where the client left.
        key: Id of the API key, never the key.
        inputs: Messages or instances, or what the redaction policy leaves of them.
        output: Texts or predictions, or what the redaction policy leaves of them.
        context: Ids of the chunks in the prompt.
        scores: Retrieval scores of these chunks.
        answered: `model`, or the name of the fallback that answered.
        finish: Why an LLM's answer ended.
        prompt_tokens: Tokens read.
        completion_tokens: Tokens generated.
        cost: Money, in the unit of the configuration.
        seconds: From first byte to last.
        first_token: Seconds to the first token.
        timings: Seconds by stage of answering.
        signals: What the detectors counted in this request.
        paired: Id of the champion's interaction where this is the shadow's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    request_id: str
    at: str
    twin: str
    kind: Literal["classic", "llm"]
    release: str
    role: str
    route: str
    status: int
    key: str = "none"
    inputs: Any = None
    output: Any = None
    context: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    answered: str = "model"
    finish: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    seconds: float = 0.0
    first_token: float = 0.0
    timings: dict[str, float] = {}
    signals: dict[str, float] = {}
    paired: str = ""
