"""What is there on the first start: the demo's two accounts, their templates and six people."""

from aerostic.simulator import ids
from aerostic.simulator.graph_templates import store_template
from aerostic.simulator.people import create_person
from aerostic.simulator.store import Json, dumps
from aerostic.simulator.world import World

_SEEDED = "seeded"
_MESSAGING_LIMIT = 2000

_ACCOUNTS = (
    {
        "portfolio": ("300000000000001", "Bluebird Group"),
        "account": ("200000000000001", "Bluebird Café"),
        "number": ("100000000000001", "+1 555 000 1001"),
        "token": "EAAsim-demo",
    },
    {
        "portfolio": ("300000000000002", "Rival Holdings"),
        "account": ("200000000000002", "Rival Roasters"),
        "number": ("100000000000002", "+1 555 000 2001"),
        "token": "EAAsim-rival",
    },
)

#: Name, phone, username. Lena shows only a username: a business never learns her number.
_PEOPLE = (
    ("Amara Okafor", "+234 803 555 0142", None),
    ("Diego Fernández", "+52 55 5550 0178", "diego.f"),
    ("Mei Tanaka", "+81 90 5550 0123", None),
    ("Priya Sharma", "+91 98 5550 0166", None),
    ("Jonas Weber", "+49 151 5550 0199", None),
    ("Lena Novak", None, "lena.novak"),
)


def _templates() -> list[Json]:
    """One of each kind that a product has to cope with."""
    return [
        {
            "name": "hello_world",
            "language": "en_US",
            "category": "UTILITY",
            "components": [
                {"type": "HEADER", "format": "TEXT", "text": "Hello World"},
                {
                    "type": "BODY",
                    "text": "This is the first message from your business number. It arrived: all is well.",
                },
                {"type": "FOOTER", "text": "Sent from the simulator"},
            ],
        },
        {
            "name": "order_ready",
            "language": "en_US",
            "category": "UTILITY",
            "components": [
                {
                    "type": "BODY",
                    "text": "Hi {{1}}, your order {{2}} is ready. Come and pick it up whenever it suits you.",
                    "example": {"body_text": [["Amara", "BB-1042"]]},
                }
            ],
        },
        {
            "name": "weekend_offer",
            "language": "en_US",
            "category": "MARKETING",
            "components": [
                {
                    "type": "HEADER",
                    "format": "IMAGE",
                    "example": {"header_handle": ["4::seed:image/jpeg:1"]},
                },
                {
                    "type": "BODY",
                    "text": "Hello {{1}}, this weekend every second pastry is on us. Shall we keep "
                    "one for you?",
                    "example": {"body_text": [["Diego"]]},
                },
                {"type": "FOOTER", "text": "Reply STOP to hear no more offers"},
                {
                    "type": "BUTTONS",
                    "buttons": [
                        {"type": "QUICK_REPLY", "text": "Yes, please"},
                        {"type": "QUICK_REPLY", "text": "Not this time"},
                        {
                            "type": "URL",
                            "text": "See the menu",
                            "url": "https://bluebird.example/menu/{{1}}",
                            "example": ["https://bluebird.example/menu/weekend"],
                        },
                    ],
                },
            ],
        },
        {
            "name": "sign_in_code",
            "language": "en_US",
            "category": "AUTHENTICATION",
            "components": [
                {"type": "BODY", "add_security_recommendation": True},
                {"type": "FOOTER", "code_expiration_minutes": 10},
                {
                    "type": "BUTTONS",
                    "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code"}],
                },
            ],
        },
    ]


def seed(world: World) -> None:
    """Once per data directory. What was changed since stays as it is."""
    if world.store.setting(_SEEDED, False):
        return
    with world.store.transaction():
        for each in _ACCOUNTS:
            _seed_account(world, each)
        for name, phone, username in _PEOPLE:
            create_person(world, name, phone, username, made_by="seed")
        world.store.remember(_SEEDED, True)


def _seed_account(world: World, each: Json) -> None:
    store = world.store
    (portfolio_id, portfolio), (account_id, account), (number_id, display) = (
        each["portfolio"],
        each["account"],
        each["number"],
    )
    store.insert("portfolios", id=portfolio_id, name=portfolio, messaging_limit=_MESSAGING_LIMIT)
    store.insert("accounts", id=account_id, name=account, portfolio_id=portfolio_id)
    store.insert(
        "numbers",
        id=number_id,
        account_id=account_id,
        display=display,
        verified_name=account,
        throughput=world.config.throughput,
        profile=dumps({"about": "Freshly brewed", "vertical": "RESTAURANT"}),
    )
    store.insert("tokens", token=each["token"], account_ids=dumps([account_id]))
    for template in _templates():
        row = store_template(world, account_id, template, status="APPROVED")
        store.run("UPDATE templates SET quality = 'GREEN' WHERE id = ?", row["id"])


def start_over(world: World) -> None:
    """Forget everything, files included, and begin as on the first day."""
    world.store.forget_everything()
    for file in world.config.media_dir.iterdir():
        file.unlink(missing_ok=True)
    world.limits.forget()
    world.clock.back_to_real_time()
    world.trouble.reset()
    seed(world)
    world.hub.tell("reset", id=ids.trace_id())
