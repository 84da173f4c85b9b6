"""What a log line shows, and what it never does."""

import json
import logging

import pytest

from aerostic.core import logs


def line(message: str, *args: object, json_lines: bool = True, **extra: object) -> str:
    record = logging.makeLogRecord(
        {"name": "aerostic.test", "levelno": 20, "levelname": "INFO", "msg": message, "args": args}
        | extra
    )
    return logs.formatter(json=json_lines).format(record)


def test_a_line_is_json_with_its_details():
    shown = json.loads(line("sent %d", 3, number_id="n1"))
    assert shown["event"] == "sent 3"
    assert (shown["level"], shown["logger"], shown["number_id"]) == ("info", "aerostic.test", "n1")


@pytest.mark.parametrize(
    "name", ["password", "access_token", "Authorization", "set-cookie", "app_secret", "api_key"]
)
def test_secrets_are_hidden_by_their_names(name):
    assert "hunter2" not in line("x", **{name: "hunter2", "inner": {name: "hunter2"}})


@pytest.mark.parametrize(
    "secret",
    [
        "EAAGm0PX4ZCpsBAKZCZBxyz123",
        "ask_live_abcdefgh12345678",
        "Bearer abc.def-ghi",
        "postgresql://app:s3cret@127.0.0.1/x",
        "https://graph.example/me?access_token=abc123456",
    ],
)
def test_secrets_are_hidden_by_their_looks(secret):
    shown = line(f"it said {secret}.")
    hidden = secret.removeprefix("Bearer ").removeprefix("https://graph.example/me?access_token=")
    assert hidden.replace("postgresql://app:s3cret@127.0.0.1/x", "s3cret") not in shown


@pytest.mark.parametrize(
    "number", ["+15550001001", "15550001001", "+1 555 000 1001", "(555) 000-1001", "491701234567"]
)
def test_of_a_telephone_number_two_digits_remain(number):
    shown = json.loads(line("message from %s failed", number, recipient=number))
    kept = f"{logs.HIDDEN}{number[-2:]}"
    assert kept in shown["event"]
    assert kept in shown["recipient"]
    assert "000" not in shown["event"]


@pytest.mark.parametrize(
    "plain",
    [
        "01933b2c-7a10-7c55-9d4e-2f6b8a1c0d3e",
        "2026-11-23T09:30:00.123456+00:00",
        "took 12345.678901 s",
        "port 25432",
        "wamid.HBgLMTU1NTAwMDEwMDEVAgASGBQzQTdDMDk5",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
)
def test_ids_times_and_small_numbers_stay(plain):
    assert json.loads(line("saw %s here", plain))["event"] == f"saw {plain} here"


def test_a_traceback_is_masked_too():
    try:
        raise ValueError("no reply from +15550001001 with EAAGm0PX4ZCpsBAKZCZBxyz123")
    except ValueError as error:
        shown = line("failed", exc_info=(type(error), error, error.__traceback__))
    assert "ValueError" in shown
    assert "15550001001" not in shown
    assert "EAAGm0PX4ZC" not in shown


def test_development_lines_are_masked_as_well():
    shown = line("from %s", "+15550001001", json_lines=False, password="hunter2")
    assert "hunter2" not in shown
    assert "15550001001" not in shown


def test_libraries_that_log_through_structlog_are_masked_as_well(capfd):
    import structlog

    logs.configure()
    structlog.get_logger("library").warning("retrying", password="hunter2", to="+15550001001")
    shown = capfd.readouterr().err
    assert "retrying" in shown
    assert "hunter2" not in shown
    assert "15550001001" not in shown
