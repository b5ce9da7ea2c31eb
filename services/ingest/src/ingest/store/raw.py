"""What channels sent, as it lies in the database: compressed, then encrypted.

A channel's JSON repeats itself: a quarter of it is left, of a table that is kept for years.
"""

import zstandard

from common.crypto import Cipher

_compressor = zstandard.ZstdCompressor(level=1)
_decompressor = zstandard.ZstdDecompressor()


def seal(cipher: Cipher, raw: bytes, context: str) -> bytes:
    """Bytes for the table. Called on the event loop only: the compressor is not safe across threads."""
    return cipher.encrypt(_compressor.compress(raw), context)


def unseal(cipher: Cipher, sealed: bytes, context: str) -> bytes:
    """What the channel sent, to the byte. Raises `common.crypto.DecryptionFailed`.

    Only what `seal` made decrypts, so its length needs no bound here: that was set when it came in.
    """
    return _decompressor.decompress(cipher.decrypt(sealed, context))
