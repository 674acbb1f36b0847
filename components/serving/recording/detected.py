"""What the detectors find in an interaction that is being shipped, so that flagged ones can be drawn."""

from typing import Any

from components.dataflows import signals
from components.shared.interactions import INTERACTIONS, answers_of, question_of


def complete(collection: str, document: dict[str, Any]) -> None:
    """Note in an interaction of an LLM twin what its texts show, as far as the policy keeps them.

    It runs on the shipper's thread, after the answer; the same record always gives the same signals.

    Args:
        collection: Where the document goes; others than interactions are left as they are.
        document: Changed in place.
    """
    body = document.get("body")
    if collection != INTERACTIONS or not isinstance(body, dict) or body.get("kind") != "llm":
        return
    question = question_of(body.get("inputs"))
    found = {
        "personal_data": float(sum(signals.personal_data(question).values())),
        "injection": float(signals.injection(question)),
        "refusal": float(any(signals.refusal(one) for one in answers_of(body.get("output")))),
    }
    body["signals"] = {**body.get("signals", {}), **{name: value for name, value in found.items() if value}}
