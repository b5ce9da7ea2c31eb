"""Encryption at rest: rotation works, and a ciphertext is worth nothing anywhere else."""

import base64
import os

import pytest
from pydantic import SecretStr

from common.crypto import Cipher, DecryptionFailed

KEYS = {1: os.urandom(32), 2: os.urandom(32)}


def test_what_one_release_of_keys_wrote_the_next_reads() -> None:
    old = Cipher({1: KEYS[1]})
    sealed = old.encrypt(b"secret", "connections/credentials/con_1")
    added = Cipher(KEYS)
    assert added.decrypt(sealed, "connections/credentials/con_1") == b"secret"
    assert old.decrypt(added.encrypt(b"again", "x"), "x") == b"again"
    moved_to_the_front = Cipher({2: KEYS[2], 1: KEYS[1]})
    assert moved_to_the_front.decrypt(sealed, "connections/credentials/con_1") == b"secret"
    with pytest.raises(DecryptionFailed, match="version 2"):
        old.decrypt(moved_to_the_front.encrypt(b"again", "x"), "x")


def test_a_ciphertext_moved_to_another_row_does_not_open() -> None:
    cipher = Cipher(KEYS)
    sealed = cipher.encrypt(b"secret", "connections/credentials/con_1")
    with pytest.raises(DecryptionFailed):
        cipher.decrypt(sealed, "connections/credentials/con_2")


def test_a_changed_byte_or_a_forgotten_key_does_not_open() -> None:
    cipher = Cipher({2: KEYS[2], 1: KEYS[1]})
    sealed = cipher.encrypt(b"secret", "x")
    with pytest.raises(DecryptionFailed):
        cipher.decrypt(sealed[:-1] + bytes([sealed[-1] ^ 1]), "x")
    with pytest.raises(DecryptionFailed, match="version 2"):
        Cipher({1: KEYS[1]}).decrypt(sealed, "x")


@pytest.mark.parametrize(
    "text",
    ["", "1", "x:abcd", "1:!!!!", "1:" + base64.b64encode(b"short").decode()],
    ids=lambda text: text[:6] or "empty",
)
def test_malformed_keys_are_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match=r"key|base64|Incorrect|Only|Invalid|Non-base64") as raised:
        Cipher.of(SecretStr(text))
    assert "short" not in str(raised.value)
