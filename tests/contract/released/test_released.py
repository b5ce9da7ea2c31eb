"""Messages of earlier releases are read by this one: they lie in outboxes and dead letters, and a rollback sends more.

A folder per release, a pack per contract with every field set. Cutting a release adds its folder (`make released`);
what is there is never written again. A contract that can't read an old pack any more needs an upcaster, or a new
version of its name. `tests/e2e/test_released.py` shows the same packs to the running services.
"""

from pathlib import Path

import orjson
import pytest
from tests.contract.released.filled import filled
from tests.contract.released.keep import HERE, RELEASE

from common.messages import BY_TYPE
from common.packs import Envelope, decode, encode_member, join_members

PACKS = sorted(HERE.glob("*/*.json"))


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def test_every_contract_of_this_release_has_its_pack() -> None:
    assert {path.stem for path in PACKS if path.parent.name == RELEASE} == set(BY_TYPE)


@pytest.mark.parametrize("path", PACKS, ids=name)
def test_a_pack_is_read_and_nothing_of_it_is_lost(path: Path) -> None:
    body = path.read_bytes().rstrip(b"\n")
    (envelope,) = decode(BY_TYPE[path.stem], body)
    assert isinstance(envelope, Envelope), envelope
    assert orjson.loads(envelope.state.encoded()) == orjson.loads(envelope.body)
    assert envelope.correlation_id == "run-1"


@pytest.mark.parametrize("type_name", sorted(BY_TYPE))
def test_what_a_newer_release_adds_is_passed_over(type_name: str) -> None:
    """Fields are only ever added, and consumers are deployed first: a rollback meets fields it doesn't know."""
    state = filled(BY_TYPE[type_name])
    body = state.encoded()[:-1] + b',"added_later":{"x":[1]}}'
    (envelope,) = decode(BY_TYPE[type_name], join_members([encode_member(body, "run-1", None)]))
    assert isinstance(envelope, Envelope)
    assert envelope.state == state
