"""Hash and signature algorithms: what scripts call them, what the wire calls them, and signing and verifying with them.

The mathematics is pyca's. Knows keys by pyca's key classes, wherever they live, and no message that is signed. Old
algorithms (SHA-1, MD5) work here: whether one may be used is decided above.

    UnsupportedAlgorithm       an algorithm or a kind of key that is not known here (NTE_BAD_ALGID)
    BadSignature               a signature that does not fit (NTE_BAD_SIGNATURE)
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography import exceptions
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa

from certenroll.asn1 import der
from certenroll.asn1.der import NULL_DER, DecodeError
from certenroll.hresults import HRESULT

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | dsa.DSAPublicKey | ed25519.Ed25519PublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
SignFunction = Callable[[bytes], tuple[bytes, bytes]]
"""What makes a signature: octets to be signed -> (AlgorithmIdentifier in DER, signature)."""

RSA_ENCRYPTION: Final = "1.2.840.113549.1.1.1"
RSASSA_PSS: Final = "1.2.840.113549.1.1.10"
MGF1: Final = "1.2.840.113549.1.1.8"
EC_PUBLIC_KEY: Final = "1.2.840.10045.2.1"
ECDSA_SPECIFIED: Final = "1.2.840.10045.4.3"
DSA: Final = "1.2.840.10040.4.1"
ED25519: Final = "1.3.101.112"
NO_SIGNATURE: Final = "1.3.6.1.5.5.7.6.2"


class UnsupportedAlgorithm(ValueError):
    """An algorithm or a kind of key that is not known here.

    Attributes:
        hresult: NTE_BAD_ALGID.
    """

    hresult: Final = int(HRESULT.NTE_BAD_ALGID)


class BadSignature(ValueError):
    """A signature that was not made over this data by this key.

    Attributes:
        hresult: NTE_BAD_SIGNATURE, or a more telling code of the message that carries the signature.
    """

    def __init__(self, message: str, hresult: int = HRESULT.NTE_BAD_SIGNATURE) -> None:
        super().__init__(message)
        self.hresult: Final = int(hresult)


@dataclass(frozen=True, slots=True)
class Hash:
    """A hash algorithm: canonical name, OID, Windows' ALG_ID and pyca's algorithm."""

    name: str
    oid: str
    alg_id: int
    algorithm: hashes.HashAlgorithm

    def digest(self, data: bytes) -> bytes:
        """The hash of ``data``."""
        context = hashes.Hash(self.algorithm)
        context.update(data)
        return context.finalize()

    @property
    def identifier(self) -> bytes:
        """The AlgorithmIdentifier, with the NULL that Windows and OpenSSL write."""
        return identifier(self.oid, NULL_DER)


# ALG_ID values: wincrypt.h, as the "ALG_ID" page of Microsoft's documentation lists them. SHA-224 has none.
HASHES: Final = {
    entry.name: entry
    for entry in (
        Hash("md5", "1.2.840.113549.2.5", 0x8003, hashes.MD5()),  # noqa: S303 - scripts say it; policy stands above
        Hash("sha1", "1.3.14.3.2.26", 0x8004, hashes.SHA1()),  # noqa: S303
        Hash("sha224", "2.16.840.1.101.3.4.2.4", 0, hashes.SHA224()),
        Hash("sha256", "2.16.840.1.101.3.4.2.1", 0x800C, hashes.SHA256()),
        Hash("sha384", "2.16.840.1.101.3.4.2.2", 0x800D, hashes.SHA384()),
        Hash("sha512", "2.16.840.1.101.3.4.2.3", 0x800E, hashes.SHA512()),
    )
}
_HASHES_BY_OID: Final = {entry.oid: entry for entry in HASHES.values()}
_HASHES_BY_ALG_ID: Final = {entry.alg_id: entry for entry in HASHES.values() if entry.alg_id}

# OID -> (family, hash). Where the hash is None, it stands in the parameters or beside the algorithm.
_RSA: Final = {
    "md5": "1.2.840.113549.1.1.4",
    "sha1": "1.2.840.113549.1.1.5",
    "sha224": "1.2.840.113549.1.1.14",
    "sha256": "1.2.840.113549.1.1.11",
    "sha384": "1.2.840.113549.1.1.12",
    "sha512": "1.2.840.113549.1.1.13",
}
_ECDSA: Final = {
    "sha1": "1.2.840.10045.4.1",
    "sha224": "1.2.840.10045.4.3.1",
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
    "sha512": "1.2.840.10045.4.3.4",
}
_DSA: Final = {"sha1": "1.2.840.10040.4.3", "sha224": "2.16.840.1.101.3.4.3.1", "sha256": "2.16.840.1.101.3.4.3.2"}
_SIGNATURES: Final[dict[str, tuple[str, str | None]]] = {
    RSA_ENCRYPTION: ("rsa", None),
    EC_PUBLIC_KEY: ("ecdsa", None),
    DSA: ("dsa", None),
    ED25519: ("ed25519", None),
    NO_SIGNATURE: ("null", "sha1"),
    "1.3.14.3.2.29": ("rsa", "sha1"),  # sha1WithRSA of OIW, which old Windows versions write
    "1.3.14.3.2.3": ("rsa", "md5"),
    "1.3.14.3.2.27": ("dsa", "sha1"),
    **{value: ("rsa", name) for name, value in _RSA.items()},
    **{value: ("ecdsa", name) for name, value in _ECDSA.items()},
    **{value: ("dsa", name) for name, value in _DSA.items()},
    **{entry.oid: ("null", entry.name) for entry in HASHES.values()},
}


def hash_algorithm(name: str | int) -> Hash:
    """The hash that scripts, the wire or wincrypt.h call ``name``.

    Args:
        name: "SHA256", "SHA-1", "sha1", "MD5", a dotted OID, or an ALG_ID (0x8004).

    Raises:
        UnsupportedAlgorithm: no hash is called so.
    """
    if isinstance(name, int):
        found = _HASHES_BY_ALG_ID.get(name)
    else:
        plain = name.strip().lower()
        found = _HASHES_BY_OID.get(plain) or HASHES.get(plain.replace("-", "").replace("_", "").replace(" ", ""))
    if found is None:
        raise UnsupportedAlgorithm(f"no hash algorithm is known as {name!r}")
    return found


def identifier(oid: str, parameters: bytes = b"") -> bytes:
    """An AlgorithmIdentifier in DER. ``parameters``: one DER element, or empty where there are none."""
    return der.sequence_of((der.oid(oid), parameters))


def identifier_oid(algorithm: bytes) -> str:
    """The dotted OID of an AlgorithmIdentifier. Raises DecodeError."""
    return der.decode(der.AlgorithmIdentifier, algorithm).algorithm.dotted_string


@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """How to sign: the hash, and whether an RSA key signs with PSS (RFC 8017 section 8.1) or PKCS #1 v1.5.

    Attributes:
        hash_name: any name that hash_algorithm knows; kept in its canonical form.
        pss: PSS with MGF1 over the same hash and a salt as long as the hash. Means nothing to other keys.
    """

    hash_name: str
    pss: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash_name", hash_algorithm(self.hash_name).name)


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """What an AlgorithmIdentifier of a signature says.

    Attributes:
        family: "rsa", "pss", "ecdsa", "dsa", "ed25519", or "null" for a hash in the place of a signature.
        hash_name: the hash, or "" where the algorithm leaves it to the message (rsaEncryption) or has its own (Ed25519).
        mgf_hash_name: PSS only: the hash of MGF1.
        salt_length: PSS only, in octets.
    """

    family: str
    hash_name: str
    mgf_hash_name: str = ""
    salt_length: int = 0


def read_algorithm(algorithm: bytes) -> SignatureAlgorithm:
    """What the AlgorithmIdentifier of a signature says.

    Raises:
        DecodeError: the bytes are no AlgorithmIdentifier, or its parameters are malformed.
        UnsupportedAlgorithm: the algorithm, or its hash, is not known here.
    """
    parts = der.children(algorithm, der.SEQUENCE)
    oid = der.read_oid(parts[0]) if parts else ""
    if len(parts) not in (1, 2):
        raise DecodeError("an algorithm identifier has one or two parts", HRESULT.CRYPT_E_ASN1_CORRUPT)
    parameters = parts[1] if len(parts) == 2 else NULL_DER
    if oid == RSASSA_PSS:
        return _read_pss(parameters)
    if oid == ECDSA_SPECIFIED:
        return SignatureAlgorithm("ecdsa", hash_algorithm(identifier_oid(parameters)).name)
    if oid not in _SIGNATURES:
        raise UnsupportedAlgorithm(f"the signature algorithm {oid} is not known")
    family, hash_name = _SIGNATURES[oid]
    return SignatureAlgorithm(family, hash_name or "")


def _read_pss(parameters: bytes) -> SignatureAlgorithm:
    """RSASSA-PSS-params, RFC 4055 section 3.1; whatever is absent has SHA-1's values."""
    fields = {der.tag(part): der.contents(part) for part in der.children(parameters, der.SEQUENCE)}
    hash_name = hash_algorithm(identifier_oid(fields[0xA0])).name if 0xA0 in fields else "sha1"
    mgf_hash = "sha1"
    if 0xA1 in fields:
        mgf = der.children(fields[0xA1], der.SEQUENCE)
        if len(mgf) != 2 or der.read_oid(mgf[0]) != MGF1:
            raise UnsupportedAlgorithm("PSS with a mask generation other than MGF1")
        mgf_hash = hash_algorithm(identifier_oid(mgf[1])).name
    salt = der.read_integer(fields[0xA2]) if 0xA2 in fields else 20
    if not 0 <= salt <= 0xFFFF:
        raise DecodeError("a PSS salt of no possible length", HRESULT.CRYPT_E_ASN1_CORRUPT)
    return SignatureAlgorithm("pss", hash_name, mgf_hash, salt)


