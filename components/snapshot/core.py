"""Point-in-time join of labels and features, split by time, frozen as an immutable dataset version."""

from pathlib import Path
from typing import TYPE_CHECKING

from components.runtime.context import Context, Draft
from components.shared import digest
from components.shared.config.classic import Split
from components.shared.errors import DataError
from components.shared.manifests import Manifest

if TYPE_CHECKING:
    import pandas as pd

TABLE = "table.parquet"
TIME = "event_timestamp"
LABEL = "label"

#: Oldest first.
PARTS = ("train", "validation", "test")


def run(context: Context, validated: Manifest, features: Manifest) -> Manifest:
    """Join to each labelled row what was known at its time, and split by time.

    Leaves `train.parquet`, `validation.parquet`, `test.parquet`: the key, `event_timestamp`, the features as
    float64 in the order of the configuration, `label` as int64 with 1 for the positive outcome.

    Raises:
        DataError: A part is empty or has one class only.
    """
    twin = context.classic
    return context.commit(
        settings={
            "split": twin.split.model_dump(),
            "label": twin.table.label,
            "positive": twin.table.positive,
            "features": list(twin.features),
        },
        parents={"validated": validated, "features": features},
        build=lambda folder: _build(context, validated, features, folder),
    )


def _build(context: Context, validated: Manifest, features: Manifest, folder: Path) -> Draft:
    import pandas as pd

    twin = context.classic
    table = pd.read_parquet(validated.folder / TABLE)
    entities = table[[twin.table.key, TIME]].assign(
        **{LABEL: (table[twin.table.label].astype(str) == twin.table.positive).astype("int64")}
    )
    joined = context.stores.features.history(context.twin, features.text("feature_version"), entities)
    columns = [twin.table.key, TIME, *twin.features, LABEL]
    joined = joined[columns].sort_values([TIME, twin.table.key], kind="stable", ignore_index=True)
    joined[TIME] = joined[TIME].astype("datetime64[us, UTC]")
    parts = split(joined, twin.split)
    rows = {}
    for name, part in parts.items():
        _require_both_classes(name, part, twin.table.positive)
        part.to_parquet(
            folder / f"{name}.parquet", index=False, coerce_timestamps="us", allow_truncated_timestamps=True
        )
        rows[name] = len(part)
    version = digest.of_json({name: digest.of_file(folder / f"{name}.parquet") for name in parts})
    return Draft(
        summary="dataset "
        + ", ".join(f"{name} {count}" for name, count in rows.items())
        + f"; {parts['train'][LABEL].mean():.0%} {twin.table.positive}",
        facts={
            **rows,
            "dataset_version": version,
            "features": list(twin.features),
            "positive_share": float(parts["train"][LABEL].mean()),
            "train_start": parts["train"][TIME].min().isoformat(),
            "train_end": parts["train"][TIME].max().isoformat(),
            "test_end": parts["test"][TIME].max().isoformat(),
        },
        version=version,
    )


def split(rows: "pd.DataFrame", shares: Split) -> dict[str, "pd.DataFrame"]:
    """Oldest rows to train, newest to test; rows of one time stay together.

    Args:
        rows: Sorted by `event_timestamp`.
        shares: Share of validation and test.

    Raises:
        DataError: A part would be empty.
    """
    count = len(rows)
    times = rows[TIME]
    first_test = times.iloc[min(count - 1, round(count * (1 - shares.test)))]
    first_validation = times.iloc[min(count - 1, round(count * (1 - shares.test - shares.validation)))]
    parts = {
        "train": rows[times < first_validation],
        "validation": rows[(times >= first_validation) & (times < first_test)],
        "test": rows[times >= first_test],
    }
    if empty := [name for name, part in parts.items() if part.empty]:
        raise DataError(
            f"{' and '.join(empty)} would be empty: {count} rows at {times.nunique()} different times",
            where="split by event time",
            remedy="collect more rows, or change `split`",
        )
    return {name: part.reset_index(drop=True) for name, part in parts.items()}


def _require_both_classes(name: str, part: "pd.DataFrame", positive: str) -> None:
    positives = int(part[LABEL].sum())
    if positives in (0, len(part)):
        raise DataError(
            f"{positives} of {len(part)} rows of part {name} are '{positive}': a model needs both outcomes",
            where="split by event time",
            remedy="check `table.positive`, collect more rows, or change `split`",
        )
