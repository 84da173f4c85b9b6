"""Every rule of Meta's that is checked before Meta is asked, and the simulator's agreement with each."""

from typing import Any

import pytest

from aerostic.domain.templates import checks, notation
from aerostic.domain.templates.definition import Definition

BODY = {"text": "Hi {{1}}, your order {{2}} is ready to be picked up.",
        "examples": {"1": "Ada", "2": "BB-7"}}  # fmt: skip
LINK = {"kind": "URL", "text": "Track", "url": "https://example.com/t/{{1}}",
        "example": "https://example.com/t/7"}  # fmt: skip
REPLY = {"kind": "QUICK_REPLY", "text": "Thanks"}
CALL = {"kind": "PHONE_NUMBER", "text": "Call", "phone_number": "+49 30 1234567"}
COUPON = {"kind": "COPY_CODE", "example": "SAVE20"}
OTP = {"kind": "OTP", "otp_type": "COPY_CODE"}
IMAGE = {"format": "IMAGE", "handle": "4::x"}
CARD = {"header": IMAGE, "body": {"text": "Fresh from the oven today."}, "buttons": [REPLY]}
OFFER = {"category": "MARKETING", "body": {"text": "Two for one until Sunday."},
         "offer": {"text": "Two for one"}, "buttons": [COUPON, LINK]}  # fmt: skip
CODE = {"category": "AUTHENTICATION", "buttons": [OTP]}
CAROUSEL = {
    "category": "MARKETING",
    "body": {"text": "What we baked today:"},
    "cards": [CARD, CARD],
}


def found(written: dict[str, Any], name: str = "order_ready", language: str = "en_US") -> list[str]:
    definition = Definition.model_validate(written)
    told = checks.problems(definition, name=name, language=language)
    return [f"{one.place}: {one.message}" for one in told]


@pytest.mark.parametrize(
    "written",
    [
        {"body": BODY},
        {"body": {"text": "No variables at all."}},
        {"body": BODY, "header": {"text": "Order {{1}}", "examples": {"1": "7"}}},
        {"body": BODY, "header": IMAGE, "footer": {"text": "Bluebird Café"}},
        {"body": BODY, "header": {"format": "LOCATION"}},
        {"body": BODY, "buttons": [REPLY, {**REPLY, "text": "Stop"}, LINK, CALL]},
        {"body": {"text": "Hi {{first_name}}, all is well.", "examples": {"first_name": "Ada"}},
         "parameter_format": "NAMED"},
        {"body": BODY, "buttons": [{"kind": "CATALOG", "text": "View catalogue"}]},
        {"body": BODY, "buttons": [{"kind": "FLOW", "text": "Book", "flow_id": "12345"}]},
        {"body": BODY, "ttl_seconds": 3600},
        OFFER,
        CODE,
        {**CODE, "footer": {"code_expiration_minutes": 10}, "ttl_seconds": 600},
        {**CODE, "buttons": [{"kind": "OTP", "otp_type": "ZERO_TAP", "accepts_zero_tap_terms": True,
                              "apps": [{"package_name": "com.example.app",
                                        "signature_hash": "K8a/AINcGX7"}]}]},
        CAROUSEL,
    ],
)  # fmt: skip
def test_what_is_right_has_no_problems(written):
    assert found(written) == []


