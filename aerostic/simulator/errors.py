"""Meta's errors by code, in Meta's envelope, and our own for the control door."""

from dataclasses import dataclass
from typing import Final

from aerostic.simulator import ids
from aerostic.simulator.store import Json

_DOCUMENTATION = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"


@dataclass(frozen=True)
class Problem:
    """One line of Meta's error table."""

    status: int
    title: str
    details: str
    is_transient: bool = False


PROBLEMS: Final[dict[int, Problem]] = {
    0: Problem(401, "AuthException", "We were unable to authenticate the app user.", False),
    1: Problem(400, "API Unknown", "Invalid request or possible server error.", True),
    2: Problem(503, "API Service", "Temporary due to downtime or due to being overloaded.", True),
    3: Problem(500, "API Method", "Capability or permissions issue."),
    4: Problem(400, "API Too Many Calls", "The app has reached its API call rate limit.", True),
    10: Problem(
        403, "API Permission Denied", "Permission is either not granted or has been removed."
    ),
    33: Problem(400, "Parameter value is not valid", "The business phone number has been deleted."),
    100: Problem(
        400,
        "Invalid parameter",
        "The request included one or more unsupported or misspelled parameters.",
    ),
    190: Problem(401, "Access token has expired", "Your access token has expired."),
    200: Problem(403, "API Permission", "Permission is either not granted or has been removed."),
    368: Problem(
        403,
        "Temporarily blocked for policies violations",
        "The account violated a platform policy.",
    ),
    2635: Problem(
        400, "Deprecated version", "This version of the Graph API is no longer available."
    ),
    80007: Problem(
        400, "Rate limit issues", "The WhatsApp Business Account has reached its rate limit.", True
    ),
    130429: Problem(429, "Rate limit hit", "Cloud API message throughput has been reached.", True),
    130472: Problem(
        400,
        "User's number is part of an experiment",
        "Message was not sent as part of an experiment.",
    ),
    130497: Problem(
        403,
        "Business account is restricted from messaging users in this country",
        "Country restriction.",
    ),
    131000: Problem(
        500, "Something went wrong", "Message failed to send due to an unknown error.", True
    ),
    131005: Problem(403, "Access denied", "Permission is either not granted or has been removed."),
    131008: Problem(
        400, "Required parameter is missing", "The request is missing a required parameter."
    ),
    131009: Problem(
        400, "Parameter value is not valid", "One or more parameter values are invalid."
    ),
    131016: Problem(503, "Service unavailable", "A service is temporarily unavailable.", True),
    131021: Problem(
        400, "Recipient cannot be sender", "Sender and recipient phone number is the same."
    ),
    131026: Problem(400, "Message undeliverable", "Message undeliverable."),
    131030: Problem(
        400, "Recipient phone number not in allowed list", "The number is not in the allowed list."
    ),
    131031: Problem(403, "Account has been locked", "The account is restricted or disabled."),
    131037: Problem(
        400,
        "Display name not approved",
        "The number needs an approved display name before sending.",
    ),
    131042: Problem(
        400,
        "Business eligibility payment issue",
        "There was an error related to your payment method.",
    ),
    131044: Problem(
        400, "Business eligibility payment issue", "The account has no valid payment method."
    ),
    131045: Problem(
        500,
        "Incorrect certificate",
        "Message failed to send due to a phone number registration error.",
    ),
    131047: Problem(
        400,
        "Re-engagement message",
        "Message failed to send because more than 24 hours have passed since the customer last "
        "replied to this number.",
    ),
    131048: Problem(
        429,
        "Spam rate limit hit",
        "There are restrictions on how many messages can be sent from this number.",
        True,
    ),
    131049: Problem(
        400,
        "Message not delivered to maintain healthy ecosystem engagement",
        "This message was not delivered to maintain healthy ecosystem engagement.",
    ),
    131050: Problem(
        400,
        "User has stopped marketing messages",
        "The recipient chose to stop receiving marketing messages.",
    ),
    131051: Problem(400, "Unsupported message type", "Message type is currently not supported."),
    131052: Problem(400, "Media download error", "Unable to download the media sent by the user."),
    131053: Problem(400, "Media upload error", "Unable to upload the media used in the message."),
    131056: Problem(
        429,
        "(Business Account, Consumer Account) pair rate limit hit",
        "Too many messages sent from this phone number to the same phone number in a short period of time.",
        True,
    ),
    131057: Problem(
        500, "Account in maintenance mode", "Business account is in maintenance mode.", True
    ),
    131062: Problem(
        400,
        "Business-scoped user ID is not supported",
        "Authentication templates need the recipient's phone number.",
    ),
    131063: Problem(
        400,
        "Use the Marketing Messages API",
        "Cloud API marketing messages are disabled for this number.",
    ),
    131064: Problem(
        400, "Classification limit", "The account sent too many messages of a wrong category."
    ),
    132000: Problem(
        400,
        "Template Param Count Mismatch",
        "The number of variable values does not match the template.",
    ),
    132001: Problem(
        404, "Template does not exist", "The template does not exist in the specified language."
    ),
    132005: Problem(400, "Template Hydrated Text Too Long", "Translated text is too long."),
    132007: Problem(
        400, "Template Format Character Policy Violated", "Template content violates a policy."
    ),
    132008: Problem(400, "Template Parameter Invalid", "A template parameter is not valid."),
    132012: Problem(
        400,
        "Template Parameter Format Mismatch",
        "Variable parameter values formatted incorrectly.",
    ),
    132015: Problem(400, "Template is Paused", "Template is paused due to low quality."),
    132016: Problem(
        400, "Template is Disabled", "Template has been paused too often and is now disabled."
    ),
    132068: Problem(400, "Flow is blocked", "Flow is in blocked state."),
    132069: Problem(
        400,
        "Flow is throttled",
        "Flow is in throttled state and 10 messages were already sent.",
        True,
    ),
    133004: Problem(
        503, "Server Temporarily Unavailable", "Server is temporarily unavailable.", True
    ),
    133005: Problem(
        400, "Two step verification PIN Mismatch", "Two-step verification PIN incorrect."
    ),
    133006: Problem(
        400, "Phone number re-verification needed", "Phone number needs to be verified first."
    ),
    133008: Problem(400, "Too many two step verification PIN guesses", "Too many PIN guesses."),
    133009: Problem(
        400, "Two step verification PIN guessed too fast", "PIN was entered too quickly."
    ),
    133010: Problem(
        400,
        "Phone number not registered",
        "Phone number not registered on the WhatsApp Business Platform.",
    ),
    133015: Problem(
        400,
        "Please wait a few minutes before attempting to register",
        "The number was deleted recently.",
    ),
    133016: Problem(
        400, "Account register/deregister rate limit exceeded", "10 attempts in 72 hours.", True
    ),
    135000: Problem(
        400, "Generic user error", "Message failed to send because of an unknown error.", True
    ),
    136025: Problem(400, "Verification failed", "The verification code is not correct."),
    137000: Problem(
        400, "Recipient identity key hash mismatch", "The recipient's identity has changed."
    ),
    2388019: Problem(400, "Template limit exceeded", "Message template limit exceeded.", True),
    2494100: Problem(500, "Number is being updated", "The number is in maintenance mode.", True),
}