def pss_identifier(entry: Hash) -> bytes:
    """The AlgorithmIdentifier of RSASSA-PSS with that hash, its MGF1 and a salt as long as the hash (RFC 4055)."""
    if entry.name == "sha1":
        return identifier(RSASSA_PSS, der.sequence_of(()))
    fields = (
        der.wrap(0xA0, entry.identifier),
        der.wrap(0xA1, identifier(MGF1, entry.identifier)),
        der.wrap(0xA2, der.integer(entry.algorithm.digest_size)),
    )
    return identifier(RSASSA_PSS, der.sequence_of(fields))


def algorithm_identifier(public_key: object, scheme: SignatureScheme) -> bytes:
    """The AlgorithmIdentifier of a signature that this key makes in this scheme (RFC 4055, RFC 5758).

    Raises:
        UnsupportedAlgorithm: the kind of key does not sign here, or not with that hash.
    """
    entry = hash_algorithm(scheme.hash_name)
    if isinstance(public_key, rsa.RSAPublicKey):
        return pss_identifier(entry) if scheme.pss else identifier(_RSA[entry.name], NULL_DER)
    if isinstance(public_key, ec.EllipticCurvePublicKey) and entry.name in _ECDSA:
        return identifier(_ECDSA[entry.name])
    raise UnsupportedAlgorithm(f"{type(public_key).__name__} does not sign with {entry.name}")


