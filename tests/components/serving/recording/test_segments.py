"""Whatever happens to a file of records, what is read from it was written."""

from hypothesis import given, settings
from hypothesis import strategies as st

from components.serving.recording.segments import HEADER, MARKER, packed, records

PAYLOADS = st.lists(st.binary(max_size=60), max_size=12)


def read(data: bytes) -> list[bytes]:
    return [found.payload for found in records(data) if found.payload is not None]


@given(PAYLOADS)
def test_what_is_written_is_read(payloads: list[bytes]) -> None:
    assert read(b"".join(map(packed, payloads))) == payloads


@settings(max_examples=50, deadline=None)
@given(PAYLOADS)
def test_any_truncation_yields_a_prefix_of_the_records(payloads: list[bytes]) -> None:
    data = b"".join(map(packed, payloads))
    for size in range(len(data)):
        found = read(data[:size])
        assert found == payloads[: len(found)]


@settings(deadline=None)
@given(st.lists(st.text(max_size=40).map(str.encode), min_size=1, max_size=8), st.data())
def test_a_changed_byte_costs_the_record_it_is_in_and_no_other(
    payloads: list[bytes], data: st.DataObject
) -> None:
    parts = [packed(one) for one in payloads]
    whole = bytearray(b"".join(parts))
    hit = data.draw(st.integers(0, len(parts) - 1))
    place = sum(map(len, parts[:hit])) + data.draw(st.integers(0, len(parts[hit]) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    found = [one.payload for one in records(bytes(whole))]
    assert found == [*payloads[:hit], None, *payloads[hit + 1 :]]


@given(st.binary(max_size=300))
def test_noise_holds_no_record_and_is_read_to_its_end(noise: bytes) -> None:
    found = list(records(noise))
    assert not [one for one in found if one.payload is not None]
    assert not noise or found[-1].end == len(noise)


def test_a_caller_cannot_forge_a_record_inside_a_record() -> None:
    # JSON is UTF-8, in which the first byte of the marker never stands.
    forged = packed(b'{"forged": true}').decode("latin-1").encode()
    assert MARKER not in forged
    torn = packed(forged)[HEADER.size :]
    assert read(torn) == []
