"""What answers cost, by the prices of their model or machine, and how that is said."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from components.shared.config.costs import Prices
from components.shared.generation import Answer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Requests that a cost is for.
REQUESTS = 1_000


def per_1000(prices: Prices, answers: Sequence[Answer]) -> "Floats":
    """Money for a thousand requests like each answered one, shape (answers,)."""
    import numpy as np

    return np.array(
        [
            REQUESTS
            * (prices.of_tokens(one.prompt_tokens, one.completion_tokens) + prices.of_seconds(one.seconds))
            for one in answers
        ],
        dtype=np.float64,
    )


def of_seconds(prices: Prices, seconds: "Floats") -> "Floats":
    """Money for a thousand requests that each keep the machine for so long, shape (cases,)."""
    return REQUESTS * prices.of_seconds(1.0) * seconds


def unknown(model: str, twin: str) -> str:
    """Why there is no cost."""
    return f"no price of {model} is configured (twins.{twin}.costs)"


def said(prices: Prices, answers: Sequence[Answer], currency: str, longest: int) -> str:
    """Of what a cost is made."""
    count = len(answers)
    read = sum(one.prompt_tokens for one in answers) / count
    made = sum(one.completion_tokens for one in answers) / count
    parts = []
    if prices.prompt is not None or prices.completion is not None:
        parts.append(
            f"tokens at {prices.prompt or 0:g} (read) and {prices.completion or 0:g} (generated) "
            f"{currency} a million".replace("  ", " ")
        )
    if prices.hour is not None:
        pace = count / max(sum(one.seconds for one in answers), 1e-9)
        parts.append(f"a machine at {prices.hour:g} {currency} an hour".replace("  ", " "))
        parts.append(f"{pace:.3g} answers a second")
    return (
        f"{', '.join(parts)}; an answer reads {read:.0f} tokens and generates {made:.0f}, "
        f"at most {longest} in the evaluation"
    )