REFUSED = [
    ({"body": {"text": " "}}, "body.text: Write the text of the message."),
    ({"body": {"text": "x" * 1025}}, "body.text: The text has at most 1,024 characters here; "
     "this one has 1,025."),
    ({"body": {"text": "{{1}} is here, dear people.", "examples": {"1": "a"}}},
     "body.text: A variable can not stand at the very beginning or end: put words around it."),
    ({"body": {"text": "Dear people, here is {{1}}", "examples": {"1": "a"}}},
     "body.text: A variable can not stand at the very beginning or end: put words around it."),
    ({"body": {"text": "Here are {{1}} {{2}} for you and all.", "examples": {"1": "a", "2": "b"}}},
     "body.text: Two variables can not stand next to each other: put a word between them."),
    ({"body": {"text": "Hi {{1}} there", "examples": {"1": "a"}}},
     "body.text: The text is too short for its variables: 1 variable needs at least 3 other words."),
    ({"body": {"text": "Hello dear {{2}}, welcome back.", "examples": {"2": "a"}}},
     "body.text: Number the variables {{1}}, {{2}} and so on, in the order in which they stand."),
    ({"body": {"text": "Hello dear {1}, welcome back."}},
     "body.text: A variable is written {{1}}: two braces on either side, one word between them."),
    ({"body": {"text": "Hello dear {{Name}}, welcome back.", "examples": {"Name": "A"}},
      "parameter_format": "NAMED"},
     "body.text: “Name” is no name for a variable: begin with a small letter, then small letters, "
     "digits and underscores."),
    ({"body": {"text": "Hello dear {{1}}, welcome back."}},
     "body.examples.1: Give an example for {{1}}: Meta reviews the text with it."),
    ({"body": {"text": "One\n\n\n\ntwo"}},
     "body.text: At most one empty line may stand between two lines."),
    ({"body": BODY, "header": {"text": "x" * 61}},
     "header.text: A heading has at most 60 characters; this one has 61."),
    ({"body": BODY, "header": {"text": "{{1}} and {{2}}", "examples": {"1": "a", "2": "b"}}},
     "header.text: A heading may hold one variable only."),
    ({"body": BODY, "header": {"text": "Big *sale*"}},
     "header.text: A heading can not be formatted: leave out *, _, ~ and `."),
    ({"body": BODY, "header": {"format": "IMAGE"}},
     "header.media_id: Add an image as a sample: Meta looks at it in its review."),
    ({"body": BODY, "header": {"format": "VIDEO", "handle": "https://scontent.example/sample"}},
     "header.media_id: Add a video as a sample: Meta looks at it in its review."),
    ({"body": BODY, "footer": {"text": "x" * 61}},
     "footer.text: A footer has at most 60 characters; this one has 61."),
    ({"body": BODY, "footer": {"text": "Dear {{1}}"}},
     "footer.text: A footer can not hold variables."),
    ({"body": BODY, "buttons": [{**REPLY, "text": str(at)} for at in range(11)]},
     "buttons: A template has at most 10 buttons; this one has 11."),
    ({"body": BODY, "buttons": [{**LINK, "text": str(at)} for at in range(3)]},
     "buttons: A template may have two links at most."),
    ({"body": BODY, "buttons": [REPLY, LINK, {**REPLY, "text": "Stop"}]},
     "buttons: Put the quick replies together: other buttons stand before or after all of them."),
    ({"body": BODY, "buttons": [REPLY, REPLY]},
     "buttons.1.text: Two buttons can not have the same words."),
    ({"body": BODY, "buttons": [{**REPLY, "text": "x" * 26}]},
     "buttons.0.text: A button says at most 25 characters; this one has 26."),
    ({"body": BODY, "buttons": [{**LINK, "url": "https://example.com/{{1}}/end"}]},
     "buttons.0.url: A link may have one variable, at its very end."),
    ({"body": BODY, "buttons": [{**LINK, "example": ""}]},
     "buttons.0.example: Give the whole link as an example, with something in the variable's place."),
    ({"body": BODY, "buttons": [{**LINK, "url": "example"}]},
     "buttons.0.url: A link is a whole address, such as https://example.com/menu."),
    ({"body": BODY, "buttons": [{**CALL, "phone_number": ""}]},
     "buttons.0.phone_number: Write the number with its country code, such as +49 30 1234567."),
    ({"body": BODY, "buttons": [{**COUPON, "example": "x" * 16}]},
     "buttons.0.example: A coupon code has at most 15 characters."),
    ({"body": BODY, "buttons": [OTP]},
     "buttons.0.kind: Only an authentication template has a button that takes a code."),
    ({"body": BODY, "ttl_seconds": 86_400},
     "ttl_seconds: For utility the time to deliver lies between 30 seconds and 12 hours."),
    ({**OFFER, "category": "UTILITY"}, "category: A limited-time offer is marketing."),
    ({**OFFER, "offer": {"text": "x" * 17}},
     "offer.text: The words of an offer have at most 16 characters; these have 17."),
    ({**OFFER, "footer": {"text": "No"}}, "footer.text: An offer has no footer."),
    ({**OFFER, "buttons": [REPLY]},
     "buttons: An offer has a link, and before it a coupon code if there is one: nothing else."),
    ({**CODE, "buttons": []},
     "buttons: An authentication template has exactly one button: the one that takes the code."),
    ({**CODE, "header": {"text": "Code"}}, "header: An authentication template has no header."),
    ({**CODE, "footer": {"code_expiration_minutes": 91}},
     "footer.code_expiration_minutes: A code is valid for 1 to 90 minutes."),
    ({**CODE, "buttons": [{"kind": "OTP", "otp_type": "ONE_TAP"}]},
     "buttons.0.apps: Name 1 to 5 Android apps that may take the code."),
    ({**CAROUSEL, "cards": [CARD]},
     "cards: A carousel has 2 to 10 cards; this one has 1."),
    ({**CAROUSEL, "header": {"text": "Hi"}},
     "header: Above a carousel stands the text alone: remove this part."),
    ({**CAROUSEL, "cards": [CARD, {**CARD, "body": None}]},
     "cards.1.body.text: Either every card has a text or none has."),
    ({**CAROUSEL, "cards": [CARD, {**CARD, "buttons": [LINK]}]},
     "cards.1.buttons: All cards have the same kinds of buttons in the same order."),
    ({**CAROUSEL, "cards": [CARD, {**CARD, "header": {"format": "VIDEO", "handle": "4::x"}}]},
     "cards.1.header.format: All cards show the same: images, or videos."),
    ({**CAROUSEL, "cards": [CARD, {**CARD, "body": {"text": "x" * 161}}]},
     "cards.1.body.text: A card's text has at most 160 characters; this one has 161."),
]  # fmt: skip


