"""The REST API as the commands use it: one request at a time, pages put together, problems as sentences."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx

from cli.problems import CommandFailed, Exit
from cli.profile import Profile

_TIMEOUT_S = 60.0
_PAGE = 200


class Api:
    """A client for one profile. Every POST carries an idempotency key, so that a repeated call makes nothing twice."""

    def __init__(self, profile: Profile, transport: httpx.BaseTransport | None = None) -> None:
        self._client = httpx.Client(
            base_url=profile.url.rstrip("/"),
            headers={"authorization": f"Bearer {profile.key}", "user-agent": "tillbook-cli"},
            timeout=_TIMEOUT_S,
            transport=transport,
        )

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **params: Any) -> Any:
        """Parsed JSON. Raises `CommandFailed`."""
        return self._send("GET", path, params=params)

    def post(self, path: str, body: dict[str, Any] | None = None, **params: Any) -> Any:
        """As `get`."""
        return self._send("POST", path, params=params, body=body)

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        """As `get`."""
        return self._send("PATCH", path, body=body)

    def text(self, path: str, **params: Any) -> str:
        """A table. Raises `CommandFailed`."""
        return self._request("GET", path, params=params).text

    def put_text(self, path: str, table: str) -> Any:
        """Send a table. Raises `CommandFailed`."""
        return self._request("PUT", path, table=table).json()

    def pages(self, path: str, *, rows_max: int, **params: Any) -> Iterator[dict[str, Any]]:
        """Rows of a list, page after page, at most `rows_max`."""
        cursor: str | None = None
        left = rows_max
        while left > 0:
            page = self.get(path, **params, limit=min(left, _PAGE), cursor=cursor)
            yield from page["items"]
            left -= len(page["items"])
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def events(self, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Server-sent events as (name, data), until the server ends the stream. Raises `CommandFailed`."""
        name = "message"
        try:
            with self._client.stream("GET", path, timeout=httpx.Timeout(_TIMEOUT_S, read=60.0)) as response:
                if response.is_error:
                    response.read()
                    raise _refusal(response)
                for line in response.iter_lines():
                    if line.startswith("event:"):
                        name = line.removeprefix("event:").strip()
                    elif line.startswith("data:"):
                        yield name, json.loads(line.removeprefix("data:"))
        except httpx.HTTPError as error:
            raise _unreachable(self._client.base_url, error) from error

    def _send(
        self, method: str, path: str, *, params: dict[str, Any] | None = None, body: dict[str, Any] | None = None
    ) -> Any:
        response = self._request(method, path, params=params, body=body)
        return response.json() if response.content else None

    def _request(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        body: dict[str, Any] | None = None,
        table: str | None = None,
    ) -> httpx.Response:
        given = {name: value for name, value in (params or {}).items() if value is not None}
        headers = {"idempotency-key": str(uuid.uuid4())} if method == "POST" else {}
        if table is not None:
            headers["content-type"] = "text/csv; charset=utf-8"
        content = None if table is None else table.encode()
        try:
            response = self._client.request(method, path, params=given, json=body, content=content, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _unreachable(self._client.base_url, error) from error
        if response.is_error:
            raise _refusal(response)
        return response


def _unreachable(url: httpx.URL, error: Exception) -> CommandFailed:
    return CommandFailed(
        f"{url} did not answer ({type(error).__name__})",
        Exit.UNREACHABLE,
        cure="check the address of the profile, and that the API runs",
    )


def _refusal(response: httpx.Response) -> CommandFailed:
    """The problem as a sentence; each wrong field is a detail."""
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    text = problem.get("detail") or f"the API answered {response.status_code}"
    details = tuple(f"{each['field']}: {each['cure']}" for each in problem.get("errors", []))
    status = Exit.REFUSED
    if response.status_code == 401:
        status = Exit.NOT_CONFIGURED
    elif response.status_code >= 500 or response.status_code == 429:
        status = Exit.UNREACHABLE
    return CommandFailed(text, status, cure=problem.get("cure") or "", details=details)
