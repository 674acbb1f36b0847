"""`twin lineage`, `labels`, `feedback`, `interactions`: what was answered, and what became of it."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipelines import output
from pipelines.options import AsJson, ConfigPath, TwinName, TwinNames, loaded

if TYPE_CHECKING:
    from rich.tree import Tree

    from components.runtime.history.lineage import Node

labels_app = typer.Typer(help="Labels that come late, and what should be labelled.", no_args_is_help=True)
feedback_app = typer.Typer(help="What callers say of answers.", no_args_is_help=True)
interactions_app = typer.Typer(help="Answers that are kept.", no_args_is_help=True)


def lineage(
    request_id: Annotated[str, typer.Argument(help="the answer's x-request-id, or the interaction's id")],
    config: ConfigPath = output.DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show all that an answer rests on, from its release and prompt to chunks, documents, data and commit."""
    from components.adapters.stores import Stores
    from components.runtime.history.lineage import trace

    found = loaded(config)
    trees = trace(Stores(found), found.twins, request_id)
    if as_json:
        output.emit_json({"interactions": [one.as_json() for one in trees]})
        return
    for one in trees:
        output.wide(400).print(_tree(one))


def _tree(node: "Node", into: "Tree | None" = None) -> "Tree":
    from rich.text import Text
    from rich.tree import Tree

    facts = ", ".join(f"{name} {value}" for name, value in node.facts.items() if value not in ("", None))
    label = Text.assemble((node.kind, "bold"), f" {node.name}", (f"  {facts}" if facts else "", "dim"))
    made = into.add(label) if into is not None else Tree(label)
    for parent in node.parents:
        _tree(parent, made)
    return made


@labels_app.command("add")
def labels_add(
    file: Annotated[Path, typer.Argument(help="Parquet or CSV: request_id, value, event_time, instance")],
    twin: TwinName,
    config: ConfigPath = output.DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Store what turned out to be true, by request id; adding a file again changes nothing."""
    from components.runtime.history import labels

    rows = labels.read(file, twin, labels.table_of(loaded(config), twin))
    counts = labels.add(_warehouse(config, twin), rows)
    output.emit_json(counts) if as_json else output.say(
        ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
    )


@labels_app.command("queue")
def labels_queue(
    twin: TwinName,
    policy: Annotated[
        Literal["random", "uncertain", "flagged"], typer.Option(help="which answers are drawn")
    ] = "flagged",
    size: Annotated[int, typer.Option(min=0, max=10_000, help="how many are to wait for a label")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="of the order")] = 0,
    among: Annotated[int, typer.Option(min=1, help="how many of the newest answers are looked at")] = 20_000,
    config: ConfigPath = output.DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Draw answers that a person should label, and list all that wait; none comes twice."""
    from components.runtime.history import queue

    found = queue.fill(_warehouse(config, twin), twin, policy, size, seed, among)
    rows = [{name: one[name] for name in ("request_id", "policy", "why", "at")} for one in found]
    output.emit_json({"waiting": rows}) if as_json else output.table("Waiting for a label", rows)


@feedback_app.command("export")
def feedback_export(
    twin: TwinName,
    form: Annotated[Literal["jsonl", "csv"], typer.Option("--format", help="form of the rows")] = "jsonl",
    file: Annotated[
        Path | None, typer.Option("--output", help="file that receives the rows; default: standard output")
    ] = None,
    config: ConfigPath = output.DEFAULT_CONFIG,
) -> None:
    """Write every feedback with its answer and the labels of that answer."""
    from components.runtime.history import export

    rows = export.lines(export.feedback(_warehouse(config, twin), twin), form)
    if file is None:
        sys.stdout.writelines(rows)
        return
    _write(file, rows)


def _write(file: Path, rows: Iterable[str]) -> None:
    from components.shared.files import write_atomic

    write_atomic(file, "".join(rows))
    output.say(f"wrote {file}")


@interactions_app.command("purge")
def purge(
    twin: TwinNames = None,
    days: Annotated[
        int | None, typer.Option(min=0, help="age; default: serving.interactions.retention_days")
    ] = None,
    config: ConfigPath = output.DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Delete interactions and feedback above an age from the warehouse; its backups keep theirs."""
    from components.runtime.history.interactions import purge as purge_twin

    found = loaded(config)
    age = found.serving.interactions.retention_days if days is None else days
    rows = [
        {"twin": name, **purge_twin(_warehouse(config, name), name, age)}
        for name in twin or list(found.twins)
    ]
    output.emit_json({"deleted": rows}) if as_json else output.table(f"Deleted, above {age} days", rows)


def _warehouse(config: Path, twin: str) -> Any:
    from components.adapters.stores import Stores

    found = loaded(config)
    found.twin(twin)
    return Stores(found).warehouse
