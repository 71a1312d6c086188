"""Key archival: private keys that clients hand to the CA, checked, and kept so that key recovery agents alone read them.

    recovery/<SHA-1>.crt    the agents' certificates, PEM; each archived key is encrypted for all of them

The CA itself cannot open what it keeps. Knows no database and no policy. Source: MS-WCCE 3.1.1.4.3.6 (what the client
sends), 3.2.2.6.2.1.2 (the CA holds the key against the request's public key).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.serialization import pkcs7

from certenroll.asn1 import algorithms, archived_keys, cmc_requests
from certenroll.asn1.algorithms import BadSignature, UnsupportedAlgorithm
from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.der import DecodeError
from certenroll.ca.base import CAError
from certenroll.ca.exchange import Exchange
from certenroll.ca.incoming import Incoming
from certenroll.ca.policy import Denied
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.key_blobs import CAPI_PRIVATE, read_key
from certenroll.stores.atomic_files import write_atomically

KEY_RECOVERY_AGENT: Final = "1.3.6.1.4.1.311.21.6"  # szOID_KP_KEY_RECOVERY_AGENT
FOLDER: Final = "recovery"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

# The first octet of a blob -> its form: PRIVATEKEYBLOB of CryptoAPI, PKCS #8. Any other is a blob of CNG.
_FORMS: Final = {0x07: CAPI_PRIVATE, 0x30: "PKCS8_PRIVATEKEY"}


# Agents --------------------------------------------------------------------------------------------------------------


def add_agent(directory: Path, certificate: bytes, moment: datetime) -> None:
    """Makes somebody a key recovery agent of the CA in a folder; keys that are archived from now on open for them too.

    Args:
        directory: the CA's folder.
        certificate: the agent's, in DER: an RSA key, and a use as key recovery agent where it names its uses.
        moment: the time.

    Raises:
        CAError: CERTSRV_E_NO_VALID_KRA where the certificate cannot serve.
    """
    try:
        found = x509.load_der_x509_certificate(certificate)
    except ValueError as error:
        raise CAError(HRESULT.CERTSRV_E_NO_VALID_KRA, f"this is no certificate: {error}") from None
    if not _can_serve(found, moment):
        text = "a key recovery agent has an RSA certificate that is valid now and, where it names its uses, names that one"
        raise CAError(HRESULT.CERTSRV_E_NO_VALID_KRA, text)
    folder = directory / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    name = found.fingerprint(hashes.SHA1()).hex()  # noqa: S303 - a thumbprint
    write_atomically(folder / f"{name}.crt", found.public_bytes(serialization.Encoding.PEM))


def agents(directory: Path) -> tuple[x509.Certificate, ...]:
    """The certificates of all agents, past ones too. Raises CAError (CERTSRV_E_NO_VALID_KRA) where a file is malformed."""
    paths = sorted((directory / FOLDER).glob("*.crt"))
    try:
        return tuple(x509.load_pem_x509_certificate(path.read_bytes()) for path in paths)
    except ValueError as error:
        raise CAError(HRESULT.CERTSRV_E_NO_VALID_KRA, f"{directory / FOLDER}: {error}") from None


def _can_serve(certificate: x509.Certificate, moment: datetime) -> bool:
    if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
        return False
    try:
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        uses = None
    except ValueError:
        return False
    named = uses is None or any(one.dotted_string == KEY_RECOVERY_AGENT for one in uses)
    return named and isinstance(certificate.public_key(), rsa.RSAPublicKey)


# Archiving -----------------------------------------------------------------------------------------------------------


def archived(incoming: Incoming, exchange: Exchange, directory: Path, moment: datetime) -> bytes:
    """The private key that a request brings, checked and encrypted for the agents: EnvelopedData in DER.

    Args:
        incoming: a request with an encrypted key.
        exchange: the CA's exchange certificates.
        directory: the CA's folder.
        moment: the time.

    Raises:
        Denied: CERTSRV_E_KEY_ARCHIVAL_NOT_CONFIGURED where the CA has no agents, CERTSRV_E_NO_VALID_KRA where none can
            serve now, CRYPT_E_NOT_FOUND where the key is encrypted for no exchange certificate of this CA, NTE_BAD_DATA
            where it does not open, CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL where it is not the key of the request.
    """
    known = agents(directory)
    if not known:
        text = "this CA has no key recovery agent: xenroll ca recovery-agent FILE makes one"
        raise Denied(HRESULT.CERTSRV_E_KEY_ARCHIVAL_NOT_CONFIGURED, text)
    serving = [one for one in known if _can_serve(one, moment)]
    if not serving:
        raise Denied(HRESULT.CERTSRV_E_NO_VALID_KRA, "no key recovery agent of this CA has a certificate that is valid now")
    blob = _opened(incoming.archived_key or b"", exchange)
    if _read(blob).public_key() != algorithms.load_public_key(incoming.public_key_info):
        raise Denied(HRESULT.CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL, "the archived key is not the key of the request")
    return _sealed(blob, serving)


def _opened(data: bytes, exchange: Exchange) -> bytes:
    try:
        for one in archived_keys.decode(data).recipients:
            found = exchange.find(one.issuer, one.serial)
            if found is not None:
                return archived_keys.open_key(data, *found)
    except (DecodeError, BadSignature, UnsupportedAlgorithm) as error:
        raise Denied(error.hresult, str(error)) from error
    raise Denied(HRESULT.CRYPT_E_NOT_FOUND, "the archived key is encrypted for no exchange certificate of this CA")


def _read(blob: bytes) -> PrivateKey:
    try:
        key = read_key(_FORMS.get(blob[0] if blob else 0, "PRIVATEBLOB"), blob)
    except ComError:
        text = "the archived key is in no form that this CA reads"
        raise Denied(HRESULT.CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL, text) from None
    return key


def _sealed(blob: bytes, recipients: list[x509.Certificate]) -> bytes:
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(blob).set_content_encryption_algorithm(AES256)
    for one in recipients:
        builder = builder.add_recipient(one)
    return builder.encrypt(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])


def without_key(request: bytes) -> bytes:
    """A CMC request as it is kept once its key is archived: without the encrypted key. Raises DecodeError."""
    return cmc_requests.encode(cmc_requests.without_archived_key(cmc_requests.decode(request)))


# Recovering ----------------------------------------------------------------------------------------------------------


def recovered(sealed: bytes, directory: Path, agent_key: object) -> PrivateKey:
    """An archived private key.

    Args:
        sealed: what ``archived`` gave.
        directory: the CA's folder.
        agent_key: the pyca key of one of the agents.

    Raises:
        CAError: NTE_BAD_KEY where it is the key of no agent, CRYPT_E_NOT_FOUND where the key was archived before that agent
            became one, NTE_BAD_DATA where it does not open.
    """
    own = [one for one in agents(directory) if _is_pair(one, agent_key)]
    if not own:
        raise CAError(HRESULT.NTE_BAD_KEY, "this is not the key of a key recovery agent of this CA")
    try:
        recipients = {(one.issuer, one.serial) for one in archived_keys.decode(sealed).recipients}
        mine = [one for one in map(_wire, own) if (one.issuer, one.serial) in recipients]
        if not mine:
            raise CAError(HRESULT.CRYPT_E_NOT_FOUND, "the key was not archived for this key recovery agent")
        return _read(archived_keys.open_key(sealed, mine[0], agent_key))
    except (DecodeError, BadSignature, UnsupportedAlgorithm, Denied) as error:
        raise CAError(error.hresult, str(error)) from error


def _is_pair(certificate: x509.Certificate, key: object) -> bool:
    return isinstance(key, rsa.RSAPrivateKey) and key.public_key() == certificate.public_key()


def _wire(certificate: x509.Certificate) -> Certificate:
    return read_certificate(certificate.public_bytes(serialization.Encoding.DER))
