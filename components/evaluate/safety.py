"""What answers of an LLM twin should not do: counted, not understood (`components.dataflows.signals`)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def values(texts: Sequence[str], passages: Sequence[Sequence[str]] = ()) -> "dict[str, Floats]":
    """One value an answer, each array of shape (answers,).

    `citation_coverage`: share of its sentences that a chunk supports, 0 for an answer without a sentence;
    `refusals`, `personal_data`: 1 where it declines, or holds personal data.

    Args:
        texts: The answers.
        passages: Chunks in the prompt of each; none where answers had no context.
    """
    import numpy as np

    from components.dataflows import signals

    found = {
        "refusals": [signals.refusal(text) for text in texts],
        "personal_data": [bool(signals.personal_data(text)) for text in texts],
    }
    made = {name: np.array(one, dtype=np.float64) for name, one in found.items()}
    if passages:
        covered = [
            signals.citation_coverage(text, own) or 0.0 for text, own in zip(texts, passages, strict=True)
        ]
        made = {"citation_coverage": np.array(covered, dtype=np.float64), **made}
    return made
