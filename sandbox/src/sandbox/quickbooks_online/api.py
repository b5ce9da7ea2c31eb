"""The Accounting API, ``/v3/company/{realm}/…``: a bare ASGI application, since every load test goes through it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from sandbox.quickbooks_online import resources
from sandbox.quickbooks_online.faults import Fault
from sandbox.quickbooks_online.injection import Rule
from sandbox.quickbooks_online.limits import admit
from sandbox.quickbooks_online.resources import Answer, Request
from sandbox.quickbooks_online.server import Server
from sandbox.quickbooks_online.wire import BODY_LIMIT, dump
from sandbox.quickbooks_online.xml_wire import answer_xml, wants_xml

Scope = dict[str, Any]
UPLOAD_LIMIT = 105_000_000
_CACHE = (b"cache-control", b"max-age=0, no-cache, no-store, must-revalidate, private")


@dataclass(slots=True)
class Refused(Exception):
    """An answer decided before the company is touched."""

    answer: Answer


class Api:
    def __init__(self, server: Server) -> None:
        self.server = server

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        started = time.perf_counter()
        server = self.server
        headers = dict(scope["headers"])
        realm = ""
        rule: Rule | None = None
        running = False
        try:
            request = self._request(scope, headers)
            realm = request.realm
            self._admit(request)
            server.window(realm).running += 1
            running = True
            request.body = await _read_body(receive, UPLOAD_LIMIT if request.resource == "upload" else BODY_LIMIT)
            rule = server.injection.pick(realm, request.entity or "*", request.operation, request.body)
            if rule is not None:
                await self._before(rule, request, receive, send)
            if server.settings.latency_ms:
                await asyncio.sleep(server.settings.latency_ms / 1000)
            answer = resources.handle(server, request)
            if wants_xml(headers):
                answer = _as_xml(answer)
            if rule is not None and rule.action in ("timeout_after", "drop_after"):
                await _cut(rule, receive, send)
                return
        except Refused as refused:
            answer = refused.answer
        except _Cut:
            return
        except Fault as fault:
            answer = resources.fault_answer(server, fault)
            if wants_xml(headers):
                answer = _as_xml(answer)
        finally:
            if running:
                server.window(realm).running -= 1
        if answer.status >= 400:
            server.count(f"status:{answer.status}")
        await self._send(send, answer, started)

    def _request(self, scope: Scope, headers: dict[bytes, bytes]) -> Request:
        server = self.server
        server.count("requests")
        grant = None
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        if authorization[:7].lower() == "bearer ":
            grant = server.tokens.check(authorization[7:].strip())
        if grant is None:
            server.count("unauthorised")
            raise Refused(resources.unauthorised(server, authorization))
        parts = [part for part in str(scope["path"]).split("/") if part]
        if len(parts) >= 3 and parts[1] == "company":
            realm, rest = parts[2], parts[3:]
        else:
            realm, rest = grant.realm, parts[1:]
        if realm != grant.realm or realm not in server.companies:
            raise Refused(resources.forbidden(server))
        query = scope["query_string"].decode("latin-1")
        params = dict(parse_qsl(query, keep_blank_values=True)) if query else {}
        return resources.describe(server.companies[realm], str(scope["method"]), rest, params, headers)

    def _admit(self, request: Request) -> None:
        server = self.server
        kind = "batch" if request.resource == "batch" else "report" if request.resource == "reports" else "other"
        if not admit(server.limits, server.window(request.realm), time.monotonic(), kind):
            server.count("refused", f"refused:{request.realm}")
            raise Refused(resources.throttled(server, as_xml=server.limits.as_xml))
        server.count(f"{request.resource}:{request.entity or '-'}:{request.operation}", f"admitted:{request.realm}")

    async def _before(self, rule: Rule, request: Request, receive: Any, send: Any) -> None:
        server = self.server
        server.count(f"injected:{rule.action}")
        if rule.action == "throttle":
            raise Refused(resources.throttled(server, as_xml=rule.content_type.endswith("xml")))
        if rule.action == "expire_token":
            server.tokens.access.pop(request.token, None)
            raise Refused(resources.unauthorised(server, ""))
        if rule.action == "status":
            body = rule.body.encode() or b"<html><body><h1>Service Unavailable</h1></body></html>"
            raise Refused(Answer(rule.status, body, (rule.content_type or "text/html").encode()))
        if rule.action == "fault":
            raise resources.injected_fault(rule)
        if rule.action == "delay":
            await asyncio.sleep(rule.hold_s)
        elif rule.action in ("timeout_before", "drop_before"):
            await _cut(rule, receive, send)
            raise _Cut

    async def _send(self, send: Any, answer: Answer, started: float) -> None:
        total = int((time.perf_counter() - started) * 1000)
        headers = [
            (b"content-type", answer.content_type),
            (b"content-length", str(len(answer.body)).encode()),
            (b"intuit_tid", self.server.trace_id().encode()),
            (b"qbo-version", b"1992.112"),
            (b"service-time", b"total=%d, db=%d" % (total, total)),
            _CACHE,
            *answer.headers,
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})


def _as_xml(answer: Answer) -> Answer:
    """The same answer in XML; what is not JSON (a PDF, a link) stays as it is."""
    if not answer.content_type.startswith(b"application/json"):
        return answer
    return Answer(answer.status, answer_xml(answer.body), b"application/xml;charset=utf-8", answer.headers)


class _Cut(Exception):
    """The connection was cut on purpose; nothing more is to be sent."""


async def _cut(rule: Rule, receive: Any, send: Any) -> None:
    """Keep the client waiting (time-outs), then end the connection in the middle of an answer."""
    if rule.action.startswith("timeout"):
        deadline = time.monotonic() + rule.hold_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                message = await asyncio.wait_for(receive(), left)
            except TimeoutError:
                break
            if message["type"] == "http.disconnect":
                return
    headers = [(b"content-type", b"application/json"), (b"content-length", b"4096")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})


async def _read_body(receive: Any, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Cut
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise Refused(Answer(413, dump({"Fault": Fault("6030", "The request is too large").body()})))
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)
