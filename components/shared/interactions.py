"""What is kept of serving: interactions, the feedback on them, and labels that come later."""

import os
import time
from datetime import datetime
from typing import Any

from pydantic import Field

from components.shared.config.base import Kind
from components.shared.stored import Stored

#: Warehouse collections. A document of the first three has the field `source`, by which, together with
#: `twin`, every warehouse has an index: it holds the request id, so that all of a request is found at once.
INTERACTIONS = "interactions"
FEEDBACK = "feedback"
LABELS = "labels"
LABELLING = "labelling"
CONFIGURATIONS = "configurations"


def new_id() -> str:
    """A unique id of 32 hexadecimal digits that sorts by its time: milliseconds, then 80 random bits."""
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"


def id_at(moment: datetime) -> str:
    """The lower bound of the ids that are made from a moment on: an interaction's id tells its age."""
    return f"{max(0, int(moment.timestamp() * 1000)):012x}"


class Interaction(Stored):
    """One request and its answer.

    Attributes:
        id: Unique; storing twice stores once. Ids sort by the time of their request.
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
        failed: Releases that were asked before and gave no answer, with the reason.
        finish: Why an LLM's answer ended.
        prompt_tokens: Tokens read.
        completion_tokens: Tokens generated.
        cost: Money, in the unit of the configuration.
        seconds: From first byte to last.
        first_token: Seconds to the first token.
        timings: Seconds by stage of answering.
        signals: What the detectors counted in this request.
        paired: Id of the champion's interaction where this is the shadow's.
        config: Digest of the configuration that the server ran with.
    """

    id: str
    request_id: str
    at: str
    twin: str
    kind: Kind
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
    failed: dict[str, str] = Field(default_factory=dict)
    finish: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    seconds: float = 0.0
    first_token: float = 0.0
    timings: dict[str, float] = Field(default_factory=dict)
    signals: dict[str, float] = Field(default_factory=dict)
    paired: str = ""
    config: str = ""


class Feedback(Stored):
    """What a caller says of an answer. One a request and key; a later one takes the place of an earlier.

    Attributes:
        id: Digest of twin, request and key.
        request_id: The `x-request-id` of the answer.
        twin: Name of the twin.
        at: ISO 8601 time.
        key: Id of the API key.
        score: Between -1 and 1; above 0 is praise.
        text: In the caller's words; empty where redaction stores no text.
    """

    id: str
    request_id: str
    twin: str
    at: str
    key: str = "none"
    score: float = Field(ge=-1, le=1)
    text: str = ""


class Label(Stored):
    """What turned out to be true of one instance of a request.

    Attributes:
        request_id: The `x-request-id` of the answer.
        twin: Name of the twin.
        instance: Place of the instance in the request.
        value: The outcome, a class or a number; for an LLM a text.
        event_time: ISO 8601 time at which it became true; of two labels the later one holds.
    """

    request_id: str = Field(min_length=1, max_length=64)
    twin: str
    instance: int = Field(default=0, ge=0, le=1_000_000)
    value: str | float = Field(union_mode="left_to_right")
    event_time: str

    @property
    def id(self) -> str:
        """Unique to request and instance."""
        return f"{self.twin}/{self.request_id}/{self.instance}"


def document(record: Interaction | Feedback | Label) -> dict[str, Any]:
    """A record as every warehouse stores it."""
    return envelope(record.id, record.twin, record.request_id, record.model_dump(mode="json"))


def envelope(key: str, twin: str, request_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """A body with the fields that warehouses find it by."""
    return {"_id": key, "twin": twin, "source": request_id, "body": body}


def question_of(inputs: Any) -> str:
    """The caller's last message, or prompt, of an LLM twin's inputs; empty where there was none."""
    if isinstance(inputs, str):
        return inputs
    last: Any = inputs[-1] if isinstance(inputs, list) and inputs else ""
    return str(last.get("content") or "") if isinstance(last, dict) else str(last)


def answers_of(output: Any) -> list[str]:
    """The texts of an LLM twin's output."""
    if not output:
        return []
    return [output] if isinstance(output, str) else [str(one) for one in output if one]
