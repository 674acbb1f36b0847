"""Drift of the current window against what the champion was trained on."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from components.dataflows.drift_window import Drift
from components.monitor import traffic, windows
from components.monitor.traffic import Traffic
from components.runtime import champion, drift_report
from components.runtime.context import Context, Draft
from components.runtime.entry import PathArtifact
from components.shared import digest
from components.shared.errors import MissingError
from components.shared.files import write_atomic
from components.shared.manifests import Manifest


def run(context: Context, features: Manifest, released: Manifest) -> Manifest:
    """Compare the newest window of the twin's features with the champion's training window.

    Beside it, close what the fronts saw of the champion if that is due, and measure the answers whose labels
    have come.

    Facts: `signals`, `drifted`, `worst` (name), `worst_psi`, `worst_threshold`; `traffic_rows` and
    `traffic_drifted`; with labels `label_share`, `roc_auc`, `calibration_error`, `accuracy`.

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
    answered = traffic.seen(context, release)
    return context.commit(
        settings={
            "monitor": settings.model_dump(mode="json"),
            "champion": release.id,
            "traffic": digest.of_json(answered.key),
        },
        parents={"features": features, "released": released},
        build=lambda folder: _compare(context, windows.of(context, release, features), answered, folder),
    )


def _compare(context: Context, pair: windows.Pair, answered: Traffic, folder: Path) -> Draft:
    twin = context.config.twin(context.twin)
    found = windows.drift(pair, twin.monitor, twin.seed)
    drifted, worst = [one.name for one in found if one.drifted], found[0]
    content = {
        "data": [asdict(one) for one in found],
        "traffic": asdict(answered.window) if answered.window else None,
        "quality": _numbers(answered),
    }
    write_atomic(folder / "drift.json", json.dumps(content, indent=2))
    _report(context, pair, found, answered, folder)
    facts: dict[str, JsonValue] = {
        "signals": len(found),
        "drifted": len(drifted),
        "worst": worst.name,
        "worst_psi": worst.statistic,
        "worst_threshold": worst.threshold,
        "traffic_rows": answered.window.rows if answered.window else 0,
        "traffic_drifted": len(answered.drifted),
    }
    return Draft(
        summary=f"{len(drifted)} of {len(found)} signals drifted in {pair.rows} rows"
        + (f": {', '.join(drifted[:5])}" if drifted else f"; nearest {worst.name}")
        + _asked(answered),
        facts={**facts, **_numbers(answered)},
        version=digest.of_json(_settled(content)),
    )


def _settled(value: Any) -> Any:
    """The content without the quantiles that are shown: a KLL sketch draws lots where it thins itself out."""
    if isinstance(value, dict):
        return {key: _settled(one) for key, one in value.items() if not key.startswith("quantiles_")}
    return [_settled(one) for one in value] if isinstance(value, list | tuple) else value


def _asked(answered: Traffic) -> str:
    """The part of the summary about what the fronts saw."""
    if answered.window is None:
        return ""
    names = ", ".join(answered.drifted[:5]) or "nothing"
    return f"; in {answered.window.rows} answered rows {names} drifted"


def _numbers(answered: Traffic) -> dict[str, JsonValue]:
    if answered.quality is None:
        return {}
    measures = answered.quality.measures
    return {"label_share": answered.quality.share, **{name: one.value for name, one in measures.items()}}


def _report(
    context: Context, pair: windows.Pair, found: list[Drift], answered: Traffic, folder: Path
) -> None:
    title, level = f"Drift of {context.twin}", context.config.twin(context.twin).intervals
    described = f"{pair.rows:,} rows now, {len(pair.reference):,} in training: {pair.described}."
    page, text = "", [drift_report.markdown(title, described, found)]
    if window := answered.window:
        told = traffic.described(window)
        page += f"<h2>What the fronts saw</h2>{drift_report.section(told, window.signals)}"
        text.append(drift_report.markdown("What the fronts saw", told, window.signals))
    if answered.quality:
        page += traffic.html(answered.quality, level)
        text.append(traffic.markdown(answered.quality, level))
    write_atomic(folder / "report.html", drift_report.html(title, described, found, page))
    write_atomic(folder / "report.md", "\n".join(text))


def show(made: Manifest, page: PathArtifact, summary: PathArtifact) -> None:
    """Fill the KFP artifacts that the UI shows: `dsl.HTML` and `dsl.Markdown`."""
    shutil.copyfile(made.folder / "report.html", page.path)
    shutil.copyfile(made.folder / "report.md", summary.path)
