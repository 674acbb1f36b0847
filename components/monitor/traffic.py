"""What the fronts have seen of the champion: its last closed window, and the quality of labelled answers."""

from dataclasses import dataclass

from components.dataflows.drift_window import Window
from components.dataflows.quality import Quality
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


def markdown(found: Quality) -> str:
    """The numbers of labelled answers."""
    lines = [
        "# Quality on matured labels",
        "",
        f"{found.labelled:,} of {found.rows:,} answers have a label ({found.share:.0%}).",
        "",
        "| measure | value | interval |",
        "|---|---|---|",
    ]
    lines += [
        f"| {name} | {one.value:.4f} | {one.low:.4f} to {one.high:.4f} |"
        for name, one in found.measures.items()
    ]
    return "\n".join([*lines, ""])


def html(found: Quality) -> str:
    """The same as markup."""
    rows = "".join(
        f"<tr><td>{name}<td>{one.value:.4f}<td>{one.low:.4f} to {one.high:.4f}"
        for name, one in found.measures.items()
    )
    return (
        f"<h2>Quality on matured labels</h2><p>{found.labelled:,} of {found.rows:,} answers have a label "
        f"({found.share:.0%}).<table><tr><th>measure<th>value<th>interval{rows}</table>"
    )
