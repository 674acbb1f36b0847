"""Corpus to an immutable dataset of conversations, with documents held out."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.dataflows import instruct, prompts
from components.dataflows.instruct import Example
from components.runtime.context import Context, Draft
from components.shared import digest
from components.shared.errors import DataError
from components.shared.files import write_atomic
from components.shared.manifests import Manifest

#: Parts of a dataset, as files of one JSON object a line: `messages`, `document`.
PARTS = ("train", "held_out")

#: Chunks in the context of an example, one of which holds the answer.
CHUNKS = 2


@dataclass(frozen=True)
class Excerpt:
    """A chunk of the corpus."""

    document_id: str
    path: str
    heading: str
    text: str


def run(context: Context, validated: Manifest, features: Manifest) -> Manifest:
    """Build the instruction dataset of the corpus; its version is the digest of its content.

    Leaves `train.jsonl` and `held_out.jsonl`. No document gives examples to both.

    Raises:
        DataError: The corpus gives no example to train on, or none to hold out.
    """
    twin = context.llm
    own = twin.instruct.prompt
    template = context.config.path(own).read_text(encoding="utf-8") if own else prompts.PLAIN
    return context.commit(
        settings={
            "instruct": twin.instruct.model_dump(),
            "prompt": digest.of_text(template),
            "seed": twin.seed,
        },
        parents={"validated": validated, "features": features},
        build=lambda folder: _build(context, template, validated, features, folder),
    )


def _build(context: Context, template: str, validated: Manifest, features: Manifest, folder: Path) -> Draft:
    settings = context.llm.instruct
    found = sorted(
        {one.question: one for one in _examples(context, validated)}.values(),
        key=lambda one: digest.of_json([context.llm.seed, one.document, one.question]),
    )[: settings.max_examples]
    lines: dict[str, list[str]] = {}
    held = instruct.hidden((one.document for one in found), settings.held_out)
    corpora = _corpora(features, held)
    for part, examples in zip(PARTS, instruct.disjoint(found, held), strict=True):
        lines[part] = rows = [_line(one, corpora[part], template, settings.with_context) for one in examples]
        if not rows:
            raise DataError(
                f"the corpus gives no example for part '{part}' ({len(found)} in all)",
                where=f"twins.{context.twin}.instruct",
                remedy="add documents with headings or docstrings, or change `held_out`",
            )
        write_atomic(folder / f"{part}.jsonl", "\n".join([*rows, ""]))
    return Draft(
        summary=f"{len(lines['train'])} examples, {len(lines['held_out'])} held out",
        facts={
            "examples": len(lines["train"]),
            "held_out": len(lines["held_out"]),
            "documents": len({one.document for one in found}),
        },
        version=digest.of_folder(folder),
    )


def _examples(context: Context, validated: Manifest) -> Iterator[Example]:
    import pyarrow.parquet as pq

    longest = context.llm.instruct.max_answer_characters
    for batch in pq.ParquetFile(validated.folder / "documents.parquet").iter_batches(batch_size=200):
        for row in batch.to_pylist():
            yield from instruct.examples(row["id"], row["path"], row["text"], longest)


def _corpora(features: Manifest, held: frozenset[str]) -> dict[str, list[Excerpt]]:
    """Chunks by part: a held-out document is not shown in a training prompt either."""
    import pyarrow.parquet as pq

    columns = ["document_id", "path", "heading", "text"]
    rows = pq.read_table(features.folder / "chunks.parquet", columns=columns).to_pylist()
    found: dict[str, list[Excerpt]] = {part: [] for part in PARTS}
    for row in rows:
        found[PARTS[row["document_id"] in held]].append(Excerpt(**row))
    return found


def _line(one: Example, corpus: list[Excerpt], template: str, with_context: float) -> str:
    messages = _conversation(one, corpus, template, with_context)
    return json.dumps({"document": one.document, "messages": messages}, ensure_ascii=False)


def _conversation(
    one: Example, corpus: list[Excerpt], template: str, with_context: float
) -> list[dict[str, Any]]:
    """The bare question, or the question below the system prompt with excerpts."""
    answer = {"role": "assistant", "content": one.answer}
    draw = int(digest.of_text(f"context {one.document} {one.question}"), 16)
    if draw / 16**digest.SIZE >= with_context:
        return [{"role": "user", "content": one.question}, answer]
    chosen = _context(one, corpus, draw)
    cited = {**answer, "content": f"{one.answer} [{1 + chosen.index(_holding(one, corpus) or chosen[0])}]"}
    return [*prompts.messages(prompts.render(template, chosen), one.question), cited]


def _holding(one: Example, corpus: list[Excerpt]) -> Excerpt | None:
    """The chunk of the example's document that holds the start of its answer."""
    start = one.answer[:40]
    own = [chunk for chunk in corpus if chunk.document_id == one.document]
    return next((chunk for chunk in own if start in " ".join(chunk.text.split())), own[0] if own else None)


def _context(one: Example, corpus: list[Excerpt], draw: int) -> list[Excerpt]:
    """The chunk that holds the answer among chunks of other documents, in an order of its own."""
    others = [chunk for chunk in corpus if chunk.document_id != one.document]
    picked = [others[(draw + 7919 * number) % len(others)] for number in range(CHUNKS - 1)] if others else []
    holding = _holding(one, corpus)
    if holding is not None:
        picked.insert(draw % (len(picked) + 1), holding)
    return picked
