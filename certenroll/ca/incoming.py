"""What a CA reads from a message that asks for a certificate, whatever the kind of message.

A table says which reader takes which kind; every signature is verified on the way. Whether a signer may ask for what it asks
is judged elsewhere: ``renewal``, ``on_behalf``, ``policy``. Knows nothing of policies and of what is issued.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from certenroll.asn1 import algorithms, attributes, ber, cmc_controls, cmc_requests, der, extensions, pkcs7_requests, pkcs10
from certenroll.asn1.attestation import Evidence, evidence_of
from certenroll.asn1.attributes import NameValuePair
from certenroll.asn1.cmc import PKI_DATA
from certenroll.asn1.cmc_requests import CmcRequest, ForeignRequest, PkiData
from certenroll.asn1.der import DecodeError, EncodeError, Extension
from certenroll.asn1.pkcs7_requests import Pkcs7Request
from certenroll.asn1.pkcs10 import CertificationRequest
from certenroll.asn1.signed_messages import VerifiedSigner
from certenroll.hresults import HRESULT

FORMAT_MASK: Final = 0xFF00  # of CR_IN_*
PKCS10: Final = 0x100
KEYGEN: Final = 0x200
PKCS7: Final = 0x300
CMC: Final = 0x400
CHALLENGE_RESPONSE: Final = 0x500  # no request, but the answer to what a CA asked about one

MAX_SIZE: Final = 1 << 20

_KIND_NAMES: Final = {PKCS10: "PKCS #10", KEYGEN: "keygen", PKCS7: "PKCS #7", CMC: "CMC"}
_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
_TEMPLATE_ATTRIBUTE: Final = "certificatetemplate"
_REQUESTER: Final = "requestername"
_EXPLICIT_0: Final = 0xA0
# The controls of a CMC request that this CA acts on. RFC 5272 section 6 has a message refused that brings another one.
_CONTROLS: Final = frozenset(
    {
        cmc_controls.ADD_ATTRIBUTES,
        cmc_controls.ADD_EXTENSIONS,
        cmc_controls.TRANSACTION_ID,
        cmc_controls.SENDER_NONCE,
        cmc_controls.REG_INFO,
    }
)


class BadRequest(ValueError):
    """A message that is no request that this CA can read.

    Attributes:
        hresult: what is wrong with it, unsigned.
    """

    def __init__(self, message: str, hresult: int) -> None:
        super().__init__(message)
        self.hresult: Final = int(hresult)


@dataclass(frozen=True)
class Claim:
    """A name and a value that somebody says about the request.

    Attributes:
        pair: the name and the value.
        signers: those with a certificate whose signatures cover it.
    """

    pair: NameValuePair
    signers: tuple[VerifiedSigner, ...] = ()


@dataclass(frozen=True)
class Incoming:
    """One request, read and its signatures verified.

    Attributes:
        subject: DER of the Name; ``30 00`` where it is empty.
        public_key_info: DER of the SubjectPublicKeyInfo.
        extensions: the extensions that it asks for.
        templates: the templates that its own bytes name: names, or object identifiers in dots.
        claims: names and values in its own bytes.
        signers: whoever signed the message around the PKCS #10 request, the outermost message's first; also its own key.
        renewed: DER of the certificate that it says it renews, or None.
        archived_key: the encrypted private key that it brings for archival, or None.
        archived_key_hash: SHA-1 of that key as the request states it, or None.
        evidence: what it brings to prove that its key is in a TPM, or None.
        key_signed: whether its own key signed anything; where it did not, others answer for it.
    """

    subject: bytes
    public_key_info: bytes
    extensions: tuple[Extension, ...]
    templates: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    signers: tuple[VerifiedSigner, ...] = ()
    renewed: bytes | None = None
    archived_key: bytes | None = field(default=None, repr=False)
    archived_key_hash: bytes | None = None
    evidence: Evidence | None = None
    key_signed: bool = True

    def extension(self, oid: str) -> Extension | None:
        """The extension of that type, or None."""
        return next((one for one in self.extensions if one.oid == oid), None)

    @property
    def attributes(self) -> dict[str, str]:
        """The request attributes in its own bytes, without the names of those for whom it is made."""
        return {one.pair.name: one.pair.value for one in self.claims if one.pair.name.casefold() != _REQUESTER}

    @property
    def on_behalf(self) -> tuple[Claim, ...]:
        """What it says of whom it is made for."""
        return tuple(one for one in self.claims if one.pair.name.casefold() == _REQUESTER)


def read(message: bytes, flags: int = 0, *, key_is_kept: bool = False) -> Incoming:
    """Reads a request.

    Args:
        message: DER or BER.
        flags: CR_IN_*; its format bits say of which kind the message is, 0 for any kind.
        key_is_kept: whether the CA took the encrypted private key out of the message already.

    Raises:
        BadRequest: CRYPT_E_ASN1_* where the bytes are malformed, CRYPT_E_INVALID_MSG_TYPE where the kind is not the one
            that was said or is one that this CA does not take, NTE_BAD_SIGNATURE (CRYPT_E_HASH_VALUE, CRYPT_E_NO_SIGNER,
            CRYPT_E_SIGNER_NOT_FOUND) where a key did not sign what it should, NTE_BAD_ALGID where it did by an algorithm
            that is not known; of CMC requests ERROR_INVALID_DATA where not one certificate is asked for or a control is
            not known, CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL where a key and its hash do not both stand in their places.
    """
    if len(message) > MAX_SIZE:
        raise BadRequest(f"a request of {len(message)} bytes is longer than {MAX_SIZE}", HRESULT.WIN32_INVALID_DATA)
    try:
        found = kind_of(message)
        wanted = flags & FORMAT_MASK or found
        if wanted != found:
            raise _wrong_kind(f"the message is {_named(found)}, {_named(wanted)} was announced")
        if found not in READERS:
            raise _wrong_kind(f"{_named(found)} requests are not taken by this CA; submit a PKCS #10 or CMC request")
        return READERS[found](message, key_is_kept)
    except BadRequest:
        raise
    except (DecodeError, EncodeError, algorithms.BadSignature, algorithms.UnsupportedAlgorithm) as error:
        raise BadRequest(str(error), error.hresult) from error


# Readers -------------------------------------------------------------------------------------------------------------


def _read_pkcs10(message: bytes, _: bool) -> Incoming:
    request = pkcs10.decode(message)
    pkcs10.verify(request)
    return _incoming(request, request.extensions, tuple(Claim(pair) for pair in _own_pairs(request)))


def _read_pkcs7(message: bytes, _: bool) -> Incoming:
    request = pkcs7_requests.decode(message)
    signers = _real(pkcs7_requests.verify(request, allow_null=True))
    claims = tuple(_claims(request, signers))
    return _incoming(request.request, request.request.extensions, claims, signers, renewed=_renewed(request.request))


def _read_cmc(message: bytes, key_is_kept: bool) -> Incoming:
    request = cmc_requests.decode(message)
    levels = _levels(request)
    asked = cmc_requests.certification_request(request)
    signers = _real(cmc_requests.verify(request, allow_null=True))
    claims = tuple(claim for depth, level in enumerate(levels) for claim in _claims(level, signers, depth))
    bodies = [level.data for level in levels if isinstance(level, CmcRequest)]
    added = {one.oid: one for body in reversed(bodies) for one in body.extensions}  # the outermost message's stand
    wanted = (*(one for one in asked.extensions if one.oid not in added), *added.values())
    stated = request.data.archived_key_hash
    if stated is None and any(body.archived_key_hash for body in bodies):
        text = "the hash of an archived key stands in the outermost message"
        raise BadRequest(text, HRESULT.CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL)
    key = request.archived_key if key_is_kept else cmc_requests.verify_archived_key(request)
    return _incoming(
        asked, wanted, claims, signers, renewed=_renewed(asked), archived_key=key, archived_key_hash=stated
    )


def _incoming(
    request: CertificationRequest,
    wanted: tuple[Extension, ...],
    claims: tuple[Claim, ...],
    signers: tuple[VerifiedSigner, ...] = (),
    *,
    renewed: bytes | None = None,
    archived_key: bytes | None = None,
    archived_key_hash: bytes | None = None,
) -> Incoming:
    oids = [one.oid for one in wanted]
    if len(set(oids)) != len(oids):
        raise BadRequest("the request names an extension twice", HRESULT.CRYPT_E_ASN1_RULE)
    return Incoming(
        request.subject, request.public_key_info, wanted, _templates(claims, wanted), claims, signers, renewed,
        archived_key, archived_key_hash, evidence_of(request), _key_signed(request, signers),
    )  # fmt: skip


def _real(signers: tuple[VerifiedSigner, ...]) -> tuple[VerifiedSigner, ...]:
    """The signatures without the hashes that stand in the place of one. Somebody has to sign the outermost message."""
    found = tuple(one for one in signers if one.public_key_info)
    if not any(one.depth == 0 for one in found):
        raise BadRequest("a hash stands where a signature belongs, and nobody signs beside it", HRESULT.NTE_BAD_SIGNATURE)
    return found


def _key_signed(request: CertificationRequest, signers: tuple[VerifiedSigner, ...]) -> bool:
    """MS-WCCE 2.2.2.6.5 has a PKCS #10 inside a signed message carry a hash for a signature."""
    return not request.is_null_signed or any(one.public_key_info == request.public_key_info for one in signers)


