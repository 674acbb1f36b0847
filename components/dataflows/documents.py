"""Documents to chunks: clean, find sections, cut by tokens. No character but white space is lost.

Offsets are characters of the cleaned text, so a citation can point at its place.
"""

# Hamilton ships no types, so its decorators hide those of the functions from mypy.
# mypy: disable-error-code="untyped-decorator"

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hamilton.function_modifiers import config

#: Start and end of every token of a text, in characters.
Offsets = Callable[[str], list[tuple[int, int]]]

HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
FENCE = re.compile(r"^\s*(```|~~~)")

#: A chunk is cut at a line's end in its last part of this share, where there is one.
SOFT_END = 0.3


@dataclass(frozen=True)
class Section:
    """A part of a document under one heading."""

    heading: str
    start: int
    end: int


@dataclass(frozen=True)
class Chunk:
    """A piece of a section that fits the encoder.

    Attributes:
        heading: Headings above it, outermost first, joined by " > ".
        text: The piece.
        tokens: Its length in tokens.
        start: Offset of its first character in the cleaned text.
        end: Offset behind its last.
    """

    heading: str
    text: str
    tokens: int
    start: int
    end: int


def cleaned_text(text: str) -> str:
    """The text with one kind of line end, without byte order mark, null characters and trailing blanks."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return "\n".join(line.rstrip() for line in plain.split("\n")).strip("\n")


@config.when(media="markdown")
def sections__markdown(cleaned_text: str) -> list[Section]:
    """Parts of a Markdown document by its headings; a # inside a fenced block is none."""
    found, open_headings, fenced, start, offset = [], {0: ""}, "", 0, 0
    for line in cleaned_text.splitlines(keepends=True):
        fence = FENCE.match(line)
        if fence and (not fenced or fence.group(1) == fenced):
            fenced = "" if fenced else fence.group(1)
        heading = None if fenced else HEADING.match(line)
        if heading:
            found.append(Section(_joined(open_headings), start, offset))
            level = len(heading.group(1))
            open_headings = {depth: name for depth, name in open_headings.items() if depth < level}
            open_headings[level] = heading.group(2)
            start = offset
        offset += len(line)
    found.append(Section(_joined(open_headings), start, len(cleaned_text)))
    return _filled(found, cleaned_text)


@config.when(media="python")
def sections__python(cleaned_text: str) -> list[Section]:
    """Parts of a Python module: its head, and each top-level function and class."""
    try:
        body = ast.parse(cleaned_text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two: nested too deeply
        return _filled([Section("", 0, len(cleaned_text))], cleaned_text)
    lines = [0]
    for line in cleaned_text.split("\n"):
        lines.append(lines[-1] + len(line) + 1)
    found, start, name = [], 0, ""
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        found.append(Section(name, start, lines[first - 1]))
        start, name = lines[first - 1], node.name
    found.append(Section(name, start, len(cleaned_text)))
    return _filled(found, cleaned_text)


@config.when(media="text")
def sections__text(cleaned_text: str) -> list[Section]:
    """The whole of a document that has no known structure."""
    return _filled([Section("", 0, len(cleaned_text))], cleaned_text)


def chunks(
    cleaned_text: str, sections: list[Section], offsets: Offsets, max_tokens: int, overlap_tokens: int
) -> list[Chunk]:
    """Sections cut into pieces of at most `max_tokens`, each repeating the end of the one before."""
    return [
        chunk
        for section in sections
        for chunk in _cut(cleaned_text, section, offsets, max_tokens, overlap_tokens)
    ]


def _joined(open_headings: dict[int, str]) -> str:
    return " > ".join(name for _, name in sorted(open_headings.items()) if name)


def _filled(found: list[Section], text: str) -> list[Section]:
    return [one for one in found if text[one.start : one.end].strip()]


def _cut(
    text: str, section: Section, offsets: Offsets, max_tokens: int, overlap_tokens: int
) -> Iterator[Chunk]:
    body = text[section.start : section.end]
    tokens = offsets(body)
    if not tokens:  # nothing the encoder knows, still text that must not be lost
        yield Chunk(section.heading, body, 0, section.start, section.end)
        return
    first = 0
    while first < len(tokens):
        last = _end(body, tokens, first, max_tokens)
        # Characters that belong to no token go with the chunk before them.
        start = 0 if first == 0 else tokens[first][0]
        end = tokens[last][0] if last < len(tokens) else len(body)
        yield Chunk(
            section.heading, body[start:end], last - first, section.start + start, section.start + end
        )
        if last == len(tokens):
            return
        first = max(last - overlap_tokens, first + 1)


def _end(body: str, tokens: list[tuple[int, int]], first: int, max_tokens: int) -> int:
    """Number of the token behind the chunk: at a line's end where one is near, else at the limit."""
    limit = first + max_tokens
    if limit >= len(tokens):
        return len(tokens)
    for last in range(limit, first + int(max_tokens * (1 - SOFT_END)), -1):
        if "\n" in body[tokens[last - 1][1] : tokens[last][0]]:
            return last
    return limit
