"""The observer that writes every answered request into the spool, before its answer's last byte."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from components.dataflows import signals
from components.serving.exchange import Exchange
from components.serving.recording.records import encoded
from components.serving.recording.spool import Spool, SpoolError
from components.shared.config.base import Kind
from components.shared.config.interactions import Interactions
from components.shared.interactions import FEEDBACK, INTERACTIONS, Feedback, document, envelope
from components.shared.metrics.instruments import Instruments
from components.shared.metrics.llm import FEEDBACK as FEEDBACK_RECEIVED
from components.shared.metrics.metric import NONE
from components.shared.metrics.records import SPOOLED

log = logging.getLogger("twinstack.serving")

#: Requests whose twin and release are remembered for the feedback on them.
REMEMBERED = 10_000

SHADOW = "shadow"


def _full(value: Any) -> Any:
    return value


def _nothing(_: Any) -> None:
    return None


def _redacted(value: Any) -> Any:
    """A JSON-like value without personal data in its texts; names of fields stay."""
    if isinstance(value, str):
        return signals.redacted(value)
    if isinstance(value, Mapping):
        return {name: _redacted(one) for name, one in value.items()}
    return [_redacted(one) for one in value] if isinstance(value, list | tuple) else value


#: Policy to what it does to inputs and output.
POLICIES: Mapping[str, Callable[[Any], Any]] = {
    "full": _full,
    "redacted": _redacted,
    "none": _nothing,
}


class Recorder:
    """Writes interactions and feedback into a spool.

    Args:
        spool: Where they are written.
        settings: What is kept of inputs and outputs.
        kinds: Twin to its kind.
        config: Digest of the configuration of this process.
        instruments: Where records are counted.
    """

    def __init__(
        self,
        spool: Spool,
        settings: Interactions,
        kinds: Mapping[str, Kind],
        config: str,
        instruments: Instruments,
    ) -> None:
        self.spool = spool
        self._inputs = POLICIES[settings.inputs]
        self._output = POLICIES[settings.output]
        self._kinds = kinds
        self._config = config
        self._instruments = instruments
        self._answers: OrderedDict[str, tuple[str, str]] = OrderedDict()

    def __call__(self, exchange: Exchange, status: int, seconds: float) -> None:
        """Write an exchange, unless no release has taken it.

        Raises:
            SpoolError: The disk did not take it: the answer must not end as if all were well.
        """
        if exchange.release == NONE:
            return
        body = self._body(exchange, status, seconds)
        found = envelope(exchange.id, exchange.twin, exchange.request_id, body)
        try:
            self._write(INTERACTIONS, found)
        except SpoolError:
            if exchange.role != SHADOW:
                raise
            return  # nobody was answered
        if exchange.role != SHADOW:
            self._answers[exchange.request_id] = exchange.twin, exchange.release
            if len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)

    def twin_of(self, request_id: str) -> str | None:
        """The twin that answered a request lately, here."""
        found = self._answers.get(request_id)
        return found[0] if found else None

    def feedback(self, given: Feedback) -> None:
        """Write feedback.

        Raises:
            SpoolError: The disk did not take it.
        """
        text = self._output(given.text) or ""
        self._write(FEEDBACK, document(given.model_copy(update={"text": text})))
        verdict = "positive" if given.score > 0 else "negative" if given.score < 0 else "neutral"
        twin, release = self._answers.get(given.request_id, (NONE, NONE))
        release = release if twin == given.twin else NONE  # the caller may name any twin
        self._instruments.add(FEEDBACK_RECEIVED, 1, given.twin, release, verdict)

    def _write(self, collection: str, found: Mapping[str, Any]) -> None:
        self.spool.append(encoded(collection, found))
        self._instruments.add(SPOOLED, 1, "spooled")

    def _body(self, exchange: Exchange, status: int, seconds: float) -> dict[str, Any]:
        """The fields of an `Interaction`; checked by a test instead of in every request."""
        began = datetime.now(UTC).timestamp() - seconds
        return {
            "id": exchange.id,
            "request_id": exchange.request_id,
            "at": datetime.fromtimestamp(began, UTC).isoformat(),
            "twin": exchange.twin,
            "kind": self._kinds[exchange.twin],
            "release": exchange.release,
            "role": exchange.role,
            "route": exchange.route,
            "status": status,
            "key": exchange.key,
            "inputs": self._inputs(exchange.inputs),
            "output": self._output(exchange.output),
            "context": exchange.context,
            "scores": exchange.scores,
            "answered": exchange.answered,
            "failed": exchange.failed,
            "finish": exchange.finish,
            "prompt_tokens": exchange.prompt_tokens,
            "completion_tokens": exchange.completion_tokens,
            "cost": exchange.cost,
            "seconds": seconds,
            "first_token": exchange.first_token,
            "timings": exchange.timings,
            "signals": exchange.signals,
            "paired": exchange.paired,
            "config": self._config,
        }
