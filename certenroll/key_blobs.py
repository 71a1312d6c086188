"""The forms in which IX509PrivateKey.Export and Import carry keys: CNG's blobs, CryptoAPI's and PKCS#8. Knows no key store.

A table of names; RSA and EC keys each have their own layout. PRIVATEBLOB and PUBLICBLOB are CNG's forms for a KSP's key and
CryptoAPI's for a CSP's, which has no others. Source: the pages of IX509PrivateKey::Export, NCryptExportKey,
BCRYPT_RSAKEY_BLOB, BCRYPT_ECCKEY_BLOB, and "Base Provider Key BLOBs".
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal

from certenroll.errors import ComError
from certenroll.hresults import HRESULT

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from keystores.base import PrivateKey

    PublicKey = RSAPublicKey | EllipticCurvePublicKey

CAPI_PRIVATE: Final = "CAPIPRIVATEBLOB"
CAPI_PUBLIC: Final = "CAPIPUBLICBLOB"
PUBLIC_FORMATS: Final = frozenset({"PUBLICBLOB", "RSAPUBLICBLOB", "ECCPUBLICBLOB", CAPI_PUBLIC})
# What a CSP's key is carried as.
_CSP_FORMATS: Final = {
    "PRIVATEBLOB": CAPI_PRIVATE,
    "PUBLICBLOB": CAPI_PUBLIC,
    CAPI_PRIVATE: CAPI_PRIVATE,
    CAPI_PUBLIC: CAPI_PUBLIC,
}

_RSA_PUBLIC: Final = b"RSA1"
_RSA_PRIVATE: Final = b"RSA2"
_RSA_FULL: Final = b"RSA3"
# Curve size in bits -> (magic of the public blob, magic of the private blob), for ECDSA.
_EC_MAGIC: Final = {256: (b"ECS1", b"ECS2"), 384: (b"ECS3", b"ECS4"), 521: (b"ECS5", b"ECS6")}
# The same for ECDH, which is read as well.
_ECDH_MAGIC: Final = {b"ECK2": 256, b"ECK4": 384, b"ECK6": 521}
_RSA_HEADER: Final = struct.Struct("<4sIIIII")  # magic, bits, then the lengths of exponent, modulus, prime 1, prime 2
_CAPI_HEADER: Final = struct.Struct("<BBHI4sII")  # blob type, version, reserved, algorithm; magic, bits, exponent
_CAPI_TYPES: Final = {_RSA_PUBLIC: 6, _RSA_PRIVATE: 7}  # PUBLICKEYBLOB, PRIVATEKEYBLOB
_CALG_RSA_KEYX: Final = 0xA400
_EC_HEADER: Final = struct.Struct("<4sI")  # magic, octets of a coordinate


def is_public(form: str) -> bool:
    """Whether ``form`` carries a public key alone."""
    return form.upper() in PUBLIC_FORMATS


def check_form(form: str, *, legacy: bool) -> str:
    """The form that ``form`` stands for.

    Args:
        form: as scripts name it, in any case.
        legacy: whether the key is a CSP's.

    Raises:
        ComError: WIN32_CALL_NOT_IMPLEMENTED for a form that a CSP has not, NTE_BAD_TYPE for one that nobody has.
    """
    name = form.upper()
    if legacy and name not in _CSP_FORMATS:
        raise ComError(
            HRESULT.WIN32_CALL_NOT_IMPLEMENTED, f"the key of a CSP is carried as PRIVATEBLOB or PUBLICBLOB, not as {form!r}"
        )
    known = _CSP_FORMATS[name] if legacy else name
    if known not in _WRITERS and known not in PUBLIC_FORMATS:
        raise _unknown(form)
    return known


def read_key(form: str, data: bytes, *, legacy: bool = False) -> PrivateKey:
    """The private key in ``data``.

    Args:
        form: "PKCS8_PRIVATEKEY", "RSAPRIVATEBLOB", "RSAFULLPRIVATEBLOB", "ECCPRIVATEBLOB", "CAPIPRIVATEBLOB" or
            "PRIVATEBLOB".
        data: the key.
        legacy: whether it is to be a CSP's.

    Raises:
        ComError: as check_form; NTE_BAD_TYPE for a form of public keys, NTE_BAD_DATA where the key cannot be read.
    """
    reader = _READERS.get(check_form(form, legacy=legacy))
    if reader is None:
        raise _unknown(form)
    try:
        return reader(data)
    except (ValueError, TypeError, struct.error) as error:
        raise ComError(HRESULT.NTE_BAD_DATA, f"no {form} can be read: {error}") from None


def write_key(form: str, key: PrivateKey, *, legacy: bool = False) -> bytes:
    """``key`` in a form that read_key reads. Raises as check_form, and NTE_BAD_TYPE for a form that the key has not."""
    writer = _WRITERS.get(check_form(form, legacy=legacy))
    if writer is None:
        raise _unknown(form)
    return writer(key)


def write_public_key(form: str, key: PublicKey, *, legacy: bool = False) -> bytes:
    """The public blob of ``key``. Raises as check_form, and NTE_BAD_TYPE where the form is the other family's."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    name = check_form(form, legacy=legacy)
    if not isinstance(key, RSAPublicKey):
        return _write_ec_public(name, key)
    if name == "ECCPUBLICBLOB":
        raise _unknown(form)
    numbers = key.public_numbers()
    if name == CAPI_PUBLIC:
        return _capi_blob(_RSA_PUBLIC, key.key_size, numbers.e, [(numbers.n, (key.key_size + 7) // 8)])
    return _rsa_blob(_RSA_PUBLIC, key.key_size, numbers.e, numbers.n, ())


def _write_ec_public(form: str, key: EllipticCurvePublicKey) -> bytes:
    if form in ("RSAPUBLICBLOB", CAPI_PUBLIC):
        raise _unknown(form)
    point = key.public_numbers()
    size = (key.curve.key_size + 7) // 8
    magic = _EC_MAGIC[key.curve.key_size][0]
    return _EC_HEADER.pack(magic, size) + point.x.to_bytes(size, "big") + point.y.to_bytes(size, "big")


def _unknown(form: str) -> ComError:
    return ComError(HRESULT.NTE_BAD_TYPE, f"a key is not carried as {form!r} here; PKCS8_PRIVATEKEY always works")


def _read_pkcs8(data: bytes) -> PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    key = load_der_private_key(data, None)
    if not isinstance(key, (RSAPrivateKey, EllipticCurvePrivateKey)):
        raise ValueError("neither an RSA nor an EC key")
    return key


def _read_blob(data: bytes) -> PrivateKey:
    return _read_rsa(data) if data[:3] == _RSA_PRIVATE[:3] else _read_ec(data)


def _read_rsa(data: bytes) -> PrivateKey:
    magic, _, exponent, modulus, first, second = _RSA_HEADER.unpack_from(data)
    if magic not in (_RSA_PRIVATE, _RSA_FULL):
        raise ValueError("not an RSA private blob")
    return _rsa_key(*_integers(data, _RSA_HEADER.size, (exponent, modulus, first, second)))


def _read_capi(data: bytes) -> PrivateKey:
    kind, _, _, _, magic, bits, exponent = _CAPI_HEADER.unpack_from(data)
    if (kind, magic) != (_CAPI_TYPES[_RSA_PRIVATE], _RSA_PRIVATE):
        raise ValueError("not a CryptoAPI private key blob of an RSA key")
    whole = (bits + 7) // 8
    half = (whole + 1) // 2
    n, p, q = _integers(data, _CAPI_HEADER.size, (whole, half, half), "little")
    return _rsa_key(exponent, n, p, q)


def _rsa_key(e: int, n: int, p: int, q: int) -> PrivateKey:
    from cryptography.hazmat.primitives.asymmetric import rsa

    if p * q != n or min(p, q) < 3:
        raise ValueError("its primes are not those of its modulus")
    d = rsa.rsa_recover_private_exponent(e, p, q)
    public = rsa.RSAPublicNumbers(e, n)
    numbers = rsa.RSAPrivateNumbers(p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public)
    return numbers.private_key()


def _read_ec(data: bytes) -> PrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    curves: dict[int, ec.EllipticCurve] = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}
    magic, size = _EC_HEADER.unpack_from(data)
    bits = _ECDH_MAGIC.get(magic) or next((b for b, (_, private) in _EC_MAGIC.items() if private == magic), None)
    if bits is None:
        raise ValueError("not an EC private blob")
    x, y, d = _integers(data, _EC_HEADER.size, (size, size, size))
    return ec.EllipticCurvePrivateNumbers(d, ec.EllipticCurvePublicNumbers(x, y, curves[bits])).private_key()


def _integers(
    data: bytes, offset: int, lengths: tuple[int, ...], order: Literal["big", "little"] = "big"
) -> list[int]:
    if offset + sum(lengths) > len(data):
        raise ValueError("it ends early")
    found = []
    for length in lengths:
        found.append(int.from_bytes(data[offset : offset + length], order))
        offset += length
    return found


def _write_pkcs8(key: PrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _write_rsa(key: PrivateKey) -> bytes:
    return _write_rsa_as(_RSA_PRIVATE, key)


def _write_rsa_full(key: PrivateKey) -> bytes:
    return _write_rsa_as(_RSA_FULL, key)


def _write_rsa_as(magic: bytes, key: PrivateKey) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    if not isinstance(key, RSAPrivateKey):
        raise _unknown("RSAPRIVATEBLOB")
    numbers = key.private_numbers()
    half = (key.key_size + 15) // 16
    extra = [number.to_bytes(half, "big") for number in (numbers.dmp1, numbers.dmq1, numbers.iqmp)]
    extra.append(numbers.d.to_bytes((key.key_size + 7) // 8, "big"))
    public = numbers.public_numbers
    blob = _rsa_blob(magic, key.key_size, public.e, public.n, (numbers.p, numbers.q))
    return blob + (b"".join(extra) if magic == _RSA_FULL else b"")


def _rsa_blob(magic: bytes, bits: int, e: int, n: int, primes: tuple[int, ...]) -> bytes:
    exponent = e.to_bytes((e.bit_length() + 7) // 8, "big")
    half = (bits + 15) // 16 if primes else 0
    header = _RSA_HEADER.pack(magic, bits, len(exponent), (bits + 7) // 8, half, half)
    return header + exponent + n.to_bytes((bits + 7) // 8, "big") + b"".join(p.to_bytes(half, "big") for p in primes)


def _write_capi(key: PrivateKey) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    if not isinstance(key, RSAPrivateKey):
        raise _unknown(CAPI_PRIVATE)
    numbers = key.private_numbers()
    public = numbers.public_numbers
    whole = (key.key_size + 7) // 8
    half = (whole + 1) // 2
    halves = (numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
    parts = [(public.n, whole), *((number, half) for number in halves), (numbers.d, whole)]
    return _capi_blob(_RSA_PRIVATE, key.key_size, public.e, parts)


def _capi_blob(magic: bytes, bits: int, exponent: int, parts: list[tuple[int, int]]) -> bytes:
    header = _CAPI_HEADER.pack(_CAPI_TYPES[magic], 2, 0, _CALG_RSA_KEYX, magic, bits, exponent)
    return header + b"".join(number.to_bytes(size, "little") for number, size in parts)


def _write_ec(key: PrivateKey) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    if not isinstance(key, EllipticCurvePrivateKey):
        raise _unknown("ECCPRIVATEBLOB")
    numbers = key.private_numbers()
    size = (key.curve.key_size + 7) // 8
    magic = _EC_MAGIC[key.curve.key_size][1]
    point = numbers.public_numbers
    return _EC_HEADER.pack(magic, size) + b"".join(
        number.to_bytes(size, "big") for number in (point.x, point.y, numbers.private_value)
    )


def _write_blob(key: PrivateKey) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    return _write_rsa_full(key) if isinstance(key, RSAPrivateKey) else _write_ec(key)


_READERS: Final[dict[str, Callable[[bytes], PrivateKey]]] = {
    "PKCS8_PRIVATEKEY": _read_pkcs8,
    "RSAPRIVATEBLOB": _read_rsa,
    "RSAFULLPRIVATEBLOB": _read_rsa,
    "ECCPRIVATEBLOB": _read_ec,
    "PRIVATEBLOB": _read_blob,
    CAPI_PRIVATE: _read_capi,
}
_WRITERS: Final[dict[str, Callable[[PrivateKey], bytes]]] = {
    "PKCS8_PRIVATEKEY": _write_pkcs8,
    "RSAPRIVATEBLOB": _write_rsa,
    "RSAFULLPRIVATEBLOB": _write_rsa_full,
    "ECCPRIVATEBLOB": _write_ec,
    "PRIVATEBLOB": _write_blob,
    CAPI_PRIVATE: _write_capi,
}
