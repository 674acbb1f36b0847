"""The training itself, on a Llama of two small layers with random weights."""

import json
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
import torch

from components.adapters.foundation.entropy import token_losses
from components.finetune import packing, training
from components.finetune.checkpoint import Checkpoint
from components.finetune.packing import Pack, Pair
from components.shared.config.llm import Finetune
from components.shared.conversation import IGNORED
from tests.components.finetune.tiny import tiny

LENGTH = 48


def pairs() -> list[Pair]:
    generator = torch.Generator().manual_seed(1)
    found = []
    for size in (7, 12, 9, 16, 11, 14):
        ids = torch.randint(2, 97, (size,), generator=generator).tolist()
        found.append((ids, [IGNORED] * (size // 2) + ids[size // 2 :]))
    return found


def group() -> list[Pack]:
    (found,) = packing.batches(packing.packs(pairs(), LENGTH), 2, LENGTH, 0)
    return list(found)


def settings(**values: Any) -> Finetune:
    return Finetune(**{"steps": 60, "learning_rate": 0.02, "rank": 8, "alpha": 16, **values})


def silent(*_: float) -> None:
    pass


def test_examples_in_a_pack_do_not_see_each_other() -> None:
    model = tiny()
    alone = []
    with torch.inference_mode():
        for ids, labels in pairs():
            alone += token_losses(model, torch.tensor([labels]), input_ids=torch.tensor([ids])).tolist()
        packed = token_losses(model, **training.tensors(group(), "cpu")).tolist()
    assert len(packed) == len(alone)
    assert sorted(packed) == pytest.approx(sorted(alone), abs=1e-5)


def test_without_positions_they_would_see_each_other() -> None:
    # Holds the test above to its promise: it can fail.
    model, given = tiny(), training.tensors(group(), "cpu")
    with torch.inference_mode():
        right = token_losses(model, **given)
        del given["position_ids"]
        wrong = token_losses(model, **given)
    assert not torch.allclose(right, wrong, atol=1e-4)


def test_the_loss_is_that_of_the_whole_head() -> None:
    model, given = tiny(), training.tensors(group(), "cpu")
    labels = given.pop("labels")
    with torch.inference_mode():
        logits = model(**given, use_cache=False).logits[:, :-1]
        whole = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten())
        assert token_losses(model, labels, **given).mean().item() == pytest.approx(whole.item(), abs=1e-5)


def test_shapes_and_types() -> None:
    given = training.tensors(group(), "cpu")
    assert {name: (tuple(one.shape), one.dtype) for name, one in given.items()} == dict.fromkeys(
        ("input_ids", "labels", "position_ids"), ((2, LENGTH), torch.int64)
    )


def test_a_tiny_batch_is_overfitted_and_the_base_stays() -> None:
    model = tiny()
    before = {name: one.clone() for name, one in model.state_dict().items()}
    adapted = training.adapted(model, settings(), seed=1)
    done = training.fit(adapted, repeat(group()), settings(rank=8, steps=150), silent)
    assert done.losses[0] > 4.0
    assert done.losses[-1] < 0.5
    left = {name.replace(".base_layer", ""): one for name, one in model.state_dict().items()}
    assert all(torch.equal(one, left[name]) for name, one in before.items())
    assert done.learned == 150 * sum(label != IGNORED for _, labels in pairs() for label in labels)
    assert done.tokens == 150 * sum(len(ids) for ids, _ in pairs())


def test_the_same_seed_gives_the_same_adapter_file(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        adapted = training.adapted(tiny(), settings(), seed=seed)
        training.fit(adapted, repeat(group()), settings(steps=5), silent)
        training.save(adapted, tmp_path / name, "package:some/model")
    read = {
        one: (tmp_path / one / "adapter_model.safetensors").read_bytes() for one in ("one", "two", "three")
    }
    assert read["one"] == read["two"] != read["three"]
    config = json.loads((tmp_path / "one" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "package:some/model"
    assert config["target_modules"] == sorted(config["target_modules"])
    assert {path.name for path in (tmp_path / "one").iterdir()} == {
        "adapter_model.safetensors",
        "adapter_config.json",
    }


def test_the_adapter_is_float32_on_a_bfloat16_model_and_spares_the_head() -> None:
    adapted = training.adapted(tiny().to(torch.bfloat16), settings(), seed=1)
    trained = {name: one.dtype for name, one in adapted.named_parameters() if one.requires_grad}
    assert set(trained.values()) == {torch.float32}
    assert len(trained) == 2 * 2 * 7  # two matrices, two layers, seven linear layers each
    assert not [name for name in trained if "lm_head" in name or "embed" in name]


def test_the_learning_rate_rises_and_falls() -> None:
    how = settings(steps=20, warmup=0.2)
    shares = [training.share(step, how) for step in range(20)]
    assert shares[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert shares[4:] == sorted(shares[4:], reverse=True)
    assert 0 < shares[-1] < 0.05
    assert training.share(0, settings(steps=1, warmup=0.0)) == 1.0


def test_the_curve_is_a_picture(tmp_path: Path) -> None:
    training.curve([3.0, 2.0], tmp_path / "loss.png")
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")


class KilledError(Exception):
    pass


def stream(seed: int) -> Any:
    """Endless batches in an order decided by the seed, as stage finetune makes them."""
    known = pairs()
    shuffled = packing.epochs(len(known), lambda at: known[at], LENGTH, seed)
    return packing.batches(packing.packs(shuffled, LENGTH), 2, LENGTH, 0)


def weights(model: Any) -> list[torch.Tensor]:
    return [one.detach().clone() for one in model.parameters() if one.requires_grad]


@pytest.mark.parametrize("killed_at", [1, 3, 6])
def test_a_killed_training_goes_on_to_the_same_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    monkeypatch.setattr(training, "INTERVAL", 0.0)
    wanted, place = settings(steps=6, dropout=0.1), Checkpoint(tmp_path / "progress")
    whole = training.adapted(tiny(), wanted, 0)
    unharmed = training.fit(whole, stream(0), wanted, silent)

    def kill(step: int, *_: float) -> None:
        # After the step, before its checkpoint is written: the step is lost and has to be done again.
        if step == killed_at:
            raise KilledError

    with pytest.raises(KilledError):
        training.fit(training.adapted(tiny(), wanted, 0), stream(0), wanted, kill, place)
    steps: list[float] = []
    resumed = training.adapted(tiny(), wanted, 0)
    outcome = training.fit(resumed, stream(0), wanted, lambda step, *_: steps.append(step), place)
    assert steps[0] == killed_at
    assert outcome.losses == unharmed.losses
    assert (outcome.tokens, outcome.learned) == (unharmed.tokens, unharmed.learned)
    assert all(torch.equal(one, other) for one, other in zip(weights(resumed), weights(whole), strict=True))
    place.clear()
    assert not place.folder.exists()
