"""Settings, rules and maps of a company file as one file (section 25). It holds no credential: none is known here."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from api.bodies import Body, from_json
from api.views.base import View
from common.cures import FieldProblem
from common.internal.mapper_rules import Definition
from common.messages.base import Identifier
from common.messages.control import CompanySettings, ConnectionSettings

FORMAT: Final = "tillbook.backup"
VERSION: Final = 1


class BackupRule(Body):
    name: Annotated[str, Field(min_length=1, max_length=200)]
    enabled: bool = True
    priority: int = Field(default=100, ge=0, le=1_000_000)
    definition: Definition


class BackupEntry(Body):
    connection_id: Identifier = Field(description="`*`: all connections.")
    source: Annotated[str, Field(min_length=1, max_length=500)]
    target: Annotated[str, Field(min_length=1, max_length=500)]


class BackupMaps(Body):
    products: list[BackupEntry] = Field(default_factory=list, max_length=100_000)


class Backup(Body):
    """A back-up as it is written and read. `version` rises when its shape changes; older ones stay readable."""

    format: Literal["tillbook.backup"] = FORMAT
    version: Literal[1] = VERSION
    made_at: AwareDatetime
    company: Annotated[CompanySettings, from_json(CompanySettings, "backup", "company")]
    connections: list[Annotated[ConnectionSettings, from_json(ConnectionSettings, "backup", "connections")]] = Field(
        default_factory=list, max_length=500
    )
    rules: list[BackupRule] = Field(default_factory=list, max_length=5000)
    maps: BackupMaps = BackupMaps()


class RestoreRequest(Body):
    backup: Backup
    connections: dict[Identifier, Identifier] = Field(
        default_factory=dict,
        max_length=500,
        description="Connection of the back-up → connection that takes its settings; by default that of the same id,"
        " unless it points at another company file: named as its own place (the same id twice) it is moved.",
    )
    dry_run: bool = Field(default=True, description="True only says what would be changed.")


class Changes(View):
    """What a restore changes, or would change."""

    company: list[str]
    """Names of settings."""
    connections: dict[str, list[str]]
    """Connection → names of settings."""
    rules_created: int
    rules_replaced: int
    rules_unchanged: int
    map_rows_saved: int
    map_rows_unchanged: int


class RestoreReport(View):
    dry_run: bool
    restored: bool
    made_at: datetime
    changes: Changes
    missing: list[FieldProblem]
    """What the file names and is not here. Orders that need an object of the ledger wait with a reason until it exists;
    a rule is for nothing as long as none of its connections is there."""
