"""The IX509PrivateKey of a key that is in a key store already, as a certificate's key property names it.

Knows key properties and the private key object; nothing of signing.
"""

from __future__ import annotations

from certenroll.enums import EncodingType, X509KeySpec, X509ProviderType
from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed
from certenroll.private_keys import IX509PrivateKey
from certenroll.stores.properties import KeyProviderInfo
from keystores.base import Scope, Secret
from keystores.routing import location_of

_BINARY = EncodingType.XCN_CRYPT_STRING_BINARY


def private_key_object(info: KeyProviderInfo, certificate: bytes = b"", pin: Secret | None = None) -> IX509PrivateKey:
    """A private key object that stands for an existing key; it is not open yet.

    Args:
        info: where the key is.
        certificate: DER of its certificate; Open then refuses another key (NTE_BAD_PUBLIC_KEY). Empty for none.
        pin: the PIN of the key or the card, or None for the profile's.
    """
    key = IX509PrivateKey()
    key.MachineContext = info.scope is Scope.MACHINE
    key.ProviderName = info.provider_name
    key.ProviderType = X509ProviderType(info.provider_type)
    key.KeySpec = X509KeySpec(info.key_spec)
    key.ContainerName = info.container
    key.KeyLocation = int(location_of(info.store, None))
    key.Existing = True
    if certificate:
        key.SetCertificate(_BINARY, certificate)
    if pin is not None:
        key.Pin = pin.reveal()
    return key


def open_private_key(key: IX509PrivateKey) -> None:
    """Opens ``key`` where it is not open.

    Raises:
        ComError: CRYPT_E_UNEXPECTED_MSG_TYPE where its container is gone, and what IX509PrivateKey.Open raises besides.
    """
    if key.Opened:
        return
    try:
        key.Open()
    except ComError as error:
        if error.hresult != signed(HRESULT.NTE_BAD_KEYSET):
            raise
        raise ComError(HRESULT.CRYPT_E_UNEXPECTED_MSG_TYPE, f"the private key is gone: {error.detail}") from error
