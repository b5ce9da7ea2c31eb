"""The webhook receiver: plain ASGI beside the FastAPI application, because the framework's work per request would cost
more than the order's.

POST /webhooks/{connection_id} (and /ingest/custom/{connection_id}) → 200, or 202 for pushed documents. What can't be
normalised is accepted too: it is kept and listed with its reason. Accepting needs Postgres and nothing else.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
import structlog
from prometheus_client import Counter
from starlette.types import ASGIApp, Receive, Scope, Send

from common.cures import FieldProblem
from common.database import CONTENDED, LOST
from common.errors import Rejected
from common.group_commit import QueueFull
from common.problems import Problem
from common.recovery import way_to
from common.telemetry import HTTP_REQUESTS, HTTP_SECONDS, entry_span
from ingest.accounts import Accounts, Opened
from ingest.channel import PRIVACY, Capability, Channel, Delivery
from ingest.deliveries import Deliveries, Receipt, unreadable
from ingest.errors import BodyUnreadable, SignatureInvalid, WrongShop
from ingest.faults import log_fault
from ingest.metrics import PRIVACY_FOR_NOBODY
from ingest.unopened import topic_of, unopened

log = structlog.get_logger(__name__)

PREFIXES = ("/webhooks/", "/ingest/custom/")
_ROUTE = "/webhooks/{connection_id}"
_IDENTITY_MAX = 128
_JSON = [(b"content-type", b"application/json")]


_RIGHT_ADDRESS = (
    "send it to the webhook_path of that shop's own connection, as GET /v1/connections shows it; if both are one shop,"
    " put its permanent domain into this connection's credentials"
)
_SECONDS = HTTP_SECONDS.labels("POST", _ROUTE)


@lru_cache(maxsize=32)
def _answers(status: int) -> Counter:
    """The counter of one status: looking it up by its labels costs more than counting."""
    return HTTP_REQUESTS.labels("POST", _ROUTE, str(status))


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""


Handle = Callable[[str, dict[str, str], bytes], Awaitable[Answer]]


class ClientGone(Exception):
    """The sender closed the connection before its body was complete."""


class Receiver:
    """ASGI application: takes webhooks itself and passes everything else on."""

    def __init__(self, app: ASGIApp, *, bytes_max: int, read_timeout_s: float) -> None:
        self._app = app
        self._bytes_max = bytes_max
        self._read_timeout_s = read_timeout_s
        self.handle: Handle | None = None
        """Set when the service has started."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith(PREFIXES):
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        try:
            with entry_span("webhook", None):
                answer = await self._answer(scope, receive)
        except Problem as problem:
            status = problem.status
            await problem.response()(scope, receive, send)
        except ClientGone:
            status = 499
        else:
            status = answer.status
            headers = _JSON if answer.body else []
            length = (b"content-length", str(len(answer.body)).encode())
            await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
            await send({"type": "http.response.body", "body": answer.body})
        _answers(status).inc()
        _SECONDS.observe(time.perf_counter() - started)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        if self.handle is None:
            raise _unavailable("the service is starting")
        connection_id = scope["path"].removesuffix("/").rsplit("/", 1)[1]
        if not 0 < len(connection_id) <= _IDENTITY_MAX:
            raise _unknown(connection_id)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            async with asyncio.timeout(self._read_timeout_s):
                body = await self._read(receive, headers.get("content-length", "0"))
        except TimeoutError as error:
            raise Problem(408, "TOO_SLOW", f"the body took longer than {self._read_timeout_s:g} s") from error
        try:
            return await self.handle(connection_id, headers, body)
        except QueueFull as error:
            raise _unavailable("more webhooks are waiting than can be taken") from error
        except (*LOST, *CONTENDED) as error:
            log.warning("webhook_deferred", error=type(error).__name__)
            raise _unavailable("the database can't take this right now") from error
        except (Problem, asyncio.CancelledError):
            raise
        except Exception as error:
            # The last border before the sender, who must be told to try again rather than see a cut connection.
            log.error(  # noqa: TRY400 - an error's own text may quote what it choked on
                "webhook_failed", connection_id=connection_id, error=type(error).__name__, traceback=way_to(error)
            )
            raise _our_fault() from error

    async def _read(self, receive: Receive, declared: str) -> bytes:
        if not declared.isdigit() or int(declared) > self._bytes_max:
            raise _too_large(self._bytes_max)
        message = await receive()
        body: bytes = message.get("body", b"")
        if message["type"] != "http.request":
            raise ClientGone
        if not message.get("more_body", False):
            if len(body) > self._bytes_max:
                raise _too_large(self._bytes_max)
            return body
        chunks = bytearray(body)
        while message.get("more_body", False):
            message = await receive()
            if message["type"] != "http.request":
                raise ClientGone
            chunks += message.get("body", b"")
            if len(chunks) > self._bytes_max:
                raise _too_large(self._bytes_max)
        return bytes(chunks)


