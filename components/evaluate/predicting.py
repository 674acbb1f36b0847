"""The model of a classic model version, wherever it answers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from components.shared.endpoints import kept

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@contextmanager
def model(folder: Path) -> "Iterator[Callable[[Floats], Floats]]":
    """What turns features, shape (cases, features), into probabilities, shape (cases,).

    Args:
        folder: Of the model version.

    Raises:
        DataError: Its files are missing or are no model.
        PredictorError: A model behind a URL does not answer, once it is asked.
    """
    from components.adapters.endpoints import v2
    from components.dataflows import boosting

    if place := kept(folder):
        with v2.opened(place) as ask:
            yield ask
        return
    yield partial(boosting.probability, boosting.load(folder))
