"""What waits for a person's word: a release that the gate asks about, or a retraining."""

from typing import Literal

from components.shared.stored import Stored

#: Warehouse collection.
APPROVALS = "approvals"

Subject = Literal["release", "retraining"]
State = Literal["pending", "approved", "rejected"]


class Approval(Stored):
    """One question to a person, and the answer.

    Attributes:
        id: Digest of what is asked: asking twice is asking once.
        twin: Name of the twin.
        subject: What approving does: let a release answer, or start a retraining.
        target: Id of the release; for a retraining the version of the monitor's finding.
        reason: Why a person is asked.
        state: Whether it was answered.
        asked: ISO 8601 time of the question.
        decided: ISO 8601 time of the answer; empty before.
        by: Id of the key that answered.
        note: What that person said.
        revision: Raised by every change.
    """

    id: str
    twin: str
    subject: Subject
    target: str
    reason: str
    state: State = "pending"
    asked: str
    decided: str = ""
    by: str = ""
    note: str = ""
    revision: int = 1
