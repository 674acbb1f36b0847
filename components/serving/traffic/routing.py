"""Which share of the traffic a request belongs to: a pure function of its sticky key."""

import hashlib

#: 2 to the power of 64: a digest of 8 bytes over it is a number from 0 up to 1.
SPAN = 2.0**64


def fraction(release: str, key: str) -> float:
    """A number from 0 up to 1 that is always the same for a key and a release, and even over the keys.

    The release is mixed in, so that not the same callers are the first of every canary.
    """
    hashed = hashlib.blake2b(f"{release}\0{key}".encode(), digest_size=8).digest()
    return int.from_bytes(hashed) / SPAN


def belongs(release: str, share: float, key: str) -> bool:
    """Whether a key is among the share of a release. Who belongs to a small share belongs to a larger one."""
    return fraction(release, key) < share
