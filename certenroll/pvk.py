"""The .pvk file: one RSA key of a CryptoAPI provider after a header of six numbers. Bytes to bytes; knows no key, no file.

The header is 0xB0B5F11E, 0, the key spec, whether the key is encrypted, and the lengths of a salt and of the key; then
they follow, the key as a PRIVATEKEYBLOB. Files that are written here are not encrypted, since nobody can be asked for a
password: the file's mode protects them. Source: the form that OpenSSL reads and writes as ``-inform PVK``; "Base Provider
Key BLOBs" for the key.
"""

from __future__ import annotations

import struct
from typing import Final

from certenroll.enums import X509KeySpec
from certenroll.errors import ComError
from certenroll.hresults import HRESULT

MAGIC: Final = 0xB0B5F11E
_HEADER: Final = struct.Struct("<6I")  # magic, reserved, key spec, encrypted, length of the salt, length of the key
_ALGORITHM: Final = slice(4, 8)  # of a PRIVATEKEYBLOB: its aiKeyAlg
_CALG_RSA_SIGN: Final = struct.pack("<I", 0x2400)
_CALG_RSA_KEYX: Final = struct.pack("<I", 0xA400)


def encode(blob: bytes, key_spec: int) -> bytes:
    """A .pvk file without a password.

    Args:
        blob: the key as a PRIVATEKEYBLOB.
        key_spec: an X509KeySpec, XCN_AT_KEYEXCHANGE or XCN_AT_SIGNATURE; the blob says the same afterwards.
    """
    algorithm = _CALG_RSA_SIGN if key_spec == X509KeySpec.XCN_AT_SIGNATURE else _CALG_RSA_KEYX
    own = blob[: _ALGORITHM.start] + algorithm + blob[_ALGORITHM.stop :]
    return _HEADER.pack(MAGIC, 0, key_spec, 0, 0, len(own)) + own


def is_pvk(data: bytes) -> bool:
    """Whether a file begins as a .pvk file does."""
    return len(data) >= _HEADER.size and int.from_bytes(data[:4], "little") == MAGIC


def decode(data: bytes) -> bytes:
    """The PRIVATEKEYBLOB in a .pvk file.

    Raises:
        ComError: NTE_BAD_DATA for what is no .pvk file, or a damaged one; WIN32_INVALID_PASSWORD for one that is encrypted.
    """
    if not is_pvk(data):
        raise ComError(HRESULT.NTE_BAD_DATA, "this is no .pvk file")
    _, _, _, encrypted, salt, length = _HEADER.unpack_from(data)
    if encrypted or salt:
        text = "the .pvk file has a password, and nobody can be asked for it; take it off (openssl rsa -inform PVK)"
        raise ComError(HRESULT.WIN32_INVALID_PASSWORD, text)
    if length != len(data) - _HEADER.size:
        raise ComError(HRESULT.NTE_BAD_DATA, f"the .pvk file should hold {length} octets after its header")
    return data[_HEADER.size :]
