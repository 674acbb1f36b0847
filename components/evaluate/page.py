"""Tables of both evaluation reports, as Markdown and as HTML."""

from collections.abc import Sequence
from html import escape

STYLE = (
    "th,td{border:1px solid #8886;padding:.35rem .7rem;text-align:right}"
    "th:first-child,td:first-child{text-align:left}"
)

#: Heading and rows.
Rows = Sequence[Sequence[str]]


def markdown(rows: Rows) -> str:
    """Rows as a Markdown table; the first is the heading."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    rule = ["---", *["---:"] * (len(rows[0]) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [cells[0], rule, *cells[1:]])


def table(rows: Rows) -> str:
    """Rows as an HTML table; the first is the heading."""
    head = "".join(f"<th scope=col>{escape(cell)}</th>" for cell in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows[1:])
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
