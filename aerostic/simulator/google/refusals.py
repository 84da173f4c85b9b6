"""How Google says no: one envelope for its data services, another for OAuth."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

Json = dict[str, Any]
Door = Callable[[Request], Awaitable[Response]]

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


class Refusal(Exception):
    """`reason` is Drive's word for it; `location` the parameter that is to blame."""

    def __init__(
        self, code: int, message: str, *, reason: str = "", location: str = "", detail: str = ""
    ) -> None:
        super().__init__(message)
        self.code, self.message = code, message
        self.reason, self.location, self.detail = reason, location, detail

    def response(self) -> Response:
        status = _STATUS.get(self.code, "UNKNOWN")
        error: Json = {"code": self.code, "message": self.message, "status": status}
        if self.reason:
            one: Json = {"message": self.message, "domain": "global", "reason": self.reason}
            if self.location:
                one |= {"location": self.location, "locationType": "parameter"}
            error["errors"] = [one]
        if self.detail:
            kind = "type.googleapis.com/google.rpc.ErrorInfo"
            told = {"@type": kind, "reason": self.detail, "domain": "googleapis.com"}
            error["details"] = [told]
        return JSONResponse({"error": error}, self.code)


class OAuthRefusal(Exception):
    """RFC 6749, section 5.2."""

    def __init__(self, error: str, description: str, *, code: int = 400) -> None:
        super().__init__(description)
        self.error, self.description, self.code = error, description, code

    def response(self) -> Response:
        told = {"error": self.error, "error_description": self.description}
        return JSONResponse(told, self.code, {"Cache-Control": "no-store"})


def invalid(message: str, location: str = "") -> Refusal:
    return Refusal(400, message, reason="invalid", location=location)


def refusing(door: Door) -> Door:
    """What a door raises becomes its answer."""

    async def answered(request: Request) -> Response:
        try:
            return await door(request)
        except (Refusal, OAuthRefusal) as refusal:
            return refusal.response()

    return answered
