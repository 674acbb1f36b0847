"""Vectors that were computed before come back bit for bit, by encoder and text."""

from pathlib import Path

import numpy as np

from components.adapters import embedding_cache
from components.adapters.embedding_cache import EmbeddingCache


def test_what_was_put_is_got_bit_for_bit_after_opening_again(tmp_path: Path) -> None:
    vectors = {
        f"t{at}": one
        for at, one in enumerate(np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32))
    }
    EmbeddingCache(tmp_path / "deep/cache.db").put("e", vectors)
    found = EmbeddingCache(tmp_path / "deep/cache.db").get("e", [*vectors, "unknown"])
    assert set(found) == set(vectors)
    for name, vector in vectors.items():
        assert found[name].dtype == np.float32
        assert np.array_equal(found[name], vector)


def test_another_encoder_has_its_own_vectors(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path / "cache.db")
    cache.put("one", {"t": np.ones(3, dtype=np.float32)})
    assert cache.get("two", ["t"]) == {}
    cache.put("two", {"t": np.zeros(3, dtype=np.float32)})
    assert cache.get("one", ["t"])["t"].tolist() == [1, 1, 1]


def test_more_texts_than_one_query_takes(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path / "cache.db")
    names = [str(at) for at in range(embedding_cache.PAGE + 1)]
    cache.put("e", dict.fromkeys(names, np.ones(1, dtype=np.float32)))
    assert len(cache.get("e", names)) == len(names)
