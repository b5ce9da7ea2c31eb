"""Dead letters, for operators."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, Field, model_validator

from api.bodies import Body
from api.dead_letters.outcome import LetterOutcome
from api.views.base import View


class DeadLetter(View):
    dead_letter_id: str
    queue: str
    type: str
    tenant_id: str
    entity: str
    revision: int
    error_type: str
    frame: str
    error_text: str
    attempts: int
    failures: int
    """How often it was parked: 1, and one more for each replay that failed again."""
    outcome: LetterOutcome
    superseded_by: int | None
    first_failed_at: datetime
    last_failed_at: datetime
    replayed_at: datetime | None


class DeadLetterDetail(DeadLetter):
    headers: dict[str, Any]
    body: Any
    """Masked: shape, ids and amounts only."""


class DeadLetterGroup(View):
    queue: str
    type: str
    error_type: str
    frame: str
    letters: int
    failures: int
    first_failed_at: datetime
    last_failed_at: datetime
    sample: str


class DeadLetterSelection(Body):
    """Which letters are meant. At least one narrowing is needed: nothing happens to everything by accident."""

    ids: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=1000)] = Field(default_factory=list)
    queue: Annotated[str, Field(max_length=200)] | None = Field(default=None, examples=["mapper.order-normalized"])
    type: Annotated[str, Field(max_length=200)] | None = None
    error_type: Annotated[str, Field(max_length=200)] | None = None
    frame: Annotated[str, Field(max_length=500)] | None = None
    tenant_id: Annotated[str, Field(max_length=200)] | None = None
    failed_from: AwareDatetime | None = None
    failed_to: AwareDatetime | None = None

    @model_validator(mode="after")
    def _narrowed(self) -> Self:
        if not any(self.model_dump().values()):
            raise ValueError("name ids, a group (queue, error_type, frame) or a filter")
        return self


class Archived(View):
    archived: int


class ReplayJob(View):
    job_id: str
    requested_by: str
    requested_at: datetime
    finished_at: datetime | None
    """When everything had been published."""
    total: int
    published: int
    skipped: int
    outcomes: dict[LetterOutcome, int]
