"""Private keys in software, in a TPM 2.0 and on a PKCS#11 smart card, chosen by KeyLocation.

Knows no certificate requests and no COM. ``base`` says what a key store is, ``routing`` which one a location means,
``software``, ``tpm`` and ``smartcard`` are the three; the packages of the latter two load when they are first used.
"""
