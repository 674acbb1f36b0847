"""The stages of a classic twin, run as plain functions in a folder of their own."""

from pathlib import Path

from components.collect import core as collect
from components.evaluate import core as evaluate
from components.materialize import core as materialize
from components.runtime.context import Context
from components.shared.config import Config, load
from components.shared.manifests import Manifest
from components.snapshot import core as snapshot
from components.train import core as train
from components.validate import core as validate

REPOSITORY = Path(__file__).resolve().parents[2]


def credit(state: Path, **changes: object) -> Config:
    """The shipped twin credit with its own state folder; `changes` replace fields of the twin."""
    values = load(REPOSITORY / "twinstack.yaml").model_dump(mode="json")
    twin = {**values["twins"]["credit"], **changes}
    return Config(**{**values, "state": str(state), "twins": {"credit": twin}})


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
