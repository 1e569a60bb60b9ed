# SPDX-License-Identifier: Apache-2.0
"""What every request passes: Host, Origin, cookie; and the headers that every answer carries."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from booth.page.access import COOKIE, Access

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "frame-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Of the page: nothing from anywhere else, no script but our files."""

ROBOT3D = "/robot3d/"
ROBOT3D_POLICY = "; ".join(
    (
        "default-src 'self' data: blob:",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "worker-src 'self' blob:",
        "connect-src 'self' data: blob:",
        "frame-ancestors 'self'",
    )
)
"""Of the 3D view, whose scripts are viser's: they may not reach other machines either."""

LOCKED = "This page needs the address with its token: take it from the terminal of `booth up`, or scan its QR code.\n"
ELSEWHERE = "This page is not served under that name: use the address that `booth up` prints.\n"
FOREIGN = "Another site tried to use this booth.\n"


class Doors:
    """aiohttp middleware around `access.Access`."""

    def __init__(self, access: Access) -> None:
        self._access = access

        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._pass(request, handler)

        self.middleware = middleware

    def knows(self, request: web.Request) -> bool:
        """Whether a request may come in: it has the cookie, and no other site sent it."""
        origin = request.headers.get("Origin")
        own = origin is None or self._access.origin_allowed(origin, request.host)
        return own and self._access.knows(request.cookies)

    async def _pass(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = self._refusal(request)
        if refusal is not None:
            return _guarded(request, refusal)
        try:
            response = await handler(request)
        except web.HTTPException as error:
            _guard(request, error)
            raise
        return response if response.prepared else _guarded(request, response)

    def _refusal(self, request: web.Request) -> web.Response | None:
        """The answer to a request that may not pass, or to one with the token; None: it may."""
        if not self._access.host_allowed(request.host):
            return web.Response(status=421, text=ELSEWHERE)
        origin = request.headers.get("Origin")
        talks = request.headers.get("Upgrade", "").lower() == "websocket"
        if (origin is None and talks) or (origin is not None and not self._access.origin_allowed(origin, request.host)):
            return web.Response(status=403, text=FOREIGN)
        if request.path == "/" and "token" in request.query:
            return self._let_in(request.query["token"])
        return None if self._access.knows(request.cookies) else web.Response(status=403, text=LOCKED)

    def _let_in(self, token: str) -> web.Response:
        if not self._access.opens(token):
            return web.Response(status=403, text=LOCKED)
        response = web.Response(status=303, headers={"Location": "/"})
        response.set_cookie(COOKIE, self._access.cookie, httponly=True, samesite="Strict", max_age=90 * 24 * 3600)
        return response


def _guarded(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    _guard(request, response)
    return response


def _guard(request: web.Request, response: web.StreamResponse) -> None:
    policy = ROBOT3D_POLICY if request.path.startswith(ROBOT3D) else POLICY
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers.setdefault("Cache-Control", "no-cache")
