"""The one shape of every error of the operations API, as its description says it."""

from typing import Any

from components.shared.errors import BUSY

RETRY_AFTER = {
    "retry-after": {
        "description": "Seconds after which another try can succeed.",
        "schema": {"type": "integer", "minimum": 1},
    }
}

#: The documented shape of every error.
ERRORS: dict[int | str, dict[str, Any]] = {
    code: {
        "description": text,
        **({"headers": RETRY_AFTER} if code in BUSY else {}),
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["error"],
                    "properties": {
                        "error": {
                            "type": "object",
                            "required": ["message", "type", "param", "request_id"],
                            "properties": {
                                "message": {"type": "string"},
                                "type": {"type": "string"},
                                "param": {"type": ["string", "null"]},
                                "request_id": {"type": "string"},
                            },
                        }
                    },
                }
            }
        },
    }
    for code, text in (
        (400, "A field is wrong."),
        (401, "No API key, or an unknown one."),
        (403, "The key lacks the role."),
        (404, "There is no such thing."),
        (409, "It was decided before, or a run is going on."),
        (413, "The body is too large."),
        (422, "A row of data cannot be used."),
        (429, "The key has reached a limit."),
        (503, "The warehouse, or what a run needs, does not answer."),
    )
}
