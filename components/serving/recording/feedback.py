"""`POST /v1/feedback`: what a caller says of an answer, on the way of all records."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from components.adapters.warehouse.contract import Warehouse
from components.serving.exchange import current
from components.serving.recording.recorder import Recorder
from components.shared import digest
from components.shared.errors import MissingError, NotFoundError
from components.shared.interactions import INTERACTIONS, Feedback

log = logging.getLogger("twinstack.serving")


class Given(BaseModel):
    """Feedback on one answer."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    request_id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    """The `x-request-id` of the answer."""
    model: str | None = Field(default=None, min_length=1, max_length=60)
    """Name of the twin that answered. It is found by the request id where it is left out."""
    score: float = Field(ge=-1, le=1, allow_inf_nan=False)
    """From -1 (useless) to 1 (just right)."""
    text: str = Field(default="", max_length=4_000)
    """In the caller's words."""


class Kept(BaseModel):
    """What was kept."""

    id: str
    request_id: str
    model: str


def router(recorder: Recorder, twins: Collection[str], warehouse: Warehouse) -> APIRouter:
    """The route.

    Args:
        recorder: Where feedback is written.
        twins: Names of the twins that are served.
        warehouse: Knows the answers that other servers, or earlier ones, gave.
    """
    made = APIRouter(tags=["Feedback"])

    @made.post("/v1/feedback", status_code=202)
    async def feedback(given: Given) -> Kept:
        """Keep feedback on an answer; a second one of the same key on the same answer replaces the first."""
        exchange = current()
        known = sorted(one for one in twins if exchange.reaches(one))
        if given.model is not None:
            exchange.require_twin(given.model)
            if given.model not in known:
                raise NotFoundError(
                    f"no twin {given.model!r} is served here",
                    param="model",
                    remedy=f"use one of: {', '.join(known)}",
                )
        twin = given.model or recorder.twin_of(given.request_id)
        if twin not in known:
            twin = await asyncio.to_thread(_found, warehouse, known, given.request_id)
        key = exchange.key
        name = digest.of_json([twin, given.request_id, key])
        recorder.feedback(
            Feedback(
                id=name,
                request_id=given.request_id,
                twin=twin,
                at=datetime.now(UTC).isoformat(),
                key=key,
                score=given.score,
                text=given.text,
            )
        )
        return Kept(id=name, request_id=given.request_id, model=twin)

    return made


def _found(warehouse: Warehouse, twins: Sequence[str], request_id: str) -> str:
    """The one of some twins that answered a request, from the warehouse.

    Raises:
        NotFoundError: No answer of this id is there.
        MissingError: The warehouse does not answer.
    """
    try:
        for twin in twins:
            if warehouse.count(INTERACTIONS, twin=twin, source=request_id):
                return twin
    except Exception as error:  # every store has errors of its own
        log.warning("the answer of a feedback cannot be looked up: %s", type(error).__name__)
        raise MissingError(
            "the answer cannot be looked up now", remedy="name its twin in the field model, or try again"
        ) from error
    raise NotFoundError(
        f"no answer '{request_id}' is known",
        param="request_id",
        remedy="send its x-request-id; if it was answered a moment ago, name its twin in the field model",
    )
