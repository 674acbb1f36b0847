"""`twin drift`: two tables, column by column."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines import output
from pipelines.options import AsJson


def drift(
    reference: Annotated[Path, typer.Option(help="Parquet or CSV file to compare with")],
    current: Annotated[Path, typer.Option(help="Parquet or CSV file that may have drifted")],
    column: Annotated[list[str] | None, typer.Option(help="only this column; may be repeated")] = None,
    bins: Annotated[int, typer.Option(min=2, max=100, help="quantile bins of a number")] = 10,
    false_alarm_rate: Annotated[
        float, typer.Option(min=0.001, max=0.5, help="share of false alarms that the thresholds are made for")
    ] = 0.01,
    smallest_psi: Annotated[
        float, typer.Option(min=0, max=10, help="drift below this PSI is not worth attention")
    ] = 0.1,
    html: Annotated[Path | None, typer.Option(help="file that receives a page with plots")] = None,
    fail_on_drift: Annotated[bool, typer.Option(help="exit with code 22 where a column drifted")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare two tables column by column: PSI, JS and KS, each with a threshold for its number of rows."""
    from components.dataflows.drift_window import Rule
    from pipelines import drift as command

    rule = Rule(false_alarm_rate, smallest_psi, seed=0)
    made = command.compare(reference, current, columns=column or [], bins=bins, rule=rule, html=html)
    output.emit_json(made) if as_json else command.show(made)
    if fail_on_drift:
        command.refuse(made)
