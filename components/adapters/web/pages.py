"""Pages to plain text: title and paragraphs."""

from email.message import Message

#: Content types that are read.
KINDS = ("text/html", "application/xhtml+xml", "text/plain", "text/markdown")

#: Charsets that are decoded; anything else is read as UTF-8. Some of Python's codecs take quadratic time.
CHARSETS = ("utf-8", "us-ascii", "iso-8859-1", "windows-1252")

#: What is no text of a page.
DROPPED = "script,style,noscript,template,svg,nav,header,footer,aside,form,iframe"

#: What starts a paragraph of its own.
BLOCKS = frozenset(
    [
        *("p", "div", "section", "article", "main", "li", "ul", "ol", "dl", "dt", "dd", "table", "tr", "pre"),
        *("br", "hr", "blockquote", "figure", "h1", "h2", "h3", "h4", "h5", "h6"),
    ]
)

#: Tags of a page that is read: parsing takes quadratic time where they are all nested.
MAX_TAGS = 20_000

MAX_TITLE = 200


def content_kind(header: str) -> tuple[str, str]:
    """Content type and charset of a `content-type` header, in small letters."""
    message = Message()
    message["content-type"] = header
    return message.get_content_type() if header else "", str(message.get_content_charset() or "utf-8")


def decoded(body: bytes, charset: str) -> str:
    """A body as text; what is not in its charset is marked."""
    return body.decode(charset if charset in CHARSETS else "utf-8", errors="replace")


def readable(text: str, kind: str) -> tuple[str, str]:
    """Title and text of a page.

    Raises:
        ValueError: It holds no text, or too many tags.
    """
    title, found = ("", text) if kind in ("text/plain", "text/markdown") else _of_html(text)
    if not found.strip():
        raise ValueError("it holds no text")
    return " ".join(title.split())[:MAX_TITLE], found


def _of_html(text: str) -> tuple[str, str]:
    from selectolax.lexbor import LexborHTMLParser

    if text.count("<") > MAX_TAGS:
        raise ValueError(f"it has more than {MAX_TAGS} tags")
    page = LexborHTMLParser(text)
    heading = page.css_first("title")
    title = heading.text() if heading else ""
    for node in page.css(DROPPED):
        node.decompose()
    parts: list[str] = []
    for node in page.body.traverse(include_text=True) if page.body else ():
        if node.tag == "-text":
            parts.append(node.text(deep=False))
        elif node.tag in BLOCKS:
            parts.append("\n\n")
    return title, "".join(parts)
