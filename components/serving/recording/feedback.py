"""`POST /v1/feedback`: what a caller says of an answer, on the way of all records."""

from collections.abc import Collection
from datetime import UTC, datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from components.serving.exchange import current
from components.serving.recording.recorder import Recorder
from components.shared import digest
from components.shared.errors import NotFoundError
from components.shared.interactions import Feedback


class Given(BaseModel):
    """Feedback on one answer."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    model: str = Field(min_length=1, max_length=60)
    """Name of the twin."""
    request_id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    """The `x-request-id` of the answer."""
    score: float = Field(ge=-1, le=1, allow_inf_nan=False)
    """From -1 (useless) to 1 (just right)."""
    text: str = Field(default="", max_length=4_000)
    """In the caller's words."""


class Kept(BaseModel):
    """What was kept."""

    id: str
    request_id: str


def router(recorder: Recorder, twins: Collection[str]) -> APIRouter:
    """The route.

    Args:
        recorder: Where feedback is written.
        twins: Names of the twins that are served.
    """
    made = APIRouter(tags=["Feedback"])

    @made.post("/v1/feedback", status_code=202)
    async def feedback(given: Given) -> Kept:
        """Keep feedback on an answer; a second one of the same key on the same answer replaces the first."""
        if given.model not in twins:
            raise NotFoundError(
                f"no twin {given.model!r} is served here",
                param="model",
                remedy=f"use one of: {', '.join(sorted(twins))}",
            )
        key = current().key
        name = digest.of_json([given.model, given.request_id, key])
        recorder.feedback(
            Feedback(
                id=name,
                request_id=given.request_id,
                twin=given.model,
                at=datetime.now(UTC).isoformat(),
                key=key,
                score=given.score,
                text=given.text,
            )
        )
        return Kept(id=name, request_id=given.request_id)

    return made
