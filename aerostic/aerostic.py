"""The application: pages, the gate before every click, and the HTTP routes, on one port."""

import reflex as rx
import reflex.model  # else the first click of a process imports it, inside the lock of its state

from aerostic.components.typeface import Typeface
from aerostic.pages import (  # noqa: F401  (importing a page adds it)
    agent,
    agents,
    analytics,
    automation,
    billing,
    campaign,
    campaign_wizard,
    campaigns,
    contact,
    contact_import,
    contacts,
    dashboard,
    deliveries,
    entrance,
    inbox,
    knowledge,
    landing,
    not_found,
    segment,
    settings,
    simulator,
    team,
    templates,
    workflow,
)
from aerostic.state.base import explain
from aerostic.state.guard import AuthGuard, ClosedUploads
from aerostic.state.live import listen
from backend_api.app import api
from backend_api.automation_webhooks import AutomationWebhooks
from backend_api.ingest import Ingest
from backend_api.simulator_proxy import SimulatorProxy

app = rx.App(
    # Each wraps those before it: a webhook meets nothing but Ingest.
    api_transformer=[api, ClosedUploads, SimulatorProxy, AutomationWebhooks, Ingest],
    stylesheets=["/aerostic.css"],
    head_components=[
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.script(src="/aerostic.js", defer=True),
    ],
    app_wraps={(55, "Typeface"): lambda _: Typeface.create()},
    backend_exception_handler=explain,
    toaster=rx.toast.provider(position="bottom-right", rich_colors=True, close_button=True),
    html_lang="en",
)
app.add_middleware(AuthGuard())
app.register_lifespan_task(listen)
