"""The server: who may connect, and what must stand before it starts.

    python -m pricer app        # or: streamlit run app.py

There are no passwords, so the server answers only under its own names (a page elsewhere may point its name at this
machine: DNS rebinding), takes nothing that another site's page sends, and lets its pages load nothing from elsewhere.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import streamlit as st
from sqlalchemy.exc import DBAPIError
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from pricer import database, settings
from pricer.errors import PricerError
from pricer.runs.worker import ensure_worker, has_work

SECONDS_BETWEEN_LOOKS = 10  # at whether a worker lives; one that died is missed for no longer
SECURITY_HEADERS = {
    # What Streamlit and Plotly need of this server, and nothing from another.
    "Content-Security-Policy": "; ".join(
        [
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """ASGI middleware around every route and the websocket."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        kind = scope["type"]
        reason = refusal(Headers(scope=scope), kind) if kind in ("http", "websocket") else None
        if reason is None:
            await self.app(scope, receive, send_with_headers)
        elif kind == "http":
            await PlainTextResponse(f"{reason}\n", status_code=403)(scope, receive, send)
        else:
            await WebSocketClose(reason=reason)(scope, receive, send)  # before it is accepted: a 403 too


def refusal(headers: Headers, kind: str) -> str | None:
    """Why a request of this kind ("http" or "websocket") is refused, in one line; None if it is not."""
    host, origin = headers.get("host", ""), headers.get("origin")
    if host_name(host) not in settings.served_hosts():
        return f"This server does not answer under the name {host!r} (PRICER_HOSTS can add names)"
    if origin is None:
        return "A websocket must say which page opens it" if kind == "websocket" else None
    if urlsplit(origin).netloc.lower() != host.lower():
        return f"Pages of {origin!r} may not talk to this server"
    return None


def host_name(host: str) -> str | None:
    """The name in a Host header, without its port; None if it is not a plain host.

    >>> host_name("LocalHost:8501"), host_name("[::1]:8501"), host_name("localhost@elsewhere")
    ('localhost', '::1', None)
    """
    try:
        parts = urlsplit(f"//{host}")
        return parts.hostname if parts.netloc == host and "@" not in host else None
    except ValueError:
        return None


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Start only with a home that can be written and a database of this version, and keep a worker alive."""
    try:
        database.engine()
    except PricerError as error:
        sys.stderr.write(f"{error}\n")
        os._exit(2)  # an exception would come out as a page of traceback; nothing is open yet that needs closing
    keeper = asyncio.create_task(keep_worker())
    yield
    keeper.cancel()


async def keep_worker() -> None:
    """Start a worker with the server, and another whenever there is work that none sees to.

    Worker and jobs outlive the server; the next one finds them at work.
    """
    at_start = True
    while True:
        try:
            if at_start or await asyncio.to_thread(has_work):
                await asyncio.to_thread(ensure_worker)
            at_start = False
        except (PricerError, DBAPIError, OSError) as error:
            sys.stderr.write(f"{error}\n")  # a full disk, say: pages work on, and the next look may go better
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)


app = st.App("pages/navigation.py", middleware=[Middleware(Guard)], lifespan=lifespan)
