"""Table to dataflow to Feast: history offline, newest values online, as one immutable feature version."""

from pathlib import Path
from typing import Any

from components.adapters.features.repository import OFFLINE, TIME, Description
from components.runtime import dataflow, features
from components.runtime.context import Context, Draft
from components.shared import digest
from components.shared.manifests import Manifest

TABLE = "table.parquet"


def run(context: Context, validated: Manifest) -> Manifest:
    """Compute every feature of every row and make the feature version of the result.

    Leaves `features.parquet` (key, `event_timestamp`, the features as float64) and the feature version in the
    feature store; its version is the digest of the values, so code that changes no value changes no version.

    Raises:
        ConfigError: The dataflow cannot be used.
        DataError: A feature fails on a column, or is no column of numbers.
    """
    twin = context.classic
    code = dataflow.source(twin.dataflow, context.config.root_path)
    made = context.commit(
        settings={
            "dataflow": digest.of_file(code),
            "features": list(twin.features),
            "ttl_days": twin.feature_ttl_days,
        },
        parents={"validated": validated},
        build=lambda folder: _build(context, validated, folder),
    )
    store = context.stores.features
    if not store.exists(context.twin, made.version):
        # The feature store was emptied after the commit: make the version again from the committed values.
        import pandas as pd

        store.write(_description(context, made.version), pd.read_parquet(made.folder / OFFLINE))
    return made


def _build(context: Context, validated: Manifest, folder: Path) -> Draft:
    import pandas as pd

    twin = context.classic
    plan = features.plan(context.config, context.twin, mode="batch")
    table = pd.read_parquet(validated.folder / TABLE)
    values = features.frame(plan, table)
    values.insert(0, twin.table.key, table[twin.table.key])
    values.insert(1, TIME, table[TIME])
    values.to_parquet(folder / OFFLINE, index=False, coerce_timestamps="us", allow_truncated_timestamps=True)
    version = digest.of_json([digest.of_file(folder / OFFLINE), list(twin.features), twin.feature_ttl_days])
    context.progress.note(f"{len(values)} rows × {len(twin.features)} features computed, now into Feast")
    context.stores.features.write(_description(context, version, plan), values)
    context.crash_point("after-feast")
    return Draft(
        summary=f"{len(twin.features)} features of {len(values)} rows, offline and online",
        facts={
            "feature_version": version,
            "rows": len(values),
            "features": list(twin.features),
            "missing": int(values[list(twin.features)].isna().to_numpy().sum()),
            "folder": str(context.stores.features.folder(context.twin, version)),
        },
        version=version,
    )


def _description(context: Context, version: str, plan: dataflow.Plan | None = None) -> Description:
    """What Feast is told of the features: a node's docstring and tags go with it."""
    twin = context.classic
    nodes: dict[str, Any] = (
        plan or features.plan(context.config, context.twin, mode="batch")
    ).driver.graph.nodes
    return Description(
        twin=context.twin,
        version=version,
        key=twin.table.key,
        features=twin.features,
        documentation={name: (nodes[name].documentation or "").strip() for name in twin.features},
        tags={
            name: {key: str(value) for key, value in nodes[name].tags.items() if key != "module"}
            for name in twin.features
        },
        ttl_days=twin.feature_ttl_days,
    )
