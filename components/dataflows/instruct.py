"""Instruction examples from a corpus: what a heading, a docstring or a constant says is the answer.

No model writes them: a question comes from a heading or a name, its answer stands in the text below it. So
every example is true to the corpus, and the same corpus gives the same examples.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from components.shared import digest

#: Ways to ask about a heading; a digest picks one, so that a re-run picks the same.
ABOUT = (
    "What does the documentation say about {subject}?",
    "Explain {subject}.",
    "Tell me about {subject}.",
)
ABOUT_CODE = ("What does `{subject}` do?", "What is `{subject}` for?", "Explain `{subject}`.")

SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`\"(\[])")
QUESTION_WORDS = ("what", "why", "how", "when", "where", "which", "who", "is", "are", "can", "does", "do")
#: A shorter answer tells nothing.
SHORTEST = 25


@dataclass(frozen=True)
class Example:
    """A question, its answer, and where the answer stands."""

    document: str
    path: str
    question: str
    answer: str


def examples(document: str, path: str, text: str, longest: int) -> list[Example]:
    """Every example of one document.

    Args:
        document: Its id.
        path: Its path, by which its kind is known.
        text: Its text.
        longest: Most characters of an answer; it ends with a sentence.
    """
    found = _of_python(text) if path.endswith(".py") else _of_markdown(text)
    made = []
    for subject, answer, code in found:
        short = shortened(answer, longest)
        if len(short) >= SHORTEST:
            made.append(Example(document, path, _asked(subject, short, code=code), short))
    return made


def held_out(document: str, share: float) -> bool:
    """Whether a document's examples are never trained on; decided by its id alone."""
    return bool(int(digest.of_text(f"held out {document}"), 16) / 16**digest.SIZE < share)


def hidden(documents: Iterable[str], share: float) -> frozenset[str]:
    """Documents that are held out; of a small corpus, where the share picks none, the first in line."""
    known = sorted(set(documents), key=lambda document: digest.of_text(f"held out {document}"))
    return frozenset(document for document in known if held_out(document, share)) or frozenset(known[:1])


def disjoint(found: Iterable[Example], held: frozenset[str]) -> tuple[list[Example], list[Example]]:
    """Examples to train on and examples that are held out, in the order given.

    Modules that say the same in their docstrings would carry an answer over; what a held-out document says is
    trained on nowhere.
    """
    train: list[Example] = []
    kept: list[Example] = []
    for one in found:
        (kept if one.document in held else train).append(one)
    answers = {one.answer for one in kept}
    return [one for one in train if one.answer not in answers], kept


def shortened(answer: str, longest: int) -> str:
    """The first whole sentences of an answer that fit."""
    kept: list[str] = []
    size = 0
    for sentence in SENTENCE.split(" ".join(answer.split())):
        size += len(sentence) + 1
        if kept and size > longest:
            break
        kept.append(sentence)
    return " ".join(kept)[:longest]


def _asked(subject: str, answer: str, *, code: bool) -> str:
    if subject.endswith("?") or subject.split(" ", 1)[0].lower() in QUESTION_WORDS:
        return subject if subject.endswith("?") else f"{subject}?"
    ways = ABOUT_CODE if code else ABOUT
    return ways[int(digest.of_text(subject + answer), 16) % len(ways)].format(subject=subject)


def _of_markdown(text: str) -> Iterator[tuple[str, str, bool]]:
    """Heading and the first paragraph below it; code, tables and lists are left out."""
    paragraph: list[str] = []
    subject, fenced = "", False
    for line in [*text.splitlines(), "# "]:
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
            continue
        if fenced:
            continue
        if line.startswith("#"):
            if subject and paragraph:
                yield subject, " ".join(paragraph), False
            subject, paragraph = line.lstrip("#").strip(), []
        elif line.strip() and not line.lstrip().startswith(("|", "-", "*", ">", "<", "!")):
            paragraph.append(line.strip())


def _of_python(text: str) -> Iterator[tuple[str, str, bool]]:
    """Name of a module, class or function and its docstring."""
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two: nested too deeply
        return
    for node in ast.walk(module):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if not node.name.startswith("_") and (said := ast.get_docstring(node)):
            yield node.name, _description(said), True


def _description(docstring: str) -> str:
    """A docstring up to its sections of arguments, results and errors."""
    return re.split(r"\n\s*(?:Args|Returns|Raises|Attributes|Yields):", docstring)[0]
