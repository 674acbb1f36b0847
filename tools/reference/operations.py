"""`docs/reference/operations-api.md`: every route of the operations API, from its OpenAPI description."""

import tempfile
from pathlib import Path

HEAD = """# Operations API

`twin console` serves it on `console.host` and `console.port`: alerts in, approvals, sources and runs.
The running service describes itself at `/openapi.json`, and at `/docs` for people; where there are keys,
these need one too. A list comes in pages of `limit`; the header `link` of an answer holds the address of the
next page.
Errors have the shape of [every other error](errors.md); keys are those of the fronts, with the role that the
table names. A key that asks too much gets status 429 with `retry-after`: by the limits of its entry, or by
`console.requests_per_minute` and `console.concurrency`.

| route | role | what it does |
|---|---|---|
"""


def page() -> str:
    """The page as Markdown."""
    from components.console.app import made, roles
    from components.console.console import Console
    from components.shared.config import load

    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory() as folder:
        found = load(root / "twinstack.yaml").model_copy(update={"state": folder})
        console = Console(found, root / "twinstack.yaml")
        needed, paths = roles(console), made(console).openapi()["paths"]
    rows = [
        f"| `{method.upper()} {path}` | {needed.get((method.upper(), path), '—')} | {route['description']} |"
        for path, methods in paths.items()
        for method, route in methods.items()
    ]
    return HEAD + "\n".join(rows) + "\n"
