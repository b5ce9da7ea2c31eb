"""What keeps a whole company file from being written, said before any single document: pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from common.messages.base import Reason, Severity
from common.messages.control import CompanySettings, ConnectionSettings


def attention(
    company: Mapping[str, Any], settings: CompanySettings | None, connections: Iterable[ConnectionSettings]
) -> Iterator[Reason]:
    """Reasons in the order in which a person works them off; empty where documents are being written as they should.

    `company` is its row: `status`, `reason` (of ledger-writer), `lane_paused` and `assigns_numbers`; `connections` are
    those that point at it.
    """
    if company["status"] != "connected":
        said: Reason | None = company["reason"]
        text = said.text if said is not None else f"The company file is {company['status'].replace('_', ' ')}."
        cure = said.cure if said is not None else ""
        signing_in = "Sign in to the ledger again (POST /v1/companies/{company_id}/oauth)."
        yield _reason("NOT_CONNECTED", text, cure or signing_in, Severity.ERROR)
    if settings is None:
        yield _reason(
            "SETTINGS_NEEDED",
            "The company file has no settings yet, so nothing can be written.",
            "Save them: closed_through is needed, accounts are proposed by the ledger.",
            Severity.ERROR,
        )
        return
    if not settings.accounts:
        yield _reason(
            "ACCOUNTS_MISSING",
            "The company file's settings name no accounts.",
            "Save them again: roles that are left out take the ledger's proposals.",
            Severity.ERROR,
        )
    if settings.approved_at is None:
        yield _reason(
            "FIRST_SYNC_NOT_APPROVED",
            "The first sync waits for your approval: until then nothing is written to the ledger.",
            "Look at the preview, then approve it (POST /v1/companies/{company_id}/approve, or `tillbook approve`).",
            Severity.WARNING,
        )
    if settings.paused:
        yield _reason(
            "COMPANY_PAUSED",
            "The company file is paused: nothing is fetched for it or written to it.",
            "Resume it (POST /v1/companies/{company_id}/resume, or `tillbook resume`).",
            Severity.WARNING,
        )
    if company["lane_paused"]:
        yield _reason(
            "LANE_PAUSED",
            "Writing to the company file is paused: documents gather.",
            "Resume it (POST /v1/companies/{company_id}/lane/resume, or `tillbook resume`).",
            Severity.WARNING,
        )

    if not company["assigns_numbers"]:
        yield from map(_number_unavailable, (one for one in connections if one.numbers.policy == "next"))


def _number_unavailable(connection: ConnectionSettings) -> Reason:
    return Reason(
        code="NEXT_NUMBER_UNAVAILABLE",
        text=f"{connection.name} leaves document numbers to the ledger, which assigns none: they stay empty.",
        cure="Switch custom transaction numbers off in QuickBooks, or set numbers.policy to mirror.",
        severity=Severity.WARNING,
        field="numbers.policy",
        value="next",
    )


def _reason(code: str, text: str, cure: str, severity: Severity) -> Reason:
    return Reason(code=code, text=text, cure=cure, severity=severity)
