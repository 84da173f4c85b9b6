"""Whatever arrives at the two doors, the answer is Meta's error or a sentence, never a crash."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aerostic.simulator.bodies import MESSAGE_TYPES
from aerostic.simulator.template_rules import BUTTON_TYPES, COMPONENT_TYPES, HEADER_FORMATS
from aerostic.simulator.writing import WRITERS
from tests.simulator.conftest import AMARA, AMARA_PHONE, NUMBER, Running

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "body",
                    "text",
                    "id",
                    "link",
                    "name",
                    "action",
                    "buttons",
                    "sections",
                    "rows",
                    "language",
                ]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
WISH = "text message_id id latitude longitude contacts name phone emoji answers items referral data"
FILE = "media_id reply_to caption url kind mime_type filename"
WISHES = st.dictionaries(st.sampled_from(f"{WISH} {FILE}".split()), ANYTHING, max_size=4)
COMPONENTS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from([*COMPONENT_TYPES, "body"]) | ANYTHING},
        optional={
            "format": st.sampled_from(HEADER_FORMATS) | ANYTHING,
            "text": st.text(max_size=6) | ANYTHING,
            "example": ANYTHING,
            "buttons": st.lists(
                st.fixed_dictionaries(
                    {"type": st.sampled_from(BUTTON_TYPES)}, optional={"text": ANYTHING}
                )
                | ANYTHING,
                max_size=3,
            ),
            "cards": ANYTHING,
        },
    )
    | ANYTHING,
    max_size=3,
)
ON_ONE_SERVER = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@ON_ONE_SERVER
@given(kind=st.sampled_from(MESSAGE_TYPES), node=ANYTHING, extra=ANYTHING)
def test_any_message_body_gets_an_answer(
    simulator: Running, kind: str, node: Any, extra: Any
) -> None:
    body = {
        "messaging_product": "whatsapp",
        "to": AMARA_PHONE,
        "type": kind,
        kind: node,
        "context": extra,
    }
    answer = simulator.graph("POST", f"{NUMBER}/messages", json=body)
    assert answer.status_code in (200, 400, 404, 429), answer.text
    assert answer.status_code == 200 or answer.json()["error"]["code"]


@ON_ONE_SERVER
@given(body=COMPONENTS | ANYTHING)
def test_any_template_gets_an_answer(simulator: Running, body: Any) -> None:
    whole = {"name": "a", "language": "en", "category": "UTILITY", "components": body}
    answer = simulator.graph("POST", "200000000000001/message_templates", json=whole)
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 200:
        simulator.control("POST", f"templates/{answer.json()['id']}/approve")
        sent = simulator.send(
            {"type": "template", "template": {"name": "a", "language": {"code": "en"}}}
        )
        assert sent.status_code in (200, 400, 404, 429), sent.text
        simulator.graph("DELETE", "200000000000001/message_templates", params={"name": "a"})


@ON_ONE_SERVER
@given(
    kind=st.sampled_from(sorted(WRITERS)),
    wanted=WISHES,
)
def test_any_wish_at_the_control_door_gets_an_answer(
    simulator: Running, kind: str, wanted: dict[str, Any]
) -> None:
    url = f"{simulator.base}/simulator/control/people/{AMARA}/chats/{NUMBER}/messages"
    answer = simulator.http.post(url, json={**wanted, "type": kind})
    assert answer.status_code in (201, 400, 404, 409), answer.text
    assert answer.status_code == 201 or answer.json()["error"]
