"""Codes sent by e-mail: six digits, fifteen minutes, once.

A code works only together with the id that its request was given, so that a code someone else asked for
is of no use where it is typed.
"""

import json
from datetime import timedelta
from uuid import UUID

from aerostic.core.crypto import decrypt, encrypt, keyed_digest, new_digits, new_token, same
from aerostic.core.errors import Invalid
from aerostic.core.ids import new_id
from aerostic.core.tenancy import Context
from aerostic.domain.identity import attempts
from aerostic.domain.identity.models import CodePurpose, VerificationCode

LIFETIME = timedelta(minutes=15)


class WrongCode(Invalid):
    """Wrong, old, used, or never sent: which, is not said."""

    code = "wrong_code"

    def __init__(self) -> None:
        super().__init__(
            "code", "That code is not right, or it is too old. You can ask for a new one."
        )


def issue(
    ctx: Context, purpose: CodePurpose, email: str, *, pending: dict[str, str] | None
) -> tuple[UUID, str]:
    """The id of a new code and the code. Without anything pending, no code will ever fit."""
    code_id, code = new_id(), new_digits()
    ctx.session.add(
        VerificationCode(
            id=code_id,
            purpose=purpose,
            email_digest=keyed_digest(email, purpose="email"),
            code_digest=_digest(code_id, code if pending is not None else new_token()),
            sealed=encrypt(json.dumps(pending or {}), bound_to=_bound_to(code_id)),
            created_at=ctx.now,
            expires_at=ctx.now + LIFETIME,
        )
    )
    return code_id, code


def redeem(
    ctx: Context, purpose: CodePurpose, code_id: UUID, code: str, *, ip: str
) -> dict[str, str]:
    """What was pending for a code, which is used up by this. Raises WrongCode, TooMany."""
    attempts.count(attempts.TRIES_PER_ADDRESS, attempts.network_of(ip))
    attempts.count(attempts.TRIES_PER_CODE, str(code_id))
    row = ctx.session.get(VerificationCode, code_id, with_for_update=True)
    if row is None or row.purpose != purpose or row.used_at or row.expires_at <= ctx.now:
        raise WrongCode
    if not same(_digest(code_id, "".join(code.split())), row.code_digest):
        raise WrongCode
    row.used_at = ctx.now
    pending: dict[str, str] = json.loads(decrypt(row.sealed, bound_to=_bound_to(code_id)))
    row.sealed = ""
    ctx.session.add(row)
    return pending


def _digest(code_id: UUID, code: str) -> str:
    return keyed_digest(f"{code_id}|{code}", purpose="verification code")


def _bound_to(code_id: UUID) -> str:
    return f"verification_codes.sealed.{code_id}"
