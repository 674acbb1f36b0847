"""The page about errors, from the error classes."""

from components.shared import errors

INTRO = """# Errors

## The form of an error
Every error says what happened, where, and what to do, in this order, joined by semicolons. On the \
command line it goes to standard error after `error:`. A stage that ends in an error has committed \
nothing.

## In HTTP answers
An HTTP error is a JSON object with `error.message`, `error.type` and `error.param`. The type is one of \
those below; `error.param` names the field of the request that is wrong.

## Exit codes
The command line and `python -m components.<stage>` exit with 0 on success, with the code of the error \
below, and with 2 also for a wrong command-line option.
"""


def page() -> str:
    """The whole page: a table, then a section an error."""
    classes = [errors.TwinError, *_below(errors.TwinError)]
    rows = [
        f"| `{one.__name__}` | {one.exit_code} | {one.http_status} | `{one.kind}` |"
        for one in sorted(classes, key=lambda one: (one.exit_code, one.http_status))
    ]
    table = "\n".join(["| error | exit code | HTTP status | `error.type` |", "|---|---|---|---|", *rows])
    sections = [
        f"## `{one.kind}`\n{(one.__doc__ or '').strip().splitlines()[0]} "
        f"Exit code {one.exit_code}, HTTP status {one.http_status}; class `{one.__name__}`."
        for one in classes
    ]
    return f"{INTRO}\n## Table of errors\n{table}\n\n" + "\n\n".join(sections) + "\n"


def _below(base: type[errors.TwinError]) -> list[type[errors.TwinError]]:
    found = []
    for one in base.__subclasses__():
        if one.__module__ == errors.__name__:
            found += [one, *_below(one)]
    return found
