"""Passwords: bcrypt, of any length, upgraded when the cost rises, and just as slow for nobody."""

import base64
import hmac
import unicodedata

import bcrypt

from aerostic.core.errors import Invalid
from aerostic.core.settings import settings

BCRYPT_BYTES = 72
SHORTEST, LONGEST = 10, 1024

# What people choose first once ten characters are asked for; shorter ones are refused by length.
COMMON = frozenset(
    {
        "1234567890", "12345678910", "0123456789", "123456789a", "1q2w3e4r5t", "1q2w3e4r5t6y",
        "qwertyuiop", "qwerty12345", "qwerty123456", "qwertyuiop123", "asdfghjkl1", "asdfghjklm",
        "password12", "password123", "password1234", "password12345", "password123!", "passw0rd123",
        "p@ssw0rd123", "mypassword", "letmein123", "letmein1234", "welcome123", "welcome1234",
        "iloveyou123", "iloveyou12", "administrator", "admin12345", "admin123456", "changeme123",
        "whatsapp123", "whatsapp1234", "aerostic123", "aerostic1234", "abcdefghij", "abcd123456",
        "qazwsxedcrfv", "zaq12wsxcde3", "princess123", "football123", "basketball", "superman123",
        "monkey12345", "dragon12345", "sunshine123", "trustno1234", "correcthorsebatterystaple",
    }
)  # fmt: skip


def check_strength(password: str, *, email: str) -> None:
    """Raise Invalid with what to change: too short, too long, too common, or the e-mail itself."""
    if len(password) < SHORTEST:
        raise Invalid("password", f"Please use at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise Invalid("password", f"Please use at most {LONGEST} characters.")
    plain = password.casefold()
    if plain in COMMON or len(set(plain)) < 4:
        raise Invalid(
            "password", "That password is among the first that are guessed. Try a sentence."
        )
    if plain in {email, email.partition("@")[0]}:
        raise Invalid("password", "Please do not use your e-mail address as your password.")


def hashed(password: str) -> str:
    """A new bcrypt hash, at the cost of the settings."""
    salt = bcrypt.gensalt(settings().bcrypt_rounds)
    return bcrypt.hashpw(_at_most_72_bytes(password), salt).decode()


def is_right(password: str, password_hash: str | None) -> bool:
    """Does the password fit? Without a hash the answer is no, after just as much work."""
    if len(password) > LONGEST:
        password = ""
    fits = bcrypt.checkpw(_at_most_72_bytes(password), (password_hash or _nobodys_hash()).encode())
    return fits and password_hash is not None


def needs_upgrade(password_hash: str) -> bool:
    """Was it made at another cost than today's?"""
    return password_hash.split("$")[2] != f"{settings().bcrypt_rounds:02d}"


def _at_most_72_bytes(password: str) -> bytes:
    """bcrypt reads 72 bytes and stops at a zero byte: what is longer is digested, not cut."""
    plain = unicodedata.normalize("NFKC", password).encode()
    if len(plain) <= BCRYPT_BYTES and b"\0" not in plain:
        return plain
    return base64.b64encode(hmac.digest(b"aerostic long password", plain, "sha256"))


def _nobodys_hash() -> str:
    """A hash of today's cost that fits no password: checking against it takes as long as any other."""
    return f"$2b${settings().bcrypt_rounds:02d}${'.' * 53}"
