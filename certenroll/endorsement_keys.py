"""IX509EndorsementKey: the endorsement key of the machine's TPM, and the certificates for it.

Knows no TPM: the key store of the provider does the work (``keystores.base.Attester``). Microsoft's object has no context
of its own; certificates are added to the profile of the user who runs it.

Source: the nf-certenroll-ix509endorsementkey-* pages; docs/analysis/attestation.md says what was chosen beyond them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from certenroll.com import ComObject, stored
from certenroll.encodings import decode_text, encode_text
from certenroll.engine.opening import open_workspace
from certenroll.enums import EncodingType
from certenroll.errors import BadArgument, ComError
from certenroll.hresults import HRESULT
from keystores.base import Attester, EndorsementKey
from keystores.providers import PLATFORM_KSP, find_provider

if TYPE_CHECKING:
    from certenroll.public_keys import IX509PublicKey

BASE64 = EncodingType.XCN_CRYPT_STRING_BASE64


@dataclass(frozen=True)
class _Opened:
    """The key in hand, and the key store that it is in."""

    store: Attester
    key: EndorsementKey


class IX509EndorsementKey(ComObject):
    """The endorsement key of a TPM. Every member but ProviderName, Opened and Open wants it open."""

    def __init__(self) -> None:
        self._open_key: _Opened | None = None

    ProviderName = stored(
        "str", "_provider_name", PLATFORM_KSP, "The provider whose key it is; set before Open.", until="_open_key"
    )

    @property
    def Opened(self) -> bool:
        """Whether the key is open."""
        return self._open_key is not None

    @property
    def Length(self) -> int:
        """The length of the key in bits. Raises CERTSRV_E_PROPERTY_EMPTY where it is not open."""
        return self.ExportPublicKey().Length

    def Open(self) -> None:
        """Opens the endorsement key: the TPM's RSA key of 2048 bits.

        Raises:
            ComError: WIN32_BUSY where it is open already, NTE_KEYSET_NOT_DEF for a provider that is not known,
                NTE_NOT_SUPPORTED for one whose keys are in no TPM, TBS_E_TPM_NOT_FOUND where there is no TPM,
                WIN32_MOD_NOT_FOUND where the package for it is missing, and the TPM's own codes.
        """
        if self._open_key is not None:
            raise ComError(HRESULT.WIN32_BUSY, "the endorsement key is open already; call Close first")
        provider = find_provider(self.ProviderName)
        store = open_workspace().key_stores.get(provider.store)
        if not isinstance(store, Attester):
            raise ComError(HRESULT.NTE_NOT_SUPPORTED, f"{provider.name} has no endorsement key; {PLATFORM_KSP} has")
        self._open_key = _Opened(store, store.endorsement_key())

    def Close(self) -> None:
        """Lets go of the key; ProviderName stays, and can be set again. Raises CERTSRV_E_PROPERTY_EMPTY."""
        self._opened()
        self._open_key = None

    def ExportPublicKey(self) -> IX509PublicKey:
        """The public key. Raises CERTSRV_E_PROPERTY_EMPTY where it is not open."""
        from certenroll.public_keys import public_key_from_spki

        return public_key_from_spki(self._opened().key.public_key)

    def AddCertificate(self, Encoding: EncodingType, strCertificate: str | bytes) -> None:
        """Adds a certificate for this key. One that was added before stays as it is.

        Args:
            Encoding: how the text holds it.
            strCertificate: an X.509 certificate of the endorsement key.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY where the key is not open, CRYPT_E_ASN1_* where it is no certificate,
                NTE_BAD_PUBLIC_KEY where it is another key's, NTE_PERM where it is the manufacturer's.
        """
        opened = self._opened()
        opened.store.add_owned_certificate(opened.key, _certificate(strCertificate, Encoding))

    def RemoveCertificate(self, Encoding: EncodingType, strCertificate: str | bytes) -> None:
        """Removes a certificate that was added.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY where the key is not open, CRYPT_E_ASN1_* where it is no certificate,
                CRYPT_E_NOT_FOUND where it was not added, NTE_PERM where it is the manufacturer's.
        """
        opened = self._opened()
        opened.store.remove_owned_certificate(opened.key, _certificate(strCertificate, Encoding))

    def GetCertificateByIndex(
        self, ManufacturerOnly: bool, dwIndex: int, Encoding: EncodingType = BASE64
    ) -> str | bytes:
        """A certificate of the key.

        Args:
            ManufacturerOnly: True for those of the manufacturer, False for those that were added.
            dwIndex: which, counted from 0; GetCertificateCount of the same kind says how many there are.
            Encoding: how to write it.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY where the key is not open, WIN32_INVALID_INDEX where there is none.
        """
        found = self._certificates(ManufacturerOnly)
        if not 0 <= dwIndex < len(found):
            raise BadArgument(HRESULT.WIN32_INVALID_INDEX, f"index {dwIndex} of {len(found)} certificates", argerror=1)
        return encode_text(found[dwIndex], Encoding)

    def GetCertificateCount(self, ManufacturerOnly: bool) -> int:
        """How many certificates the key has: of the manufacturer, or (False) that were added.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY where the key is not open.
        """
        return len(self._certificates(ManufacturerOnly))

    def _certificates(self, manufacturers: bool) -> tuple[bytes, ...]:
        opened = self._opened()
        return opened.key.certificates if manufacturers else opened.store.owned_certificates(opened.key)

    def _opened(self) -> _Opened:
        if self._open_key is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the endorsement key is not open; call Open")
        return self._open_key


def _certificate(text: str | bytes, encoding: EncodingType) -> bytes:
    from certenroll.asn1.certificates import read_certificate

    return read_certificate(decode_text(text, encoding)).der
