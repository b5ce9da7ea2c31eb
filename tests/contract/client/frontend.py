"""A frontend in small, which knows the API from the generated client alone. Prints what it saw as JSON.

It runs in the generator's environment, with the generated package on PYTHONPATH and none of ours:

    python frontend.py http://127.0.0.1:8080 < the operator's key
"""

import dataclasses
import datetime
import io
import json
import sys
import uuid
from typing import Any, TypeVar

from tillbook_client import AuthenticatedClient, Client
from tillbook_client.api.api_keys import revoke_api_key
from tillbook_client.api.company_files import create_company, get_company, list_companies
from tillbook_client.api.connections import create_connection
from tillbook_client.api.health import health_ready
from tillbook_client.api.overview import approve_company
from tillbook_client.api.runs import cancel_run, list_runs, start_sync, stream_run
from tillbook_client.api.settings import (
    get_company_settings,
    list_company_settings,
    save_company_settings,
    save_connection_settings,
)
from tillbook_client.api.tables import export_documents, import_rules
from tillbook_client.api.tenants import create_tenant, create_tenant_api_key
from tillbook_client.models import (
    ApiKeyCreate,
    ApiKeyCreated,
    Company,
    CompanyCreate,
    CompanyDetail,
    CompanyPage,
    CompanySettings,
    CompanySettingsBody,
    CompanySettingsVersionPage,
    ConnectionCreate,
    ConnectionCreateSecrets,
    ConnectionDetail,
    ConnectionSettings,
    ConnectionSettingsBody,
    ProblemDetails,
    Run,
    RunSummaryPage,
    RunTrigger,
    Scope,
    SyncRequest,
    Tenant,
    TenantCreate,
)
from tillbook_client.types import UNSET, File

T = TypeVar("T")


def a(kind: type[T], answer: object) -> T:
    """What was answered, when it is of the kind that was hoped for."""
    if not isinstance(answer, kind):
        raise TypeError(f"wanted {kind.__name__}, got {answer!r}")
    return answer


@dataclasses.dataclass
class Frontend:
    """A customer's key, and what was seen with it."""

    client: AuthenticatedClient
    key_id: str
    seen: dict[str, Any]

    def pair_companies(self) -> Company:
        """Make three company files, and read them back page by page."""
        for name in ("First", "Second", "Third"):
            body = CompanyCreate(ledger="beancount", name=name, home_currency="USD")
            made = a(CompanyDetail, create_company.sync(client=self.client, body=body))
            self.seen.setdefault("made", []).append([made.company_id, made.name, made.status.value])
        pages, cursor = [], UNSET
        while cursor is not None:
            page = a(CompanyPage, list_companies.sync(client=self.client, limit=2, cursor=cursor))
            pages.append(page.items)
            cursor = page.next_cursor
        self.seen["pages"] = [[company.company_id for company in items] for items in pages]
        first: Company = pages[0][0]
        self.seen["first"] = {
            "created_at_has_zone": a(datetime.datetime, first.created_at).tzinfo is not None,
            "approved_at": first.approved_at,
        }
        return first

    def settle_company(self, company_id: str) -> None:
        """Save the first settings, change what was read, and be refused with a version that is not the last."""
        place = {"client": self.client, "company_id": company_id}
        none = get_company_settings.sync_detailed(**place)
        first = CompanySettingsBody(closed_through=datetime.date(2025, 12, 31), notify=["books@shop.example"])
        saved = save_company_settings.sync_detailed(**place, body=first, if_match=none.headers["ETag"])
        read = get_company_settings.sync_detailed(**place)
        changed = CompanySettingsBody.from_dict(a(CompanySettings, read.parsed).to_dict())
        changed.notify = []
        again = save_company_settings.sync_detailed(**place, body=changed, if_match=read.headers["ETag"])
        late = save_company_settings.sync_detailed(**place, body=changed, if_match=read.headers["ETag"])
        history = a(CompanySettingsVersionPage, list_company_settings.sync(**place))
        approved = a(CompanySettings, approve_company.sync(**place))
        self.seen["settings"] = {
            "none": [none.status_code, a(ProblemDetails, none.parsed).code],
            "etags": [answer.headers["ETag"] for answer in (none, saved, read, again)],
            "accounts": a(CompanySettings, saved.parsed).accounts.to_dict(),
            "notify": [a(CompanySettings, answer.parsed).notify for answer in (read, again)],
            "late": [late.status_code, a(ProblemDetails, late.parsed).code],
            "history": [version.settings.notify for version in history.items],
            "approved": isinstance(approved.approved_at, datetime.datetime),
            "shown": isinstance(a(CompanyDetail, get_company.sync(**place)).approved_at, datetime.datetime),
        }

    def sync(self, company_id: str) -> None:
        """Connect a shop, begin a sync, cancel it, and read how it went from the stream of events."""
        secrets = ConnectionCreateSecrets.from_dict({"push_key": "s3cret"})
        wanted = ConnectionCreate(channel="custom", name="Shop", secrets=secrets)
        connection = a(ConnectionDetail, create_connection.sync(client=self.client, body=wanted))
        settings = ConnectionSettingsBody(company_id=company_id, start_date=datetime.date(2026, 1, 1))
        saved = save_connection_settings.sync(
            client=self.client, connection_id=connection.connection_id, body=settings, if_match='"0"'
        )
        order = SyncRequest(connection_id=connection.connection_id, order_numbers=["1001"])
        begun = a(Run, start_sync.sync(client=self.client, body=order))
        cancelled = a(Run, cancel_run.sync(begun.run_id, client=self.client))
        events = a(str, stream_run.sync(begun.run_id, client=self.client))
        data = [line.removeprefix("data: ") for line in events.splitlines() if line.startswith("data: ")]
        listed = a(RunSummaryPage, list_runs.sync(client=self.client, trigger=RunTrigger.MANUAL))
        others = a(RunSummaryPage, list_runs.sync(client=self.client, trigger=RunTrigger.TASK))
        self.seen["run"] = {
            "mode": a(ConnectionSettings, saved).mode.value,
            "states": [begun.state.value, cancelled.state.value, Run.from_dict(json.loads(data[-1])).state.value],
            "listed": [run.run_id == begun.run_id for run in listed.items],
            "among_others": begun.run_id in {run.run_id for run in others.items},
        }

    def exchange_tables(self) -> None:
        """Read a table, and send one that can't be read."""
        table = a(File, export_documents.sync(client=self.client)).payload.read().decode()
        broken = import_rules.sync_detailed(client=self.client, body=File(io.BytesIO(b"name,action\nx,\xff\n")))
        self.seen["tables"] = {"header": table.split(",")[:3], "broken": problem(broken.parsed)}

    def be_refused(self) -> None:
        """A field that is wrong, a thing that is not there, a key that is none, and a key that was taken away."""
        wrong = list_companies.sync_detailed(client=self.client, limit=1000)
        missing = get_company.sync_detailed("com_nowhere", client=self.client)
        gone = revoke_api_key.sync_detailed(self.key_id, client=self.client)
        after = list_companies.sync_detailed(client=self.client)
        self.seen["refused"] = {
            "wrong": problem(wrong.parsed),
            "missing": problem(missing.parsed),
            "gone": [gone.status_code, gone.parsed],
            "after": [*problem(after.parsed), after.headers["WWW-Authenticate"]],
        }


