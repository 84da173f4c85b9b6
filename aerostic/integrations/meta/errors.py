"""Meta's error codes, what the product does about each, and what a person is told. The one table.

Source: WhatsApp Business Platform, Cloud API, error codes (`developers.facebook.com/docs/whatsapp/cloud-api/
support/error-codes`). Decided on `code` and `error_subcode`, never on titles, as Meta asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

NO_CODE = -1
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


class Action(StrEnum):
    """What is done with a message that Meta refused, and with those that wait behind it."""

    RETRY = "retry"  # the same message again, later
    DELAY_RECIPIENT = "delay_recipient"  # this person's messages wait; all others go on
    STOP_NUMBER = "stop_number"  # nothing leaves this number until someone has looked
    STOP_ACCOUNT = "stop_account"  # the same for every number of the account
    STOP_CAMPAIGNS = "stop_campaigns"  # marketing waits; answers to people go on
    STOP_TEMPLATE = "stop_template"  # nothing leaves with this template
    PERMANENT = "permanent"  # this message will never be taken
    OPT_OUT = "opt_out"  # permanent, and the person wants no marketing
    SWITCH_ENDPOINT = "switch_endpoint"  # the same message through the Marketing Messages API


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table. `reason` says what happened and `advice` what to do, in sentences for people.

    A retried message waits `wait` seconds, `growth` times longer at each try, at most `tries` times.
    """

    action: Action
    reason: str
    advice: str = ""
    tries: int = 0
    wait: float = 0.0
    growth: float = 1.0
    slows_number: bool = False  # sent faster than Meta allows: lower the rate
    pauses_number: bool = False  # nothing of this number need be tried before
    limits_pair: bool = False  # this one person had too many: theirs wait, in their order
    forgets_files: bool = False  # Meta's copy of a file is gone: upload it again


_TRY_AGAIN = "It is tried again by itself."
_SEND_AGAIN = "Send it again in a while."

_TOKEN = Rule(
    Action.STOP_ACCOUNT,
    "Meta no longer accepts the access token of this WhatsApp account.",
    "Connect the account again in the settings; what waits then leaves.",
)
_PERMISSION = Rule(
    Action.STOP_ACCOUNT,
    "The access token lacks the permission to send for this WhatsApp account.",
    "Give it whatsapp_business_messaging at Meta, or connect the account again.",
)
_TRANSIENT = Rule(
    Action.RETRY,
    "WhatsApp had a passing problem and did not take the message.",
    _SEND_AGAIN,
    tries=5,
    wait=1.0,
    growth=2.0,
)
_BUSY = Rule(
    Action.RETRY,
    "Meta's limit on calls for this account is used up for now.",
    _SEND_AGAIN,
    tries=20,
    wait=MINUTE,
    pauses_number=True,
)
_GONE = Rule(
    Action.PERMANENT,
    "WhatsApp says that something this message refers to does not exist.",
    "Attach the file again, or check the message that you answer.",
    tries=1,
    forgets_files=True,
)
_OUR_CONTENT = Rule(
    Action.PERMANENT,
    "WhatsApp did not accept the content of this message.",
    "Change it and send it again.",
)
_TEMPLATE_VALUES = Rule(
    Action.PERMANENT,
    "The values do not fit the template as WhatsApp knows it.",
    "Refresh the templates, fill the gaps again and send it anew.",
)
_LOCKED = Rule(
    Action.STOP_ACCOUNT,
    "Meta has blocked or locked this WhatsApp account for breaking a policy.",
    "See the Account Quality page at Meta; check the account here when it is solved.",
)
_PAYMENT = Rule(
    Action.STOP_ACCOUNT,
    "Meta does not deliver for this account because of a problem with its payment method.",
    "Correct it in Meta's billing settings, then check the account here.",
)
_NOT_READY = Rule(
    Action.STOP_NUMBER,
    "This phone number is not ready to send: it must be registered and its name approved.",
    "Finish its registration at Meta, then check the number here.",
)
_SPAM = Rule(
    Action.STOP_CAMPAIGNS,
    "WhatsApp limits this number because too many people blocked or reported its messages.",
    "Pause marketing for some days and look at the number's quality.",
    wait=HOUR,
)
_MAINTENANCE = Rule(
    Action.RETRY,
    "WhatsApp is changing something about this phone number and takes no messages meanwhile.",
    _SEND_AGAIN,
    tries=30,
    wait=2 * MINUTE,
    pauses_number=True,
)
_TEMPLATE_STOPPED = Rule(
    Action.STOP_TEMPLATE,
    "WhatsApp has paused or disabled this template.",
    "Choose another template, or edit this one and have it approved again.",
)
_REGISTRATION = Rule(
    Action.STOP_NUMBER,
    "The registration of this phone number at Meta is not complete.",
    "Register it again at Meta, then check the number here.",
)

