"""The HTTP application: every module of `backend_api.routes` that has a `router` is in it."""

import pkgutil
from importlib import import_module

from fastapi import APIRouter, FastAPI, HTTPException, Request

from aerostic.core import logs
from aerostic.core.errors import NotFound
from backend_api import errors, idempotency, routes
from backend_api.automation_webhooks import AutomationWebhooks
from backend_api.ingest import Ingest
from backend_api.openapi import describe, methods_at
from backend_api.security import Envelope

ALL = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def _routers() -> list[APIRouter]:
    names = sorted(module.name for module in pkgutil.iter_modules(routes.__path__))
    modules = [import_module(f"{routes.__name__}.{name}") for name in names]
    return [module.router for module in modules if hasattr(module, "router")]


def make_api() -> FastAPI:
    """The API without the webhook route, which stands outside of any framework."""
    logs.configure()
    api = FastAPI(
        title="Aerostic",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses=errors.RESPONSES,
    )
    for router in _routers():
        api.include_router(router)
    describe(api)
    for prefix in ("/api", "/auth"):
        api.add_api_route(
            f"{prefix}/{{_:path}}", _nothing_here, methods=ALL, include_in_schema=False
        )
    errors.add_handlers(api)
    idempotency.add_handler(api)
    api.add_middleware(Envelope)
    return api


def _nothing_here(request: Request) -> None:
    """The pages answer what the API does not know, so the API must say no itself."""
    known = methods_at(request.app.openapi(), request.url.path)
    if known:
        raise HTTPException(
            405, f"This address knows {', '.join(known)}.", {"Allow": ", ".join(known)}
        )
    raise NotFound("There is nothing at this address. See /api/docs for what there is.")


api = make_api()
app = Ingest(AutomationWebhooks(api))
