"""What `twin eval` shows: the numbers of candidate and champion, and what the gate says of them."""

from dataclasses import dataclass

from components.adapters.stores import Stores
from components.runtime import champion
from components.shared import comparison
from components.shared.config import Config
from components.shared.errors import MissingError, NotReleasedError
from components.shared.evaluation import FILE, Evaluation
from pipelines import output


@dataclass(frozen=True)
class Shown:
    """An evaluation and what followed from it.

    Attributes:
        numbers: Of both sides.
        decision: What the gate says, with the reason; empty where it was not asked about these numbers.
        reason: In its words.
        report: Where the page with plots and answers lies; empty for a stored release.
    """

    numbers: Evaluation
    decision: str = ""
    reason: str = ""
    report: str = ""

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {
            "evaluation": self.numbers.model_dump(mode="json"),
            "decision": self.decision,
            "reason": self.reason,
            "report": self.report,
        }


def newest(config: Config, twin: str) -> Shown:
    """The newest evaluation of a twin.

    Raises:
        MissingError: There is none.
    """
    config.twin(twin)
    artifacts = Stores(config).artifacts
    made = artifacts.latest(twin, "evaluate")
    if made is None:
        raise MissingError(
            f"twin '{twin}' has no evaluation", where=twin, remedy=f"run `twin eval {twin}` without --stored"
        )
    numbers = Evaluation.model_validate_json((made.folder / FILE).read_bytes())
    said = artifacts.latest(twin, "gate")
    if said is None or said.parents.get("evaluation") != made.version:
        return Shown(numbers, report=made.uri)
    return Shown(numbers, said.text("decision"), said.text("reason"), made.uri)


def of_release(config: Config, twin: str, release: str) -> Shown:
    """The numbers that the gate of a release decided on.

    Raises:
        NotFoundError: The twin has no such release.
    """
    config.twin(twin)
    return Shown(champion.read_release(Stores(config).warehouse, twin, release).evaluation)


def show(found: Shown) -> None:
    """Print a table, what it does not say, and the gate's word."""
    heading, *rows = comparison.rows(found.numbers)
    title = f"{found.numbers.twin}: {found.numbers.cases} cases"
    if found.numbers.champion_release:
        title += f", champion {found.numbers.champion_release}"
    output.table(title, [dict(zip(heading, row, strict=True)) for row in rows])
    if not found.numbers.champion_release:
        output.say("Champion: none to compare with; one that is this very candidate is not measured twice.")
    for line in comparison.remarks(found.numbers):
        output.say(line)
    if found.report:
        output.say(f"Report: {found.report}/report.html")
    if found.decision:
        output.say(f"Gate: {found.decision}: {found.reason}")


def refuse(found: Shown) -> None:
    """Fail where the gate does not release.

    Raises:
        NotReleasedError: It asks a person, or blocks.
    """
    if found.decision != "release":
        raise NotReleasedError(
            f"the gate says {found.decision or 'nothing'}: {found.reason or 'it was not asked'}",
            where=f"twin {found.numbers.twin}",
        )
