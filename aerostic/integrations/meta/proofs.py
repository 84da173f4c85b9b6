"""`appsecret_proof`: shows Meta that whoever uses a token also knows the secret of the token's app.

Which of several apps a token belongs to, the token does not say: Meta does, by refusing the proof of another
one. What refused the proof did nothing, so the next secret may be tried at once, and no proof at last, for an
app whose secret is not configured here; what was taken is remembered. (Graph API, Securing Graph API calls.)
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from aerostic.core.settings import settings

MOST_TOKENS = 10_000
REFUSED = "appsecret_proof"  # in the message of Meta's refusal
INVALID_PARAMETER = 100


class Proofs:
    """The proofs of many tokens, made once each."""

    def __init__(self, secrets: Sequence[str] | None = None) -> None:
        configured = [one.get_secret_value() for one in settings().meta_app_secret]
        self._secrets = [one for one in (configured if secrets is None else secrets) if one]
        self._known: dict[str, tuple[int, str]] = {}  # which secret, and its proof

    def of(self, token: str) -> dict[str, str] | None:
        """What goes into the request's query. None: there is no secret to prove."""
        if not self._secrets:
            return None
        if token not in self._known:
            self._make(token, 0)
        proof = self._known[token][1]
        return {"appsecret_proof": proof} if proof else None

    def has_another(self, token: str, error: Any) -> bool:
        """Whether Meta refused this token's proof, and what is used from now on is another one."""
        used = self._known.get(token)
        if used is None or used[0] == len(self._secrets) or not _is_about_proof(error):
            return False
        self._make(token, used[0] + 1)
        return True

    def _make(self, token: str, place: int) -> None:
        if len(self._known) > MOST_TOKENS:
            self._known.clear()
        self._known[token] = (place, "")
        for secret in self._secrets[place : place + 1]:
            proof = hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()
            self._known[token] = (place, proof)


def _is_about_proof(error: Any) -> bool:
    if not isinstance(error, Mapping) or error.get("code") != INVALID_PARAMETER:
        return False
    return REFUSED in str(error.get("message", ""))
