"""CERTENROLL_OBJECTID with the dotted value of each member, and the names that Windows knows an object identifier by.

Tables and look-ups over them: long because Microsoft's lists are. Knows no COM. Sources: Microsoft's page of
CERTENROLL_OBJECTID for members and numbers, the szOID_* constants of wincrypt.h (as mingw-w64 publishes them, public
domain) for dotted values, the pages of CRYPT_OID_INFO and "CNG Algorithm Identifiers" for names.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from certenroll.enums import ObjectIdGroupId, ObjectIdPublicKeyFlags


class CERTENROLL_OBJECTID(IntEnum):
    """Microsoft's numbers for well-known object identifiers; ``.dotted`` is the identifier, "" for XCN_OID_NONE.

    The three members named PREFIX stand for an arc, without the dot that their constants end in.
    """

    dotted: str

    def __new__(cls, value: int, dotted: str) -> "CERTENROLL_OBJECTID":
        member = int.__new__(cls, value)
        member._value_ = value
        member.dotted = dotted
        return member

    XCN_OID_NONE = 0, ""
    XCN_OID_RSA = 1, "1.2.840.113549"
    XCN_OID_PKCS = 2, "1.2.840.113549.1"
    XCN_OID_RSA_HASH = 3, "1.2.840.113549.2"
    XCN_OID_RSA_ENCRYPT = 4, "1.2.840.113549.3"
    XCN_OID_PKCS_1 = 5, "1.2.840.113549.1.1"
    XCN_OID_PKCS_2 = 6, "1.2.840.113549.1.2"
    XCN_OID_PKCS_3 = 7, "1.2.840.113549.1.3"
    XCN_OID_PKCS_4 = 8, "1.2.840.113549.1.4"
    XCN_OID_PKCS_5 = 9, "1.2.840.113549.1.5"
    XCN_OID_PKCS_6 = 10, "1.2.840.113549.1.6"
    XCN_OID_PKCS_7 = 11, "1.2.840.113549.1.7"
    XCN_OID_PKCS_8 = 12, "1.2.840.113549.1.8"
    XCN_OID_PKCS_9 = 13, "1.2.840.113549.1.9"
    XCN_OID_PKCS_10 = 14, "1.2.840.113549.1.10"
    XCN_OID_PKCS_12 = 15, "1.2.840.113549.1.12"
    XCN_OID_RSA_RSA = 16, "1.2.840.113549.1.1.1"
    XCN_OID_RSA_MD2RSA = 17, "1.2.840.113549.1.1.2"
    XCN_OID_RSA_MD4RSA = 18, "1.2.840.113549.1.1.3"
    XCN_OID_RSA_MD5RSA = 19, "1.2.840.113549.1.1.4"
    XCN_OID_RSA_SHA1RSA = 20, "1.2.840.113549.1.1.5"
    XCN_OID_RSA_SETOAEP_RSA = 21, "1.2.840.113549.1.1.6"
    XCN_OID_RSA_DH = 22, "1.2.840.113549.1.3.1"
    XCN_OID_RSA_data = 23, "1.2.840.113549.1.7.1"
    XCN_OID_RSA_signedData = 24, "1.2.840.113549.1.7.2"
    XCN_OID_RSA_envelopedData = 25, "1.2.840.113549.1.7.3"
    XCN_OID_RSA_signEnvData = 26, "1.2.840.113549.1.7.4"
    XCN_OID_RSA_digestedData = 27, "1.2.840.113549.1.7.5"
    XCN_OID_RSA_hashedData = 28, "1.2.840.113549.1.7.5"
    XCN_OID_RSA_encryptedData = 29, "1.2.840.113549.1.7.6"
    XCN_OID_RSA_emailAddr = 30, "1.2.840.113549.1.9.1"
    XCN_OID_RSA_unstructName = 31, "1.2.840.113549.1.9.2"
    XCN_OID_RSA_contentType = 32, "1.2.840.113549.1.9.3"
    XCN_OID_RSA_messageDigest = 33, "1.2.840.113549.1.9.4"
    XCN_OID_RSA_signingTime = 34, "1.2.840.113549.1.9.5"
    XCN_OID_RSA_counterSign = 35, "1.2.840.113549.1.9.6"
    XCN_OID_RSA_challengePwd = 36, "1.2.840.113549.1.9.7"
    XCN_OID_RSA_unstructAddr = 37, "1.2.840.113549.1.9.8"
    XCN_OID_RSA_extCertAttrs = 38, "1.2.840.113549.1.9.9"
    XCN_OID_RSA_certExtensions = 39, "1.2.840.113549.1.9.14"
    XCN_OID_RSA_SMIMECapabilities = 40, "1.2.840.113549.1.9.15"
    XCN_OID_RSA_preferSignedData = 41, "1.2.840.113549.1.9.15.1"
    XCN_OID_RSA_SMIMEalg = 42, "1.2.840.113549.1.9.16.3"
    XCN_OID_RSA_SMIMEalgESDH = 43, "1.2.840.113549.1.9.16.3.5"
    XCN_OID_RSA_SMIMEalgCMS3DESwrap = 44, "1.2.840.113549.1.9.16.3.6"
    XCN_OID_RSA_SMIMEalgCMSRC2wrap = 45, "1.2.840.113549.1.9.16.3.7"
    XCN_OID_RSA_MD2 = 46, "1.2.840.113549.2.2"
    XCN_OID_RSA_MD4 = 47, "1.2.840.113549.2.4"
    XCN_OID_RSA_MD5 = 48, "1.2.840.113549.2.5"
    XCN_OID_RSA_RC2CBC = 49, "1.2.840.113549.3.2"
    XCN_OID_RSA_RC4 = 50, "1.2.840.113549.3.4"
    XCN_OID_RSA_DES_EDE3_CBC = 51, "1.2.840.113549.3.7"
    XCN_OID_RSA_RC5_CBCPad = 52, "1.2.840.113549.3.9"
    XCN_OID_ANSI_X942 = 53, "1.2.840.10046"
    XCN_OID_ANSI_X942_DH = 54, "1.2.840.10046.2.1"
    XCN_OID_X957 = 55, "1.2.840.10040"
    XCN_OID_X957_DSA = 56, "1.2.840.10040.4.1"
    XCN_OID_X957_SHA1DSA = 57, "1.2.840.10040.4.3"
    XCN_OID_DS = 58, "2.5"
    XCN_OID_DSALG = 59, "2.5.8"
    XCN_OID_DSALG_CRPT = 60, "2.5.8.1"
    XCN_OID_DSALG_HASH = 61, "2.5.8.2"
    XCN_OID_DSALG_SIGN = 62, "2.5.8.3"
    XCN_OID_DSALG_RSA = 63, "2.5.8.1.1"
    XCN_OID_OIW = 64, "1.3.14"
    XCN_OID_OIWSEC = 65, "1.3.14.3.2"
    XCN_OID_OIWSEC_md4RSA = 66, "1.3.14.3.2.2"
    XCN_OID_OIWSEC_md5RSA = 67, "1.3.14.3.2.3"
    XCN_OID_OIWSEC_md4RSA2 = 68, "1.3.14.3.2.4"
    XCN_OID_OIWSEC_desECB = 69, "1.3.14.3.2.6"
    XCN_OID_OIWSEC_desCBC = 70, "1.3.14.3.2.7"
    XCN_OID_OIWSEC_desOFB = 71, "1.3.14.3.2.8"
    XCN_OID_OIWSEC_desCFB = 72, "1.3.14.3.2.9"
    XCN_OID_OIWSEC_desMAC = 73, "1.3.14.3.2.10"
    XCN_OID_OIWSEC_rsaSign = 74, "1.3.14.3.2.11"
    XCN_OID_OIWSEC_dsa = 75, "1.3.14.3.2.12"
    XCN_OID_OIWSEC_shaDSA = 76, "1.3.14.3.2.13"
    XCN_OID_OIWSEC_mdc2RSA = 77, "1.3.14.3.2.14"
    XCN_OID_OIWSEC_shaRSA = 78, "1.3.14.3.2.15"
    XCN_OID_OIWSEC_dhCommMod = 79, "1.3.14.3.2.16"
    XCN_OID_OIWSEC_desEDE = 80, "1.3.14.3.2.17"
    XCN_OID_OIWSEC_sha = 81, "1.3.14.3.2.18"
    XCN_OID_OIWSEC_mdc2 = 82, "1.3.14.3.2.19"
    XCN_OID_OIWSEC_dsaComm = 83, "1.3.14.3.2.20"
    XCN_OID_OIWSEC_dsaCommSHA = 84, "1.3.14.3.2.21"
    XCN_OID_OIWSEC_rsaXchg = 85, "1.3.14.3.2.22"
    XCN_OID_OIWSEC_keyHashSeal = 86, "1.3.14.3.2.23"
    XCN_OID_OIWSEC_md2RSASign = 87, "1.3.14.3.2.24"
    XCN_OID_OIWSEC_md5RSASign = 88, "1.3.14.3.2.25"
    XCN_OID_OIWSEC_sha1 = 89, "1.3.14.3.2.26"
    XCN_OID_OIWSEC_dsaSHA1 = 90, "1.3.14.3.2.27"
    XCN_OID_OIWSEC_dsaCommSHA1 = 91, "1.3.14.3.2.28"
    XCN_OID_OIWSEC_sha1RSASign = 92, "1.3.14.3.2.29"
    XCN_OID_OIWDIR = 93, "1.3.14.7.2"
    XCN_OID_OIWDIR_CRPT = 94, "1.3.14.7.2.1"
    XCN_OID_OIWDIR_HASH = 95, "1.3.14.7.2.2"
    XCN_OID_OIWDIR_SIGN = 96, "1.3.14.7.2.3"
    XCN_OID_OIWDIR_md2 = 97, "1.3.14.7.2.2.1"
    XCN_OID_OIWDIR_md2RSA = 98, "1.3.14.7.2.3.1"
    XCN_OID_INFOSEC = 99, "2.16.840.1.101.2.1"
    XCN_OID_INFOSEC_sdnsSignature = 100, "2.16.840.1.101.2.1.1.1"
    XCN_OID_INFOSEC_mosaicSignature = 101, "2.16.840.1.101.2.1.1.2"
    XCN_OID_INFOSEC_sdnsConfidentiality = 102, "2.16.840.1.101.2.1.1.3"
    XCN_OID_INFOSEC_mosaicConfidentiality = 103, "2.16.840.1.101.2.1.1.4"
    XCN_OID_INFOSEC_sdnsIntegrity = 104, "2.16.840.1.101.2.1.1.5"
    XCN_OID_INFOSEC_mosaicIntegrity = 105, "2.16.840.1.101.2.1.1.6"
    XCN_OID_INFOSEC_sdnsTokenProtection = 106, "2.16.840.1.101.2.1.1.7"
    XCN_OID_INFOSEC_mosaicTokenProtection = 107, "2.16.840.1.101.2.1.1.8"
    XCN_OID_INFOSEC_sdnsKeyManagement = 108, "2.16.840.1.101.2.1.1.9"
    XCN_OID_INFOSEC_mosaicKeyManagement = 109, "2.16.840.1.101.2.1.1.10"
    XCN_OID_INFOSEC_sdnsKMandSig = 110, "2.16.840.1.101.2.1.1.11"
    XCN_OID_INFOSEC_mosaicKMandSig = 111, "2.16.840.1.101.2.1.1.12"
    XCN_OID_INFOSEC_SuiteASignature = 112, "2.16.840.1.101.2.1.1.13"
    XCN_OID_INFOSEC_SuiteAConfidentiality = 113, "2.16.840.1.101.2.1.1.14"
    XCN_OID_INFOSEC_SuiteAIntegrity = 114, "2.16.840.1.101.2.1.1.15"
    XCN_OID_INFOSEC_SuiteATokenProtection = 115, "2.16.840.1.101.2.1.1.16"
    XCN_OID_INFOSEC_SuiteAKeyManagement = 116, "2.16.840.1.101.2.1.1.17"
    XCN_OID_INFOSEC_SuiteAKMandSig = 117, "2.16.840.1.101.2.1.1.18"
    XCN_OID_INFOSEC_mosaicUpdatedSig = 118, "2.16.840.1.101.2.1.1.19"
    XCN_OID_INFOSEC_mosaicKMandUpdSig = 119, "2.16.840.1.101.2.1.1.20"
    XCN_OID_INFOSEC_mosaicUpdatedInteg = 120, "2.16.840.1.101.2.1.1.21"
    XCN_OID_COMMON_NAME = 121, "2.5.4.3"
    XCN_OID_SUR_NAME = 122, "2.5.4.4"
    XCN_OID_DEVICE_SERIAL_NUMBER = 123, "2.5.4.5"
    XCN_OID_COUNTRY_NAME = 124, "2.5.4.6"
    XCN_OID_LOCALITY_NAME = 125, "2.5.4.7"
    XCN_OID_STATE_OR_PROVINCE_NAME = 126, "2.5.4.8"
    XCN_OID_STREET_ADDRESS = 127, "2.5.4.9"
    XCN_OID_ORGANIZATION_NAME = 128, "2.5.4.10"
    XCN_OID_ORGANIZATIONAL_UNIT_NAME = 129, "2.5.4.11"
    XCN_OID_TITLE = 130, "2.5.4.12"
    XCN_OID_DESCRIPTION = 131, "2.5.4.13"
    XCN_OID_SEARCH_GUIDE = 132, "2.5.4.14"
    XCN_OID_BUSINESS_CATEGORY = 133, "2.5.4.15"
    XCN_OID_POSTAL_ADDRESS = 134, "2.5.4.16"
    XCN_OID_POSTAL_CODE = 135, "2.5.4.17"
    XCN_OID_POST_OFFICE_BOX = 136, "2.5.4.18"
    XCN_OID_PHYSICAL_DELIVERY_OFFICE_NAME = 137, "2.5.4.19"
    XCN_OID_TELEPHONE_NUMBER = 138, "2.5.4.20"
    XCN_OID_TELEX_NUMBER = 139, "2.5.4.21"
    XCN_OID_TELETEXT_TERMINAL_IDENTIFIER = 140, "2.5.4.22"
    XCN_OID_FACSIMILE_TELEPHONE_NUMBER = 141, "2.5.4.23"
    XCN_OID_X21_ADDRESS = 142, "2.5.4.24"
    XCN_OID_INTERNATIONAL_ISDN_NUMBER = 143, "2.5.4.25"
    XCN_OID_REGISTERED_ADDRESS = 144, "2.5.4.26"
    XCN_OID_DESTINATION_INDICATOR = 145, "2.5.4.27"
    XCN_OID_PREFERRED_DELIVERY_METHOD = 146, "2.5.4.28"
    XCN_OID_PRESENTATION_ADDRESS = 147, "2.5.4.29"
    XCN_OID_SUPPORTED_APPLICATION_CONTEXT = 148, "2.5.4.30"
    XCN_OID_MEMBER = 149, "2.5.4.31"
    XCN_OID_OWNER = 150, "2.5.4.32"
    XCN_OID_ROLE_OCCUPANT = 151, "2.5.4.33"
    XCN_OID_SEE_ALSO = 152, "2.5.4.34"
    XCN_OID_USER_PASSWORD = 153, "2.5.4.35"
    XCN_OID_USER_CERTIFICATE = 154, "2.5.4.36"
    XCN_OID_CA_CERTIFICATE = 155, "2.5.4.37"
    XCN_OID_AUTHORITY_REVOCATION_LIST = 156, "2.5.4.38"
    XCN_OID_CERTIFICATE_REVOCATION_LIST = 157, "2.5.4.39"
    XCN_OID_CROSS_CERTIFICATE_PAIR = 158, "2.5.4.40"
    XCN_OID_GIVEN_NAME = 159, "2.5.4.42"
    XCN_OID_INITIALS = 160, "2.5.4.43"
    XCN_OID_DN_QUALIFIER = 161, "2.5.4.46"
    XCN_OID_DOMAIN_COMPONENT = 162, "0.9.2342.19200300.100.1.25"
    XCN_OID_PKCS_12_FRIENDLY_NAME_ATTR = 163, "1.2.840.113549.1.9.20"
    XCN_OID_PKCS_12_LOCAL_KEY_ID = 164, "1.2.840.113549.1.9.21"
    XCN_OID_PKCS_12_KEY_PROVIDER_NAME_ATTR = 165, "1.3.6.1.4.1.311.17.1"
    XCN_OID_LOCAL_MACHINE_KEYSET = 166, "1.3.6.1.4.1.311.17.2"
    XCN_OID_PKCS_12_EXTENDED_ATTRIBUTES = 167, "1.3.6.1.4.1.311.17.3"
    XCN_OID_KEYID_RDN = 168, "1.3.6.1.4.1.311.10.7.1"
    XCN_OID_AUTHORITY_KEY_IDENTIFIER = 169, "2.5.29.1"
    XCN_OID_KEY_ATTRIBUTES = 170, "2.5.29.2"
    XCN_OID_CERT_POLICIES_95 = 171, "2.5.29.3"
    XCN_OID_KEY_USAGE_RESTRICTION = 172, "2.5.29.4"
    XCN_OID_SUBJECT_ALT_NAME = 173, "2.5.29.7"
    XCN_OID_ISSUER_ALT_NAME = 174, "2.5.29.8"
    XCN_OID_BASIC_CONSTRAINTS = 175, "2.5.29.10"
    XCN_OID_KEY_USAGE = 176, "2.5.29.15"
    XCN_OID_PRIVATEKEY_USAGE_PERIOD = 177, "2.5.29.16"
    XCN_OID_BASIC_CONSTRAINTS2 = 178, "2.5.29.19"
    XCN_OID_CERT_POLICIES = 179, "2.5.29.32"
    XCN_OID_ANY_CERT_POLICY = 180, "2.5.29.32.0"
    XCN_OID_AUTHORITY_KEY_IDENTIFIER2 = 181, "2.5.29.35"
    XCN_OID_SUBJECT_KEY_IDENTIFIER = 182, "2.5.29.14"
    XCN_OID_SUBJECT_ALT_NAME2 = 183, "2.5.29.17"
    XCN_OID_ISSUER_ALT_NAME2 = 184, "2.5.29.18"
    XCN_OID_CRL_REASON_CODE = 185, "2.5.29.21"
    XCN_OID_REASON_CODE_HOLD = 186, "2.5.29.23"
    XCN_OID_CRL_DIST_POINTS = 187, "2.5.29.31"
    XCN_OID_ENHANCED_KEY_USAGE = 188, "2.5.29.37"
    XCN_OID_CRL_NUMBER = 189, "2.5.29.20"
    XCN_OID_DELTA_CRL_INDICATOR = 190, "2.5.29.27"
    XCN_OID_ISSUING_DIST_POINT = 191, "2.5.29.28"
    XCN_OID_FRESHEST_CRL = 192, "2.5.29.46"
    XCN_OID_NAME_CONSTRAINTS = 193, "2.5.29.30"
    XCN_OID_POLICY_MAPPINGS = 194, "2.5.29.33"
    XCN_OID_LEGACY_POLICY_MAPPINGS = 195, "2.5.29.5"
    XCN_OID_POLICY_CONSTRAINTS = 196, "2.5.29.36"
    XCN_OID_RENEWAL_CERTIFICATE = 197, "1.3.6.1.4.1.311.13.1"
    XCN_OID_ENROLLMENT_NAME_VALUE_PAIR = 198, "1.3.6.1.4.1.311.13.2.1"
    XCN_OID_ENROLLMENT_CSP_PROVIDER = 199, "1.3.6.1.4.1.311.13.2.2"
    XCN_OID_OS_VERSION = 200, "1.3.6.1.4.1.311.13.2.3"
    XCN_OID_ENROLLMENT_AGENT = 201, "1.3.6.1.4.1.311.20.2.1"
    XCN_OID_PKIX = 202, "1.3.6.1.5.5.7"
    XCN_OID_PKIX_PE = 203, "1.3.6.1.5.5.7.1"
    XCN_OID_AUTHORITY_INFO_ACCESS = 204, "1.3.6.1.5.5.7.1.1"
    XCN_OID_BIOMETRIC_EXT = 205, "1.3.6.1.5.5.7.1.2"
    XCN_OID_LOGOTYPE_EXT = 206, "1.3.6.1.5.5.7.1.12"
    XCN_OID_CERT_EXTENSIONS = 207, "1.3.6.1.4.1.311.2.1.14"
    XCN_OID_NEXT_UPDATE_LOCATION = 208, "1.3.6.1.4.1.311.10.2"
    XCN_OID_REMOVE_CERTIFICATE = 209, "1.3.6.1.4.1.311.10.8.1"
    XCN_OID_CROSS_CERT_DIST_POINTS = 210, "1.3.6.1.4.1.311.10.9.1"
    XCN_OID_CTL = 211, "1.3.6.1.4.1.311.10.1"
    XCN_OID_SORTED_CTL = 212, "1.3.6.1.4.1.311.10.1.1"
    XCN_OID_SERIALIZED = 213, "1.3.6.1.4.1.311.10.3.3.1"
    XCN_OID_NT_PRINCIPAL_NAME = 214, "1.3.6.1.4.1.311.20.2.3"
    XCN_OID_PRODUCT_UPDATE = 215, "1.3.6.1.4.1.311.31.1"
    XCN_OID_ANY_APPLICATION_POLICY = 216, "1.3.6.1.4.1.311.10.12.1"
    XCN_OID_AUTO_ENROLL_CTL_USAGE = 217, "1.3.6.1.4.1.311.20.1"
    XCN_OID_ENROLL_CERTTYPE_EXTENSION = 218, "1.3.6.1.4.1.311.20.2"
    XCN_OID_CERT_MANIFOLD = 219, "1.3.6.1.4.1.311.20.3"
    XCN_OID_CERTSRV_CA_VERSION = 220, "1.3.6.1.4.1.311.21.1"
    XCN_OID_CERTSRV_PREVIOUS_CERT_HASH = 221, "1.3.6.1.4.1.311.21.2"
    XCN_OID_CRL_VIRTUAL_BASE = 222, "1.3.6.1.4.1.311.21.3"
    XCN_OID_CRL_NEXT_PUBLISH = 223, "1.3.6.1.4.1.311.21.4"
    XCN_OID_KP_CA_EXCHANGE = 224, "1.3.6.1.4.1.311.21.5"
    XCN_OID_KP_KEY_RECOVERY_AGENT = 225, "1.3.6.1.4.1.311.21.6"
    XCN_OID_CERTIFICATE_TEMPLATE = 226, "1.3.6.1.4.1.311.21.7"
    XCN_OID_ENTERPRISE_OID_ROOT = 227, "1.3.6.1.4.1.311.21.8"
    XCN_OID_RDN_DUMMY_SIGNER = 228, "1.3.6.1.4.1.311.21.9"
    XCN_OID_APPLICATION_CERT_POLICIES = 229, "1.3.6.1.4.1.311.21.10"
    XCN_OID_APPLICATION_POLICY_MAPPINGS = 230, "1.3.6.1.4.1.311.21.11"
    XCN_OID_APPLICATION_POLICY_CONSTRAINTS = 231, "1.3.6.1.4.1.311.21.12"
    XCN_OID_ARCHIVED_KEY_ATTR = 232, "1.3.6.1.4.1.311.21.13"
    XCN_OID_CRL_SELF_CDP = 233, "1.3.6.1.4.1.311.21.14"
    XCN_OID_REQUIRE_CERT_CHAIN_POLICY = 234, "1.3.6.1.4.1.311.21.15"
    XCN_OID_ARCHIVED_KEY_CERT_HASH = 235, "1.3.6.1.4.1.311.21.16"
    XCN_OID_ISSUED_CERT_HASH = 236, "1.3.6.1.4.1.311.21.17"
    XCN_OID_DS_EMAIL_REPLICATION = 237, "1.3.6.1.4.1.311.21.19"
    XCN_OID_REQUEST_CLIENT_INFO = 238, "1.3.6.1.4.1.311.21.20"
    XCN_OID_ENCRYPTED_KEY_HASH = 239, "1.3.6.1.4.1.311.21.21"
    XCN_OID_CERTSRV_CROSSCA_VERSION = 240, "1.3.6.1.4.1.311.21.22"
    XCN_OID_NTDS_REPLICATION = 241, "1.3.6.1.4.1.311.25.1"
    XCN_OID_SUBJECT_DIR_ATTRS = 242, "2.5.29.9"
    XCN_OID_PKIX_KP = 243, "1.3.6.1.5.5.7.3"
    XCN_OID_PKIX_KP_SERVER_AUTH = 244, "1.3.6.1.5.5.7.3.1"
    XCN_OID_PKIX_KP_CLIENT_AUTH = 245, "1.3.6.1.5.5.7.3.2"
    XCN_OID_PKIX_KP_CODE_SIGNING = 246, "1.3.6.1.5.5.7.3.3"
    XCN_OID_PKIX_KP_EMAIL_PROTECTION = 247, "1.3.6.1.5.5.7.3.4"
    XCN_OID_PKIX_KP_IPSEC_END_SYSTEM = 248, "1.3.6.1.5.5.7.3.5"
    XCN_OID_PKIX_KP_IPSEC_TUNNEL = 249, "1.3.6.1.5.5.7.3.6"
    XCN_OID_PKIX_KP_IPSEC_USER = 250, "1.3.6.1.5.5.7.3.7"
    XCN_OID_PKIX_KP_TIMESTAMP_SIGNING = 251, "1.3.6.1.5.5.7.3.8"
    XCN_OID_PKIX_KP_OCSP_SIGNING = 252, "1.3.6.1.5.5.7.3.9"
    XCN_OID_PKIX_OCSP_NOCHECK = 253, "1.3.6.1.5.5.7.48.1.5"
    XCN_OID_IPSEC_KP_IKE_INTERMEDIATE = 254, "1.3.6.1.5.5.8.2.2"
    XCN_OID_KP_CTL_USAGE_SIGNING = 255, "1.3.6.1.4.1.311.10.3.1"
    XCN_OID_KP_TIME_STAMP_SIGNING = 256, "1.3.6.1.4.1.311.10.3.2"
    XCN_OID_SERVER_GATED_CRYPTO = 257, "1.3.6.1.4.1.311.10.3.3"
    XCN_OID_SGC_NETSCAPE = 258, "2.16.840.1.113730.4.1"
    XCN_OID_KP_EFS = 259, "1.3.6.1.4.1.311.10.3.4"
    XCN_OID_EFS_RECOVERY = 260, "1.3.6.1.4.1.311.10.3.4.1"
    XCN_OID_WHQL_CRYPTO = 261, "1.3.6.1.4.1.311.10.3.5"
    XCN_OID_NT5_CRYPTO = 262, "1.3.6.1.4.1.311.10.3.6"
    XCN_OID_OEM_WHQL_CRYPTO = 263, "1.3.6.1.4.1.311.10.3.7"
    XCN_OID_EMBEDDED_NT_CRYPTO = 264, "1.3.6.1.4.1.311.10.3.8"
    XCN_OID_ROOT_LIST_SIGNER = 265, "1.3.6.1.4.1.311.10.3.9"
    XCN_OID_KP_QUALIFIED_SUBORDINATION = 266, "1.3.6.1.4.1.311.10.3.10"
    XCN_OID_KP_KEY_RECOVERY = 267, "1.3.6.1.4.1.311.10.3.11"
    XCN_OID_KP_DOCUMENT_SIGNING = 268, "1.3.6.1.4.1.311.10.3.12"
    XCN_OID_KP_LIFETIME_SIGNING = 269, "1.3.6.1.4.1.311.10.3.13"
    XCN_OID_KP_MOBILE_DEVICE_SOFTWARE = 270, "1.3.6.1.4.1.311.10.3.14"
    XCN_OID_KP_SMART_DISPLAY = 271, "1.3.6.1.4.1.311.10.3.15"
    XCN_OID_KP_CSP_SIGNATURE = 272, "1.3.6.1.4.1.311.10.3.16"
    XCN_OID_DRM = 273, "1.3.6.1.4.1.311.10.5.1"
    XCN_OID_DRM_INDIVIDUALIZATION = 274, "1.3.6.1.4.1.311.10.5.2"
    XCN_OID_LICENSES = 275, "1.3.6.1.4.1.311.10.6.1"
    XCN_OID_LICENSE_SERVER = 276, "1.3.6.1.4.1.311.10.6.2"
    XCN_OID_KP_SMARTCARD_LOGON = 277, "1.3.6.1.4.1.311.20.2.2"
    XCN_OID_YESNO_TRUST_ATTR = 278, "1.3.6.1.4.1.311.10.4.1"
    XCN_OID_PKIX_POLICY_QUALIFIER_CPS = 279, "1.3.6.1.5.5.7.2.1"
    XCN_OID_PKIX_POLICY_QUALIFIER_USERNOTICE = 280, "1.3.6.1.5.5.7.2.2"
    XCN_OID_CERT_POLICIES_95_QUALIFIER1 = 281, "2.16.840.1.113733.1.7.1.1"
    XCN_OID_PKIX_ACC_DESCR = 282, "1.3.6.1.5.5.7.48"
    XCN_OID_PKIX_OCSP = 283, "1.3.6.1.5.5.7.48.1"
    XCN_OID_PKIX_CA_ISSUERS = 284, "1.3.6.1.5.5.7.48.2"
    XCN_OID_VERISIGN_PRIVATE_6_9 = 285, "2.16.840.1.113733.1.6.9"
    XCN_OID_VERISIGN_ONSITE_JURISDICTION_HASH = 286, "2.16.840.1.113733.1.6.11"
    XCN_OID_VERISIGN_BITSTRING_6_13 = 287, "2.16.840.1.113733.1.6.13"
    XCN_OID_VERISIGN_ISS_STRONG_CRYPTO = 288, "2.16.840.1.113733.1.8.1"
    XCN_OID_NETSCAPE = 289, "2.16.840.1.113730"
    XCN_OID_NETSCAPE_CERT_EXTENSION = 290, "2.16.840.1.113730.1"
    XCN_OID_NETSCAPE_CERT_TYPE = 291, "2.16.840.1.113730.1.1"
    XCN_OID_NETSCAPE_BASE_URL = 292, "2.16.840.1.113730.1.2"
    XCN_OID_NETSCAPE_REVOCATION_URL = 293, "2.16.840.1.113730.1.3"
    XCN_OID_NETSCAPE_CA_REVOCATION_URL = 294, "2.16.840.1.113730.1.4"
    XCN_OID_NETSCAPE_CERT_RENEWAL_URL = 295, "2.16.840.1.113730.1.7"
    XCN_OID_NETSCAPE_CA_POLICY_URL = 296, "2.16.840.1.113730.1.8"
    XCN_OID_NETSCAPE_SSL_SERVER_NAME = 297, "2.16.840.1.113730.1.12"
    XCN_OID_NETSCAPE_COMMENT = 298, "2.16.840.1.113730.1.13"
    XCN_OID_NETSCAPE_DATA_TYPE = 299, "2.16.840.1.113730.2"
    XCN_OID_NETSCAPE_CERT_SEQUENCE = 300, "2.16.840.1.113730.2.5"
    XCN_OID_CT_PKI_DATA = 301, "1.3.6.1.5.5.7.12.2"
    XCN_OID_CT_PKI_RESPONSE = 302, "1.3.6.1.5.5.7.12.3"
    XCN_OID_PKIX_NO_SIGNATURE = 303, "1.3.6.1.5.5.7.6.2"
    XCN_OID_CMC = 304, "1.3.6.1.5.5.7.7"
    XCN_OID_CMC_STATUS_INFO = 305, "1.3.6.1.5.5.7.7.1"
    XCN_OID_CMC_IDENTIFICATION = 306, "1.3.6.1.5.5.7.7.2"
    XCN_OID_CMC_IDENTITY_PROOF = 307, "1.3.6.1.5.5.7.7.3"
    XCN_OID_CMC_DATA_RETURN = 308, "1.3.6.1.5.5.7.7.4"
    XCN_OID_CMC_TRANSACTION_ID = 309, "1.3.6.1.5.5.7.7.5"
    XCN_OID_CMC_SENDER_NONCE = 310, "1.3.6.1.5.5.7.7.6"
    XCN_OID_CMC_RECIPIENT_NONCE = 311, "1.3.6.1.5.5.7.7.7"
    XCN_OID_CMC_ADD_EXTENSIONS = 312, "1.3.6.1.5.5.7.7.8"
    XCN_OID_CMC_ENCRYPTED_POP = 313, "1.3.6.1.5.5.7.7.9"
    XCN_OID_CMC_DECRYPTED_POP = 314, "1.3.6.1.5.5.7.7.10"
    XCN_OID_CMC_LRA_POP_WITNESS = 315, "1.3.6.1.5.5.7.7.11"
    XCN_OID_CMC_GET_CERT = 316, "1.3.6.1.5.5.7.7.15"
    XCN_OID_CMC_GET_CRL = 317, "1.3.6.1.5.5.7.7.16"
    XCN_OID_CMC_REVOKE_REQUEST = 318, "1.3.6.1.5.5.7.7.17"
    XCN_OID_CMC_REG_INFO = 319, "1.3.6.1.5.5.7.7.18"
    XCN_OID_CMC_RESPONSE_INFO = 320, "1.3.6.1.5.5.7.7.19"
    XCN_OID_CMC_QUERY_PENDING = 321, "1.3.6.1.5.5.7.7.21"
    XCN_OID_CMC_ID_POP_LINK_RANDOM = 322, "1.3.6.1.5.5.7.7.22"
    XCN_OID_CMC_ID_POP_LINK_WITNESS = 323, "1.3.6.1.5.5.7.7.23"
    XCN_OID_CMC_ID_CONFIRM_CERT_ACCEPTANCE = 324, "1.3.6.1.5.5.7.7.24"
    XCN_OID_CMC_ADD_ATTRIBUTES = 325, "1.3.6.1.4.1.311.10.10.1"
    XCN_OID_LOYALTY_OTHER_LOGOTYPE = 326, "1.3.6.1.5.5.7.20.1"
    XCN_OID_BACKGROUND_OTHER_LOGOTYPE = 327, "1.3.6.1.5.5.7.20.2"
    XCN_OID_PKIX_OCSP_BASIC_SIGNED_RESPONSE = 328, "1.3.6.1.5.5.7.48.1.1"
    XCN_OID_PKCS_7_DATA = 329, "1.2.840.113549.1.7.1"
    XCN_OID_PKCS_7_SIGNED = 330, "1.2.840.113549.1.7.2"
    XCN_OID_PKCS_7_ENVELOPED = 331, "1.2.840.113549.1.7.3"
    XCN_OID_PKCS_7_SIGNEDANDENVELOPED = 332, "1.2.840.113549.1.7.4"
    XCN_OID_PKCS_7_DIGESTED = 333, "1.2.840.113549.1.7.5"
    XCN_OID_PKCS_7_ENCRYPTED = 334, "1.2.840.113549.1.7.6"
    XCN_OID_PKCS_9_CONTENT_TYPE = 335, "1.2.840.113549.1.9.3"
    XCN_OID_PKCS_9_MESSAGE_DIGEST = 336, "1.2.840.113549.1.9.4"
    XCN_OID_CERT_PROP_ID_PREFIX = 337, "1.3.6.1.4.1.311.10.11"
    XCN_OID_CERT_KEY_IDENTIFIER_PROP_ID = 338, "1.3.6.1.4.1.311.10.11.20"
    XCN_OID_CERT_ISSUER_SERIAL_NUMBER_MD5_HASH_PROP_ID = 339, "1.3.6.1.4.1.311.10.11.28"
    XCN_OID_CERT_SUBJECT_NAME_MD5_HASH_PROP_ID = 340, "1.3.6.1.4.1.311.10.11.29"
    XCN_OID_CERT_MD5_HASH_PROP_ID = 341, "1.3.6.1.4.1.311.10.11.4"
    XCN_OID_RSA_SHA256RSA = 342, "1.2.840.113549.1.1.11"
    XCN_OID_RSA_SHA384RSA = 343, "1.2.840.113549.1.1.12"
    XCN_OID_RSA_SHA512RSA = 344, "1.2.840.113549.1.1.13"
    XCN_OID_NIST_sha256 = 345, "2.16.840.1.101.3.4.2.1"
    XCN_OID_NIST_sha384 = 346, "2.16.840.1.101.3.4.2.2"
    XCN_OID_NIST_sha512 = 347, "2.16.840.1.101.3.4.2.3"
    XCN_OID_RSA_MGF1 = 348, "1.2.840.113549.1.1.8"
    XCN_OID_ECC_PUBLIC_KEY = 349, "1.2.840.10045.2.1"
    XCN_OID_ECDSA_SHA1 = 350, "1.2.840.10045.4.1"
    XCN_OID_ECDSA_SPECIFIED = 351, "1.2.840.10045.4.3"
    XCN_OID_ANY_ENHANCED_KEY_USAGE = 352, "2.5.29.37.0"
    XCN_OID_RSA_SSA_PSS = 353, "1.2.840.113549.1.1.10"
    XCN_OID_ATTR_SUPPORTED_ALGORITHMS = 355, "2.5.4.52"
    XCN_OID_ATTR_TPM_SECURITY_ASSERTIONS = 356, "2.23.133.2.18"
    XCN_OID_ATTR_TPM_SPECIFICATION = 357, "2.23.133.2.16"
    XCN_OID_CERT_DISALLOWED_FILETIME_PROP_ID = 358, "1.3.6.1.4.1.311.10.11.104"
    XCN_OID_CERT_SIGNATURE_HASH_PROP_ID = 359, "1.3.6.1.4.1.311.10.11.15"
    XCN_OID_CERT_STRONG_KEY_OS_1 = 360, "1.3.6.1.4.1.311.72.2.1"
    XCN_OID_CERT_STRONG_KEY_OS_CURRENT = 361, "1.3.6.1.4.1.311.72.2.1"
    XCN_OID_CERT_STRONG_KEY_OS_PREFIX = 362, "1.3.6.1.4.1.311.72.2"
    XCN_OID_CERT_STRONG_SIGN_OS_1 = 363, "1.3.6.1.4.1.311.72.1.1"
    XCN_OID_CERT_STRONG_SIGN_OS_CURRENT = 364, "1.3.6.1.4.1.311.72.1.1"
    XCN_OID_CERT_STRONG_SIGN_OS_PREFIX = 365, "1.3.6.1.4.1.311.72.1"
    XCN_OID_DH_SINGLE_PASS_STDDH_SHA1_KDF = 366, "1.3.133.16.840.63.0.2"
    XCN_OID_DH_SINGLE_PASS_STDDH_SHA256_KDF = 367, "1.3.132.1.11.1"
    XCN_OID_DH_SINGLE_PASS_STDDH_SHA384_KDF = 368, "1.3.132.1.11.2"
    XCN_OID_DISALLOWED_HASH = 369, "1.3.6.1.4.1.311.10.11.15"
    XCN_OID_DISALLOWED_LIST = 370, "1.3.6.1.4.1.311.10.3.30"
    XCN_OID_ECC_CURVE_P256 = 371, "1.2.840.10045.3.1.7"
    XCN_OID_ECC_CURVE_P384 = 372, "1.3.132.0.34"
    XCN_OID_ECC_CURVE_P521 = 373, "1.3.132.0.35"
    XCN_OID_ECDSA_SHA256 = 374, "1.2.840.10045.4.3.2"
    XCN_OID_ECDSA_SHA384 = 375, "1.2.840.10045.4.3.3"
    XCN_OID_ECDSA_SHA512 = 376, "1.2.840.10045.4.3.4"
    XCN_OID_ENROLL_CAXCHGCERT_HASH = 377, "1.3.6.1.4.1.311.21.27"
    XCN_OID_ENROLL_EK_INFO = 378, "1.3.6.1.4.1.311.21.23"
    XCN_OID_ENROLL_EKPUB_CHALLENGE = 379, "1.3.6.1.4.1.311.21.26"
    XCN_OID_ENROLL_EKVERIFYCERT = 380, "1.3.6.1.4.1.311.21.31"
    XCN_OID_ENROLL_EKVERIFYCREDS = 381, "1.3.6.1.4.1.311.21.32"
    XCN_OID_ENROLL_EKVERIFYKEY = 382, "1.3.6.1.4.1.311.21.30"
    XCN_OID_EV_RDN_COUNTRY = 383, "1.3.6.1.4.1.311.60.2.1.3"
    XCN_OID_EV_RDN_LOCALE = 384, "1.3.6.1.4.1.311.60.2.1.1"
    XCN_OID_EV_RDN_STATE_OR_PROVINCE = 385, "1.3.6.1.4.1.311.60.2.1.2"
    XCN_OID_INHIBIT_ANY_POLICY = 386, "2.5.29.54"
    XCN_OID_INTERNATIONALIZED_EMAIL_ADDRESS = 387, "1.3.6.1.4.1.311.20.2.4"
    XCN_OID_KP_KERNEL_MODE_CODE_SIGNING = 388, "1.3.6.1.4.1.311.61.1.1"
    XCN_OID_KP_KERNEL_MODE_HAL_EXTENSION_SIGNING = 389, "1.3.6.1.4.1.311.61.5.1"
    XCN_OID_KP_KERNEL_MODE_TRUSTED_BOOT_SIGNING = 390, "1.3.6.1.4.1.311.61.4.1"
    XCN_OID_KP_TPM_AIK_CERTIFICATE = 391, "2.23.133.8.3"
    XCN_OID_KP_TPM_EK_CERTIFICATE = 392, "2.23.133.8.1"
    XCN_OID_KP_TPM_PLATFORM_CERTIFICATE = 393, "2.23.133.8.2"
    XCN_OID_NIST_AES128_CBC = 394, "2.16.840.1.101.3.4.1.2"
    XCN_OID_NIST_AES128_WRAP = 395, "2.16.840.1.101.3.4.1.5"
    XCN_OID_NIST_AES192_CBC = 396, "2.16.840.1.101.3.4.1.22"
    XCN_OID_NIST_AES192_WRAP = 397, "2.16.840.1.101.3.4.1.25"
    XCN_OID_NIST_AES256_CBC = 398, "2.16.840.1.101.3.4.1.42"
    XCN_OID_NIST_AES256_WRAP = 399, "2.16.840.1.101.3.4.1.45"
    XCN_OID_PKCS_12_PbeIds = 400, "1.2.840.113549.1.12.1"
    XCN_OID_PKCS_12_pbeWithSHA1And128BitRC2 = 401, "1.2.840.113549.1.12.1.5"
    XCN_OID_PKCS_12_pbeWithSHA1And128BitRC4 = 402, "1.2.840.113549.1.12.1.1"
    XCN_OID_PKCS_12_pbeWithSHA1And2KeyTripleDES = 403, "1.2.840.113549.1.12.1.4"
    XCN_OID_PKCS_12_pbeWithSHA1And3KeyTripleDES = 404, "1.2.840.113549.1.12.1.3"
    XCN_OID_PKCS_12_pbeWithSHA1And40BitRC2 = 405, "1.2.840.113549.1.12.1.6"
    XCN_OID_PKCS_12_pbeWithSHA1And40BitRC4 = 406, "1.2.840.113549.1.12.1.2"
    XCN_OID_PKCS_12_PROTECTED_PASSWORD_SECRET_BAG_TYPE_ID = 407, "1.3.6.1.4.1.311.17.4"
    XCN_OID_PKINIT_KP_KDC = 408, "1.3.6.1.5.2.3.5"
    XCN_OID_PKIX_CA_REPOSITORY = 409, "1.3.6.1.5.5.7.48.5"
    XCN_OID_PKIX_OCSP_NONCE = 410, "1.3.6.1.5.5.7.48.1.2"
    XCN_OID_PKIX_TIME_STAMPING = 411, "1.3.6.1.5.5.7.48.3"
    XCN_OID_QC_EU_COMPLIANCE = 412, "0.4.0.1862.1.1"
    XCN_OID_QC_SSCD = 413, "0.4.0.1862.1.4"
    XCN_OID_QC_STATEMENTS_EXT = 414, "1.3.6.1.5.5.7.1.3"
    XCN_OID_RDN_TPM_MANUFACTURER = 415, "2.23.133.2.1"
    XCN_OID_RDN_TPM_MODEL = 416, "2.23.133.2.2"
    XCN_OID_RDN_TPM_VERSION = 417, "2.23.133.2.3"
    XCN_OID_REVOKED_LIST_SIGNER = 418, "1.3.6.1.4.1.311.10.3.19"
    XCN_OID_RFC3161_counterSign = 419, "1.3.6.1.4.1.311.3.3.1"
    XCN_OID_ROOT_PROGRAM_AUTO_UPDATE_CA_REVOCATION = 420, "1.3.6.1.4.1.311.60.3.1"
    XCN_OID_ROOT_PROGRAM_AUTO_UPDATE_END_REVOCATION = 421, "1.3.6.1.4.1.311.60.3.2"
    XCN_OID_ROOT_PROGRAM_FLAGS = 422, "1.3.6.1.4.1.311.60.1.1"
    XCN_OID_ROOT_PROGRAM_NO_OCSP_FAILOVER_TO_CRL = 423, "1.3.6.1.4.1.311.60.3.3"
    XCN_OID_RSA_PSPECIFIED = 424, "1.2.840.113549.1.1.9"
    XCN_OID_RSAES_OAEP = 425, "1.2.840.113549.1.1.7"
    XCN_OID_SUBJECT_INFO_ACCESS = 426, "1.3.6.1.5.5.7.1.11"
    XCN_OID_TIMESTAMP_TOKEN = 427, "1.2.840.113549.1.9.16.1.4"
    XCN_OID_ENROLL_SCEP_ERROR = 428, "1.3.6.1.4.1.311.21.33"
    XCN_OIDVerisign_MessageType = 429, "2.16.840.1.113733.1.9.2"
    XCN_OIDVerisign_PkiStatus = 430, "2.16.840.1.113733.1.9.3"
    XCN_OIDVerisign_FailInfo = 431, "2.16.840.1.113733.1.9.4"
    XCN_OIDVerisign_SenderNonce = 432, "2.16.840.1.113733.1.9.5"
    XCN_OIDVerisign_RecipientNonce = 433, "2.16.840.1.113733.1.9.6"
    XCN_OIDVerisign_TransactionID = 434, "2.16.840.1.113733.1.9.7"
    XCN_OID_ENROLL_ATTESTATION_CHALLENGE = 435, "1.3.6.1.4.1.311.21.28"
    XCN_OID_ENROLL_ATTESTATION_STATEMENT = 436, "1.3.6.1.4.1.311.21.24"
    XCN_OID_ENROLL_ENCRYPTION_ALGORITHM = 437, "1.3.6.1.4.1.311.21.29"
    XCN_OID_ENROLL_KSP_NAME = 438, "1.3.6.1.4.1.311.21.25"


OIDS: Final[dict[CERTENROLL_OBJECTID, str]] = {member: member.dotted for member in CERTENROLL_OBJECTID if member.dotted}


def member_numbered(number: int) -> CERTENROLL_OBJECTID | None:
    """The member with that number, or None."""
    return _NUMBERED.get(number)


def member_of(dotted: str) -> CERTENROLL_OBJECTID:
    """The first member with that identifier, XCN_OID_NONE where there is none."""
    return _MEMBERS.get(dotted, CERTENROLL_OBJECTID.XCN_OID_NONE)


@dataclass(frozen=True, slots=True)
class Named:
    """One name of an object identifier.

    Attributes:
        group: what kind of thing the identifier stands for.
        name: the name that Windows shows.
        oid: the identifier, in dots.
        cng: the name of the algorithm in CNG, "" where it is no algorithm of its own.
        bits: length of its key, 0 where the identifier does not say.
        wrap: whether it wraps keys.
        use: for a public key algorithm, whether this name is the one for signing or for encryption; 0 for both.
    """

    group: ObjectIdGroupId
    name: str
    oid: str
    cng: str = ""
    bits: int = 0
    wrap: bool = False
    use: ObjectIdPublicKeyFlags = ObjectIdPublicKeyFlags.XCN_CRYPT_OID_INFO_PUBKEY_ANY


def named(dotted: str, group: int = 0, use: int = 0) -> Named | None:
    """What Windows knows about an identifier.

    Args:
        dotted: the identifier.
        group: an ObjectIdGroupId to look in, 0 for all.
        use: the ObjectIdPublicKeyFlags by which two names of one public key algorithm differ, 0 for the first.
    """
    return next((row for row in _BY_OID.get(dotted, ()) if _fits(row, group, use)), None)


def find(name: str, group: int = 0, use: int = 0, bits: int = 0, wrap: bool = False) -> Named | None:
    """The identifier that goes by a name, in any case: the name that Windows shows, or CNG's.

    Args:
        name: "sha256", "AES", "ECDSA_P256", "Server Authentication".
        group, use: as in ``named``.
        bits: the length of the key where the name alone leaves it open ("AES"), 0 for the first that fits.
        wrap: whether the algorithm is to wrap keys; where the name itself says so it need not be set.
    """
    wanted = name.strip().lower() or None
    found = [
        row
        for row in ALGORITHMS + FRIENDLY_NAMES
        if _fits(row, group, use)
        and (row.name.lower() == wanted or (row.cng.lower() == wanted and row.wrap == wrap))
        and bits in (0, row.bits or bits)
    ]
    return found[0] if found else None


def _fits(row: Named, group: int, use: int) -> bool:
    return group in (0, row.group) and (not use or not row.use or use == row.use)


_HASH = ObjectIdGroupId.XCN_CRYPT_HASH_ALG_OID_GROUP_ID
_ENCRYPT = ObjectIdGroupId.XCN_CRYPT_ENCRYPT_ALG_OID_GROUP_ID
_PUBLIC = ObjectIdGroupId.XCN_CRYPT_PUBKEY_ALG_OID_GROUP_ID
_SIGN = ObjectIdGroupId.XCN_CRYPT_SIGN_ALG_OID_GROUP_ID
_RDN = ObjectIdGroupId.XCN_CRYPT_RDN_ATTR_OID_GROUP_ID
_EXTENSION = ObjectIdGroupId.XCN_CRYPT_EXT_OR_ATTR_OID_GROUP_ID
_USAGE = ObjectIdGroupId.XCN_CRYPT_ENHKEY_USAGE_OID_GROUP_ID
_POLICY = ObjectIdGroupId.XCN_CRYPT_POLICY_OID_GROUP_ID
_SIGNING = ObjectIdPublicKeyFlags.XCN_CRYPT_OID_INFO_PUBKEY_SIGN_KEY_FLAG
_ENCRYPTING = ObjectIdPublicKeyFlags.XCN_CRYPT_OID_INFO_PUBKEY_ENCRYPT_KEY_FLAG

ALGORITHMS: Final[tuple[Named, ...]] = (
    Named(_HASH, "sha1", "1.3.14.3.2.26", "SHA1"),
    Named(_HASH, "sha256", "2.16.840.1.101.3.4.2.1", "SHA256"),
    Named(_HASH, "sha384", "2.16.840.1.101.3.4.2.2", "SHA384"),
    Named(_HASH, "sha512", "2.16.840.1.101.3.4.2.3", "SHA512"),
    Named(_HASH, "md5", "1.2.840.113549.2.5", "MD5"),
    Named(_HASH, "md4", "1.2.840.113549.2.4", "MD4"),
    Named(_HASH, "md2", "1.2.840.113549.2.2", "MD2"),
    Named(_ENCRYPT, "des", "1.3.14.3.2.7", "DES", 56),
    Named(_ENCRYPT, "3des", "1.2.840.113549.3.7", "3DES", 168),
    Named(_ENCRYPT, "rc2", "1.2.840.113549.3.2", "RC2"),
    Named(_ENCRYPT, "rc4", "1.2.840.113549.3.4", "RC4"),
    Named(_ENCRYPT, "aes128", "2.16.840.1.101.3.4.1.2", "AES", 128),
    Named(_ENCRYPT, "aes192", "2.16.840.1.101.3.4.1.22", "AES", 192),
    Named(_ENCRYPT, "aes256", "2.16.840.1.101.3.4.1.42", "AES", 256),
    Named(_ENCRYPT, "aes128wrap", "2.16.840.1.101.3.4.1.5", "AES", 128, wrap=True),
    Named(_ENCRYPT, "aes192wrap", "2.16.840.1.101.3.4.1.25", "AES", 192, wrap=True),
    Named(_ENCRYPT, "aes256wrap", "2.16.840.1.101.3.4.1.45", "AES", 256, wrap=True),
    Named(_ENCRYPT, "CMS3DESwrap", "1.2.840.113549.1.9.16.3.6", "3DES", 168, wrap=True),
    Named(_ENCRYPT, "CMSRC2wrap", "1.2.840.113549.1.9.16.3.7", "RC2", wrap=True),
    Named(_PUBLIC, "RSA", "1.2.840.113549.1.1.1", "RSA"),
    Named(_PUBLIC, "DSA", "1.2.840.10040.4.1", "DSA", use=_SIGNING),
    Named(_PUBLIC, "DH", "1.2.840.10046.2.1", "DH", use=_ENCRYPTING),
    Named(_PUBLIC, "ESDH", "1.2.840.113549.1.9.16.3.5", use=_ENCRYPTING),
    Named(_PUBLIC, "RSA_KEYX", "1.3.14.3.2.22", use=_ENCRYPTING),
    Named(_PUBLIC, "RSAES_OAEP", "1.2.840.113549.1.1.7", use=_ENCRYPTING),
    Named(_PUBLIC, "ECC", "1.2.840.10045.2.1"),
    Named(_PUBLIC, "ECDSA_P256", "1.2.840.10045.3.1.7", "ECDSA_P256", 256, use=_SIGNING),
    Named(_PUBLIC, "ECDSA_P384", "1.3.132.0.34", "ECDSA_P384", 384, use=_SIGNING),
    Named(_PUBLIC, "ECDSA_P521", "1.3.132.0.35", "ECDSA_P521", 521, use=_SIGNING),
    Named(_PUBLIC, "ECDH_P256", "1.2.840.10045.3.1.7", "ECDH_P256", 256, use=_ENCRYPTING),
    Named(_PUBLIC, "ECDH_P384", "1.3.132.0.34", "ECDH_P384", 384, use=_ENCRYPTING),
    Named(_PUBLIC, "ECDH_P521", "1.3.132.0.35", "ECDH_P521", 521, use=_ENCRYPTING),
    Named(_SIGN, "sha1RSA", "1.2.840.113549.1.1.5"),
    Named(_SIGN, "sha256RSA", "1.2.840.113549.1.1.11"),
    Named(_SIGN, "sha384RSA", "1.2.840.113549.1.1.12"),
    Named(_SIGN, "sha512RSA", "1.2.840.113549.1.1.13"),
    Named(_SIGN, "RSASSA-PSS", "1.2.840.113549.1.1.10"),
    Named(_SIGN, "md5RSA", "1.2.840.113549.1.1.4"),
    Named(_SIGN, "md4RSA", "1.2.840.113549.1.1.3"),
    Named(_SIGN, "md2RSA", "1.2.840.113549.1.1.2"),
    Named(_SIGN, "sha1DSA", "1.2.840.10040.4.3"),
    Named(_SIGN, "sha1ECDSA", "1.2.840.10045.4.1"),
    Named(_SIGN, "specifiedECDSA", "1.2.840.10045.4.3"),
    Named(_SIGN, "sha256ECDSA", "1.2.840.10045.4.3.2"),
    Named(_SIGN, "sha384ECDSA", "1.2.840.10045.4.3.3"),
    Named(_SIGN, "sha512ECDSA", "1.2.840.10045.4.3.4"),
    Named(_SIGN, "NoSignature", "1.3.6.1.5.5.7.6.2"),
)

FRIENDLY_NAMES: Final[tuple[Named, ...]] = (
    Named(_RDN, "CN", "2.5.4.3"),
    Named(_RDN, "L", "2.5.4.7"),
    Named(_RDN, "O", "2.5.4.10"),
    Named(_RDN, "OU", "2.5.4.11"),
    Named(_RDN, "E", "1.2.840.113549.1.9.1"),
    Named(_RDN, "C", "2.5.4.6"),
    Named(_RDN, "S", "2.5.4.8"),
    Named(_RDN, "STREET", "2.5.4.9"),
    Named(_RDN, "T", "2.5.4.12"),
    Named(_RDN, "G", "2.5.4.42"),
    Named(_RDN, "I", "2.5.4.43"),
    Named(_RDN, "SN", "2.5.4.4"),
    Named(_RDN, "DC", "0.9.2342.19200300.100.1.25"),
    Named(_RDN, "SERIALNUMBER", "2.5.4.5"),
    Named(_RDN, "Description", "2.5.4.13"),
    Named(_RDN, "PostalCode", "2.5.4.17"),
    Named(_RDN, "POBox", "2.5.4.18"),
    Named(_RDN, "Phone", "2.5.4.20"),
    Named(_RDN, "X21Address", "2.5.4.24"),
    Named(_RDN, "dnQualifier", "2.5.4.46"),
    Named(_EXTENSION, "Authority Key Identifier", "2.5.29.35"),
    Named(_EXTENSION, "Subject Key Identifier", "2.5.29.14"),
    Named(_EXTENSION, "Key Usage", "2.5.29.15"),
    Named(_EXTENSION, "Subject Alternative Name", "2.5.29.17"),
    Named(_EXTENSION, "Issuer Alternative Name", "2.5.29.18"),
    Named(_EXTENSION, "Basic Constraints", "2.5.29.19"),
    Named(_EXTENSION, "CRL Number", "2.5.29.20"),
    Named(_EXTENSION, "CRL Reason Code", "2.5.29.21"),
    Named(_EXTENSION, "Delta CRL Indicator", "2.5.29.27"),
    Named(_EXTENSION, "Issuing Distribution Point", "2.5.29.28"),
    Named(_EXTENSION, "Name Constraints", "2.5.29.30"),
    Named(_EXTENSION, "CRL Distribution Points", "2.5.29.31"),
    Named(_EXTENSION, "Certificate Policies", "2.5.29.32"),
    Named(_EXTENSION, "Policy Mappings", "2.5.29.33"),
    Named(_EXTENSION, "Policy Constraints", "2.5.29.36"),
    Named(_EXTENSION, "Enhanced Key Usage", "2.5.29.37"),
    Named(_EXTENSION, "Freshest CRL", "2.5.29.46"),
    Named(_EXTENSION, "Authority Information Access", "1.3.6.1.5.5.7.1.1"),
    Named(_EXTENSION, "Subject Information Access", "1.3.6.1.5.5.7.1.11"),
    Named(_EXTENSION, "SMIME Capabilities", "1.2.840.113549.1.9.15"),
    Named(_EXTENSION, "Certificate Template Name", "1.3.6.1.4.1.311.20.2"),
    Named(_EXTENSION, "Certificate Template Information", "1.3.6.1.4.1.311.21.7"),
    Named(_EXTENSION, "Application Policies", "1.3.6.1.4.1.311.21.10"),
    Named(_EXTENSION, "Application Policy Mappings", "1.3.6.1.4.1.311.21.11"),
    Named(_EXTENSION, "Application Policy Constraints", "1.3.6.1.4.1.311.21.12"),
    Named(_EXTENSION, "CA Version", "1.3.6.1.4.1.311.21.1"),
    Named(_EXTENSION, "Previous CA Certificate Hash", "1.3.6.1.4.1.311.21.2"),
    Named(_EXTENSION, "Next CRL Publish", "1.3.6.1.4.1.311.21.4"),
    Named(_EXTENSION, "Certificate Extensions", "1.3.6.1.4.1.311.2.1.14"),
    Named(_EXTENSION, "Certificate Extensions", "1.2.840.113549.1.9.14"),
    Named(_EXTENSION, "Enrollment Name Value Pair", "1.3.6.1.4.1.311.13.2.1"),
    Named(_EXTENSION, "Enrollment CSP", "1.3.6.1.4.1.311.13.2.2"),
    Named(_EXTENSION, "OS Version", "1.3.6.1.4.1.311.13.2.3"),
    Named(_EXTENSION, "Renewal Certificate", "1.3.6.1.4.1.311.13.1"),
    Named(_EXTENSION, "Client Information", "1.3.6.1.4.1.311.21.20"),
    Named(_EXTENSION, "Principal Name", "1.3.6.1.4.1.311.20.2.3"),
    Named(_EXTENSION, "Challenge Password", "1.2.840.113549.1.9.7"),
    Named(_EXTENSION, "Content Type", "1.2.840.113549.1.9.3"),
    Named(_EXTENSION, "Message Digest", "1.2.840.113549.1.9.4"),
    Named(_EXTENSION, "Signing Time", "1.2.840.113549.1.9.5"),
    Named(_USAGE, "Server Authentication", "1.3.6.1.5.5.7.3.1"),
    Named(_USAGE, "Client Authentication", "1.3.6.1.5.5.7.3.2"),
    Named(_USAGE, "Code Signing", "1.3.6.1.5.5.7.3.3"),
    Named(_USAGE, "Secure Email", "1.3.6.1.5.5.7.3.4"),
    Named(_USAGE, "IP security end system", "1.3.6.1.5.5.7.3.5"),
    Named(_USAGE, "IP security tunnel termination", "1.3.6.1.5.5.7.3.6"),
    Named(_USAGE, "IP security user", "1.3.6.1.5.5.7.3.7"),
    Named(_USAGE, "Time Stamping", "1.3.6.1.5.5.7.3.8"),
    Named(_USAGE, "OCSP Signing", "1.3.6.1.5.5.7.3.9"),
    Named(_USAGE, "IP security IKE intermediate", "1.3.6.1.5.5.8.2.2"),
    Named(_USAGE, "KDC Authentication", "1.3.6.1.5.2.3.5"),
    Named(_USAGE, "Any Purpose", "2.5.29.37.0"),
    Named(_USAGE, "Any Purpose", "1.3.6.1.4.1.311.10.12.1"),
    Named(_USAGE, "Microsoft Trust List Signing", "1.3.6.1.4.1.311.10.3.1"),
    Named(_USAGE, "Microsoft Time Stamping", "1.3.6.1.4.1.311.10.3.2"),
    Named(_USAGE, "Encrypting File System", "1.3.6.1.4.1.311.10.3.4"),
    Named(_USAGE, "File Recovery", "1.3.6.1.4.1.311.10.3.4.1"),
    Named(_USAGE, "Windows Hardware Driver Verification", "1.3.6.1.4.1.311.10.3.5"),
    Named(_USAGE, "Windows System Component Verification", "1.3.6.1.4.1.311.10.3.6"),
    Named(_USAGE, "OEM Windows System Component Verification", "1.3.6.1.4.1.311.10.3.7"),
    Named(_USAGE, "Embedded Windows System Component Verification", "1.3.6.1.4.1.311.10.3.8"),
    Named(_USAGE, "Root List Signer", "1.3.6.1.4.1.311.10.3.9"),
    Named(_USAGE, "Qualified Subordination", "1.3.6.1.4.1.311.10.3.10"),
    Named(_USAGE, "Key Recovery", "1.3.6.1.4.1.311.10.3.11"),
    Named(_USAGE, "Document Signing", "1.3.6.1.4.1.311.10.3.12"),
    Named(_USAGE, "Lifetime Signing", "1.3.6.1.4.1.311.10.3.13"),
    Named(_USAGE, "Digital Rights", "1.3.6.1.4.1.311.10.5.1"),
    Named(_USAGE, "Key Pack Licenses", "1.3.6.1.4.1.311.10.6.1"),
    Named(_USAGE, "License Server Verification", "1.3.6.1.4.1.311.10.6.2"),
    Named(_USAGE, "Smart Card Logon", "1.3.6.1.4.1.311.20.2.2"),
    Named(_USAGE, "Certificate Request Agent", "1.3.6.1.4.1.311.20.2.1"),
    Named(_USAGE, "Private Key Archival", "1.3.6.1.4.1.311.21.5"),
    Named(_USAGE, "Key Recovery Agent", "1.3.6.1.4.1.311.21.6"),
    Named(_USAGE, "Directory Service Email Replication", "1.3.6.1.4.1.311.21.19"),
    Named(_USAGE, "Kernel Mode Code Signing", "1.3.6.1.4.1.311.61.1.1"),
    Named(_USAGE, "Endorsement Key Certificate", "2.23.133.8.1"),
    Named(_USAGE, "Platform Certificate", "2.23.133.8.2"),
    Named(_USAGE, "Attestation Identity Key Certificate", "2.23.133.8.3"),
    Named(_POLICY, "All issuance policies", "2.5.29.32.0"),
)

_NUMBERED: Final = {int(member): member for member in CERTENROLL_OBJECTID}
_MEMBERS: Final = {dotted: member for member, dotted in reversed(OIDS.items())}
_BY_OID: Final[dict[str, list[Named]]] = {}
for _row in ALGORITHMS + FRIENDLY_NAMES:
    _BY_OID.setdefault(_row.oid, []).append(_row)
