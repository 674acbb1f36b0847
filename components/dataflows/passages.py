"""Passages of a page that came with a question: short enough for a prompt, cut between paragraphs."""

#: Characters of a passage.
SIZE = 900

#: Passages that are looked at; what is further down a page is not.
MOST = 48


def cut(text: str) -> list[str]:
    """Passages of at most `SIZE` characters, in order; paragraphs stay together as far as they fit."""
    found: list[str] = []
    for paragraph in text.split("\n\n"):
        whole = " ".join(paragraph.split())
        for start in range(0, len(whole), SIZE):
            piece = whole[start : start + SIZE]
            if found and len(found[-1]) + len(piece) < SIZE:
                found[-1] = f"{found[-1]}\n{piece}"
            elif len(found) < MOST:
                found.append(piece)
            else:
                return found
    return found
