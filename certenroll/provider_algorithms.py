"""The algorithms of Microsoft's providers: names, kinds, lengths, object ids.

A table. Key algorithms and their lengths come from ``keystores.providers``; ciphers and hashes stand here. Knows no COM.
Source: "CryptoAPI Cryptographic Service Providers", "CNG Cryptographic Algorithm Providers" and the pages of ICspAlgorithm.
Left out: the keys of a TLS connection that the Schannel providers list, for no enrollment names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from certenroll.enums import AlgorithmOperationFlags as Operation
from certenroll.enums import AlgorithmType
from keystores.providers import AT_KEYEXCHANGE, AT_NONE, AT_SIGNATURE, Provider, ProviderAlgorithm

CIPHER = Operation.XCN_NCRYPT_CIPHER_OPERATION
HASH = Operation.XCN_NCRYPT_HASH_OPERATION
SIGN = Operation.XCN_NCRYPT_SIGNATURE_OPERATION
ENCRYPT = Operation.XCN_NCRYPT_ASYMMETRIC_ENCRYPTION_OPERATION
AGREE = Operation.XCN_NCRYPT_SECRET_AGREEMENT_OPERATION

RSA_OID, DSA_OID, DH_OID = "1.2.840.113549.1.1.1", "1.2.840.10040.4.1", "1.2.840.10046.2.1"
_CURVES = {256: "1.2.840.10045.3.1.7", 384: "1.3.132.0.34", 521: "1.3.132.0.35"}
_AES_CBC = {128: "2.16.840.1.101.3.4.1.2", 192: "2.16.840.1.101.3.4.1.22", 256: "2.16.840.1.101.3.4.1.42"}
_AES_WRAP = {128: "2.16.840.1.101.3.4.1.5", 192: "2.16.840.1.101.3.4.1.25", 256: "2.16.840.1.101.3.4.1.45"}

TYPES: Final[dict[Operation, AlgorithmType]] = {
    CIPHER: AlgorithmType.XCN_BCRYPT_CIPHER_INTERFACE,
    HASH: AlgorithmType.XCN_BCRYPT_HASH_INTERFACE,
    SIGN: AlgorithmType.XCN_BCRYPT_SIGNATURE_INTERFACE,
    ENCRYPT | SIGN: AlgorithmType.XCN_BCRYPT_ASYMMETRIC_ENCRYPTION_INTERFACE,
    AGREE: AlgorithmType.XCN_BCRYPT_SECRET_AGREEMENT_INTERFACE,
}


@dataclass(frozen=True)
class Algorithm:
    """One algorithm of one provider. Lengths are in bits.

    Attributes:
        name, long_name: Microsoft's names; a KSP has short ones only.
        operations: what it does.
        default, minimum, maximum, increment: its lengths.
        oids: length -> object id; 0 for the one without a length. Empty where it has none.
        wraps: the same for its key wrap.
        key_spec: AT_KEYEXCHANGE or AT_SIGNATURE for the key pairs of a CSP, else AT_NONE.
        made: whether it can be had here; DSA, Diffie-Hellman and a few others cannot.
    """

    name: str
    long_name: str
    operations: Operation
    default: int
    minimum: int
    maximum: int
    increment: int
    oids: dict[int, str]
    wraps: dict[int, str]
    key_spec: int = AT_NONE
    made: bool = True

    @property
    def type(self) -> AlgorithmType:
        """The one interface that it is filed under."""
        return TYPES[self.operations]

    @property
    def is_symmetric(self) -> bool:
        """Whether GetAlgorithmOid may be given a length."""
        return self.operations == CIPHER


# Name -> long name, operation, object ids, key wrap object ids.
_Facts = tuple[str, Operation, dict[int, str], dict[int, str]]
_PRIMITIVES: Final[dict[str, _Facts]] = {
    "AES": ("Advanced Encryption Standard (AES)", CIPHER, {0: _AES_CBC[128], **_AES_CBC}, {0: _AES_WRAP[128], **_AES_WRAP}),
    "AES 128": ("Advanced Encryption Standard (AES-128)", CIPHER, {0: _AES_CBC[128]}, {0: _AES_WRAP[128]}),
    "AES 192": ("Advanced Encryption Standard (AES-192)", CIPHER, {0: _AES_CBC[192]}, {0: _AES_WRAP[192]}),
    "AES 256": ("Advanced Encryption Standard (AES-256)", CIPHER, {0: _AES_CBC[256]}, {0: _AES_WRAP[256]}),
    "DES": ("Data Encryption Standard (DES)", CIPHER, {0: "1.3.14.3.2.7"}, {}),
    "DESX": ("Data Encryption Standard XORed (DESX)", CIPHER, {}, {}),
    "3DES": ("Three Key Triple DES", CIPHER, {0: "1.2.840.113549.3.7"}, {0: "1.2.840.113549.1.9.16.3.6"}),
    "3DES TWO KEY": ("Two Key Triple DES", CIPHER, {}, {}),
    "3DES_112": ("Two Key Triple DES", CIPHER, {}, {}),
    "RC2": ("RSA Data Security's RC2", CIPHER, {0: "1.2.840.113549.3.2"}, {0: "1.2.840.113549.1.9.16.3.7"}),
    "RC4": ("RSA Data Security's RC4", CIPHER, {0: "1.2.840.113549.3.4"}, {}),
    "CYLINK MEK": ("CYLINK Message Encryption Algorithm", CIPHER, {}, {}),
    "MD2": ("Message Digest 2 (MD2)", HASH, {0: "1.2.840.113549.2.2"}, {}),
    "MD4": ("Message Digest 4 (MD4)", HASH, {0: "1.2.840.113549.2.4"}, {}),
    "MD5": ("Message Digest 5 (MD5)", HASH, {0: "1.2.840.113549.2.5"}, {}),
    "SHA-1": ("Secure Hash Algorithm (SHA-1)", HASH, {0: "1.3.14.3.2.26"}, {}),
    "SHA-256": ("Secure Hash Algorithm (SHA-256)", HASH, {0: "2.16.840.1.101.3.4.2.1"}, {}),
    "SHA-384": ("Secure Hash Algorithm (SHA-384)", HASH, {0: "2.16.840.1.101.3.4.2.2"}, {}),
    "SHA-512": ("Secure Hash Algorithm (SHA-512)", HASH, {0: "2.16.840.1.101.3.4.2.3"}, {}),
    "SHA1": ("Secure Hash Algorithm (SHA-1)", HASH, {0: "1.3.14.3.2.26"}, {}),
    "SHA256": ("Secure Hash Algorithm (SHA-256)", HASH, {0: "2.16.840.1.101.3.4.2.1"}, {}),
    "SHA384": ("Secure Hash Algorithm (SHA-384)", HASH, {0: "2.16.840.1.101.3.4.2.2"}, {}),
    "SHA512": ("Secure Hash Algorithm (SHA-512)", HASH, {0: "2.16.840.1.101.3.4.2.3"}, {}),
    "SSL3 SHAMD5": ("Secure Socket Layer 3 SHA and MD5 (SSL3 SHAMD5)", HASH, {}, {}),
    "MAC": ("Message Authentication Code", HASH, {}, {}),
    "HMAC": ("Hash-based Message Authentication Code (HMAC)", HASH, {}, {}),
}
_NOT_MADE: Final = {"CYLINK MEK", "DESX", "MD2", "MD4", "SSL3 SHAMD5"}

# What stands beside the key algorithms: "name default/minimum/maximum" in bits, as Microsoft's tables have them.
_MACS = "MAC 0/0/0, HMAC 0/0/0, SSL3 SHAMD5 288/288/288"
_OLD_HASHES = "SHA-1 160/160/160, MD2 128/128/128, MD4 128/128/128, MD5 128/128/128"
_SHA2 = "SHA-256 256/256/256, SHA-384 384/384/384, SHA-512 512/512/512"
_TRIPLE = "DES 56/56/56, 3DES TWO KEY 112/112/112, 3DES 168/168/168"
_AES = "AES 128 128/128/128, AES 192 192/192/192, AES 256 256/256/256"
_DSS = "CYLINK MEK 40/40/40, SHA-1 160/160/160, MD5 128/128/128"
_BASE = f"RC2 40/40/56, RC4 40/40/56, DES 56/56/56, {_OLD_HASHES}, {_MACS}"
_STRONG = f"RC2 128/40/128, RC4 128/40/128, {_TRIPLE}, {_OLD_HASHES}, {_MACS}"
_CNG = (
    "AES 128/128/256, DES 56/56/56, DESX 192/192/192, 3DES 168/168/168, 3DES_112 112/112/112, RC2 128/16/128, "
    "RC4 128/8/512, SHA1 160/160/160, SHA256 256/256/256, SHA384 384/384/384, SHA512 512/512/512, MD2 128/128/128, "
    "MD4 128/128/128, MD5 128/128/128"
)
_BESIDE: Final[dict[str, str]] = {
    "Microsoft Base Cryptographic Provider v1.0": _BASE,
    "Microsoft Base DSS and Diffie-Hellman Cryptographic Provider": f"RC2 40/40/56, RC4 40/40/56, DES 56/56/56, {_DSS}",
    "Microsoft Base DSS Cryptographic Provider": "SHA-1 160/160/160, MD5 128/128/128",
    "Microsoft Base Smart Card Crypto Provider": f"{_STRONG}, {_AES}, {_SHA2}",
    "Microsoft DH SChannel Cryptographic Provider": f"RC2 40/40/128, RC4 40/40/128, {_TRIPLE}, {_DSS}",
    "Microsoft Enhanced DSS and Diffie-Hellman Cryptographic Provider": (
        f"RC2 128/128/128, RC4 128/128/128, {_TRIPLE}, {_DSS}"
    ),
    "Microsoft Enhanced RSA and AES Cryptographic Provider": (
        f"RC2 128/128/128, RC4 128/128/128, {_TRIPLE}, {_OLD_HASHES}, {_MACS}, {_AES}, {_SHA2}"
    ),
    "Microsoft RSA SChannel Cryptographic Provider": (
        f"RC2 128/128/128, RC4 128/128/128, {_TRIPLE}, AES 128 128/128/128, AES 256 256/256/256, SHA-1 160/160/160, "
        f"MD5 128/128/128, {_MACS}"
    ),
}


@cache
def algorithms_of(provider: Provider) -> tuple[Algorithm, ...]:
    """Every algorithm of a provider: the keys that it makes, then ciphers and hashes."""
    beside = _BESIDE.get(provider.name.removesuffix(" (Prototype)"), _STRONG) if provider.legacy else _CNG
    keys = tuple(_key_algorithm(one) for one in provider.algorithms)
    return keys + tuple(_primitive(entry, provider.legacy) for entry in beside.split(", "))


def _primitive(entry: str, legacy: bool) -> Algorithm:
    name, lengths = entry.rsplit(" ", 1)
    default, minimum, maximum = (int(part) for part in lengths.split("/"))
    long_name, operations, oids, wraps = _PRIMITIVES[name]
    increment = 0 if minimum == maximum else 64 if name == "AES" else 8
    made = name not in _NOT_MADE
    shown = long_name if legacy else name
    return Algorithm(name, shown, operations, default, minimum, maximum, increment, oids, wraps, made=made)


# The name of a key algorithm -> long name, operations, object id.
_KEYS: Final[dict[str, tuple[str, Operation, str]]] = {
    "RSA_SIGN": ("RSA Signature", SIGN, RSA_OID),
    "RSA_KEYX": ("RSA Key Exchange", ENCRYPT | SIGN, RSA_OID),
    "DSA_SIGN": ("Digital Signature Algorithm", SIGN, DSA_OID),
    "DH_KEYX": ("Diffie-Hellman Key Exchange Algorithm", AGREE, DH_OID),
    "DH_EPHEM": ("Diffie-Hellman Ephemeral Algorithm", AGREE, DH_OID),
    "RSA": ("RSA", ENCRYPT | SIGN, RSA_OID),
    "DSA": ("DSA", SIGN, DSA_OID),
    "DH": ("DH", AGREE, DH_OID),
    **{f"ECDSA_P{size}": (f"ECDSA_P{size}", SIGN, oid) for size, oid in _CURVES.items()},
    **{f"ECDH_P{size}": (f"ECDH_P{size}", AGREE, oid) for size, oid in _CURVES.items()},
}


def _key_algorithm(one: ProviderAlgorithm) -> Algorithm:
    long_name, operations, oid = _KEYS[one.name]
    default, minimum, maximum, increment = one.limits()
    made = one.algorithm is not None
    return Algorithm(
        one.name, long_name, operations, default, minimum, maximum, increment, {0: oid}, {}, key_spec=one.key_spec, made=made
    )


def key_spec_name(key_spec: int) -> str:
    """What DisplayName calls the use of a CSP's key pair."""
    return {AT_SIGNATURE: "Signature", AT_KEYEXCHANGE: "Encryption"}.get(key_spec, "Encryption")
