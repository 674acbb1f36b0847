"""What the fronts have seen of the champion: its last closed window, and the quality of labelled answers."""

from dataclasses import dataclass

from components.dataflows.drift_window import Window
from components.dataflows.quality import FEWEST, Quality
from components.runtime import quality, watched
from components.runtime.context import Context
from components.runtime.watched import Closed
from components.shared.config import ClassicTwin
from components.shared.releases import Release


@dataclass(frozen=True)
class Traffic:
    """What there is to report; both are None where nobody has asked yet."""

    window: Closed | None
    quality: Quality | None

    @property
    def key(self) -> list[str]:
        """Changes with what there is to report."""
        return [self.window.end if self.window else "", repr(self.quality)]

    @property
    def drifted(self) -> tuple[str, ...]:
        """Names of the drifted signals."""
        return self.window.drifted if self.window else ()


def seen(context: Context, release: Release) -> Traffic:
    """Close the open window if it is due, and join the labels that have come."""
    warehouse, twin = context.stores.warehouse, context.config.twin(context.twin)
    frozen = watched.reference(warehouse, release.id)
    if frozen:
        watched.add(warehouse, context.twin, release.id, Window(frozen), twin.monitor, twin.seed)
    found = None
    if isinstance(twin, ClassicTwin):
        at = watched.now()
        found = quality.matured(warehouse, release, twin, at)
        if found:
            quality.store(warehouse, context.twin, release.id, found, at)
    return Traffic(watched.newest(warehouse, release.id), found)


def described(window: Closed) -> str:
    """The window in words."""
    return f"{window.rows:,} rows that the fronts answered, {window.start[:19]} to {window.end[:19]} UTC."


#: Heads of the table of quality.
HEAD = ("measure", "value", "better", "interval")

#: What is said where there is no number.
ABSENT = f"No number with fewer than {FEWEST} labels."


def markdown(found: Quality, level: float) -> str:
    """The numbers of labelled answers.

    Args:
        found: The numbers.
        level: Confidence level of the intervals.
    """
    lines = ["# Quality on matured labels", "", _said(found, level), ""]
    if found.measures:
        lines += [f"| {' | '.join(HEAD)} |", "|---|---|---|---|"]
        lines += [f"| {' | '.join(cells)} |" for cells in _cells(found)]
    return "\n".join([*lines, ""])


def html(found: Quality, level: float) -> str:
    """The same as markup."""
    rows = "".join(f"<tr><td>{'<td>'.join(cells)}" for cells in _cells(found))
    table = f"<table><tr><th>{'<th>'.join(HEAD)}{rows}</table>" if rows else ""
    return f"<h2>Quality on matured labels</h2><p>{_said(found, level)}{table}"


def _said(found: Quality, level: float) -> str:
    share = f"{found.labelled:,} of {found.rows:,} answers have a label ({found.share:.0%})."
    if not found.measures:
        return f"{share} {ABSENT}"
    rest = f"The numbers are of these alone; intervals hold at {level:.0%}."
    return f"{share} {rest}" + ("" if "roc_auc" in found.measures else " All outcomes are the same: no AUC.")


def _cells(found: Quality) -> list[tuple[str, ...]]:
    return [
        (name, f"{one.value:.4f}", one.better, f"{one.low:.4f} to {one.high:.4f}")
        for name, one in found.measures.items()
    ]
