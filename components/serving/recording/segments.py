"""Records in a file: marker, length, checksum, bytes. Damage is found and skipped, never believed."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

#: First byte of every record. 0xF5 is in no UTF-8 text, so no caller can write a marker into a record.
MARKER = b"\xf5TW1"

#: Marker, length of the payload, CRC-32 of length and payload; little endian.
HEADER = struct.Struct("<4sII")
LENGTH = struct.Struct("<I")


@dataclass(frozen=True)
class Found:
    """A record, or a stretch of damage.

    Attributes:
        end: Offset of the byte after it.
        payload: Its bytes; None where the stretch is damaged.
    """

    end: int
    payload: bytes | None


def packed(payload: bytes) -> bytes:
    """A record as it stands in the file."""
    size = LENGTH.pack(len(payload))
    return HEADER.pack(MARKER, len(payload), crc32(payload, crc32(size))) + payload


def records(data: bytes) -> Iterator[Found]:
    """Everything in a piece of a file, in order; what is damaged is skipped up to the next whole record."""
    place = 0
    while place < len(data):
        payload = _at(data, place)
        if payload is not None:
            place += HEADER.size + len(payload)
        else:
            place = _next(data, place + 1)
        yield Found(place, payload)


def _at(data: bytes, place: int) -> bytes | None:
    """The payload of the record that begins here, or None."""
    if place + HEADER.size > len(data):
        return None
    marker, size, checksum = HEADER.unpack_from(data, place)
    start = place + HEADER.size
    if marker != MARKER or start + size > len(data):
        return None
    payload = data[start : start + size]
    return payload if crc32(payload, crc32(LENGTH.pack(size))) == checksum else None


def _next(data: bytes, start: int) -> int:
    """Where the next whole record begins; the end where there is none."""
    place = data.find(MARKER, start)
    while place >= 0 and _at(data, place) is None:
        place = data.find(MARKER, place + 1)
    return len(data) if place < 0 else place
