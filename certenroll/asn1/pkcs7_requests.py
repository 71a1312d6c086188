"""PKCS #7 requests: a PKCS #10 request inside a SignedData, as Windows renews and enrolls on behalf of others.

Bytes to a frozen value and back, octet for octet, and every signature verified. Knows no policy: whether the signer may
renew, or ask for another, is judged above.

Source: MS-WCCE 2.2.2.6.2 and 3.1.1.4.3 (a renewal's first signature is the old key's; an agent signs RequesterName), and
the two samples that Microsoft's "PKCS #7 ... Encoded ASN.1" pages print.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from certenroll.asn1 import attributes, cms, pkcs10
from certenroll.asn1.algorithms import SignatureScheme, SignFunction
from certenroll.asn1.attributes import NAME_VALUE_PAIR, RENEWAL_CERTIFICATE, NameValuePair
from certenroll.asn1.certificates import Certificate
from certenroll.asn1.cms import NewSigner, SignedData
from certenroll.asn1.der import Attribute
from certenroll.asn1.pkcs10 import CertificationRequest
from certenroll.asn1.signed_messages import Envelope, VerifiedSigner, envelope_of, new_signer, open_message, verify_signers
from certenroll.asn1.signed_messages import encode as encode_message


@dataclass(frozen=True, slots=True)
class Pkcs7Request:
    """A PKCS #7 request, field by field.

    Attributes:
        request: the PKCS #10 request inside.
        envelope: version, certificates and signers of the message around it.
    """

    request: CertificationRequest
    envelope: Envelope

    @property
    def signed(self) -> SignedData:
        """The message as a SignedData, its content encoded from ``request``."""
        return self.envelope.around(cms.DATA, pkcs10.encode(self.request))

    @property
    def name_value_pairs(self) -> tuple[NameValuePair, ...]:
        """The pairs that the signers signed, RequesterName among them. Raises DecodeError where one is malformed."""
        values = (value for one in self.envelope.signers for value in one.signed_values(NAME_VALUE_PAIR))
        return tuple(attributes.decode_name_value_pair(value) for value in values)

    @property
    def renewal_certificate(self) -> bytes | None:
        """DER of the certificate that is renewed, or None. Raises DecodeError where it has another shape."""
        return renewal_certificate_of(self.request)


def renewal_certificate_of(request: CertificationRequest) -> bytes | None:
    """DER of the certificate that a PKCS #10 request says it renews, or None.

    Raises:
        DecodeError: what stands there has not the shape of a certificate.
    """
    values = request.values(RENEWAL_CERTIFICATE)
    return attributes.check_certificate(values[0]) if values else None


def decode(data: bytes) -> Pkcs7Request:
    """Reads a PKCS #7 request in DER or BER. The PKCS #10 inside is in DER.

    Raises:
        DecodeError: the bytes are none; CRYPT_E_INVALID_MSG_TYPE where they are a message of another kind.
    """
    envelope, content = open_message(data, cms.DATA)
    return Pkcs7Request(pkcs10.decode(content), envelope)


def encode(request: Pkcs7Request) -> bytes:
    """The message in DER, put together from the fields. Raises EncodeError on a malformed OID."""
    return encode_message(request.signed)


def build(
    request: CertificationRequest, signers: Sequence[NewSigner], certificates: Iterable[bytes] = ()
) -> Pkcs7Request:
    """Signs a PKCS #10 request.

    Args:
        request: what is asked for.
        signers: in the order in which they shall stand, see ``renewal_signer`` and ``agent_signer``.
        certificates: of the signers, each in DER.

    Raises:
        EncodeError: a signer without a name.
        Whatever a signer's ``sign`` raises goes through unchanged.
    """
    message = cms.encode_signed_data(cms.DATA, pkcs10.encode(request), signers, certificates)
    return Pkcs7Request(request, envelope_of(cms.decode_signed_data(message)))


def renewal_signer(
    public_key: object, scheme: SignatureScheme, sign: SignFunction, certificate: Certificate
) -> NewSigner:
    """The old key's signature over a renewal: no signed attributes, the certificate named by issuer and serial number.

    Args:
        public_key: the pyca key of the certificate to be renewed.
        scheme: how it signs.
        sign: takes octets, gives (AlgorithmIdentifier in DER, signature).
        certificate: the one to be renewed.
    """
    return new_signer(public_key, scheme, sign, certificate=certificate, with_attributes=False)


def agent_signer(
    public_key: object,
    scheme: SignatureScheme,
    sign: SignFunction,
    certificate: Certificate,
    pairs: Iterable[NameValuePair] = (),
) -> NewSigner:
    """An enrollment agent's signature, which covers names and values such as RequesterName.

    Args:
        public_key: the pyca key of the agent.
        scheme: how it signs.
        sign: takes octets, gives (AlgorithmIdentifier in DER, signature).
        certificate: the agent's.
        pairs: each becomes a signed attribute of its own.

    Raises:
        EncodeError: a pair whose text is no UTF-16.
    """
    own = tuple(Attribute(NAME_VALUE_PAIR, (attributes.encode_name_value_pair(pair),)) for pair in pairs)
    return new_signer(public_key, scheme, sign, certificate=certificate, attributes=own)


def verify(
    request: Pkcs7Request, certificates: Iterable[bytes] = (), *, allow_null: bool = False, depth: int = 0
) -> tuple[VerifiedSigner, ...]:
    """Verifies the PKCS #10 inside and every signer around it.

    Args:
        request: as it was decoded.
        certificates: in DER, of signers whose certificates the message does not bring.
        allow_null: whether a hash passes in the place of a signature.
        depth: what VerifiedSigner.depth shall say.

    Raises:
        BadSignature, DecodeError, UnsupportedAlgorithm: as ``signed_messages.verify_signers``.
    """
    pkcs10.verify(request.request, allow_null=allow_null)
    renewed = request.renewal_certificate
    known = (*certificates, *((renewed,) if renewed is not None else ()))
    return verify_signers(request.signed, (request.request,), known, allow_null=allow_null, depth=depth)
