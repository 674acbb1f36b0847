"""A classic twin's features by its dataflow: whole columns in a pipeline, one row in a request."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from components.runtime.dataflow import Plan, load
from components.shared.config import ClassicTwin, Config
from components.shared.errors import ConfigError, DataError

if TYPE_CHECKING:
    import pandas as pd


def plan(
    config: Config, name: str, *, mode: Literal["batch", "online"], features: Iterable[str] | None = None
) -> Plan:
    """The compiled dataflow of a classic twin.

    Args:
        config: The configuration.
        name: Name of the twin, of kind classic.
        mode: What `@config.when(mode=…)` chooses by.
        features: Wanted nodes; the twin's features where not given.

    Raises:
        ConfigError: The dataflow cannot be used, needs a column that is not declared, or reads the label.
    """
    twin = config.twin(name)
    if not isinstance(twin, ClassicTwin):
        raise ConfigError(f"twin '{name}' is of kind {twin.kind}, not classic", where=f"twins.{name}.kind")
    made = Plan(
        load(twin.dataflow, config.root_path), twin.features if features is None else features, {"mode": mode}
    )
    if twin.table.label in (*made.inputs, *made.optional):
        raise ConfigError(
            f"the dataflow reads the label '{twin.table.label}', which no request can give",
            where=f"twins.{name}.dataflow {twin.dataflow}",
            remedy="compute features from other columns only",
        )
    if unknown := [column for column in made.inputs if column not in twin.table.columns]:
        raise ConfigError(
            f"the dataflow needs {unknown}, which are no declared columns",
            where=f"twins.{name}.dataflow {twin.dataflow}",
            remedy=f"declare them, or use: {', '.join(twin.table.columns)}",
        )
    return made


def frame(made: Plan, table: "pd.DataFrame") -> "pd.DataFrame":
    """The outputs of a plan over whole columns, as float64, on the index of the table.

    Args:
        made: The compiled dataflow.
        table: Its inputs as columns, shape (rows, columns).

    Returns:
        Shape (rows, outputs), NaN where a value is missing.

    Raises:
        DataError: A node fails, or gives something else than one finite or missing number a row.
    """
    import numpy as np
    import pandas as pd

    wanted = [name for name in (*made.inputs, *made.optional) if name in table.columns]
    found = made.run({name: table[name] for name in wanted})
    columns = {}
    for name, values in found.items():
        where = f"feature '{name}', dataflow {made.module.__name__}"
        if not isinstance(values, pd.Series) or len(values) != len(table):
            size = f"{type(values).__name__} of {len(values)}" if hasattr(values, "__len__") else repr(values)
            raise DataError(
                f"it is {size}, not a column of {len(table)}", where=where, remedy="return one value a row"
            )
        if not (pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)):
            raise DataError(
                f"its type is {values.dtype}, not a number", where=where, remedy="encode it as a number"
            )
        numbers = values.astype("float64")
        if count := int(np.isinf(numbers).sum()):
            raise DataError(
                f"{count} of {len(numbers)} values are infinite", where=where, remedy="guard the division"
            )
        columns[name] = numbers
    return pd.DataFrame(columns, index=table.index)
