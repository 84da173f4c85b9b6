"""What Google refuses, with a sentence for people.

GoogleProblem
  ├─ NotSetUp        this installation has no OAuth client, or Google does not know it
  ├─ GrantGone       the person took the permission back, or it ran out
  ├─ AccessEnded     the access token is not taken any more: a new one may be
  ├─ NotAllowed      the permission does not include that
  ├─ Gone            the file or the spreadsheet is not there
  ├─ NotUnderstood   the request has a form that Google does not take
  ├─ Busy            Google says: later
  ├─ NotReached      nothing arrived there
  ├─ NoAnswer        it took too long, or broke off: whether it was done is not known
  └─ TooLarge        more than is taken in
"""

from typing import Any

from aerostic.integrations.google.problem import Problem


class GoogleProblem(Problem):
    """Of the sign-in, Drive or Sheets."""

    code = "google"


class NotSetUp(GoogleProblem):
    code = "google_not_set_up"


class GrantGone(GoogleProblem):
    code = "google_grant_gone"


class AccessEnded(GoogleProblem):
    code = "google_access_ended"


class NotAllowed(GoogleProblem):
    code = "google_not_allowed"


class Gone(GoogleProblem):
    code = "google_gone"


class NotUnderstood(GoogleProblem):
    code = "google_not_understood"


class Busy(GoogleProblem):
    code = "google_busy"
    may_pass = True


class NotReached(GoogleProblem):
    code = "google_not_reached"
    may_pass = True


class NoAnswer(GoogleProblem):
    code = "google_no_answer"


class TooLarge(GoogleProblem):
    code = "google_too_large"


_LIMITS = {"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded"}


def of_service(status: int, body: Any) -> GoogleProblem:
    """What Drive or Sheets answered, as one of ours. Google's own words are kept where they help."""
    said, reasons = _read(body)
    if status == 401:
        return AccessEnded("Google does not take this access any more.")
    if status in {429, 503} or (status == 403 and reasons & _LIMITS):
        return Busy("Google has too much to do right now. Try again in a minute.")
    if status >= 500:
        return NoAnswer("Google had an error of its own. Whether it was done is not known.")
    if status == 403 and "ACCESS_TOKEN_SCOPE_INSUFFICIENT" in reasons:
        return NotAllowed(
            "The Google account was connected without this permission. Connect it again and allow it."
        )
    if status == 403:
        return NotAllowed(f"Google does not allow this: {said}")
    if status == 404:
        return Gone("That is not in this Google account: it was deleted, or is not shared with it.")
    if status == 413:
        return TooLarge("Google does not take a file of this size.")
    return NotUnderstood(f"Google did not take the request: {said}")


def of_sign_in(status: int, body: Any) -> GoogleProblem:
    """What the token endpoint answered (RFC 6749, 5.2)."""
    told = body if isinstance(body, dict) else {}
    error, said = str(told.get("error", "")), str(told.get("error_description", ""))[:300]
    if error in {"invalid_grant", "invalid_token"}:
        return GrantGone("Google says that this permission has ended. Connect the account again.")
    if error in {"invalid_client", "unauthorized_client", "redirect_uri_mismatch"}:
        return NotSetUp(
            f"Google does not take this installation's OAuth client ({error}). Ask your operator to check it."
        )
    if status == 429 or status >= 500:
        return Busy("Google has too much to do right now. Try again in a minute.")
    return NotUnderstood(f"Google did not take the sign-in: {said or error or status}")


def _read(body: Any) -> tuple[str, set[str]]:
    """Google's sentence, and every reason that stands beside it."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "no reason given", set()
    listed = [*(error.get("errors") or []), *(error.get("details") or [])]
    reasons = {str(one.get("reason", "")) for one in listed if isinstance(one, dict)}
    return str(error.get("message", "no reason given"))[:300], reasons