RULES: Mapping[int, Rule] = {
    0: _TOKEN,
    102: _TOKEN,
    190: _TOKEN,
    463: _TOKEN,
    3: _PERMISSION,
    10: _PERMISSION,
    **dict.fromkeys(range(200, 300), _PERMISSION),
    131005: _PERMISSION,
    1: _TRANSIENT,
    2: _TRANSIENT,
    131000: _TRANSIENT,
    131016: _TRANSIENT,
    133004: _TRANSIENT,
    4: _BUSY,
    80007: _BUSY,
    33: _GONE,
    100: _OUR_CONTENT,
    368: _LOCKED,
    131031: _LOCKED,
    130497: Rule(
        Action.PERMANENT,
        "Meta does not let this business write to people in that country.",
        "See the restrictions of the account at Meta.",
    ),
    130429: Rule(
        Action.RETRY,
        "Messages left faster than WhatsApp allows for this number.",
        _TRY_AGAIN,
        tries=100,
        wait=1.0,
        slows_number=True,
    ),
    130472: Rule(
        Action.PERMANENT,
        "WhatsApp holds marketing back from this person as part of an experiment of its own.",
        "Write to them when they have written first.",
    ),
    131008: _OUR_CONTENT,
    131009: _OUR_CONTENT,
    131051: _OUR_CONTENT,
    132000: _TEMPLATE_VALUES,
    132005: replace(
        _TEMPLATE_VALUES,
        reason="With its values the template is longer than WhatsApp allows.",
        advice="Shorten the values and send it anew.",
    ),
    132008: _TEMPLATE_VALUES,
    132012: _TEMPLATE_VALUES,
    132018: _TEMPLATE_VALUES,
    131021: Rule(
        Action.PERMANENT,
        "The recipient is the number that it would be sent from.",
        "Choose another number to send from.",
    ),
    131026: Rule(
        Action.PERMANENT,
        "WhatsApp can not deliver to this person. The number may not be on WhatsApp, or its app is too old.",
        "Check the number, or ask the person to update WhatsApp and write to you.",
    ),
    131030: Rule(
        Action.PERMANENT,
        "This is one of Meta's test numbers, and the recipient is not on its list.",
        "Add the recipient to the list at Meta.",
    ),
    131037: _NOT_READY,
    131045: _NOT_READY,
    133010: _NOT_READY,
    131042: _PAYMENT,
    131044: _PAYMENT,
    131047: Rule(
        Action.PERMANENT,
        "More than 24 hours have passed since the customer last wrote.",
        "Send a template; when they answer, you can write freely again.",
    ),
    131048: _SPAM,
    131064: _SPAM,
    131049: Rule(
        Action.DELAY_RECIPIENT,
        "WhatsApp held this back: the person has had much marketing lately.",
        "Do not send it again today; WhatsApp decides when they may have more.",
        tries=3,
        wait=DAY,
        growth=2.0,
    ),
    131050: Rule(
        Action.OPT_OUT,
        "This person has stopped marketing messages from your business.",
        "Write only in answer to them.",
    ),
    131052: Rule(
        Action.PERMANENT,
        "WhatsApp could not fetch the file of this message.",
        "Attach it again.",
        tries=1,
        forgets_files=True,
    ),
    131053: Rule(
        Action.PERMANENT,
        "WhatsApp could not read the file of this message.",
        "Attach it in another format.",
        tries=1,
        forgets_files=True,
    ),
    131056: Rule(
        Action.DELAY_RECIPIENT,
        "Too many messages went to this one person in a short time.",
        _SEND_AGAIN,
        tries=6,
        wait=4.0,
        growth=4.0,
        limits_pair=True,
    ),
    131057: _MAINTENANCE,
    2494100: _MAINTENANCE,
    131062: Rule(
        Action.PERMANENT,
        "This kind of message needs a phone number, and the contact has shown none.",
        "Ask the person for their phone number.",
    ),
    131063: Rule(
        Action.SWITCH_ENDPOINT,
        "Marketing of this number must go through the Marketing Messages API.",
        "Switch it on for the account at Meta.",
    ),
    132001: Rule(
        Action.STOP_TEMPLATE,
        "WhatsApp has no approved template of this name in this language.",
        "Refresh the templates and choose one that is approved.",
    ),
    132007: replace(_TEMPLATE_STOPPED, reason="The template breaks one of WhatsApp's policies."),
    132015: replace(_TEMPLATE_STOPPED, reason="WhatsApp has paused this template for low quality."),
    132016: replace(_TEMPLATE_STOPPED, reason="WhatsApp has disabled this template for good."),
    132068: replace(_TEMPLATE_STOPPED, reason="The flow in this template is blocked."),
    132069: Rule(
        Action.DELAY_RECIPIENT,
        "The flow in this message is limited to ten messages an hour.",
        _SEND_AGAIN,
        tries=5,
        wait=HOUR,
    ),
    133005: _REGISTRATION,
    133006: _REGISTRATION,
    133008: _REGISTRATION,
    133009: _REGISTRATION,
    133015: _REGISTRATION,
    133016: _REGISTRATION,
    135000: Rule(
        Action.RETRY,
        "WhatsApp refused the message and did not say why.",
        "Change it and send it again.",
        tries=2,
        wait=2.0,
        growth=4.0,
    ),
    137000: Rule(
        Action.PERMANENT,
        "The person's WhatsApp has changed hands or phone since you last wrote.",
        "Make sure that it is still them before you write again.",
    ),
}

