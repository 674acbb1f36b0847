"""What every HTML report has: one file, readable on a narrow screen and in a dark theme."""

from html import escape

#: A wide table scrolls by itself; colours are the theme's, and grey lines show in both.
STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:84rem;margin:2rem auto;padding:0 1rem}"
    "table{display:block;overflow-x:auto;max-width:100%;border-collapse:collapse;margin:1rem 0}"
    "img,svg{max-width:100%;height:auto;background:#fff}"
)


def document(title: str, body: str, style: str = "") -> str:
    """A whole page.

    Args:
        title: Plain text; also the first heading.
        body: Markup below the heading.
        style: CSS of this page alone.
    """
    safe = escape(title)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{safe}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}{style}</style><h1>{safe}</h1>{body}</html>\n"
    )
