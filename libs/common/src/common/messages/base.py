"""What every contract is made of: frozen states, exact amounts, and the reasons that travel with them.

A message never says what happened or what to do: it carries the state an entity is in, with a revision that its
owner raised under a lock. A consumer that stores the state and refuses older revisions is right however often, and
in whatever order, deliveries arrive.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import CoreSchema, core_schema


class _ExactDecimal:
    """Decimal that is text in JSON and `Decimal` in Python, and never a float on either side.

    Built from core schemas rather than a validator of our own, because a Python call per amount is measurable on the
    hot path.
    """

    def __init__(self, places: int) -> None:
        # Not \d, which would take the digits of every script there is.
        self._pattern = rf"^-?[0-9]{{1,15}}(\.[0-9]{{1,{places}}})?$"

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.json_or_python_schema(
            # The pattern has settled that it is a number and how long: pydantic's own decimals would ask again.
            json_schema=core_schema.no_info_after_validator_function(
                Decimal, core_schema.str_schema(pattern=self._pattern, max_length=34, strict=True)
            ),
            python_schema=core_schema.is_instance_schema(Decimal),
            serialization=core_schema.plain_serializer_function_ser_schema(
                _plain_text, return_schema=core_schema.str_schema(), when_used="json"
            ),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        return {"type": "string", "pattern": self._pattern}


def _plain_text(value: Decimal) -> str:
    # `str` writes 1E+2 for a value that lost its places in arithmetic; consumers read plain digits only. It is asked
    # first all the same: formatting takes four times as long, and an order has dozens of amounts.
    text = str(value)
    return f"{value:f}" if "E" in text else text


Amount = Annotated[Decimal, _ExactDecimal(places=4)]
"""Money in the currency's minor-unit exponent; the currency stands beside it."""

Number = Annotated[Decimal, _ExactDecimal(places=12)]
"""A quantity, unit price, rate or percentage: exact, with more places than money has."""

Identifier = Annotated[str, Field(min_length=1, max_length=128)]
ShortText = Annotated[str, Field(max_length=500)]
LongText = Annotated[str, Field(max_length=4000)]
CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Frozen(BaseModel):
    """Immutable value inside a contract. Unknown fields are ignored, so that older readers survive newer writers."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)


class State(Frozen):
    """The state of one entity at one revision. `type` is the AMQP message type and routing key."""

    type: ClassVar[str]
    packed_max: ClassVar[int] = 20
    """States of this type that share one message; slim states may set it higher."""
    read_model_only: ClassVar[bool] = False
    """Whether only the read model takes it in: then states of one transaction share a row of the outbox."""
    has_backfill: ClassVar[bool] = False
    """Whether bulk work of this type travels in a queue of its own, so that live work overtakes it."""

    tenant_id: Identifier
    revision: Annotated[int, Field(ge=0, le=2**63 - 1)]

    @property
    def key(self) -> str:
        """Identity of the entity within its type; two states with one key differ only in revision."""
        raise NotImplementedError

    def encoded(self) -> bytes:
        """JSON as it travels and is stored, without a newline. Fields at their default are left out, which a third
        of an order's bytes are: so the default of a field is part of its contract and never changes."""
        return self.model_dump_json(exclude_defaults=True).encode()


def at_revision(body: bytes, revision: int) -> bytes:
    """The JSON of a state that was encoded at revision 0, at another revision.

    What decides whether there is a new revision is the content, so the state is encoded before its number is known. A
    quote inside a text is escaped: the first match is the field itself.
    """
    return body.replace(b'"revision":0,', b'"revision":%d,' % revision, 1)


class Severity(StrEnum):
    """`error` keeps something out of the ledger; `warning` was posted and wants a look."""

    ERROR = "error"
    WARNING = "warning"


class Reason(Frozen):
    """Why something is not (or not quite) in the ledger, in words a bookkeeper understands."""

    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,63}$")]
    text: LongText
    cure: ShortText = ""
    field: ShortText | None = None
    value: ShortText | None = None
    severity: Severity = Severity.ERROR
