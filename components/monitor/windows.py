"""The two windows of a twin, by kind, and the drift between them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from components.dataflows import drift_window, retrieval
from components.dataflows.drift_window import Drift
from components.runtime.context import Context
from components.shared import digest
from components.shared.config.base import Monitor
from components.shared.errors import MissingError
from components.shared.manifests import Manifest
from components.shared.releases import Release

if TYPE_CHECKING:
    import pandas as pd

    from components.adapters.encoder import Vectors

#: Chunks whose vectors are compared; twice as many at most.
CHUNKS = 300


@dataclass(frozen=True)
class Pair:
    """Training window and current window with the same columns, and vectors of some of their documents."""

    reference: "pd.DataFrame"
    current: "pd.DataFrame"
    described: str
    vectors: "tuple[Vectors, Vectors] | None" = None

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
        tables = [pd.read_parquet(one.folder / "chunks.parquet") for one in (before, features)]
        reference, current = (_chunks(one[["path", "tokens"]]) for one in tables)
        vectors = None if before.version == features.version else _vectors(context, *tables)
        described = "chunks of the corpus now, against those of the champion's index"
        return Pair(reference, current, described, vectors)
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


def _vectors(context: Context, *tables: "pd.DataFrame") -> "tuple[Vectors, Vectors]":
    """Vectors of some chunks of either table, most of them from the cache."""
    import numpy as np

    from components.adapters.embedding_cache import EmbeddingCache
    from components.adapters.encoder import Encoder

    encoder = Encoder(context.llm.encoder)
    cache = EmbeddingCache(context.config.state_path / "embeddings.db")
    found = []
    for table in tables:
        rows = table.iloc[:: max(1, len(table) // CHUNKS)]
        texts = [retrieval.embedded_text(*pair) for pair in zip(rows["heading"], rows["text"], strict=True)]
        names = [digest.of_text(text) for text in texts]
        known = cache.get(encoder.version, names)
        missing = {name: text for name, text in zip(names, texts, strict=True) if name not in known}
        known |= dict(zip(missing, encoder.encode(list(missing.values())), strict=True))
        found.append(np.stack([known[name] for name in names]))
    return found[0], found[1]


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
    if pair.vectors:
        signals.append(drift_reference.embedding("document", pair.vectors[0]))
        values["document"] = pair.vectors[1]
    frozen = drift_reference.Reference(made="", described=pair.described, signals=tuple(signals))
    window = drift_window.Window(frozen)
    window.add(pair.rows, values)
    rule = drift_window.Rule(settings.false_alarm_rate, settings.smallest_psi, seed)
    return drift_window.drifts(window, rule)
