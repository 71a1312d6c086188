"""The control's defaults and the numbers of wincrypt.h that its properties are made of. Data only.

Source: the nf-xenroll-icenroll*-get_* pages for the defaults; the pages of CryptGenKey, CryptAcquireContext,
CertOpenStore and ALG_ID for the flags.
"""

from __future__ import annotations

from typing import Final

PROV_RSA_FULL: Final = 1
AT_KEYEXCHANGE: Final = 1
AT_SIGNATURE: Final = 2

# Stores
SYSTEM_STORE: Final = "System"  # sz_CERT_STORE_PROV_SYSTEM
CURRENT_USER: Final = 0x10000  # CERT_SYSTEM_STORE_CURRENT_USER
LOCAL_MACHINE: Final = 0x20000  # CERT_SYSTEM_STORE_LOCAL_MACHINE
LOCATION_MASK: Final = 0xFF0000
MACHINE_LOCATIONS: Final = frozenset({0x20000, 0x80000, 0x90000})  # LOCAL_MACHINE, its group policy, its enterprise

# ProviderFlags: CryptAcquireContext
CRYPT_MACHINE_KEYSET: Final = 0x20

# GenKeyFlags: CryptGenKey. The upper 16 bits are the length of the key in bits, 0 for the provider's default.
CRYPT_EXPORTABLE: Final = 0x1
CRYPT_USER_PROTECTED: Final = 0x2
CRYPT_ARCHIVABLE: Final = 0x4000
CRYPT_FORCE_KEY_PROTECTION_HIGH: Final = 0x8000

# A bit of GenKeyFlags -> the bits of IX509PrivateKey.ExportPolicy and of its KeyProtection.
EXPORT_POLICY: Final = {CRYPT_EXPORTABLE: 0x3, CRYPT_ARCHIVABLE: 0x4}
KEY_PROTECTION: Final = {CRYPT_USER_PROTECTED: 0x1, CRYPT_FORCE_KEY_PROTECTION_HIGH: 0x2}

# HashAlgorithm reads so before it is set.
DEFAULT_HASH: Final = "1.3.14.3.2.29"

# Object id of a signature algorithm, which HashAlgorithm takes in the place of a hash -> the name of the hash.
SIGNATURE_HASHES: Final = {
    "1.3.14.3.2.3": "MD5",
    "1.3.14.3.2.29": "SHA1",
    "1.2.840.113549.1.1.2": "MD2",
    "1.2.840.113549.1.1.4": "MD5",
    "1.2.840.113549.1.1.5": "SHA1",
    "1.2.840.113549.1.1.11": "SHA256",
    "1.2.840.113549.1.1.12": "SHA384",
    "1.2.840.113549.1.1.13": "SHA512",
}
# Hashes that the control knows and no provider here has: SHA1 is tried in their place.
WITHOUT_PROVIDER: Final = frozenset({"MD2", "MD4", "1.2.840.113549.2.2", "1.2.840.113549.2.4"})

# The name that ICspAlgorithm gives an algorithm -> its ALG_ID. Bits 13 to 15 are the class.
ALG_CLASS_MASK: Final = 0xE000
ALG_IDS: Final = {
    "MD2": 0x8001,
    "MD4": 0x8002,
    "MD5": 0x8003,
    "SHA-1": 0x8004,
    "SHA1": 0x8004,
    "MAC": 0x8005,
    "SSL3 SHAMD5": 0x8008,
    "HMAC": 0x8009,
    "SHA-256": 0x800C,
    "SHA256": 0x800C,
    "SHA-384": 0x800D,
    "SHA384": 0x800D,
    "SHA-512": 0x800E,
    "SHA512": 0x800E,
    "DES": 0x6601,
    "RC2": 0x6602,
    "3DES": 0x6603,
    "DESX": 0x6604,
    "3DES TWO KEY": 0x6609,
    "3DES_112": 0x6609,
    "CYLINK MEK": 0x660C,
    "AES 128": 0x660E,
    "AES 192": 0x660F,
    "AES 256": 0x6610,
    "AES": 0x6611,
    "RC4": 0x6801,
    "DSA_SIGN": 0x2200,
    "RSA_SIGN": 0x2400,
    "RSA_KEYX": 0xA400,
    "DH_KEYX": 0xAA01,
    "DH_EPHEM": 0xAA02,
}
# ALG_ID of a hash -> the name that HashAlgorithm takes, and how it reads back.
HASHES_BY_ID: Final = {
    0x8001: ("MD2", "1.2.840.113549.2.2"),
    0x8002: ("MD4", "1.2.840.113549.2.4"),
    0x8003: ("MD5", "1.2.840.113549.2.5"),
    0x8004: ("SHA1", "1.3.14.3.2.26"),
    0x800C: ("SHA256", "2.16.840.1.101.3.4.2.1"),
    0x800D: ("SHA384", "2.16.840.1.101.3.4.2.2"),
    0x800E: ("SHA512", "2.16.840.1.101.3.4.2.3"),
}

# KeyUsage bits (X509KeyUsageFlags) of a request: by KeySpec, and for an exchange key that is limited to encipherment.
SIGNATURE_USAGE: Final = 0x80 | 0x40
ENCIPHERMENT_USAGE: Final = 0x20 | 0x10
EXCHANGE_USAGE: Final = SIGNATURE_USAGE | ENCIPHERMENT_USAGE

SUBJECT_KEY_IDENTIFIER: Final = "2.5.29.14"
KEY_USAGE: Final = "2.5.29.15"
EXTENDED_KEY_USAGE: Final = "2.5.29.37"
NAME_VALUE_PAIR: Final = "1.3.6.1.4.1.311.13.2.1"
CLIENT_INFO: Final = "1.3.6.1.4.1.311.21.20"
