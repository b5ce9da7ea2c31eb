"""The Accounting API over HTTP: one method per remote call, nothing else.

Every call waits for the company's limits, carries the newest access token, and ends as parsed JSON or as one of four
exceptions that say what is known: the ledger refused (`LedgerFault`), it was never asked (`NotAsked`), it may or may
not have acted (`NoAnswer`), or the connection to the company is gone (`NeedsReconnect`).
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Protocol

import httpx
import structlog

from common.errors import Retryable
from common.telemetry import UPSTREAM_REQUESTS, UPSTREAM_SECONDS, current_traceparent
from ledger_writer.ledgers.quickbooks_online.faults import Fault, fault_inside, read_fault
from ledger_writer.ledgers.quickbooks_online.limits import Beside, OutOfTime, RealmLimits
from ledger_writer.ledgers.quickbooks_online.numbers import dumps, loads
from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings
from ledger_writer.ledgers.quickbooks_online.transport import bounded, trusted

log = structlog.get_logger(__name__)

SYSTEM: Final = "quickbooks_online"
Params = Mapping[str, str]
_JSON: Final = {"Accept": "application/json", "Content-Type": "application/json"}
_QUERY: Final = {"Accept": "application/json", "Content-Type": "application/text"}
_RENEWALS_MAX: Final = 2
"""The first may only bring what another request renewed meanwhile; a token refused after the second is final."""
_LONG_QUERY: Final = 1500
"""Statements beyond it go into the body: addresses of such length are refused on the way."""


class LedgerFault(Exception):
    """The ledger refused, definitively."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{fault.status} {', '.join(fault.codes) or 'without a code'}")
        self.fault = fault


class NotAsked(Exception):
    """The request never left, or was throttled before it was looked at."""

    def __init__(self, detail: str, retry_after_s: float) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s


