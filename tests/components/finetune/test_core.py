"""Stage finetune on the real foundation model, two short steps."""

import json
from pathlib import Path

from components.finetune import core
from components.runtime.context import Context
from tests.components import llm_fixtures


def test_two_steps_leave_a_registered_adapter_and_a_second_run_skips(tmp_path: Path, weights: Path) -> None:
    config = llm_fixtures.docs(tmp_path / "state", weights, steps=2, batch_size=1, sequence_tokens=128)
    dataset = llm_fixtures.dataset(config)
    context = Context(config, "docs", "finetune", allow_dirty=True)
    made = core.run(context, dataset)
    names = {path.name for path in made.folder.iterdir()}
    assert {"adapter_model.safetensors", "adapter_config.json", "losses.json", "loss.png"} <= names
    assert made.parents == {"dataset": dataset.version}
    assert len(json.loads((made.folder / "losses.json").read_text())) == 2
    assert 0 < made.number("loss_end") < 10
    assert 0 < made.number("tokens") <= 2 * 128
    assert made.number("tokens_per_second") > 0
    assert made.text("model_version") == "1"
    assert "24 examples" in made.text("trained_on")
    assert str(tmp_path) not in (made.folder / "adapter_config.json").read_text()
    again = core.run(context, dataset)
    assert again.skipped
    assert (again.version, again.facts) == (made.version, made.facts)
