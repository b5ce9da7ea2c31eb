"""Internal HTTP to the services that own what the gateway only passes on. Their problems are answered as they came."""

from collections.abc import Mapping
from typing import TypeVar

import httpx
import structlog
from pydantic import BaseModel, ValidationError

from api.settings import ApiSettings
from common.application import internal_headers
from common.cures import FieldProblem
from common.errors import UpstreamUnavailable
from common.http import OutboundClient, raise_for_status, retry_after_s
from common.problems import Problem, ProblemDetails

log = structlog.get_logger(__name__)

A = TypeVar("A", bound=BaseModel)

_PASSED_ON = frozenset({400, 404, 409, 412, 413, 422, 428, 429})


class InternalService:
    """One owner's internal routes. Every call names its tenant, so that an owner can refuse what isn't the tenant's."""

    def __init__(self, name: str, client: OutboundClient) -> None:
        self.name = name
        self._client = client

    async def get(self, path: str, answer: type[A], **params: str | int | None) -> A:
        """Raises `Problem` for what the owner refuses, `UpstreamUnavailable` where it does not answer."""
        return self._read(await self._send("GET", path, params=params), answer)

    async def post(self, path: str, body: BaseModel, answer: type[A]) -> A:
        """As `get`, with a body."""
        return self._read(await self._send("POST", path, body=body), answer)

    async def upload(self, path: str, content: bytes, answer: type[A], **params: str | int | None) -> A:
        """As `post`, with a file as it came."""
        response = await self._client.request(
            "POST",
            path,
            params=_given(params),
            content=content,
            headers={"content-type": "application/octet-stream"},
        )
        self._check(response)
        return self._read(response, answer)

    async def text(self, path: str, **params: str | int | None) -> str:
        """As `get`, for an answer that is a table."""
        return (await self._send("GET", path, params=params)).text

    async def put_text(self, path: str, table: str, answer: type[A], **params: str | int | None) -> A:
        """As `put`, for a body that is a table."""
        return await self._table("PUT", path, table, answer, params)

    async def post_text(self, path: str, table: str, answer: type[A], **params: str | int | None) -> A:
        """As `post`, for a body that is a table."""
        return await self._table("POST", path, table, answer, params)

    async def _table(
        self, method: str, path: str, table: str, answer: type[A], params: Mapping[str, str | int | None]
    ) -> A:
        response = await self._client.request(
            method, path, params=_given(params), content=table.encode(), headers={"content-type": "text/csv"}
        )
        self._check(response)
        return self._read(response, answer)

    async def put(self, path: str, body: BaseModel, answer: type[A]) -> A:
        """As `get`, with a body."""
        return self._read(await self._send("PUT", path, body=body), answer)

    async def delete(self, path: str, **params: str | int | None) -> None:
        """As `get`; what is gone already counts as deleted."""
        response = await self._client.request("DELETE", path, params=_given(params))
        if response.status_code != 404:
            self._check(response)

    async def remove(self, path: str, answer: type[A], **params: str | int | None) -> A:
        """A DELETE that answers with what is left."""
        return self._read(await self._send("DELETE", path, params=params), answer)

    async def close(self) -> None:
        await self._client.close()

    async def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int | None] | None = None,
        body: BaseModel | None = None,
    ) -> httpx.Response:
        response = await self._client.request(
            method,
            path,
            params=_given(params or {}),
            content=None if body is None else body.model_dump_json().encode(),
            headers={} if body is None else {"content-type": "application/json"},
        )
        self._check(response)
        return response

    def _check(self, response: httpx.Response) -> None:
        if response.is_success:
            return
        if response.status_code in _PASSED_ON:
            raise _problem(self.name, response)
        if response.status_code in {401, 403}:
            log.error("internal_call_refused", service=self.name, status=response.status_code)
            raise UpstreamUnavailable(f"{self.name} does not accept the gateway's key")
        raise_for_status(self.name, response)

    def _read(self, response: httpx.Response, answer: type[A]) -> A:
        try:
            return answer.model_validate_json(response.content)
        except ValidationError as error:
            log.exception("internal_answer_invalid", service=self.name, answer=answer.__name__)
            raise UpstreamUnavailable(f"{self.name} answered with something this release can't read") from error


class Services:
    """The three owners behind the gateway."""

    def __init__(self, ingest: OutboundClient, mapper: OutboundClient, ledger_writer: OutboundClient) -> None:
        self.ingest = InternalService("ingest", ingest)
        self.mapper = InternalService("mapper", mapper)
        self.ledger_writer = InternalService("ledger-writer", ledger_writer)

    @classmethod
    def of(cls, settings: ApiSettings) -> "Services":
        """Clients for the addresses in the settings, with the gateway's own key."""
        headers = internal_headers("api", settings)

        def client(name: str, url: str) -> OutboundClient:
            return OutboundClient(name, url, timeout_s=settings.internal_timeout_s, headers=headers)

        return cls(
            client("ingest", settings.ingest_url),
            client("mapper", settings.mapper_url),
            client("ledger-writer", settings.ledger_writer_url),
        )

    async def close(self) -> None:
        for service in (self.ingest, self.mapper, self.ledger_writer):
            await service.close()


def _given(params: Mapping[str, str | int | None]) -> dict[str, str | int]:
    return {name: value for name, value in params.items() if value is not None}


def _problem(service: str, response: httpx.Response) -> Problem:
    wait_s = retry_after_s(response)
    headers = {} if wait_s is None else {"retry-after": f"{wait_s:.0f}"}
    try:
        details = ProblemDetails.model_validate_json(response.content)
    except ValidationError:
        text = f"{service} refused the request ({response.status_code})"
        return Problem(response.status_code, "REFUSED", text, headers=headers)
    return Problem(
        response.status_code,
        details.code,
        details.detail,
        cure=details.cure,
        errors=[FieldProblem(field=_public(e.field), value=e.value, cure=e.cure) for e in details.errors],
        headers=headers,
    )


def _public(field: str) -> str:
    """The owner names places in its own request; the parts below the body are the same in ours."""
    return field.removeprefix("body.") if field.startswith("body.") else field
