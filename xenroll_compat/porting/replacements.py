"""What replaces each member of the control in CertEnroll, or why nothing does. Data, and the look-up of a member.

Knows names only; it calls nothing. A member of IEnroll to IEnroll4 that does what one of ICEnroll does has that one's
row. Source: "Mapping Xenroll.dll to CertEnroll.dll" and the ten pages below it (certificate request, certificate
response, attribute, extension, external property, private and public key, cryptographic service provider, certificate
store, personal information exchange and helper functions). What those pages leave out is found by what the member does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Replacement:
    """What a script calls in the place of a member of the control.

    Attributes:
        member: the member, as Microsoft spells it.
        replacement: members of CertEnroll with commas between them, in the order of their calls, each with its interface
            before a dot; "" where there is none.
        note: how they are used or, where there is none, why.
    """

    member: str
    replacement: str
    note: str


_PENDING: Final = "CertEnroll tells nothing of outstanding requests"
_NO_STORES: Final = "CertEnroll takes no store from a caller: a response goes to MY, CA and ROOT, a request to REQUEST"
_NO_HANDLES: Final = "Microsoft's control never gave a handle (it returned NULL), and CertEnroll knows none"
_READ_FILE: Final = "read the file first: CertEnroll takes text or bytes"
_WRITE_FILE: Final = "write the text to the file: CertEnroll writes none"

# Family -> (member, what replaces it, how or why not). The families are Microsoft's pages.
_TABLE: Final[dict[str, tuple[tuple[str, str, str], ...]]] = {
    "requests": (
        ("createPKCS10", "IX509CertificateRequestPkcs10.InitializeFromPrivateKey, IX509Enrollment.CreateRequest",
         "Subject, HashAlgorithm and X509Extensions are set between the two; BASE64 (1) gives the same text"),
        ("createFilePKCS10", "IX509CertificateRequestPkcs10.InitializeFromPrivateKey, IX509Enrollment.CreateRequest",
         _WRITE_FILE),
        ("createRequest", "IX509Enrollment.InitializeFromRequest, IX509Enrollment.CreateRequest",
         "an IX509CertificateRequestPkcs10, or -Pkcs7 or -Cmc with it inside; BASE64REQUESTHEADER (3) gives the same text"),
        ("createFileRequest", "IX509Enrollment.InitializeFromRequest, IX509Enrollment.CreateRequest", _WRITE_FILE),
        ("CreatePKCS7RequestFromRequest",
         "IX509CertificateRequestPkcs7.InitializeFromInnerRequest, IX509CertificateRequestPkcs7.SignerCertificate",
         "IX509CertificateRequestPkcs10.InitializeDecode reads the request that goes inside"),
        ("DeleteRequestCert", "",
         "an installed response always takes its request out of REQUEST; it cannot be made to stay"),
        ("setPendingRequestInfo", "", f"{_PENDING}; IX509Enrollment.CAConfigString reads what Enroll noted by itself"),
        ("enumPendingRequest", "", f"{_PENDING}; Windows lists the certificates of REQUEST with other functions"),
        ("removePendingRequest", "", f"{_PENDING}; Windows deletes a certificate of REQUEST with other functions"),
        ("Reset", "IX509Enrollment", "create new objects: a property of a used one often cannot be set again"),
        ("freeRequestInfo", "", "objects hold what a session held, and end with their last reference"),
        ("EnableT61DNEncoding", "IX500DistinguishedName.Encode", "with XCN_CERT_NAME_STR_ENABLE_T61_UNICODE_FLAG (0x20000)"),
    ),
    "responses": (
        ("acceptPKCS7", "IX509Enrollment.InstallResponse",
         "AllowUntrustedRoot (4) where the root may be new; a new object needs Initialize before it"),
        ("acceptFilePKCS7", "IX509Enrollment.InstallResponse", _READ_FILE),
        ("acceptResponse", "IX509Enrollment.InstallResponse", "it reads PKCS #7 and CMC responses alike"),
        ("acceptFileResponse", "IX509Enrollment.InstallResponse", _READ_FILE),
        ("getCertFromPKCS7", "IX509Enrollment.InstallResponse, IX509Enrollment.Certificate",
         "the certificate is read after the install only; the control looked without installing"),
        ("getCertFromResponse", "IX509Enrollment.InstallResponse, IX509Enrollment.Certificate",
         "the certificate is read after the install only; the control looked without installing"),
        ("getCertFromFileResponse", "IX509Enrollment.InstallResponse, IX509Enrollment.Certificate", _READ_FILE),
        ("InstallPKCS7", "IX509Enrollment.InstallResponse",
         "AllowNoOutstandingRequest (1); not from a web page, where an outstanding request is needed"),
        ("InstallPKCS7Ex", "IX509Enrollment.InstallResponse", "AllowNoOutstandingRequest (1); the number is not told"),
        ("SPCFileName", "", "CertEnroll writes no response to a file; the script that has the text can"),
        ("WriteCertToCSP", "IX509Enrollment.InstallResponse", "it always offers the certificate to the key's smart card"),
        ("WriteCertToUserDS", "", "CertEnroll writes no certificate to the user's object in Active Directory"),
    ),
    "attributes": (
        ("addAttributeToRequest", "ICryptAttribute.InitializeFromValues, IX509CertificateRequestPkcs10.CryptAttributes",
         "IX509Attribute.Initialize makes each value, ICryptAttributes.Add takes the attribute"),
        ("AddAuthenticatedAttributesToPKCS7Request",
         "ICryptAttribute.InitializeFromValues, IX509CertificateRequestPkcs10.CryptAttributes",
         "whether an attribute is authenticated is CertEnroll's choice"),
        ("addNameValuePairToRequest", "IX509NameValuePair.Initialize, IX509CertificateRequestCmc.NameValuePairs",
         "in a CMC request, or in IX509Enrollment.NameValuePairs, which go to the CA beside the request"),
        ("addNameValuePairToSignature", "IX509CertificateRequestCmc.RequesterName",
         "for the requester on whose behalf another enrolls; any other pair goes to NameValuePairs"),
        ("ClientId", "IX509CertificateRequestPkcs10.ClientId", "SuppressOids leaves the attribute out, which 0 did"),
        ("RenewalCertificate", "IX509CertificateRequestPkcs7.InitializeFromCertificate",
         "RenewalRequest True; the attribute that names the old certificate is made by itself"),
        ("resetAttributes", "ICryptAttributes.Clear", "or ICryptAttributes.Remove for one"),
    ),
    "extensions": (
        ("addCertTypeToRequest", "IX509ExtensionTemplateName.InitializeEncode, IX509CertificateRequestPkcs10.X509Extensions",
         "InitializeFromTemplateName where the client knows the template"),
        ("addCertTypeToRequestEx", "IX509ExtensionTemplate.InitializeEncode, IX509CertificateRequestPkcs10.X509Extensions",
         "IX509ExtensionTemplateName for XECT_EXTENSION_V1"),
        ("AddExtensionsToRequest", "IX509Extension.Initialize, IX509CertificateRequestPkcs10.X509Extensions",
         "one IX509Extensions.Add for each"),
        ("addExtensionToRequest", "IX509Extension.Initialize, IX509CertificateRequestPkcs10.X509Extensions",
         "IX509Extension.Critical for the flag; common extensions have classes of their own"),
        ("EnableSMIMECapabilities", "IX509CertificateRequestPkcs10.SmimeCapabilities", ""),
        ("IncludeSubjectKeyID", "IX509CertificateRequestPkcs10.SuppressOids", "add 2.5.29.14 to leave it out"),
        ("resetExtensions", "IX509Extensions.Clear", "or IX509Extensions.Remove for one"),
    ),
    "properties": (
        ("addBlobPropertyToCertificate", "ICertProperty.SetValueOnCertificate",
         "of the class for that property; IX509Enrollment.CertificateFriendlyName and CertificateDescription for those"),
        ("resetBlobProperties", "ICertProperty.RemoveFromCertificate", "of each property that was set"),
        ("PrivateKeyArchiveCertificate", "IX509CertificateRequestCmc.KeyArchivalCertificate",
         "the CA's exchange certificate"),
        ("SignerCertificate",
         "IX509CertificateRequestPkcs7.SignerCertificate, IX509CertificateRequestCmc.SignerCertificates",
         "an ISignerCertificate, initialized from the certificate"),
        ("ThumbPrint", "ICertPropertySHA1Hash.InitializeFromCertificate",
         "reads a thumbprint; CertEnroll chooses the request of a response by its key"),
    ),
    "keys": (
        ("ContainerName", "IX509PrivateKey.ContainerName", ""),
        ("GenKeyFlags", "IX509PrivateKey.Length, IX509PrivateKey.ExportPolicy, IX509PrivateKey.KeyProtection",
         "the upper 16 bits are the length, the others the policies"),
        ("GetKeyLen", "ICspAlgorithm.MinLength, ICspAlgorithm.MaxLength", "IX509PrivateKey.Length of a key that is there"),
        ("GetKeyLenEx", "ICspAlgorithm.MinLength, ICspAlgorithm.MaxLength, ICspAlgorithm.IncrementLength",
         "and DefaultLength for XEKL_KEYSIZE_DEFAULT"),
        ("GetSupportedKeySpec", "ICspInformation.KeySpec", ""),
        ("KeySpec", "IX509PrivateKey.KeySpec", "XCN_AT_KEYEXCHANGE (1) or XCN_AT_SIGNATURE (2)"),
        ("LimitExchangeKeyToEncipherment", "IX509ExtensionKeyUsage.InitializeEncode",
         "nearly: key usage 0x30 in IX509CertificateRequestPkcs10.X509Extensions"),
        ("PVKFileName", "IX509PrivateKey.Export",
         "gives the key as a string (ExportPolicy must allow it); no .pvk file is written"),
        ("ReuseHardwareKeyIfUnableToGenNew", "IX509CertificateRequestPkcs10.InitializeFromCertificate",
         "InheritPrivateKey (3) reuses a certificate's key; nothing waits for a card to be full"),
        ("UseExistingKeySet", "IX509PrivateKey.Existing",
         "with ContainerName and Open; InitializeFromCertificate with InheritPrivateKey (3) takes a certificate's key"),
        ("KeyLocation", "IX509PrivateKey.KeyLocation",
         "not Microsoft's, in both libraries; on Windows ProviderName decides"),
    ),
    "providers": (
        ("EnumAlgs", "ICspInformation.CspAlgorithms", "of ICspInformations.ItemByName or an item of AddAvailableCsps"),
        ("enumContainers", "", "CertEnroll opens a container by its name and lists none"),
        ("enumProviders", "ICspInformations.AddAvailableCsps, ICspInformation.Name",
         "a loop over the collection; ICspInformation.Type is what ProviderType selected by"),
        ("GetAlgName", "ICspAlgorithm.Name", "or IObjectId.FriendlyName of an algorithm's object id"),
        ("getProviderType", "ICspInformation.InitializeFromName, ICspInformation.Type", ""),
        ("HashAlgID", "IX509CertificateRequestPkcs10.HashAlgorithm", "an IObjectId; ALG_IDs are not taken"),
        ("HashAlgorithm", "IX509CertificateRequestPkcs10.HashAlgorithm",
         "an IObjectId from InitializeFromAlgorithmName or InitializeFromValue"),
        ("ProviderFlags", "IX509PrivateKey.MachineContext", "for CRYPT_MACHINE_KEYSET (0x20); other flags have no like"),
        ("ProviderName", "IX509PrivateKey.ProviderName", ""),
        ("ProviderType", "IX509PrivateKey.ProviderType", ""),
    ),
    "stores": (
        ("MyStoreName", "", _NO_STORES),
        ("MyStoreType", "", _NO_STORES),
        ("MyStoreFlags", "", f"{_NO_STORES}; the context given to Initialize makes them the machine's"),
        ("CAStoreName", "", _NO_STORES),
        ("CAStoreType", "", _NO_STORES),
        ("CAStoreFlags", "", _NO_STORES),
        ("RootStoreName", "", _NO_STORES),
        ("RootStoreType", "", _NO_STORES),
        ("RootStoreFlags", "", _NO_STORES),
        ("RequestStoreName", "", _NO_STORES),
        ("RequestStoreType", "", _NO_STORES),
        ("RequestStoreFlags", "", f"{_NO_STORES}; the context given to Initialize makes them the machine's"),
        ("getMyStore", "", _NO_HANDLES),
        ("getCAStore", "", _NO_HANDLES),
        ("getROOTHStore", "", _NO_HANDLES),
        ("SetHStoreMy", "", _NO_STORES),
        ("SetHStoreCA", "", _NO_STORES),
        ("SetHStoreROOT", "", _NO_STORES),
        ("SetHStoreRequest", "", _NO_STORES),
    ),
    "pfx": (
        ("createPFX", "IX509Enrollment.CreatePFX", "PFXExportChainWithRoot (2) and BASE64 (1) give the same"),
        ("createFilePFX", "IX509Enrollment.CreatePFX", _WRITE_FILE),
    ),
    "helpers": (
        ("binaryToString", "IBinaryConverter.VariantByteArrayToString", "StringToString for bytes in a string"),
        ("stringToBinary", "IBinaryConverter.StringToVariantByteArray", ""),
    ),
}  # fmt: skip

# A member of IEnroll whose name is not that of ICEnroll's with WStr behind it -> the member of ICEnroll.
_TWINS: Final = {
    "acceptPKCS7Blob": "acceptPKCS7",
    "acceptResponseBlob": "acceptResponse",
    "AddCertTypeToRequestWStr": "addCertTypeToRequest",
    "AddCertTypeToRequestWStrEx": "addCertTypeToRequestEx",
    "AddNameValuePairToSignatureWStr": "addNameValuePairToSignature",
    "binaryBlobToString": "binaryToString",
    "freeRequestInfoBlob": "freeRequestInfo",
    "getCertContextFromFileResponseWStr": "getCertFromFileResponse",
    "getCertContextFromPKCS7": "getCertFromPKCS7",
    "getCertContextFromResponseBlob": "getCertFromResponse",
    "GetPrivateKeyArchiveCertificate": "PrivateKeyArchiveCertificate",
    "InstallPKCS7Blob": "InstallPKCS7",
    "InstallPKCS7BlobEx": "InstallPKCS7Ex",
    "SetPrivateKeyArchiveCertificate": "PrivateKeyArchiveCertificate",
    "SetSignerCertificate": "SignerCertificate",
    "stringToBinaryBlob": "stringToBinary",
}
# The members whose twin has WStr behind the same name.
_WITH_WSTR: Final = (
    "createPKCS10", "createFilePKCS10", "createRequest", "createFileRequest", "setPendingRequestInfo", "enumPendingRequest",
    "removePendingRequest", "acceptFilePKCS7", "acceptFileResponse", "SPCFileName", "addAttributeToRequest",
    "addNameValuePairToRequest", "addExtensionToRequest", "addBlobPropertyToCertificate", "ThumbPrint", "ContainerName",
    "PVKFileName", "enumContainers", "enumProviders", "GetAlgName", "getProviderType", "HashAlgorithm", "ProviderName",
    "MyStoreName", "MyStoreType", "CAStoreName", "CAStoreType", "RootStoreName", "RootStoreType", "RequestStoreName",
    "RequestStoreType", "createPFX", "createFilePFX",
)  # fmt: skip

# Twin -> the member of ICEnroll that does the same, for every member of IEnroll to IEnroll4 that has one.
TWINS: Final[dict[str, str]] = {**{f"{name}WStr": name for name in _WITH_WSTR}, **_TWINS}
# Family -> its members, twins left out, in the order of Microsoft's pages.
FAMILIES: Final[dict[str, tuple[str, ...]]] = {family: tuple(row[0] for row in rows) for family, rows in _TABLE.items()}

_ROWS: Final = {row[0]: row for rows in _TABLE.values() for row in rows}
_SPELLINGS: Final = {name.lower(): name for name in (*_ROWS, *TWINS)}


def members() -> tuple[str, ...]:
    """Every name that ``replacement`` knows, twins behind the rest."""
    return tuple(_SPELLINGS.values())


def replacement(member: str) -> Replacement:
    """What replaces a member of the control.

    Args:
        member: its name in any case, without ``get_`` or ``put_``.

    Returns:
        its row; that of the member of ICEnroll that does the same, under the name asked for, where it is a twin.

    Raises:
        KeyError: the control has no such member.
    """
    name = _SPELLINGS[member.lower()]
    _, instead, note = _ROWS[TWINS.get(name, name)]
    return Replacement(name, instead, note)
