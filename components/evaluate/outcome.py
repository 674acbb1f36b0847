"""What an evaluation of either kind leaves: its numbers, its drift reference, a version of the content."""

from pathlib import Path
from typing import Any

from pydantic import JsonValue

from components.dataflows.drift_reference import Reference
from components.evaluate.reference import FILE as REFERENCE
from components.runtime.context import Draft
from components.shared import digest
from components.shared.config.base import BaseTwin
from components.shared.evaluation import FILE, Evaluation
from components.shared.files import write_atomic
from components.shared.releases import Release

#: What people read of the numbers.
REPORTS = ("report.md", "report.html")


def resampling(twin: BaseTwin) -> dict[str, Any]:
    """How intervals are made."""
    return {"level": twin.intervals, "rounds": twin.bootstrap_rounds, "seed": twin.seed}


def settings(twin: BaseTwin, reigning: Release | None) -> dict[str, JsonValue]:
    """What can change the numbers of either kind."""
    return {
        **resampling(twin),
        "bins": twin.monitor.bins,
        "champion": reigning.id if reigning else "",
    }


def left(folder: Path, found: Evaluation, frozen: Reference, summary: str, **more: float) -> Draft:
    """Write numbers and drift reference beside the report, and say what there is.

    Args:
        folder: Holds the report and every other file already.
        found: The numbers.
        frozen: What drift will be measured against.
        summary: For people.
        more: Facts beside the candidate's numbers.
    """
    write_atomic(folder / FILE, found.model_dump_json(indent=2))
    write_atomic(folder / REFERENCE, frozen.model_dump_json())
    return Draft(
        summary=summary,
        facts={
            "cases": found.cases,
            "champion_release": found.champion_release,
            **{name: measure.value for name, measure in found.candidate.items()},
            **more,
        },
        version=_version(folder, found),
    )


def _version(folder: Path, found: Evaluation) -> str:
    """Name of the content without what differs when the same is measured again.

    A clock says something else every time, and a quantile sketch draws random bits.
    """
    kept = found.model_dump(mode="json", exclude={"notes"})
    for side in ("candidate", "baseline", "champion", "paired"):
        kept[side] = {name: one for name, one in kept[side].items() if name not in found.clocked}
    files = digest.of_folder(folder, leave_out=[REFERENCE, FILE, *REPORTS])
    return digest.of_json([files, kept])
