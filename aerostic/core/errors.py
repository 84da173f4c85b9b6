"""Errors a person can be told about. Anything else is a bug and reaches the crash log.

AppError               400 bad_request
  ├─ SignInNeeded      401 sign_in_needed
  ├─ NotAllowed        403 not_allowed
  ├─ NotFound          404 not_found
  ├─ Conflict          409 conflict
  ├─ TooLarge          413 too_large
  ├─ Refused           422 refused
  │    └─ Invalid      422 invalid          (one field of a form is wrong)
  ├─ TooMany           429 too_many
  └─ Unavailable       503 unavailable      (an outside service does not answer)
"""


class AppError(Exception):
    """What was asked for cannot be done; `message` is a sentence for the person who asked."""

    status = 400
    code = "bad_request"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code:
            self.code = code

    def fields(self) -> list[tuple[str, str]]:
        """What is wrong with which field: its name, and a sentence."""
        return []


class SignInNeeded(AppError):
    status = 401
    code = "sign_in_needed"


class NotAllowed(AppError):
    status = 403
    code = "not_allowed"


class NotFound(AppError):
    """It is not there, or it is another tenant's: the two can not be told apart."""

    status = 404
    code = "not_found"


class Conflict(AppError):
    status = 409
    code = "conflict"


class TooLarge(AppError):
    status = 413
    code = "too_large"


class Refused(AppError):
    """Understood, but a rule forbids it."""

    status = 422
    code = "refused"


class Invalid(Refused):
    """One field is wrong; `field` names it as the form or the API does."""

    code = "invalid"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field

    def fields(self) -> list[tuple[str, str]]:
        return [(self.field, self.message)]


class TooMany(AppError):
    """A limit on how often; `retry_after` is in seconds."""

    status = 429
    code = "too_many"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(AppError):
    status = 503
    code = "unavailable"
