"""Encryption at rest: AES-GCM with versioned keys, so that keys rotate while the services run.

The context (table, column, row identity) is authenticated but not stored: a ciphertext copied to another row or
tenant does not decrypt there.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from common.settings import decode_keys

_NONCE_BYTES = 12
_VERSION_BYTES = 2


class DecryptionFailed(Exception):
    """The bytes were not made by any of our keys for this context."""

    def __init__(self, version: int | None) -> None:
        super().__init__(f"can't decrypt: key version {version} is unknown or the data belongs elsewhere")
        self.version = version


class Cipher:
    """Encrypts with the first key and decrypts with any that is configured."""

    def __init__(self, keys: dict[int, bytes]) -> None:
        if not keys:
            raise ValueError("at least one encryption key is needed")
        self._ciphers = {version: AESGCM(key) for version, key in keys.items()}
        self.current = next(iter(keys))

    @property
    def has_old_keys(self) -> bool:
        """Whether there are keys that only decrypt."""
        return len(self._ciphers) > 1

    @classmethod
    def of(cls, text: SecretStr) -> "Cipher":
        """Build from the settings' text. Raises `ValueError` for malformed keys."""
        return cls(decode_keys(text))

    def encrypt(self, plain: bytes, context: str) -> bytes:
        """Return version (2 bytes), nonce (12 bytes) and ciphertext."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self.current].encrypt(nonce, plain, context.encode())
        return self.current.to_bytes(_VERSION_BYTES, "big") + nonce + sealed

    def decrypt(self, sealed: bytes, context: str) -> bytes:
        """Undo `encrypt` for the same context. Raises `DecryptionFailed`."""
        version = int.from_bytes(sealed[:_VERSION_BYTES], "big")
        cipher = self._ciphers.get(version)
        if cipher is None:
            raise DecryptionFailed(version)
        nonce = sealed[_VERSION_BYTES : _VERSION_BYTES + _NONCE_BYTES]
        try:
            return cipher.decrypt(nonce, sealed[_VERSION_BYTES + _NONCE_BYTES :], context.encode())
        except InvalidTag as error:
            raise DecryptionFailed(version) from error