_UNNAMED = Problem(
    400, "Unknown error", "The platform answered with an error that has no description."
)


def problem(code: int) -> Problem:
    return PROBLEMS.get(code, _UNNAMED)


class GraphError(Exception):
    """A refusal in Meta's envelope. `details` is what a developer would read."""

    def __init__(
        self,
        code: int,
        details: str = "",
        *,
        title: str = "",
        subcode: int | None = None,
        kind: str = "OAuthException",
        status: int = 0,
        user_title: str = "",
        user_message: str = "",
    ) -> None:
        known = problem(code)
        super().__init__(details or known.details)
        self.code, self.subcode, self.kind = code, subcode, kind
        self.title = title or known.title
        self.details = details
        self.status = status or known.status
        self.is_transient = known.is_transient
        self.user_title, self.user_message = user_title, user_message

    def envelope(self) -> Json:
        """Section 10 of the facts sheet: message, type, code, subcode, data, trace."""
        error: Json = {
            "message": f"(#{self.code}) {self.title}",
            "type": self.kind,
            "code": self.code,
        }
        if self.details:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.is_transient:
            error["is_transient"] = True
        if self.user_message:
            error |= {"error_user_title": self.user_title, "error_user_msg": self.user_message}
        return {"error": error | {"fbtrace_id": ids.trace_id()}}


def missing_object(object_id: str, verb: str = "post") -> GraphError:
    """Gone, never there, or someone else's: Meta says the same for all three."""
    return GraphError(
        100,
        title=f"Unsupported {verb} request. Object with ID '{object_id}' does not exist, cannot be "
        f"loaded due to "
        "missing permissions, or does not support this operation",
        subcode=33,
        kind="GraphMethodException",
    )


def invalid(details: str) -> GraphError:
    return GraphError(100, details)


def callback_refused() -> GraphError:
    sentence = "Callback verification failed: the address did not answer the challenge."
    return GraphError(2200, title=sentence, status=400)


def webhook_error(code: int, details: str = "") -> Json:
    """An error as it stands in a webhook: in `statuses[].errors` or `messages[].errors`."""
    known = problem(code)
    return {
        "code": code,
        "title": known.title,
        "message": known.title,
        "error_data": {"details": details or known.details},
        "href": _DOCUMENTATION,
    }


class ControlError(Exception):
    """A refusal of the control door: a sentence for the person who asked."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.sentence, self.status = sentence, status
