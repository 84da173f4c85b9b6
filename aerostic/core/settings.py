"""Everything that can be set from outside, read once, checked at the start.

A wrong value stops the start with the setting's name and the reason. In development the command line
generates secrets into the data directory and passes them on; in production the required ones must be
given, and no default secret exists in the source.
"""

from datetime import date
from enum import StrEnum
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

# When Meta switches each version of the Graph API off (graph-api/changelog/versions, November 2026).
GRAPH_VERSION_ENDS = {
    "v20.0": date(2026, 9, 24),
    "v21.0": date(2027, 1, 21),
    "v22.0": date(2027, 5, 20),
    "v23.0": date(2027, 10, 8),
    "v24.0": date(2028, 2, 18),
    "v25.0": date(2028, 7, 29),
}


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class SettingsError(Exception):
    """One or more settings are wrong; the text names each with its reason."""


class Settings(BaseSettings):
    """The product's settings. Each is documented in `.env.example`; a test keeps the two equal."""

    model_config = SettingsConfigDict(
        env_prefix="AEROSTIC_",
        env_file=".env",
        extra="forbid",
        frozen=True,
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    env: Environment = Environment.DEVELOPMENT
    secret_key: SecretStr
    encryption_keys: Annotated[dict[str, SecretStr], NoDecode]
    base_domain: str = "localhost"
    public_url: str = "http://localhost:8000"
    data_dir: Path = Path(".aerostic")
    trusted_proxies: int = Field(default=0, ge=0, le=5)

    database_url: str
    database_owner_url: str = ""
    redis_url: str
    kafka_bootstrap: str = ""

    meta_graph_url: str = "https://graph.facebook.com"
    meta_graph_version: str = "v25.0"
    meta_app_id: str = ""
    meta_app_secret: Annotated[list[SecretStr], NoDecode] = []
    meta_verify_token: SecretStr = SecretStr("")
    meta_config_id: str = ""

    gemini_api_key: SecretStr = SecretStr("")
    gemini_url: str = "https://generativelanguage.googleapis.com"
    google_client_id: str = ""
    google_client_secret: SecretStr = SecretStr("")
    google_url: str = ""

    outside_ports: Annotated[list[int], NoDecode] = [80, 443]
    outside_allow: Annotated[list[str], NoDecode] = []

    smtp_url: SecretStr = SecretStr("")
    mail_from: str = "Aerostic <no-reply@localhost>"
    demo_password: SecretStr = SecretStr("")
    bcrypt_rounds: int = Field(default=12, ge=4, le=16)
    metrics_token: SecretStr = SecretStr("")
    wallet_currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    start_credit: str = Field(default="0", pattern=r"^\d{1,9}(\.\d{1,6})?$")
    simulator_url: str = ""
    simulator_webhook_url: str = ""
    media_dir: Path | None = None

    @field_validator("encryption_keys", mode="before")
    @classmethod
    def _read_keys(cls, value: object) -> object:
        """`id:base64,id:base64`; the first encrypts, all decrypt."""
        if not isinstance(value, str):
            return value
        pairs = [part.strip().partition(":") for part in value.split(",") if part.strip()]
        if not pairs or not all(key_id and secret for key_id, _, secret in pairs):
            raise ValueError("write it as id:key,id:key where key is 32 bytes in base64")
        return {key_id: SecretStr(secret) for key_id, _, secret in pairs}

    @field_validator("meta_app_secret", mode="before")
    @classmethod
    def _read_app_secrets(cls, value: object) -> object:
        """Comma-separated: a delivery is accepted if any of the configured apps signed it."""
        if isinstance(value, str):
            return [SecretStr(part.strip()) for part in value.split(",") if part.strip()]
        return value

    @field_validator("outside_ports", mode="before")
    @classmethod
    def _read_ports(cls, value: object) -> object:
        return _parts(value) if isinstance(value, str) else value

    @field_validator("outside_allow", mode="before")
    @classmethod
    def _read_networks(cls, value: object) -> object:
        """Networks or single addresses, comma-separated."""
        given = _parts(value) if isinstance(value, str) else value
        for one in given if isinstance(given, list) else ():
            ip_network(one, strict=False)
        return given

    @field_validator("database_url", "database_owner_url")
    @classmethod
    def _name_the_driver(cls, value: str) -> str:
        scheme, separator, rest = value.partition("://")
        if not value:
            return value
        if not separator or scheme.partition("+")[0] not in {"postgresql", "postgres"}:
            raise ValueError("must start with postgresql://")
        return f"postgresql+psycopg://{rest}"

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: str) -> str:
        if not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must start with redis:// or rediss://")
        return value

    @field_validator(
        "meta_graph_url", "public_url", "simulator_url", "simulator_webhook_url", "google_url"
    )
    @classmethod
    def _without_trailing_slash(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @field_validator("meta_graph_version")
    @classmethod
    def _not_expired(cls, value: str) -> str:
        from aerostic.core.clock import today

        number = value.removeprefix("v").removesuffix(".0")
        if not (value.startswith("v") and number.isdigit()):
            raise ValueError("must look like v25.0")
        if int(number) < 20:
            raise ValueError(f"{value} was switched off by Meta before 24 September 2026")
        ends = GRAPH_VERSION_ENDS.get(value)
        if ends and ends <= today():
            raise ValueError(f"{value} was switched off by Meta on {ends:%-d %B %Y}")
        return value

    @model_validator(mode="after")
    def _production_is_complete(self) -> Self:
        if self.env is not Environment.PRODUCTION:
            return self
        required = ("meta_app_secret", "meta_verify_token", "meta_app_id", "smtp_url")
        missing = [name for name in required if not _given(getattr(self, name))]
        if missing:
            names = ", ".join(f"AEROSTIC_{name.upper()}" for name in missing)
            raise ValueError(f"production needs {names}")
        if len(self.secret_key.get_secret_value()) < 32:
            raise ValueError("AEROSTIC_SECRET_KEY must have at least 32 characters in production")
        if self.simulator_url:
            raise ValueError("AEROSTIC_SIMULATOR_URL must not be set in production")
        if self.outside_allow:
            raise ValueError("AEROSTIC_OUTSIDE_ALLOW must not be set in production")
        return self

    @property
    def is_production(self) -> bool:
        return self.env is Environment.PRODUCTION

    @property
    def allowed_origins(self) -> list[str]:
        """Whose pages may open a socket to us: our own, under each name that they are reached by."""
        if self.is_production:
            hosts = ("", "app.", "auth.", "admin.")
            return [self.public_url, *(f"https://{host}{self.base_domain}" for host in hosts)]
        twins = ("127.0.0.1", "[::1]")
        return [self.public_url, *(self.public_url.replace("localhost", twin) for twin in twins)]

    @property
    def media_root(self) -> Path:
        """Where tenants' media lie: never inside a folder that a web server serves."""
        return self.media_dir or self.data_dir / "media"


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _given(value: object) -> bool:
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


@cache
def settings() -> Settings:
    """The settings of this process. Raises SettingsError with every wrong name and why."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError(_in_words(error)) from None


def _in_words(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        name = "_".join(str(part) for part in problem["loc"][:1]).upper()
        name = name if name.startswith("AEROSTIC_") else f"AEROSTIC_{name}"
        reason = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "missing":
            reason = "is required and was not given"
        if problem["type"] == "extra_forbidden":
            reason = "is not a setting of this product; see .env.example"
        lines.append(f"{name}: {reason}" if problem["loc"] else reason)
    return "\n".join(lines)
