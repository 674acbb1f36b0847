"""API keys: only hashes are stored, a presented key is found, and a wrong entry is told without its text."""

import json
from pathlib import Path

import pytest

from components.shared.config import Config, load
from components.shared.errors import ConfigError
from components.shared.identity import (
    AuthenticationError,
    ForbiddenError,
    Key,
    Keyring,
    hash_of,
    new_key,
    presented,
    read_keys,
)

ROOT = Path(__file__).resolve().parents[3]


def entry(name: str, presented_key: str, **more: object) -> dict[str, object]:
    return {"id": name, "hash": hash_of(presented_key), **more}


def configured(**places: str) -> Config:
    shipped = load(ROOT / "twinstack.yaml")
    serving = shipped.serving.model_copy(update={"keys": shipped.serving.keys.model_copy(update=places)})
    return shipped.model_copy(update={"serving": serving})


def test_new_keys_differ_and_are_long() -> None:
    made = {new_key() for _ in range(100)}
    assert len(made) == 100
    assert min(map(len, made)) > 40


def test_a_presented_key_is_found_by_its_hash_alone() -> None:
    mine, other = new_key(), new_key()
    ring = Keyring([Key.model_validate(entry("a", mine)), Key.model_validate(entry("b", other))])
    assert ring.identify(mine).id == "a"
    assert ring.identify(other).id == "b"
    for wrong in (new_key(), "", None, mine[:-1], mine + "x", hash_of(mine), "ü" * 10_000):
        with pytest.raises(AuthenticationError) as caught:
            ring.identify(wrong)
        assert not wrong or wrong not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({b"authorization": b"Bearer abc"}, "abc"),
        ({b"authorization": b"bearer  abc "}, "abc"),
        ({b"x-api-key": b"abc"}, "abc"),
        ({b"authorization": b"Basic abc"}, None),
        ({b"authorization": b"Bearer "}, None),
        ({}, None),
    ],
)
def test_where_a_key_stands_in_a_request(headers: dict[bytes, bytes], found: str | None) -> None:
    assert presented(headers) == found


def test_roles_are_needed_and_admin_has_all() -> None:
    caller = Key.model_validate(entry("a", "x"))
    caller.require("caller", "ask")
    with pytest.raises(ForbiddenError, match="no role 'operator'"):
        caller.require("operator", "promote a release")
    Key.model_validate(entry("b", "y", roles=["admin"])).require("operator", "promote a release")


def test_keys_come_from_a_file_and_from_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(json.dumps({"keys": [entry("one", "x", roles=["viewer"], concurrency=2)]}))
    found = read_keys(
        configured(file=str(path), environment="KEYS"), {"KEYS": json.dumps([entry("two", "y")])}
    )
    assert [one.id for one in found.keys] == ["one", "two"]
    assert found.keys[0].concurrency == 2
    assert not read_keys(configured())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not YAML"),
        ("[]", "no API key"),
        ("just text", "wrong at the top"),
        ("- {id: a, hash: plain-secret}", "hash"),
        ("- {id: A B, hash: 'sha256:" + "0" * 64 + "'}", "id"),
        ("- {id: a, hash: 'sha256:" + "0" * 64 + "', roles: [root]}", "roles"),
        ("- {id: a, hash: 'sha256:" + "0" * 64 + "', rate: 1}", "rate"),
    ],
)
def test_wrong_entries_are_told_without_their_text(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=told) as caught:
        read_keys(configured(file=str(path)))
    assert "plain-secret" not in str(caught.value)


def test_a_missing_place_names_its_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"serving\.keys\.file"):
        read_keys(configured(file=str(tmp_path / "none.yaml")))
    with pytest.raises(ConfigError, match=r"serving\.keys\.environment"):
        read_keys(configured(environment="NOT_SET"), {})


def test_twice_the_same_id_or_hash_is_refused() -> None:
    one = Key.model_validate(entry("a", "x"))
    for other in (entry("a", "y"), entry("b", "x")):
        with pytest.raises(ConfigError, match="share"):
            Keyring([one, Key.model_validate(other)])
