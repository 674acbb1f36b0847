"""The configuration: closed, bounded, and its errors name field, value and remedy."""

from pathlib import Path

import pytest

from components.shared.config import dump, load, parse
from components.shared.config.stores import Stores
from components.shared.errors import ConfigError

REPOSITORY = Path(__file__).resolve().parents[3]


def broken(folder: Path, old: str, new: str) -> Path:
    path = folder / "twinstack.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


@pytest.mark.parametrize(
    ("store", "uri"),
    [
        ("warehouse", "postgresql://user:word@host/db"),
        ("features", "feast+s3://bucket/x?online=redis://:word@host:6379/0"),
    ],
)
def test_a_password_in_a_uri_is_refused_and_not_repeated(tmp_path: Path, store: str, uri: str) -> None:
    path = tmp_path / "twinstack.yaml"
    text = (REPOSITORY / "twinstack.yaml").read_text()
    path.write_text(f"stores: {{{store}: '{uri}'}}\n{text}")
    with pytest.raises(ConfigError, match=f"stores.{store} holds a password") as raised:
        load(path)
    assert "word@" not in str(raised.value)


@pytest.mark.parametrize(
    ("place", "override"),
    [
        ("cluster.pushgateway", {"TWINSTACK_CLUSTER__PUSHGATEWAY": "http://user:word@push:9091"}),
        ("cluster.variables.A", {"TWINSTACK_CLUSTER__VARIABLES": '{"A": "http://user:word@host"}'}),
        (
            "twins.docs.foundation.model",
            {"TWINSTACK_TWINS__DOCS__FOUNDATION__MODEL": "https://u:word@h/v1#m"},
        ),
    ],
)
def test_a_password_in_any_address_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, place: str, override: dict[str, str]
) -> None:
    for name, value in override.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=f"{place} holds a password") as raised:
        load(REPOSITORY / "twinstack.yaml")
    assert "word@" not in str(raised.value)


@pytest.mark.parametrize("scheme", ["sqlite", "milvus-lite", "feast", "file"])
def test_an_absolute_path_with_four_slashes_as_of_sqlalchemy_begins_with_one(scheme: str) -> None:
    written = f"{scheme}:////var/lib/t?online=redis://h:1/0"
    assert Stores(features=written).features == written.replace("////", "///")


def test_the_shipped_configuration_is_valid() -> None:
    assert set(load(REPOSITORY / "twinstack.yaml").twins) == {"docs", "credit"}


def test_it_survives_the_way_into_a_stage() -> None:
    config = load(REPOSITORY / "twinstack.yaml")
    assert parse(dump(config)) == config


def test_an_unknown_field_is_named(corpus: Path) -> None:
    with pytest.raises(ConfigError, match=r"twins\.credit\.table\.keyy: unknown field"):
        load(broken(corpus, "key: applicant_id", "keyy: applicant_id"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "kind: classic",
            "kind: classic\n    dataflw: x",
            "unknown field, did you mean 'dataflow'?",
        ),
        ("at_least: 0.1", "atleast: 0.1", "rules.0.atleast: unknown field, did you mean 'at_least'?"),
        ("twins:", "srving: {}\ntwins:", "srving: unknown field, did you mean 'serving'?"),
        (
            "key: applicant_id",
            "max_rejectd: 0",
            "unknown field, did you mean 'max_rejected'?",
        ),
        ("kind: classic", "kind: clasic", "twins.credit.kind is 'clasic', none of 'classic', 'llm'"),
        (
            "positive: bad",
            "positive: yes",
            "positive is True: Input should be a valid string, put it in quotes",
        ),
        ("at_least: 0.1", "at_least: .nan", "at_least is nan: Input should be a finite number"),
        ("twins:", "1: 2\ntwins:", "1: unknown field"),
        ("twins:", "root: 5\ntwins:", "root is 5: not a text"),
        ("kind: classic", "kind: classic\n    kind: llm", "'kind' stands twice, in lines"),
        ("at_least: 0.1", f"at_least: {'9' * 5_000}", "Exceeds the limit"),
    ],
)
def test_a_slip_of_the_pen_is_told_with_what_may_be_meant(
    corpus: Path, old: str, new: str, said: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        load(broken(corpus, old, new))
    assert said in str(raised.value)


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(corpus: Path) -> None:
    path = corpus / "twinstack.yaml"
    before = load(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load(path) == before


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty.*twin new"), ("a: tumör".encode("latin-1"), "not UTF-8: byte 0xf6 at offset 6")],
)
def test_a_file_that_says_nothing_or_is_no_utf8_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "twinstack.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        load(tmp_path / "twinstack.yaml")


def test_a_wrong_value_is_named_with_what_is_allowed(corpus: Path) -> None:
    with pytest.raises(ConfigError, match=r"twins\.docs\.gate\.rules\.0\.at_least is 'high'.*valid number"):
        load(broken(corpus, "at_least: 0.1", "at_least: high"))


def test_a_label_that_is_no_column_is_named(corpus: Path) -> None:
    with pytest.raises(ConfigError, match="label 'crediability' is not among columns"):
        load(broken(corpus, "label: creditability", "label: crediability"))


def test_a_first_event_time_that_is_none_is_refused(corpus: Path) -> None:
    with pytest.raises(ConfigError, match=r"table\.event_time\.start is 'soon'.*isoformat"):
        load(broken(corpus, "    table:\n", "    table:\n      event_time: {start: soon}\n"))


def test_a_missing_file_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read the configuration.*--config"):
        load(tmp_path / "nowhere.yaml")


def test_a_file_that_is_no_yaml_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "twinstack.yaml").write_text("a: [")
    with pytest.raises(ConfigError, match="not YAML"):
        load(tmp_path / "twinstack.yaml")


def test_an_environment_variable_overrides_a_nested_field(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINSTACK_TWINS__CREDIT__TRAINING__ROUNDS", "7")
    monkeypatch.setenv("TWINSTACK_SERVING__PORT", "9999")
    config = load(corpus / "twinstack.yaml")
    twin = config.twins["credit"]
    assert twin.kind == "classic"
    assert twin.training.rounds == 7
    assert config.serving.port == 9999


@pytest.mark.parametrize(
    "name",
    [
        "TWINSTACK_CONSOLE_SERVICE_HOST",
        "TWINSTACK_CONSOLE_SERVICE_PORT_HTTP",
        "TWINSTACK_CONSOLE_PORT",
        "TWINSTACK_DOCS_PREDICTOR_PORT_80_TCP_ADDR",
    ],
)
def test_variables_that_kubernetes_makes_for_a_service_are_not_ours(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = load(corpus / "twinstack.yaml")
    monkeypatch.setenv(name, "10.0.0.1")
    assert load(corpus / "twinstack.yaml") == before


def test_an_environment_variable_that_names_no_field_is_refused(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINSTACK_SERVNG__PORT", "9999")
    with pytest.raises(ConfigError, match="TWINSTACK_SERVNG__PORT names no field"):
        load(corpus / "twinstack.yaml")


def test_a_cluster_profile_names_the_stores_it_lacks(corpus: Path) -> None:
    with pytest.raises(ConfigError, match=r"profile 'cluster' needs stores\.warehouse"):
        load(broken(corpus, "twins:", "profile: cluster\ntwins:"))


def test_an_unknown_twin_names_the_known_ones(corpus: Path) -> None:
    with pytest.raises(ConfigError, match=r"no twin 'nobody'.*credit, docs"):
        load(corpus / "twinstack.yaml").twin("nobody")