def _renewed(request: CertificationRequest) -> bytes | None:
    """The certificate that a signed message renews. Raises BadRequest (CERTSRV_E_BAD_RENEWAL_CERT_ATTRIBUTE)."""
    try:
        return pkcs7_requests.renewal_certificate_of(request)
    except DecodeError as error:
        raise BadRequest(str(error), HRESULT.CERTSRV_E_BAD_RENEWAL_CERT_ATTRIBUTE) from error


def _levels(request: CmcRequest) -> list[CmcRequest | Pkcs7Request]:
    """The message and those inside it, the outermost first. Raises BadRequest where they do not stand one in the other."""
    found: list[CmcRequest | Pkcs7Request] = [request]
    while isinstance(found[-1], CmcRequest) and found[-1].data.nested:
        inner = cmc_requests.nested_requests(found[-1])
        if len(inner) > 1 or len(found) > cmc_requests.MAX_DEPTH:
            raise BadRequest("a CMC request asks for one certificate", HRESULT.WIN32_INVALID_DATA)
        found.extend(inner)
    for one in found:
        if isinstance(one, CmcRequest):
            _check_body(one)
    return found


def _check_body(request: CmcRequest) -> None:
    if any(isinstance(one, ForeignRequest) for one in request.data.requests) or request.data.others:
        raise BadRequest("this CA takes PKCS #10 requests in CMC, and no others", HRESULT.WIN32_INVALID_DATA)
    unknown = [one.oid for one in request.data.controls if one.oid not in _CONTROLS]
    if unknown:
        raise BadRequest(f"the control {unknown[0]} is not known to this CA", HRESULT.WIN32_INVALID_DATA)
    _ = request.data.transaction_id, request.data.sender_nonce  # what the response has to repeat


