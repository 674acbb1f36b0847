"""The page about errors, from the error classes."""

import importlib

from components.shared import errors

#: Modules with errors of their own.
ELSEWHERE = (
    "components.adapters.vectors.server",
    "components.adapters.registry",
    "components.adapters.objects",
    "components.adapters.warehouse.contract",
    "components.shared.identity",
    "components.adapters.kubernetes.following",
    "components.adapters.web.links",
    "components.serving.llm.asking",
    "components.serving.client",
    "components.serving.llm.forms",
    "components.serving.llm.leaving",
    "components.runtime.rates",
    "components.serving.limits.errors",
    "components.shared.generation",
    "components.serving.problems",
    "components.serving.recording.spool",
    "components.serving.rest",
    "pipelines.drift",
)

INTRO = """# Errors

## The form of an error
Every error says what happened, where, and what to do, in this order, joined by semicolons. On the \
command line it goes to standard error after `error:`. A stage that ends in an error has committed \
nothing.

## In HTTP answers
An HTTP error is a JSON object with `error.message`, `error.type`, `error.param` and `error.request_id`. \
The type is one of those below; `error.param` names the field of the request that is wrong. The place is \
left out of the message, because it may name a path of the server's machine.

## Exit codes
The command line and `python -m components.<stage>` exit with 0 on success, with the code of the error \
below, and with 2 also for a wrong command-line option.
"""


def page() -> str:
    """The whole page: a table, then a section an error."""
    for module in ELSEWHERE:
        importlib.import_module(module)
    every: list[type[errors.TwinError]] = [errors.TwinError, *_below(errors.TwinError)]
    # A base without a type of its own is never raised.
    found = [one for one in every if "kind" in vars(one) or not one.__subclasses__()]
    classes = sorted(found, key=lambda one: (one.exit_code, one.http_status, one.kind, one.__name__))
    rows = [f"| `{one.__name__}` | {one.exit_code} | {one.http_status} | `{one.kind}` |" for one in classes]
    table = "\n".join(["| error | exit code | HTTP status | `error.type` |", "|---|---|---|---|", *rows])
    sections = [
        f"## `{one.__name__}`: `{one.kind}`\n{(one.__doc__ or '').strip().splitlines()[0]} "
        f"Exit code {one.exit_code}, HTTP status {one.http_status}."
        for one in classes
    ]
    return f"{INTRO}\n## Table of errors\n{table}\n\n" + "\n\n".join(sections) + "\n"


def _below(base: type[errors.TwinError]) -> list[type[errors.TwinError]]:
    """Every error of the package below a base."""
    found = []
    for one in base.__subclasses__():
        if one.__module__.split(".")[0] in ("components", "pipelines"):
            found += [one, *_below(one)]
    return found