UNKNOWN_REFUSAL = Rule(
    Action.PERMANENT, "WhatsApp refused the message.", "Change it and send it again."
)
NEVER_LEFT = Rule(
    Action.RETRY,
    "Meta could not be reached.",
    _SEND_AGAIN,
    tries=1000,
    wait=1.0,
    growth=2.0,
    pauses_number=True,
)
OUTCOME_UNKNOWN = Rule(
    Action.PERMANENT,
    "Nobody knows whether this message arrived: the connection to WhatsApp broke before it answered.",
    "Ask the person, or send it again: they may get it twice.",
)
HELD_BACK = Rule(
    Action.PERMANENT,
    "WhatsApp holds this message back while it watches how people take to the template.",
    "Wait: it is sent or refused later.",
)
DISCONNECTED = Rule(
    Action.PERMANENT,
    "The number was disconnected before this message left.",
    "Connect the number again in the settings, then send it again.",
)
TOKEN_UNREADABLE = Rule(
    Action.STOP_ACCOUNT,
    "The access token of this WhatsApp account can not be read with the keys of this installation.",
    "Connect the account again in the settings; what waits then leaves.",
)
FILE_LOST = Rule(Action.PERMANENT, "The file of this message is gone.", "Attach it again.")


@dataclass(frozen=True, slots=True)
class GraphError:
    """A refusal as Meta's envelope tells it."""

    code: int
    message: str = ""
    details: str = ""
    subcode: int | None = None
    is_transient: bool = False
    status: int = 400
    retry_after: float | None = None  # seconds

    @property
    def rule(self) -> Rule:
        """What to do: by code and subcode; for codes that nobody knew, by HTTP status."""
        if self.code == 100 and self.subcode == 33:
            return _GONE
        known = RULES.get(self.code)
        return known if known is not None else self._by_status()

    def _by_status(self) -> Rule:
        if self.status == 401:
            return _TOKEN
        if self.status == 429:
            return _BUSY
        if self.is_transient:
            return _TRANSIENT
        return replace(UNKNOWN_REFUSAL, reason=self._in_metas_words())

    def _in_metas_words(self) -> str:
        told = self.details or self.message
        return f"WhatsApp refused the message: {told}" if told else UNKNOWN_REFUSAL.reason


def failure(code: int | str, rule: Rule, details: str = "") -> dict[str, Any]:
    """What `messages.failure` keeps: `reason` and `action` are sentences, `kind` is for programs."""
    kept = {
        "code": str(code),
        "reason": rule.reason,
        "action": rule.advice,
        "kind": str(rule.action),
    }
    return kept | ({"details": details[:500]} if details else {})


def failure_of(error: Mapping[str, Any]) -> dict[str, Any]:
    """The same for an error in a webhook: one of `statuses[].errors`. Total: never raises."""
    parsed = parse(error)
    return failure(parsed.code, parsed.rule, parsed.details or parsed.message)


def parse(
    error: Mapping[str, Any], *, status: int = 400, retry_after: float | None = None
) -> GraphError:
    """Meta's error object, from an answer or a webhook. What is missing or odd gets a neutral value."""
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, Mapping) else None
    return GraphError(
        code=NO_CODE if (code := _number(error.get("code"))) is None else code,
        message=str(error.get("message") or error.get("title") or ""),
        details=str(details or ""),
        subcode=_number(error.get("error_subcode")),
        is_transient=error.get("is_transient") is True,
        status=status,
        retry_after=retry_after,
    )


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
