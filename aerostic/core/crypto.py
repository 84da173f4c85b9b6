"""Secrets at rest and digests.

AES-256-GCM with a key id in front, so that keys rotate: the first configured key encrypts, every
configured key decrypts. The associated data binds a ciphertext to its row: moved elsewhere, it does
not open.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aerostic.core.settings import SettingsError, settings


class CannotDecrypt(Exception):
    """The key is gone, the bytes were changed, or the ciphertext belongs to another row."""


@cache
def _keys() -> dict[str, AESGCM]:
    return {
        key_id: AESGCM(_key_bytes(key_id, key.get_secret_value()))
        for key_id, key in settings().encryption_keys.items()
    }


def _key_bytes(key_id: str, text: str) -> bytes:
    try:
        key = base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise SettingsError(f"AEROSTIC_ENCRYPTION_KEYS: key {key_id} is not 32 bytes in base64")
    return key


def check_keys() -> None:
    """Raise SettingsError now rather than at the first secret."""
    _keys()


def encrypt(plain: str, *, bound_to: str) -> str:
    """`key_id.nonce.ciphertext`, bound to `bound_to` (table, column and row id)."""
    key_id, key = next(iter(_keys().items()))
    nonce = secrets.token_bytes(12)
    sealed = key.encrypt(nonce, plain.encode(), f"{key_id}|{bound_to}".encode())
    return f"{key_id}.{_text(nonce)}.{_text(sealed)}"


def decrypt(sealed: str, *, bound_to: str) -> str:
    """The plain text. Raises CannotDecrypt."""
    key_id, _, rest = sealed.partition(".")
    nonce, _, body = rest.partition(".")
    key = _keys().get(key_id)
    if key is None:
        raise CannotDecrypt(f"no key {key_id!r} is configured")
    try:
        bound = f"{key_id}|{bound_to}".encode()
        return key.decrypt(_bytes(nonce), _bytes(body), bound).decode()
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise CannotDecrypt("the secret was changed or belongs to another row") from error


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def new_token(length: int = 32) -> str:
    """An unguessable text for links, cookies and keys (`length` bytes of randomness)."""
    return secrets.token_urlsafe(length)


def new_digits(count: int = 6) -> str:
    """A code that a person types."""
    return f"{secrets.randbelow(10**count):0{count}d}"


def digest(token: str) -> str:
    """SHA-256 in hex: what is stored in place of a token that is random enough by itself."""
    return hashlib.sha256(token.encode()).hexdigest()


def keyed_digest(text: str, *, purpose: str) -> str:
    """HMAC with the product's secret: for guessable texts (codes, e-mail addresses)."""
    key = settings().secret_key.get_secret_value().encode()
    return hmac.digest(key, f"{purpose}|{text}".encode(), "sha256").hex()


def same(one: str, other: str) -> bool:
    """Equal, in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())