@pytest.mark.parametrize(("written", "sentence"), REFUSED, ids=[one[1] for one in REFUSED])
def test_each_thing_that_meta_would_refuse_is_said_at_its_place(written, sentence):
    assert sentence in found(written)


# Its reviewers find this, not its door.
AT_REVIEW = "body.text: At most one empty line may stand between two lines."


@pytest.mark.parametrize(("written", "sentence"), REFUSED, ids=[one[1] for one in REFUSED])
def test_the_simulator_refuses_what_the_checks_refuse(written, sentence, whatsapp):
    definition = Definition.model_validate(written)
    body = {
        "name": "agreed",
        "language": "en_US",
        "category": definition.category.value,
        "parameter_format": definition.parameter_format.value,
        "components": notation.components(definition),
    }
    if definition.ttl_seconds is not None:
        body["message_send_ttl_seconds"] = definition.ttl_seconds
    answer = whatsapp.graph("POST", "200000000000001/message_templates", json=body)
    assert answer.status_code == (200 if sentence == AT_REVIEW else 400), answer.text


@pytest.mark.parametrize(
    ("name", "language", "sentence"),
    [
        ("", "en", "name: A template needs a name."),
        ("Order", "en",
         "name: A name may hold small letters a to z, digits and underscores only."),
        ("x" * 513, "en", "name: A name has at most 512 characters; this one has 513."),
        ("order", "xx", "language: Meta knows no such language. Choose one of the list."),
    ],
)  # fmt: skip
def test_names_and_languages(name, language, sentence):
    assert found({"body": BODY}, name, language) == [sentence]


@pytest.mark.parametrize("written", [{"body": BODY, "header": {"text": "A"}}, OFFER, CODE, CAROUSEL,
    {"body": {"text": "Hi {{name}}, all is well.", "examples": {"name": "Ada"}},
     "parameter_format": "NAMED", "buttons": [LINK, CALL]}])  # fmt: skip
def test_metas_json_and_back_is_the_same(written):
    definition = Definition.model_validate(written)
    listed = notation.components(definition)
    again = notation.definition(definition.category, definition.parameter_format, listed)
    assert again == definition
    assert notation.strange_parts(listed) == []