def signature_oid(family: str, hash_name: str, *, discrete: bool = False) -> str:
    """The dotted OID of a signature algorithm.

    Args:
        family: "rsa" or "ecdsa".
        hash_name: any name that hash_algorithm knows.
        discrete: the form whose hash stands in the parameters: RSASSA-PSS, or ECDSA with a specified hash.

    Raises:
        UnsupportedAlgorithm: the family does not sign with that hash.
    """
    if discrete:
        return RSASSA_PSS if family == "rsa" else ECDSA_SPECIFIED
    entry = hash_algorithm(hash_name)
    found = (_RSA if family == "rsa" else _ECDSA).get(entry.name)
    if found is None:
        raise UnsupportedAlgorithm(f"{family} does not sign with {entry.name}")
    return found


def key_identifier(public_key: object) -> bytes:
    """The AlgorithmIdentifier that names the key alone (rsaEncryption), as Windows writes it in a SignerInfo.

    Raises:
        UnsupportedAlgorithm: the key is not an RSA key. ECDSA signatures name their hash in Windows' messages too.
    """
    if not isinstance(public_key, rsa.RSAPublicKey):
        raise UnsupportedAlgorithm(f"{type(public_key).__name__} has no such identifier")
    return identifier(RSA_ENCRYPTION, NULL_DER)


def sign(private_key: object, scheme: SignatureScheme, data: bytes) -> tuple[bytes, bytes]:
    """Signs ``data``.

    Args:
        private_key: a pyca RSA or EC key, or a subclass whose key lives elsewhere.
        scheme: hash and padding.
        data: what is signed; it is hashed here.

    Returns:
        (AlgorithmIdentifier in DER, signature).

    Raises:
        UnsupportedAlgorithm: the kind of key does not sign here, or not in that scheme.
        Whatever the key's store raises goes through unchanged.
    """
    entry = hash_algorithm(scheme.hash_name)
    if isinstance(private_key, rsa.RSAPrivateKey):
        algorithm = algorithm_identifier(private_key.public_key(), scheme)
        return algorithm, bytes(private_key.sign(data, _rsa_padding(scheme, entry), entry.algorithm))
    if isinstance(private_key, ec.EllipticCurvePrivateKey):
        algorithm = algorithm_identifier(private_key.public_key(), scheme)
        return algorithm, bytes(private_key.sign(data, ec.ECDSA(entry.algorithm)))
    raise UnsupportedAlgorithm(f"{type(private_key).__name__} does not sign here")


