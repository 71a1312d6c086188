"""Private keys on a PKCS#11 smart card or token: ``SmartCardKeyStore``.

``uri`` names tokens, ``module`` loads the library, ``token`` finds the card and logs in, ``objects`` knows how a key lies
on it, ``containers`` and ``certificates`` work on those, ``keys`` are the pyca keys handed out, ``errors`` turns what the
library answers into the errors of key stores. Importing this needs no ``pkcs11`` package; using a card does.
"""

from keystores.smartcard.store import SmartCardKeyStore

__all__ = ["SmartCardKeyStore"]
