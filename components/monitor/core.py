"""Drift of the current window against what the champion was trained on."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

from components.monitor import windows
from components.runtime import champion, drift_report
from components.runtime.context import Context, Draft
from components.runtime.entry import PathArtifact
from components.shared import digest
from components.shared.errors import MissingError
from components.shared.files import write_atomic
from components.shared.manifests import Manifest


def run(context: Context, features: Manifest, released: Manifest) -> Manifest:
    """Compare the newest window of the twin's features with the champion's training window.

    Facts: `signals`, `drifted`, `worst` (name), `worst_psi`, `worst_threshold`.

    Raises:
        MissingError: No release answers yet.
    """
    release = champion.champion(context)
    if release is None:
        raise MissingError(
            f"twin '{context.twin}' has no champion to compare with",
            remedy="release one: `twin run end_to_end`",
        )
    settings = context.config.twin(context.twin).monitor
    return context.commit(
        settings={"monitor": settings.model_dump(mode="json"), "champion": release.id},
        parents={"features": features, "released": released},
        build=lambda folder: _compare(context, windows.of(context, release, features), folder),
    )


def _compare(context: Context, pair: windows.Pair, folder: Path) -> Draft:
    twin = context.config.twin(context.twin)
    found = windows.drift(pair, twin.monitor, twin.seed)
    drifted, worst = [one.name for one in found if one.drifted], found[0]
    rows = [asdict(one) for one in found]
    told = (
        f"Drift of {context.twin}",
        f"{pair.rows} rows now, {len(pair.reference)} in training: {pair.described}.",
    )
    write_atomic(folder / "drift.json", json.dumps(rows, indent=2))
    write_atomic(folder / "report.html", drift_report.html(*told, found))
    write_atomic(folder / "report.md", drift_report.markdown(*told, found))
    return Draft(
        summary=f"{len(drifted)} of {len(found)} signals drifted in {pair.rows} rows"
        + (f": {', '.join(drifted[:5])}" if drifted else f"; nearest {worst.name}"),
        facts={
            "signals": len(found),
            "drifted": len(drifted),
            "worst": worst.name,
            "worst_psi": worst.statistic,
            "worst_threshold": worst.threshold,
        },
        version=digest.of_json(rows),
    )


def show(made: Manifest, page: PathArtifact, summary: PathArtifact) -> None:
    """Fill the KFP artifacts that the UI shows: `dsl.HTML` and `dsl.Markdown`."""
    shutil.copyfile(made.folder / "report.html", page.path)
    shutil.copyfile(made.folder / "report.md", summary.path)
