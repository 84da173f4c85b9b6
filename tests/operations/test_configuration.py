"""Settings: documented exactly, and every wrong one told in words."""

from pathlib import Path

import pytest
from dotenv import dotenv_values

from aerostic.core.settings import Settings
from aerostic.operations import configuration
from aerostic.operations.configuration import Given
from aerostic.operations.data_directory import DataDirectory
from aerostic.operations.errors import OperationError

ROOT = configuration.ROOT


def test_the_example_documents_exactly_the_settings() -> None:
    documented = list(dotenv_values(ROOT / ".env.example"))
    assert len(documented) > 20
    assert sorted(documented) == sorted(configuration.KNOWN)


def test_the_example_shows_the_true_defaults() -> None:
    shown = dotenv_values(ROOT / ".env.example")
    defaults = {
        f"AEROSTIC_{name.upper()}": str(getattr(field.default, "value", field.default))
        for name, field in Settings.model_fields.items()
    }
    given = {name: value for name, value in shown.items() if value}
    assert len(given) > 8
    assert {name: defaults[name] for name in given} == given


def test_the_example_is_itself_a_valid_file() -> None:
    assert configuration.read_dotenv(ROOT / ".env.example")["AEROSTIC_ENV"] == "development"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("AEROSTIC_REDIS_ULR=redis://x", ".env line 1: AEROSTIC_REDIS_ULR is not a setting"),
        ("AEROSTIC_REDIS_ULR=redis://x", "Did you mean AEROSTIC_REDIS_URL?"),
        ("\nPORT=1", ".env line 2: PORT is not a setting of this product; see .env.example."),
        ("AEROSTIC_ENV", ".env line 1: “AEROSTIC_ENV” is not of the form NAME=value"),
        ("just words here", "is not of the form NAME=value"),
    ],
)
def test_a_wrong_line_is_named_with_its_reason(tmp_path: Path, written: str, said: str) -> None:
    (tmp_path / ".env").write_text(written)
    with pytest.raises(OperationError) as refused:
        configuration.read_given(tmp_path, {})
    assert said in str(refused.value)


def test_every_wrong_line_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nAEROSTIC_ENV=development\nB=2\n")
    with pytest.raises(OperationError) as refused:
        configuration.read_given(tmp_path, {})
    assert [line[:11] for line in str(refused.value).splitlines()] == [".env line 1", ".env line 3"]


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"AEROSTIC_ENV=\xff\xfe")
    with pytest.raises(OperationError, match="not UTF-8"):
        configuration.read_given(tmp_path, {})


def test_the_environment_wins_over_the_file_and_empty_is_not_given(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "AEROSTIC_ENV=test\nAEROSTIC_REDIS_URL=\nAEROSTIC_META_APP_ID=1\n"
    )
    given = configuration.read_given(
        tmp_path, {"AEROSTIC_META_APP_ID": "2", "AEROSTIC_SMTP_URL": ""}
    )
    assert given.get("AEROSTIC_ENV") == "test"
    assert given.get("AEROSTIC_META_APP_ID") == "2"
    assert not given.uses_own_redis
    assert not given.has("AEROSTIC_SMTP_URL")


def test_misspelt_names_in_the_environment_are_found() -> None:
    environment = {
        "AEROSTIC_REDIS_ULR": "x",
        "AEROSTIC_ENV": "test",
        "AEROSTIC_RUN_FROM": "/",
        "PATH": "",
    }
    assert configuration.unknown_in_environment(environment) == ["AEROSTIC_REDIS_ULR"]


def in_force(given: Given, directory: DataDirectory) -> dict[str, str]:
    return configuration.in_force(
        given, directory, port=8123, simulator_port=8124, postgres=None, valkey=None
    )


def test_development_needs_nothing_and_talks_to_the_simulator(tmp_path: Path) -> None:
    made = in_force(Given({}), DataDirectory(tmp_path))
    assert made["AEROSTIC_PUBLIC_URL"] == "http://localhost:8123"
    assert made["AEROSTIC_META_GRAPH_URL"] == "http://127.0.0.1:8124/simulator/graph"
    assert made["AEROSTIC_SIMULATOR_WEBHOOK_URL"] == "http://127.0.0.1:8123/webhooks/meta"
    assert len(made["AEROSTIC_SECRET_KEY"]) >= 32


def test_generated_secrets_stay_the_same_and_private(tmp_path: Path) -> None:
    first = in_force(Given({}), DataDirectory(tmp_path))
    second = in_force(Given({}), DataDirectory(tmp_path))
    other = in_force(Given({}), DataDirectory(tmp_path / "other"))
    assert first == second
    assert other["AEROSTIC_SECRET_KEY"] != first["AEROSTIC_SECRET_KEY"]
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_a_real_meta_app_leaves_the_simulator_out(tmp_path: Path) -> None:
    made = in_force(Given({"AEROSTIC_META_APP_ID": "123"}), DataDirectory(tmp_path))
    assert made["AEROSTIC_META_APP_ID"] == "123"
    assert "AEROSTIC_SIMULATOR_URL" not in made
    assert "AEROSTIC_META_GRAPH_URL" not in made


def test_production_generates_no_secret(tmp_path: Path) -> None:
    made = in_force(Given({"AEROSTIC_ENV": "production"}), DataDirectory(tmp_path))
    assert made == {"AEROSTIC_ENV": "production", "AEROSTIC_DATA_DIR": str(tmp_path)}
    assert not (tmp_path / "secrets.json").exists()