class NoAnswer(Exception):
    """The request left and no answer that can be relied on came back."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class AccessSource(Protocol):
    async def token(self) -> str: ...
    async def renew(self, refused: str) -> str: ...


def open_http(settings: OnlineSettings) -> httpx.AsyncClient:
    """The connection pool of one session."""
    return httpx.AsyncClient(
        base_url=settings.api_url,
        timeout=httpx.Timeout(settings.request_timeout_s, connect=settings.connect_timeout_s),
        transport=bounded(
            httpx.AsyncHTTPTransport(
                verify=trusted(), limits=httpx.Limits(max_connections=settings.concurrent_requests)
            ),
            settings.answer_bytes_max,
        ),
        headers={"User-Agent": "tillbook"},
        trust_env=False,
    )


class Client:
    """One company (realm).

    `latest` is the `time.monotonic` reading after which no request may start, `may_send` is asked right before each.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        settings: OnlineSettings,
        realm: str,
        access: AccessSource,
        limits: RealmLimits | Beside,
        latest: float | None = None,
        may_send: Callable[[], bool] = lambda: True,
    ) -> None:
        self._http = http
        self._settings = settings
        self._access = access
        self._limits = limits
        self._latest = latest
        self._may_send = may_send
        self._realm = realm
        self._root = f"/v3/company/{realm}"
        self.requests = 0

    async def create(self, entity: str, content: Any, request_id: str) -> Any:
        """POST a new object, or an update that carries Id and SyncToken. Returns the object as stored."""
        return await self._entity(entity, content, {"requestid": request_id})

    async def update(self, entity: str, content: Any, request_id: str) -> Any:
        return await self._entity(entity, content, {"requestid": request_id})

    async def void(self, entity: str, content: Any, request_id: str) -> Any:
        """Set the amounts to zero and keep the number. Invoices have an operation for it, the others a flag."""
        how = {"operation": "void"} if entity == "Invoice" else {"operation": "update", "include": "void"}
        return await self._entity(entity, content, {**how, "requestid": request_id})

    async def delete(self, entity: str, content: Any, request_id: str) -> Any:
        return await self._entity(entity, content, {"operation": "delete", "requestid": request_id})

    async def read(self, entity: str, ledger_id: str) -> Any:
        answer = await self._send("GET", f"{self._root}/{entity.lower()}/{ledger_id}", reading=True)
        return _inside(answer, entity)

    async def query(self, statement: str) -> Mapping[str, Any]:
        """The QueryResponse of a statement; empty where nothing matches."""
        path = f"{self._root}/query"
        if len(statement) > _LONG_QUERY:
            answer = await self._send("POST", path, body=statement.encode(), headers=_QUERY, reading=True)
        else:
            answer = await self._send("GET", path, params={"query": statement}, reading=True)
        found = answer.get("QueryResponse") if isinstance(answer, dict) else None
        return found if isinstance(found, dict) else {}

    async def report(self, name: str, params: Params) -> Mapping[str, Any]:
        answer = await self._send("GET", f"{self._root}/reports/{name}", params=params, reading=True)
        return answer if isinstance(answer, dict) else {}

    async def changes(self, entities: Sequence[str], since: datetime) -> Sequence[Mapping[str, Any]]:
        """One mapping an entity (its objects under its name), with what changed since then; at most 30 days back."""
        params = {"entities": ",".join(entities), "changedSince": since.isoformat(timespec="seconds")}
        answer = await self._send("GET", f"{self._root}/cdc", params=params, reading=True)
        found: list[Mapping[str, Any]] = []
        for response in answer.get("CDCResponse") or ():
            found.extend(part for part in response.get("QueryResponse") or () if isinstance(part, dict))
        return found

    async def batch(self, items: Sequence[Mapping[str, Any]], request_id: str) -> Mapping[str, Mapping[str, Any]]:
        """bId → its element, which holds the object or a `Fault`. At most 30 items."""
        answer = await self._send(
            "POST",
            f"{self._root}/batch",
            params={"requestid": request_id},
            body=dumps({"BatchItemRequest": list(items)}),
            batch=True,
        )
        return {str(element.get("bId")): element for element in answer.get("BatchItemResponse") or ()}

    async def preferences(self) -> Any:
        return _inside(await self._send("GET", f"{self._root}/preferences", reading=True), "Preferences")

    async def company_info(self) -> Any:
        path = f"{self._root}/companyinfo/{self._realm}"
        return _inside(await self._send("GET", path, reading=True), "CompanyInfo")

    async def upload(self, metadata: Any, file_name: str, file: bytes, content_type: str, request_id: str) -> Any:
        """A file on a document. Returns the Attachable. A refusal may come inside an accepted call."""
        parts = {
            "file_metadata_01": ("metadata.json", dumps(metadata), "application/json"),
            "file_content_01": (file_name, file, content_type),
        }
        answer = await self._send(
            "POST",
            f"{self._root}/upload",
            params={"requestid": request_id},
            files=parts,
            # A repeat has to be the same to the byte, or the ledger takes it for another request.
            headers={"Accept": "application/json", "Content-Type": f"multipart/form-data; boundary={request_id}"},
        )
        first = (answer.get("AttachableResponse") or [{}])[0]
        fault = fault_inside(first)
        if fault is not None:
            raise LedgerFault(fault)
        return _inside(first, "Attachable")

    async def _entity(self, entity: str, content: Any, params: Params) -> Any:
        answer = await self._send("POST", f"{self._root}/{entity.lower()}", params=params, body=dumps(content))
        return _inside(answer, entity)

    async def _send(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: bytes | None = None,
        headers: Params = _JSON,
        files: Any = None,
        reading: bool = False,
        batch: bool = False,
    ) -> Any:
        """One call with its waits: throttled → rest and again; token refused → renew once and again."""
        token = await self._access.token()
        traceparent = current_traceparent()
        traced = {"traceparent": traceparent} if traceparent else {}
        renewals = 0
        for _ in range(self._settings.throttled_tries_max):
            request = self._http.build_request(
                method,
                path,
                params={**(params or {}), "minorversion": str(self._settings.minor_version)},
                content=body,
                files=files,
                headers={**headers, **traced, "Authorization": f"Bearer {token}"},
            )
            status, answer = await self._once(request, reading=reading, batch=batch)
            if status < 300:
                return answer
            fault: Fault = answer
            if fault.throttled:
                self._limits.rest(fault.retry_after_s or self._settings.throttled_wait_s)
            elif fault.status == 401 and renewals < _RENEWALS_MAX:
                renewals += 1
                token = await self._access.renew(token)
            elif fault.status >= 500 and not fault.errors and not reading:
                # A gateway lost sight of it; the ledger behind may have acted.
                raise NoAnswer(f"QuickBooks' gateway answered {fault.status}")
            else:
                raise LedgerFault(fault)
        raise NotAsked("QuickBooks keeps asking to slow down", self._settings.throttled_wait_s)

    async def _sent(self, request: httpx.Request) -> httpx.Response:
        """The whole answer. The time-out spans the request, connecting included: httpx alone bounds each part only.

        It is the bound that the lane's lease counts with, so that nothing is awaited for longer than may be sent.
        """
        self.requests += 1
        started = time.perf_counter()
        status = "none"
        try:
            async with asyncio.timeout(self._settings.request_timeout_s):
                response = await self._http.send(request)
            status = str(response.status_code)
            return response
        finally:
            UPSTREAM_REQUESTS.labels(SYSTEM, request.method, status).inc()
            UPSTREAM_SECONDS.labels(SYSTEM).observe(time.perf_counter() - started)

    async def _once(self, request: httpx.Request, *, reading: bool, batch: bool) -> tuple[int, Any]:
        """Send it. Returns (status, parsed answer) or (status, fault)."""
        try:
            async with self._limits.slot(latest=self._latest, batch=batch):
                if not self._may_send():
                    raise NotAsked("the lease could end before the answer", 1.0)
                response = await self._sent(request)
        except OutOfTime as error:
            raise NotAsked(str(error), error.wait_s or 1.0) from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotAsked(f"QuickBooks can't be reached ({type(error).__name__})", 5.0) from error
        except (httpx.TransportError, TimeoutError) as error:
            raise NoAnswer(f"no answer from QuickBooks ({type(error).__name__})") from error
        tid = response.headers.get("intuit_tid", "")
        log.debug(
            "quickbooks_answered",
            path=request.url.path,
            status=response.status_code,
            tid=tid,
        )
        if response.status_code >= 300:
            fault = read_fault(
                response.status_code, response.content, tid=tid, retry_after_s=_retry_after(response.headers)
            )
            log.info("quickbooks_refused", status=fault.status, codes=fault.codes, kind=fault.kind, tid=tid)
            return response.status_code, fault
        try:
            answer = loads(response.content)
        except ValueError as error:
            if reading:
                raise Retryable("QuickBooks' answer can't be read") from error
            raise NoAnswer("QuickBooks' answer can't be read") from error
        fault_within = fault_inside(answer, tid=tid)
        if fault_within is not None:
            raise LedgerFault(fault_within)
        return response.status_code, answer


def _inside(answer: Any, entity: str) -> Any:
    content = answer.get(entity) if isinstance(answer, dict) else None
    if not isinstance(content, dict):
        raise NoAnswer(f"QuickBooks' answer holds no {entity}")
    return content


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the answer asks us to wait, at most ten minutes; None where it does not say."""
    given = headers.get("retry-after", "")
    if not given:
        return None
    try:
        seconds = int(given)
    except ValueError:
        try:
            seconds = int((parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds())
        except (TypeError, ValueError):
            return None
    return float(min(max(seconds, 1), 600))
