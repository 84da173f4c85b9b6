"""Is it up? For load balancers, supervisors and Prometheus."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from aerostic.core import health, metrics
from aerostic.core.crypto import same
from aerostic.core.errors import NotFound
from aerostic.core.settings import settings
from backend_api.security import is_local

router = APIRouter(tags=["Health"])


@router.get("/health", response_class=PlainTextResponse)
def is_alive() -> PlainTextResponse:
    """`ok`, or 503 with the name of the part that does not answer."""
    return _answer(health.failing())


@router.get("/health/ready", response_class=PlainTextResponse)
def is_ready() -> PlainTextResponse:
    """`ok` once work can be done, or 503 with what is missing."""
    return _answer(health.failing_for_work())


@router.get("/metrics", include_in_schema=False)
def figures(request: Request) -> Response:
    """Figures for Prometheus: to this machine, or to whoever brings the token."""
    if not is_local(request) and not _has_token(request):
        raise NotFound("There is nothing at this address.")
    body, content_type = metrics.exposition()
    return Response(body, media_type=content_type)


def _answer(failing: str | None) -> PlainTextResponse:
    if failing:
        return PlainTextResponse(f"{failing} does not answer", 503)
    return PlainTextResponse("ok")


def _has_token(request: Request) -> bool:
    wanted = settings().metrics_token.get_secret_value()
    return bool(wanted) and same(request.headers.get("authorization", ""), f"Bearer {wanted}")
