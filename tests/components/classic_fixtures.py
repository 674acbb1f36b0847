"""The stages of a classic twin, run as plain functions in a folder of their own."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from components.collect import core as collect
from components.evaluate import core as evaluate
from components.materialize import core as materialize
from components.runtime.context import Context
from components.shared.config import ClassicTwin, Config, load
from components.shared.evaluation import FILE, Evaluation
from components.shared.manifests import Manifest
from components.shared.releases import Release
from components.snapshot import core as snapshot
from components.train import core as train
from components.validate import core as validate

REPOSITORY = Path(__file__).resolve().parents[2]


def credit(state: Path, **changes: object) -> Config:
    """The shipped twin credit with its own state folder; `changes` replace fields of the twin."""
    config = load(REPOSITORY / "twinstack.yaml")
    twin = ClassicTwin(**{**config.twin("credit").model_dump(), **changes})
    # Copied, not parsed again: an override in the environment would win over the state folder.
    return config.model_copy(update={"state": str(state), "twins": {"credit": twin}})


@cache
def finished() -> tuple[Config, dict[str, Manifest]]:
    """The shipped twin credit from collect to evaluate, made once a session; to be read only."""
    folder = Path(tempfile.mkdtemp(prefix="twinstack credit-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    config = credit(folder)
    return config, chain(config, "credit")


def tables(config: Config, twin: str) -> dict[str, Manifest]:
    """Stages collect and validate."""
    made = {"collected": collect.run(Context(config, twin, "collect"))}
    made["validated"] = validate.run(Context(config, twin, "validate"), collected=made["collected"])
    return made


def datasets(config: Config, twin: str) -> dict[str, Manifest]:
    """Stages from collect to snapshot."""
    made = tables(config, twin)
    made["features"] = materialize.run(Context(config, twin, "materialize"), validated=made["validated"])
    made["dataset"] = snapshot.run(
        Context(config, twin, "snapshot"), validated=made["validated"], features=made["features"]
    )
    return made


def chain(config: Config, twin: str) -> dict[str, Manifest]:
    """Stages from collect to evaluate."""
    made = datasets(config, twin)
    made["model"] = train.run(Context(config, twin, "train", True), dataset=made["dataset"])
    made["evaluation"] = evaluate.run(
        Context(config, twin, "evaluate"), **{slot: one for slot, one in made.items() if slot != "collected"}
    )
    return made


def release(made: dict[str, Manifest], name: str) -> Release:
    """A release of what a chain made."""
    return Release(
        id=name,
        twin="credit",
        kind="classic",
        model_version=made["model"].text("model_version"),
        model_uri=made["model"].text("model_uri"),
        feature_version=made["features"].version,
        dataset_version=made["dataset"].version,
        commit=made["model"].text("commit"),
        dirty=True,
        trained_on=made["model"].text("trained_on"),
        evaluation=read(made["evaluation"]),
        created="2026-01-01T00:00:00+00:00",
    )


def read(made: Manifest) -> Evaluation:
    return Evaluation.model_validate_json((made.folder / FILE).read_bytes())
