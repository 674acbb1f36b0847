"""What a fleet has made of the traffic document."""

from dataclasses import dataclass, field

from components.shared.releases import Traffic


@dataclass(frozen=True)
class Report:
    """What is open, and what is not.

    Attributes:
        revision: Of the traffic that the fleet was last told of.
        active: The traffic that holds; every release in it is open.
        open: Ids of all open releases.
        opening: Ids of releases that are being opened.
        failed: Releases that could not be opened, with the reason.
        standby: Ids of releases that are to be open beforehand.
    """

    revision: int
    active: Traffic
    open: tuple[str, ...]
    opening: tuple[str, ...]
    failed: dict[str, str] = field(default_factory=dict)
    standby: tuple[str, ...] = ()
