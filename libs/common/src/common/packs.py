"""Packs: one or more states of one type in one message body, because a message costs more than the work on a state.

{"states":[
{"c":correlation id,"t":traceparent or null,"s":{…the state…}},
…
]}

JSON, and one line a member, so that a member's own bytes are found without encoding it again. JSON text holds no raw
newline; a pack that is laid out in another way is read all the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from common.errors import InvalidMessage
from common.messages.base import Reason, State

PACK_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 4 * 1024 * 1024
"""A body above this is refused unread."""

_HEAD, _TAIL, _STATE = b'{"states":[\n', b"\n]}", b',"s":'

S = TypeVar("S", bound=State)


class _Packed(BaseModel, Generic[S]):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    c: str
    t: str | None = None
    s: S


class _Pack(BaseModel, Generic[S]):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    states: list[_Packed[S]]


@dataclass(frozen=True, slots=True)
class Envelope(Generic[S]):
    """A state with what connects it to the request that started it."""

    state: S
    correlation_id: str
    traceparent: str | None
    body: bytes
    """The state's JSON as it came."""

    def pack(self) -> bytes:
        """A message body that holds this state alone."""
        return join_members([encode_member(self.body, self.correlation_id, self.traceparent)])


@dataclass(frozen=True, slots=True)
class Undecodable:
    """One member of a pack that is not what its contract says; the others are unharmed."""

    raw: bytes
    """A pack body with this one member, as it came."""
    error: InvalidMessage


@lru_cache(maxsize=64)
def _adapter(contract: type[State]) -> TypeAdapter[Any]:
    return TypeAdapter(_Pack[contract])  # type: ignore[valid-type]


def encode_member(state_json: bytes, correlation_id: str, traceparent: str | None) -> bytes:
    """One member of a pack, from a state that is already JSON."""
    head = orjson.dumps({"c": correlation_id, "t": traceparent})
    return head[:-1] + _STATE + state_json + b"}"


def join_members(members: Iterable[bytes]) -> bytes:
    return _HEAD + b",\n".join(members) + _TAIL


def count_members(body: bytes) -> int:
    """Number of states in a pack without opening it; 1 for a pack that is laid out otherwise."""
    return body.count(b",\n") + 1


def split_by_size(members: Sequence[bytes], count_max: int) -> Iterator[Sequence[int]]:
    """Yield runs of indexes that fit one pack: at most `count_max` members and `PACK_BYTES_MAX` bytes."""
    run: list[int] = []
    size = 0
    for index, member in enumerate(members):
        if run and (len(run) >= count_max or size + len(member) > PACK_BYTES_MAX):
            yield run
            run, size = [], 0
        run.append(index)
        size += len(member) + 1
    if run:
        yield run


def decode(contract: type[S], body: bytes) -> list[Envelope[S] | Undecodable]:
    """Open a pack. A member that doesn't fit the contract comes back as `Undecodable`, the rest as envelopes.

    Raises `InvalidMessage` when the body is not a pack at all.
    """
    if len(body) > BODY_BYTES_MAX:
        raise _invalid(contract, "body", f"{len(body)} bytes", f"at most {BODY_BYTES_MAX} bytes are read")
    try:
        pack = _adapter(contract).validate_json(body)
    except ValidationError:
        return _decode_each(contract, body)
    return [
        Envelope(member.s, member.c, member.t, own)
        for member, own in zip(pack.states, _state_bodies(body, pack), strict=True)
    ]


def _state_bodies(body: bytes, pack: _Pack[Any]) -> list[bytes]:
    """Each state's own JSON: its line without the envelope, or encoded again where the pack is laid out otherwise."""
    lines = body[len(_HEAD) : -len(_TAIL)].split(b",\n")
    if body.startswith(_HEAD) and body.endswith(_TAIL) and len(lines) == len(pack.states):
        return [line.partition(_STATE)[2][:-1] for line in lines]
    return [member.s.encoded() for member in pack.states]


def _decode_each(contract: type[S], body: bytes) -> list[Envelope[S] | Undecodable]:
    try:
        members = orjson.loads(body)["states"]
        texts = [orjson.dumps(member) for member in members]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise _invalid(contract, "body", type(error).__name__, "it must be a JSON object with `states`") from error
    opened: list[Envelope[S] | Undecodable] = []
    for text in texts:
        single = join_members([text])
        try:
            member = _adapter(contract).validate_json(single).states[0]
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"][3:]) or "state"
            opened.append(Undecodable(single, _invalid(contract, place, first["type"], first["msg"])))
        else:
            opened.append(Envelope(member.s, member.c, member.t, member.s.encoded()))
    return opened


def _invalid(contract: type[State], place: str, value: str, cure: str) -> InvalidMessage:
    text = f"a {contract.type} message can't be read: {place} is wrong ({value})"
    return InvalidMessage(
        Reason(code="INVALID_MESSAGE", text=text, cure=cure[:500], field=place[:500], value=value[:500])
    )
