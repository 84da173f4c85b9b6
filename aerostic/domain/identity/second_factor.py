"""Codes from an authenticator app (RFC 6238), and the recovery codes for the day the phone is lost."""

import hashlib
import secrets
from dataclasses import dataclass
from uuid import UUID

import pyotp
import segno

from aerostic.core.crypto import decrypt, digest, encrypt, same
from aerostic.core.tenancy import Context
from aerostic.domain.identity.models import User

ISSUER = "Aerostic"
STEP_SECONDS = 30
RECOVERY_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that reads like something else


@dataclass(frozen=True, slots=True)
class TotpSetup:
    """What an authenticator app needs: a picture to scan, or the secret to type."""

    secret: str
    uri: str
    qr_svg: str


def begin(user: User) -> TotpSetup:
    """A new secret, not in force until a code of it was shown."""
    secret = pyotp.random_base32()
    user.totp_secret_sealed = encrypt(secret, bound_to=_bound_to(user.id))
    user.totp_confirmed_at = None
    uri = pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=ISSUER)
    picture = segno.make(uri, error="m").svg_inline(scale=5, border=2)
    return TotpSetup(secret, uri, picture)


def accepts(ctx: Context, user: User, code: str) -> bool:
    """Is it the app's code of now, or an unused recovery code? Either works once.

    The user's row must be locked, so that the same code sent twice at once passes once.
    """
    typed = "".join(code.split()).replace("-", "").lower()
    return _accepts_app_code(ctx, user, typed) or _accepts_recovery_code(user, typed)


def is_in_force(user: User) -> bool:
    return user.totp_secret_sealed is not None and user.totp_confirmed_at is not None


def new_recovery_codes(user: User) -> list[str]:
    """Ten codes, shown this once; the ones before them no longer work."""
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(12)) for _ in range(RECOVERY_CODES)]
    user.recovery_code_digests = [digest(code) for code in codes]
    return [f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in codes]


def remove(user: User) -> None:
    """No second factor from now on."""
    user.totp_secret_sealed = None
    user.totp_confirmed_at = None
    user.recovery_code_digests = []


def _accepts_app_code(ctx: Context, user: User, typed: str) -> bool:
    if user.totp_secret_sealed is None or not typed.isascii() or not typed.isdigit():
        return False
    secret = decrypt(user.totp_secret_sealed, bound_to=_bound_to(user.id))
    app = pyotp.TOTP(secret, digest=hashlib.sha1)  # what every authenticator app understands
    now = int(ctx.now.timestamp()) // STEP_SECONDS
    for step in (now - 1, now, now + 1):  # phones' clocks are a little off
        if step > user.totp_last_step and same(app.generate_otp(step), typed):
            user.totp_last_step = step
            return True
    return False


def _accepts_recovery_code(user: User, typed: str) -> bool:
    left = [kept for kept in user.recovery_code_digests if kept != digest(typed)]
    if len(left) == len(user.recovery_code_digests):
        return False
    user.recovery_code_digests = left
    return True


def _bound_to(user_id: UUID) -> str:
    return f"users.totp_secret_sealed.{user_id}"
