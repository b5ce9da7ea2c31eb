"""Settings as a client may send them: what the path or the stored row says already may be left out."""

from collections.abc import Mapping
from typing import Any

from pydantic import AwareDatetime, Field

from common.messages.base import Identifier, ShortText
from common.messages.control import CompanySettings, ConnectionSettings


def _without_default(schema: dict[str, Any]) -> None:
    # Left out and empty are not the same: a default in the document would have clients send it.
    schema.pop("default", None)


class ConnectionSettingsBody(ConnectionSettings):
    """Everything a connection's orders are fetched and mapped by, sent whole: what is left out takes its default."""

    connection_id: Identifier = Field(default="", json_schema_extra=_without_default)
    """Left out, or as in the path."""
    channel: Identifier = Field(default="", json_schema_extra=_without_default)
    """Left out, or as the connection was made."""
    name: ShortText = Field(default="", json_schema_extra=_without_default)
    """Shown in lists; left out, it stays."""


class CompanySettingsBody(CompanySettings):
    """Settings of one company file, shared by the connections that point at it; sent whole: what is left out takes its
    default.
    """

    company_id: Identifier = Field(default="", json_schema_extra=_without_default)
    """Left out, or as in the path."""
    name: ShortText = Field(default="", json_schema_extra=_without_default)
    """Shown in lists; left out, it stays."""
    ledger: Identifier = Field(default="", json_schema_extra=_without_default)
    """Left out, or as the company file was paired."""
    paused: bool = Field(default=False, json_schema_extra=_without_default)
    """Left out, or as it is: the pause and resume routes change it."""
    approved_at: AwareDatetime | None = Field(default=None, json_schema_extra=_without_default)
    """Left out, or as it is: the approve route sets it."""


def complete_connection(body: ConnectionSettingsBody, row: Mapping[str, Any]) -> ConnectionSettings:
    """The settings that are meant. `row`: the stored connection."""
    known = {name: row[name] for name in ("connection_id", "channel", "name")}
    return ConnectionSettings.model_validate({**known, **_given(body)})


def complete_company(
    body: CompanySettingsBody, row: Mapping[str, Any], stored: CompanySettings | None
) -> CompanySettings:
    """The settings that are meant. `row`: the stored company file; `stored`: its settings so far."""
    known = {name: row[name] for name in ("company_id", "ledger", "name")}
    if stored is not None:
        known |= {"paused": stored.paused, "approved_at": stored.approved_at}
    return CompanySettings.model_validate({**known, **_given(body)})


def _given(body: ConnectionSettings | CompanySettings) -> dict[str, Any]:
    return {name: getattr(body, name) for name in body.model_fields_set}
