"""The demo workspace: made once, on the first start, by the product itself."""

from aerostic.core.settings import settings
from aerostic.domain.demo import seed as demo
from aerostic.operations.errors import OperationError

SIGN_INS = (
    ("owner@demo.test", "Bluebird Café, owner"),
    ("admin@demo.test", "Bluebird Café, admin"),
    ("agent@demo.test", "Bluebird Café, agent"),
    ("owner@rival.test", "Rival Roasters, owner"),
    ("root@aerostic.test", "super admin; sets up a second factor at the first sign-in"),
)


def seed() -> None:
    """Make the demo through the running product."""
    chosen = settings()
    if not chosen.simulator_url:
        raise OperationError(
            "The demo needs the simulator: start everything with `python3 run.py`."
        )
    if not chosen.demo_password.get_secret_value():
        raise OperationError("Say which password the demo's people have: AEROSTIC_DEMO_PASSWORD.")
    demo.seed(chosen.simulator_url, chosen.demo_password.get_secret_value())


def sign_ins() -> list[str]:
    """Who can sign in, and with what: one line each. Nothing where there is no demo."""
    if not demo.is_seeded():
        return []
    width = max(len(email) for email, _ in SIGN_INS)
    password = settings().demo_password.get_secret_value()
    lines = [f"  {email:<{width}}  {who}" for email, who in SIGN_INS]
    return [f"Sign in with the password  {password}", *lines]