def _rsa_padding(scheme: SignatureScheme, entry: Hash) -> padding.AsymmetricPadding:
    return padding.PSS(padding.MGF1(entry.algorithm), entry.algorithm.digest_size) if scheme.pss else padding.PKCS1v15()


def signer(private_key: object, scheme: SignatureScheme) -> SignFunction:
    """``sign`` with key and scheme held fast: what the builders of requests and messages take."""
    return lambda data: sign(private_key, scheme, data)


def null_signature(data: bytes, hash_name: str = "sha256") -> tuple[bytes, bytes]:
    """(AlgorithmIdentifier of the hash, hash of the data), as Windows writes where no key signs ("null-signed")."""
    entry = hash_algorithm(hash_name)
    return entry.identifier, entry.digest(data)


def load_public_key(public_key_info: bytes) -> PublicKey:
    """The pyca key of a SubjectPublicKeyInfo in DER.

    Raises:
        DecodeError: the bytes hold no key that makes sense.
        UnsupportedAlgorithm: a kind of key, or a curve, that is not known.
    """
    try:
        key = serialization.load_der_public_key(public_key_info)
    except exceptions.UnsupportedAlgorithm as error:
        raise UnsupportedAlgorithm(str(error)) from None
    except ValueError as error:
        raise DecodeError(f"no public key: {error}", HRESULT.CRYPT_E_ASN1_CORRUPT) from None
    if not isinstance(key, PublicKey):
        raise UnsupportedAlgorithm(f"{type(key).__name__} does not sign here")
    return key


def verify(
    public_key: object, algorithm: bytes, data: bytes, signature: bytes, *, digest: str = "", allow_null: bool = False
) -> None:
    """Verifies a signature.

    Args:
        public_key: a pyca public key. Not looked at where the signature is a null one.
        algorithm: the AlgorithmIdentifier in DER.
        data: what was signed.
        signature: the signature's octets.
        digest: the hash's name or OID where the algorithm names the key alone (rsaEncryption in a SignerInfo).
        allow_null: whether a mere hash of the data passes. It proves that nothing was changed by accident, not who made it.

    Raises:
        BadSignature: the signature does not fit.
        DecodeError: the AlgorithmIdentifier is malformed.
        UnsupportedAlgorithm: the algorithm or the kind of key is not known here.
    """
    found = read_algorithm(algorithm)
    if found.family == "null":
        _verify_null(found, data, signature, allow_null)
        return
    try:
        _verify_with_key(public_key, found, data, signature, digest)
    except exceptions.InvalidSignature:
        raise BadSignature("the signature does not fit the data and the key") from None
    except exceptions.UnsupportedAlgorithm as error:
        raise UnsupportedAlgorithm(str(error)) from None
    except ValueError as error:
        if isinstance(error, UnsupportedAlgorithm):
            raise
        raise BadSignature(f"no signature of this key: {error}") from None


def _verify_null(found: SignatureAlgorithm, data: bytes, signature: bytes, allow_null: bool) -> None:
    if not allow_null:
        raise BadSignature("a hash stands where a signature belongs")
    if not hmac.compare_digest(hash_algorithm(found.hash_name).digest(data), signature):
        raise BadSignature("the hash in the place of a signature does not fit")


def _verify_with_key(public_key: object, found: SignatureAlgorithm, data: bytes, signature: bytes, digest: str) -> None:
    if found.family == "ed25519" and isinstance(public_key, ed25519.Ed25519PublicKey):
        public_key.verify(signature, data)
        return
    entry = hash_algorithm(found.hash_name or digest)
    if found.family == "rsa" and isinstance(public_key, rsa.RSAPublicKey):
        public_key.verify(signature, data, padding.PKCS1v15(), entry.algorithm)
    elif found.family == "pss" and isinstance(public_key, rsa.RSAPublicKey):
        mask = padding.MGF1(hash_algorithm(found.mgf_hash_name).algorithm)
        public_key.verify(signature, data, padding.PSS(mask, found.salt_length), entry.algorithm)
    elif found.family == "ecdsa" and isinstance(public_key, ec.EllipticCurvePublicKey):
        public_key.verify(signature, data, ec.ECDSA(entry.algorithm))
    elif found.family == "dsa" and isinstance(public_key, dsa.DSAPublicKey):
        public_key.verify(signature, data, entry.algorithm)
    else:
        raise BadSignature(f"{type(public_key).__name__} makes no {found.family} signatures")
