"""The corpus of the docs twin: the loop of the tests embeds a part of it, here is all of it."""

import subprocess
from pathlib import Path

from components.adapters.encoder import Encoder
from components.adapters.sources import matcher
from components.dataflows import documents
from components.embed.core import MEDIA, media_of
from components.runtime.dataflow import Plan
from components.shared.config import load
from tests.components.samples import llm_twin

ROOT = Path(__file__).resolve().parents[2]


def test_every_document_is_cut_into_chunks_that_the_encoder_takes_whole() -> None:
    twin = llm_twin(load(ROOT / "twinstack.yaml"))
    encoder = Encoder(twin.encoder)
    plans = {media: Plan(documents, ["chunks"], {"media": media}) for media in MEDIA}
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    matchers = [matcher(source) for source in twin.sources]
    corpus = [path for path in listing.stdout.split("\n") if any(one.match_file(path) for one in matchers)]
    assert len(corpus) > 200
    for path in corpus:
        given = {
            "text": (ROOT / path).read_text(encoding="utf-8"),
            "offsets": encoder.offsets,
            "max_tokens": twin.chunking.max_tokens,
            "overlap_tokens": twin.chunking.overlap_tokens,
        }
        chunks = plans[media_of(path)].run(given)["chunks"]
        assert chunks, path
        assert all(0 < chunk.tokens <= twin.chunking.max_tokens for chunk in chunks), path
