"""The two windows of a twin, by kind, and the drift between them."""

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.runtime.context import Context
from components.shared.config.base import Monitor
from components.shared.errors import MissingError
from components.shared.manifests import Manifest
from components.shared.releases import Release

if TYPE_CHECKING:
    import pandas as pd

#: Categories that keep a bin of their own; the rest are "other".
TOP = 20


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


@dataclass(frozen=True)
class Drift:
    """One signal."""

    name: str
    psi: float
    threshold: float
    drifted: bool
    bins: tuple[str, ...]
    before: tuple[float, ...]
    now: tuple[float, ...]


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
    """PSI of every column against its own simulated threshold."""
    import pandas as pd

    from components.dataflows import drift as flow

    found = []
    for name in pair.reference.columns:
        before, now = pair.reference[name], pair.current[name]
        if pd.api.types.is_numeric_dtype(before):
            frozen = flow.reference(before.to_numpy(dtype=float), settings.bins)
            labels = _labels([float(edge) for edge in frozen.edges])
            old, new = frozen.counts, flow.counts(now.to_numpy(dtype=float), frozen.edges)
        else:
            known = list(before.astype(str).value_counts().index[:TOP])
            labels = [*known, "other"]
            old = flow.category_counts(before.astype(str).tolist(), known)
            new = flow.category_counts(now.astype(str).tolist(), known)
        value = float(flow.psi(old, new))
        limit = flow.threshold(old, len(now), settings.false_alarm_rate, seed)
        found.append(
            Drift(
                name,
                value,
                limit,
                value > limit,
                tuple(labels),
                tuple(flow.shares(old)),
                tuple(flow.shares(new)),
            )
        )
    return found


def _labels(edges: list[float]) -> list[str]:
    if not edges:
        return ["any"]
    inner = [f"{low:.4g} to {high:.4g}" for low, high in itertools.pairwise(edges)]
    return [f"< {edges[0]:.4g}", *inner, f"≥ {edges[-1]:.4g}"]
