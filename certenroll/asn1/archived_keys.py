"""Archived private keys as a CA opens them: the EnvelopedData that ``attributes.encode_archived_key`` writes, read.

Finds out whether the message is for this CA exchange certificate and of a kind that is archived; ``enveloped`` decrypts it.
Knows no private key's own format: what comes out is the blob that went in.

Sources: MS-WCCE 3.1.1.4.3.6.1 and 2.2.2.7.9 (the archived-key attribute).
"""

from certenroll.asn1 import enveloped
from certenroll.asn1.algorithms import UnsupportedAlgorithm
from certenroll.asn1.attributes import ARCHIVAL_CIPHERS
from certenroll.asn1.certificates import Certificate
from certenroll.asn1.der import DecodeError
from certenroll.asn1.enveloped import EnvelopedData
from certenroll.hresults import HRESULT


def decode(data: bytes) -> EnvelopedData:
    """Reads the value of an archived-key attribute, a ContentInfo with EnvelopedData in DER or BER. Raises DecodeError."""
    return enveloped.decode(data)


def open_key(data: bytes, certificate: Certificate, private_key: object) -> bytes:
    """Decrypts an archived key.

    Args:
        data: the attribute's value.
        certificate: the CA exchange certificate that it was encrypted for.
        private_key: its pyca RSA key, or a subclass whose key lives elsewhere.

    Returns:
        the blob that went in.

    Raises:
        DecodeError: the value is malformed; CRYPT_E_NOT_FOUND where it is encrypted for another certificate.
        UnsupportedAlgorithm: a cipher, a key transport or a kind of key that is not known here.
        BadSignature: what comes out is no plain text of that cipher (NTE_BAD_DATA).
        Whatever else the key's store raises goes through unchanged.
    """
    found = decode(data)
    if not any(one.is_named_by(certificate) for one in found.recipients):
        raise DecodeError("the key is encrypted for another CA exchange certificate", HRESULT.CRYPT_E_NOT_FOUND)
    if found.cipher not in ARCHIVAL_CIPHERS:
        raise UnsupportedAlgorithm(f"an archived key under {found.cipher} is not opened")
    return enveloped.open_enveloped(data, private_key, certificate.der)