class WebhookDesk:
    """Decides what becomes of one request: who sent it, whether it is genuine, what it brings."""

    def __init__(self, accounts: Accounts, deliveries: Deliveries, wake: Callable[[], None]) -> None:
        self._accounts = accounts
        self._deliveries = deliveries
        self._wake = wake

    async def handle(self, connection_id: str, headers: dict[str, str], body: bytes) -> Answer:
        """Answer one request. Raises `Problem`, `QueueFull`, or one of `database.LOST`."""
        opened = await self._open(connection_id)
        channel = opened.channel
        try:
            channel.verify(headers, body, opened.credentials, datetime.now(UTC))
        except SignatureInvalid as error:
            log.warning(
                "webhook_refused", connection_id=connection_id, channel=channel.name, code=error.code, why=error.text
            )
            raise _unsigned(error) from error
        except WrongShop as error:
            if await self._pass_on(channel, headers, body, error.sent):
                return Answer(200)
            log.warning("webhook_of_another_shop", connection_id=connection_id, channel=channel.name)
            raise Problem(403, "WRONG_SHOP", error.text, cure=_RIGHT_ADDRESS) from error
        is_document = Capability.PUSHES_CANONICAL in channel.capabilities
        try:
            delivery = channel.parse(headers, body)
        except BodyUnreadable as error:
            if is_document:
                raise _wrong_document(error) from error
            log.warning("webhook_unreadable", connection_id=connection_id, why=error.text)
            if Capability.POLLING not in channel.capabilities and channel.normalize_payout is not None:
                return Answer(200)
            delivery = unreadable(topic_of(headers), body)
        except Exception as error:
            if is_document:
                # Its sender repeats what it got no 2xx for, and must not take for accepted what nobody could check.
                log_fault("open", (connection_id, ""), error)
                raise _our_fault() from error
            delivery = unopened(topic_of(headers), body)
            log_fault("open", (connection_id, delivery.delivery_id), error)
        if delivery.notice is not None:
            await self._deliveries.notice(opened, delivery, body)
            self._accounts.forget(connection_id)
            return Answer(200)
        if delivery.payout is not None:
            await self._deliveries.announce(opened, delivery.payout)
            self._wake()
            return Answer(200)
        receipt = await self._deliveries.submit(opened, delivery, body)
        return _document_answer(receipt, delivery, body) if is_document else Answer(200)

    async def _pass_on(self, channel: Channel, headers: dict[str, str], body: bytes, shop: str) -> bool:
        """Act on a privacy request for the connections of the shop it names; False for anything else.

        An app has one address for those of all its shops. Each connection verifies it with its own secret, as if it had
        come to its own address, and the answer is the same whether there is one: no tenant learns of another's shops.
        Where one can't be opened, the others have it, and the sender is told to send it again.
        """
        try:
            delivery = channel.parse(headers, body)
        except BodyUnreadable:
            return False
        if delivery.notice is None or delivery.notice.kind not in PRIVACY:
            return False
        found, closed = await self._accounts.of_shop(channel, shop)
        taken = 0
        for opened in found:
            connection_id = opened.account.connection_id
            try:
                channel.verify(headers, body, opened.credentials, datetime.now(UTC))
            except SignatureInvalid:
                log.warning("privacy_request_of_another_app", connection_id=connection_id)
                continue
            except WrongShop:
                log.warning("privacy_request_of_two_shops", connection_id=connection_id)
                continue
            await self._deliveries.notice(opened, delivery, body)
            self._accounts.forget(connection_id)
            taken += 1
        if closed:
            raise _unavailable("not every connection that this concerns can be opened right now")
        if not taken:
            kind = delivery.notice.kind.value
            PRIVACY_FOR_NOBODY.labels(kind).inc()
            # The id under which the channel itself lists it: neither tenant learns of the other's shop from the log.
            log.warning(
                "privacy_request_for_nobody", channel=channel.name, kind=kind, delivery_id=delivery.delivery_id[:128]
            )
        return True

    async def _open(self, connection_id: str) -> Opened:
        try:
            opened = await self._accounts.get(connection_id)
        except Rejected as error:
            raise Problem(503, error.reason.code, error.reason.text, headers={"retry-after": "60"}) from error
        if opened is None:
            raise _unknown(connection_id)
        return opened


def _document_answer(receipt: Receipt, delivery: Delivery, body: bytes) -> Answer:
    if receipt.replayed is not None and receipt.replayed != hashlib.sha256(body).digest():
        cure = "use a new key for a new document"
        raise Problem(
            409,
            "IDEMPOTENCY_CONFLICT",
            "another body came under this X-Idempotency-Key before",
            cure=cure,
            errors=[FieldProblem(field="header.x-idempotency-key", value=delivery.delivery_id, cure=cure)],
        )
    rows: list[dict[str, Any]] = [
        {
            "number": taken.number,
            "outcome": taken.outcome.value,
            "revision": taken.revision,
            "problem": taken.problem.model_dump(mode="json") if taken.problem is not None else None,
        }
        for taken in receipt.taken
    ]
    found = {"replayed": receipt.replayed is not None, "orders": rows, "ignored_fields": delivery.ignored}
    return Answer(202, orjson.dumps(found))


def _unsigned(error: SignatureInvalid) -> Problem:
    field = FieldProblem(field=f"header.{error.header}", value=error.value, cure=error.cure)
    return Problem(401, error.code, error.text, cure=error.cure, errors=[field])


def _wrong_document(error: BodyUnreadable) -> Problem:
    return Problem(
        400, "INVALID_DOCUMENT", error.text, cure="correct the fields named in errors", errors=list(error.fields)
    )


def _unknown(connection_id: str) -> Problem:
    return Problem(
        404,
        "NOT_FOUND",
        f"there is no connection {connection_id[:_IDENTITY_MAX]!r} here",
        cure="send to the connection's webhook_path, as GET /v1/connections shows it",
    )


def _too_large(bytes_max: int) -> Problem:
    return Problem(413, "TOO_LARGE", f"the body is larger than {bytes_max} bytes", cure="send less at once")


def _our_fault() -> Problem:
    detail = "something went wrong on our side, and nothing was taken; it has been logged"
    return Problem(500, "INTERNAL_ERROR", detail, cure="send it again later")


def _unavailable(detail: str) -> Problem:
    return Problem(503, "UNAVAILABLE", detail, cure="send it again after Retry-After", headers={"retry-after": "5"})
