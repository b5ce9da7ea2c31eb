"""Raw parts at rest: nothing of them is lost, little of them is left, and they belong where they were put."""

import pytest

from common.crypto import Cipher, DecryptionFailed
from ingest.store.raw import seal, unseal

CIPHER = Cipher({1: bytes(32)})


@pytest.mark.parametrize("raw", [b"", b"{}", "é\x00\u2028".encode(), b'{"price":"16.60","sku":"LIN-606"},' * 400])
def test_what_was_sent_comes_back_to_the_byte(raw: bytes) -> None:
    assert unseal(CIPHER, seal(CIPHER, raw, "raw_parts/a"), "raw_parts/a") == raw


def test_repetition_takes_no_room() -> None:
    raw = b'{"price":"16.60","sku":"LIN-606"},' * 400
    assert len(seal(CIPHER, raw, "raw_parts/a")) < len(raw) / 20


def test_a_part_is_bound_to_its_place() -> None:
    with pytest.raises(DecryptionFailed):
        unseal(CIPHER, seal(CIPHER, b"{}", "raw_parts/a"), "raw_parts/b")
