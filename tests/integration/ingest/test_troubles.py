"""What may go wrong on our side or come too late, and must neither repeat for ever nor take others with it."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.integration.ingest.conftest import SECRET, Ingest, connection_settings, signed, task

from common.errors import UpstreamRefused
from common.messages.base import Reason
from ingest.parts import Part
from ingest.workers import parts_of

UNREADABLE = '{"start": "not a day", "end": "nor this"}'
"""A position that no release of ours writes: whoever reads it stumbles."""


@pytest.mark.parametrize(("attempts", "ends"), [(0, False), (5, True)])
async def test_a_run_that_a_fault_of_ours_stops_is_tried_a_few_times_and_then_ends_with_a_reason(
    ingest: Ingest, attempts: int, ends: bool
) -> None:
    pool = ingest.service.runtime.pool
    given = {"base_url": "http://127.0.0.1:9", "user": "u", "password": "p", "signing_secret": SECRET}
    assert (await ingest.connect("con", "custom", **given)).status_code == 201
    await ingest.send(connection_settings("con", channel="custom"))
    await ingest.until("SELECT max(revision) FROM connection_settings", wanted=1)
    await pool.execute(
        "INSERT INTO runs (run_id, tenant_id, connection_id, revision, request, state, position, pages, attempts,"
        " requested_at) VALUES ('run', 'tenant', 'con', 1, $1, 'open', $2, 3, $3, now())",
        task("run", "con", window_start=datetime.now(UTC) - timedelta(days=1)).model_dump_json(),
        UNREADABLE,
        attempts,
    )
    if ends:
        pages = await ingest.finished("run")
        assert pages[-1].failed is not None
        assert pages[-1].failed.code == "PRODUCT_FAULT"
        assert pages[-1].revision == 4
    else:
        await ingest.until("SELECT attempts FROM runs", wanted=1)
        left = await pool.fetchrow("SELECT state, leased_until, retry_at > now() AS later FROM runs")
        assert left is not None
        assert tuple(left) == ("open", None, True)


@pytest.mark.parametrize(
    ("after_connecting", "state"),
    [(timedelta(minutes=-1), "active"), (timedelta(minutes=1), "needs_credentials"), (None, "needs_credentials")],
    ids=["before it was connected again", "after", "at an unknown time"],
)
async def test_the_news_of_a_removal_says_nothing_about_a_connection_made_since(
    ingest: Ingest, after_connecting: timedelta | None, state: str
) -> None:
    await ingest.connect("con", "shopify", shop_domain="x.myshopify.com", webhook_secret=SECRET)
    body = b'{"id": 1, "domain": "x.myshopify.com"}'
    headers = signed("app/uninstalled", body)
    if after_connecting is not None:
        headers["x-shopify-triggered-at"] = (datetime.now(UTC) + after_connecting).isoformat()
    answer = await ingest.http.post("/webhooks/con", content=body, headers=headers)
    assert answer.status_code == 200
    view = await ingest.http.get("/internal/connections/con", params={"tenant_id": "tenant"})
    assert view.json()["state"] == state


class Refusing:
    """A shop that refuses one question."""

    def __init__(self, code: str) -> None:
        self.code = code

    async def fetch(self, order_id: str) -> tuple[Part, ...]:
        raise UpstreamRefused(Reason(code=self.code, text=f"no to {order_id}"))


async def test_a_refusal_of_one_order_is_that_orders_alone_but_a_refused_login_is_everybodys() -> None:
    assert await parts_of(Refusing("UPSTREAM_REFUSED"), ("con", "1")) == ()  # type: ignore[arg-type]
    with pytest.raises(UpstreamRefused):
        await parts_of(Refusing("UPSTREAM_UNAUTHORIZED"), ("con", "1"))  # type: ignore[arg-type]