def _claims(
    level: CmcRequest | Pkcs7Request, signers: Iterable[VerifiedSigner], depth: int = 0
) -> Iterator[Claim]:
    """What a message says, and what the PKCS #10 request in it says; an outer signature covers all that is inside."""
    around = tuple(one for one in signers if one.depth <= depth and one.certificate is not None)
    if isinstance(level, Pkcs7Request):
        outer = tuple(one for one in around if one.depth < depth)
        for one in signers:
            if one.depth == depth:
                own = (one,) if one.certificate is not None else ()
                signed = one.signer.signed_values(attributes.NAME_VALUE_PAIR)
                yield from (Claim(pair, own + outer) for pair in _pairs(signed))
        requests = [level.request]
    else:
        added = [value for one in level.data.attributes if one.oid == attributes.NAME_VALUE_PAIR for value in one.values]
        yield from (Claim(pair, around) for pair in (*level.data.name_value_pairs, *_pairs(added)))
        requests = [one.request for one in level.data.requests if not isinstance(one, ForeignRequest)]
    yield from (Claim(pair, around) for request in requests for pair in _own_pairs(request))


def _own_pairs(request: CertificationRequest) -> list[NameValuePair]:
    return _pairs(request.values(attributes.NAME_VALUE_PAIR))


def _pairs(values: Iterable[bytes]) -> list[NameValuePair]:
    return [attributes.decode_name_value_pair(value) for value in values]


def _templates(claims: tuple[Claim, ...], found: tuple[Extension, ...]) -> tuple[str, ...]:
    named = [one.pair.value for one in claims if one.pair.name.casefold() == _TEMPLATE_ATTRIBUTE]
    named += [extensions.decode_template_name(one.value) for one in found if one.oid == extensions.TEMPLATE_NAME]
    named += [extensions.decode_template(one.value).oid for one in found if one.oid == extensions.TEMPLATE]
    return tuple(dict.fromkeys(name.strip() for name in named if name.strip()))


# Kind of message (the format bits of CR_IN_*) -> what reads it.
READERS: Final[dict[int, Callable[[bytes, bool], Incoming]]] = {
    PKCS10: _read_pkcs10,
    PKCS7: _read_pkcs7,
    CMC: _read_cmc,
}


def kind_of(message: bytes) -> int:
    """Of which kind a message is.

    PKCS #7 and CMC begin with an object identifier; in the others a SEQUENCE stands there that begins with a number.

    Raises:
        DecodeError: the bytes are malformed.
        BadRequest: the message is CMS, but not signed (CRYPT_E_INVALID_MSG_TYPE).
    """
    normal = ber.to_der(message)
    parts = der.children(normal, der.SEQUENCE)
    if parts and parts[0][0] == der.OBJECT_IDENTIFIER:
        if der.read_oid(parts[0]) != _SIGNED_DATA:
            raise _wrong_kind("the message is CMS, but not signed")
        return CMC if _content_type(parts) == PKI_DATA else PKCS7
    inner = der.children(parts[0], der.SEQUENCE) if parts else []
    return PKCS10 if inner and inner[0][0] == der.INTEGER else KEYGEN


def _content_type(parts: list[bytes]) -> str:
    """Of a SignedData: version, digest algorithms, then the content with its type."""
    signed = der.children(parts[1], _EXPLICIT_0) if len(parts) > 1 else []
    fields = der.children(signed[0], der.SEQUENCE) if signed else []
    content = der.children(fields[2], der.SEQUENCE) if len(fields) > 2 else []
    return der.read_oid(content[0] if content else b"")


def content_of(message: bytes) -> PkiData:
    """The content of a CMC request, as far as a response repeats it; an empty one for any other message, also a bad one."""
    try:
        found = cmc_requests.decode(message).data
        _ = found.transaction_id, found.sender_nonce
    except DecodeError:
        return PkiData()
    return found


def _wrong_kind(text: str) -> BadRequest:
    return BadRequest(text, HRESULT.CRYPT_E_INVALID_MSG_TYPE)


def _named(kind: int) -> str:
    return _KIND_NAMES.get(kind, f"a message of kind 0x{kind:X}")
