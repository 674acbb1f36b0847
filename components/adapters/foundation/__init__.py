"""A language model in this process: weights, loaded to be trained or to answer; answers and losses."""

from components.adapters.foundation.entropy import losses, token_losses
from components.adapters.foundation.generating import generate
from components.adapters.foundation.located import weights
from components.adapters.foundation.model import Foundation, base, load, merged

__all__ = ["Foundation", "base", "generate", "load", "losses", "merged", "token_losses", "weights"]
