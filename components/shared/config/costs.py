"""Configuration of what answers cost. Prices are facts about models and machines, no part of a release."""

from pydantic import Field

from components.shared.config.base import Settings

#: Tokens that a price is for, and seconds of an hour.
MILLION, HOUR = 1_000_000, 3_600


class Prices(Settings):
    """Prices of one model. One that is not given is not known; 0 says that it is free."""

    prompt: float | None = Field(default=None, ge=0, le=1_000_000)
    """A million tokens read."""
    completion: float | None = Field(default=None, ge=0, le=1_000_000)
    """A million tokens generated."""
    hour: float | None = Field(default=None, ge=0, le=1_000_000)
    """An hour of the machine that the model answers on. The evaluation multiplies it by the time that answers
    took; a single answer of a front, which shares the machine, is not charged for it."""

    @property
    def known(self) -> bool:
        """Whether there is any price."""
        return not (self.prompt is None and self.completion is None and self.hour is None)

    def of_tokens(self, prompt: int, completion: int) -> float:
        """Money for tokens read and generated."""
        return (prompt * (self.prompt or 0.0) + completion * (self.completion or 0.0)) / MILLION

    def of_seconds(self, seconds: float) -> float:
        """Money for the machine."""
        return seconds * (self.hour or 0.0) / HOUR


class Money(Settings):
    """What amounts are in."""

    currency: str = Field(default="", pattern=r"^([A-Z]{3})?$")
    """ISO 4217 code that reports show, such as `EUR`."""


class MachineCosts(Money):
    """What predictions cost."""

    hour: float | None = Field(default=None, ge=0, le=1_000_000)
    """An hour of the machine that predicts. Where it is not given, cost is not measured."""

    @property
    def prices(self) -> Prices:
        """As those of any other model."""
        return Prices(hour=self.hour)


class Costs(Prices, Money):
    """What answers cost: prices of every model that `models` does not name."""

    models: dict[str, Prices] = Field(default={})
    """Prices of single models, by what `foundation.model` says. The releases of a twin may have different
    models: with both prices here, each is charged its own."""

    def of(self, model: str) -> Prices:
        """Prices of a foundation model."""
        return self.models.get(model) or Prices(
            prompt=self.prompt, completion=self.completion, hour=self.hour
        )
