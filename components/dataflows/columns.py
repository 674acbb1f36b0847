"""What feature dataflows share: operations that take a pandas Series or one value and mean the same.

They are what makes a feature computed in a request equal to the one the model was trained on.
"""

from collections.abc import Mapping
from typing import TypeAlias, Union, cast

import numpy as np
import pandas as pd

# Union, not `|`: Hamilton reads these at run time and compares them between nodes.
Number: TypeAlias = Union[pd.Series, float]  # noqa: UP007
Text: TypeAlias = Union[pd.Series, str]  # noqa: UP007


def ordinal(values: Text, ranks: Mapping[str, float]) -> Number:
    """The rank of a category as a float; NaN for one that has no rank.

    Args:
        values: Series of texts, or one text.
        ranks: Category to rank.
    """
    if isinstance(values, pd.Series):
        return cast(Number, values.map(dict(ranks)).astype("float64"))
    return float(ranks.get(values, np.nan))


def flag(values: Text, *chosen: str) -> Number:
    """1.0 where the value is one of the chosen ones, otherwise 0.0."""
    if isinstance(values, pd.Series):
        return cast(Number, values.isin(chosen).astype("float64"))
    return 1.0 if values in chosen else 0.0


def logarithm(values: Number) -> Number:
    """Natural logarithm by numpy for both shapes, so that both round alike."""
    if isinstance(values, pd.Series):
        return cast(Number, np.log(values.astype("float64")))
    return float(np.log(values))
