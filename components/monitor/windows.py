"""The two windows of a twin, by kind, and the drift between them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from components.dataflows import drift_window
from components.dataflows.drift_window import Drift
from components.runtime.context import Context
from components.shared.config.base import Monitor
from components.shared.errors import MissingError
from components.shared.manifests import Manifest
from components.shared.releases import Release

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Pair:
    """Training window and current window with the same columns."""

    reference: "pd.DataFrame"
    current: "pd.DataFrame"
    described: str

    @property
    def rows(self) -> int:
        """Rows of the current window."""
        return len(self.current)


def of(context: Context, release: Release, features: Manifest) -> Pair:
    """The windows of the context's twin.

    Raises:
        MissingError: The champion's training data is gone.
    """
    import pandas as pd

    if release.kind == "llm":
        before = _folder(context, "embed", release.index_version)
        columns = ["path", "tokens"]
        reference = _chunks(pd.read_parquet(before.folder / "chunks.parquet", columns=columns))
        current = _chunks(pd.read_parquet(features.folder / "chunks.parquet", columns=columns))
        return Pair(reference, current, "chunks of the corpus now, against those of the champion's index")
    twin = context.classic
    before = _folder(context, "snapshot", release.dataset_version)
    wanted = list(twin.features)
    reference = pd.read_parquet(before.folder / "train.parquet", columns=wanted)
    current = pd.read_parquet(features.folder / "features.parquet", columns=[*wanted, "event_timestamp"])
    newest = current.sort_values("event_timestamp").tail(twin.monitor.window_rows)
    return Pair(reference, newest[wanted], "newest rows by event time, against the champion's training part")


def _folder(context: Context, stage: str, version: str) -> Manifest:
    found = context.stores.artifacts.with_version(stage, version)
    if found is None:
        raise MissingError(
            f"the champion's {stage} version {version} is gone",
            where=f"twin {context.twin}",
            remedy="train and release again: `twin run end_to_end`",
        )
    return found


def _chunks(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Signals of a chunk: its length in tokens and the kind of file it comes from."""
    return frame.assign(
        file_type=frame["path"].str.extract(r"(\.[^./]+)$", expand=False).fillna("none")
    ).drop(columns="path")


def drift(pair: Pair, settings: Monitor, seed: int) -> list[Drift]:
    """Every column against its own simulated thresholds, the most suspicious first."""
    import pandas as pd

    from components.dataflows import drift_reference

    signals: list[drift_reference.Signal] = []
    values: dict[str, Any] = {}
    for name in pair.reference.columns:
        before, now = pair.reference[name], pair.current[name]
        if pd.api.types.is_numeric_dtype(before):
            signals.append(drift_reference.numeric(name, before.to_numpy(dtype=float), settings.bins))
            values[name] = now.to_numpy(dtype=float)
        else:
            often = {str(value): int(count) for value, count in before.value_counts().items()}
            signals.append(drift_reference.category(name, often))
            values[name] = now.astype(str).tolist()
    frozen = drift_reference.Reference(made="", described=pair.described, signals=tuple(signals))
    window = drift_window.Window(frozen)
    window.add(pair.rows, values)
    rule = drift_window.Rule(settings.false_alarm_rate, settings.smallest_psi, seed)
    return drift_window.drifts(window, rule)