def problem(answer: object) -> list[Any]:
    """What a frontend shows of a problem: status, code, and each wrong field with its value and the cure."""
    told = a(ProblemDetails, answer)
    return [told.status, told.code, [[each.field, each.value or None, bool(each.cure)] for each in told.errors]]


def begin(url: str, operator_key: str) -> Frontend:
    """Make a tenant, twice with one idempotency key, and its key."""
    operator = AuthenticatedClient(base_url=url, token=operator_key, raise_on_unexpected_status=True)
    once = {"client": operator, "idempotency_key": str(uuid.uuid4())}
    answers = [create_tenant.sync_detailed(**once, body=TenantCreate(name="A stranger's shop")) for _ in range(2)]
    tenants = [a(Tenant, answer.parsed) for answer in answers]
    other = create_tenant.sync_detailed(**once, body=TenantCreate(name="Another"))
    wanted = ApiKeyCreate(name="frontend", scopes=[Scope.READ, Scope.WRITE, Scope.SYNC, Scope.ADMIN])
    key = a(ApiKeyCreated, create_tenant_api_key.sync(tenants[0].tenant_id, client=operator, body=wanted))
    seen = {
        "ready": health_ready.sync_detailed(client=Client(base_url=url)).status_code,
        "tenant_ids": [tenant.tenant_id for tenant in tenants],
        "statuses": [answer.status_code for answer in answers],
        "locations": [answer.headers["Location"] for answer in answers],
        "replayed": [answer.headers.get("Idempotency-Replayed") for answer in answers],
        "other_body": problem(other.parsed),
        "scopes": [scope.value for scope in key.scopes],
    }
    client = AuthenticatedClient(base_url=url, token=key.key, raise_on_unexpected_status=True)
    return Frontend(client, key.key_id, seen)


def main() -> None:
    frontend = begin(sys.argv[1], sys.stdin.read().strip())
    company = frontend.pair_companies()
    frontend.settle_company(company.company_id)
    frontend.sync(company.company_id)
    frontend.exchange_tables()
    frontend.be_refused()
    json.dump(frontend.seen, sys.stdout)


if __name__ == "__main__":
    main()
