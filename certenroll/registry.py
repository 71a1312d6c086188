"""Which module holds which interface, and the classes that a script can create by ProgID or CLSID.

A table and look-ups over it; a module loads when one of its names is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from certenroll.errors import ComError
from certenroll.hresults import HRESULT

# Module of certenroll -> the interfaces that it holds. A later version of an interface is the same class.
INTERFACES: dict[str, str] = {
    "object_ids": "IObjectId IObjectIds",
    "binary_converter": "IBinaryConverter IBinaryConverter2",
    "distinguished_names": "IX500DistinguishedName",
    "alternative_names": "IAlternativeName IAlternativeNames",
    "name_value_pairs": "IX509NameValuePair IX509NameValuePairs",
    "policies": "IPolicyQualifier IPolicyQualifiers ICertificatePolicy ICertificatePolicies",
    "smime": "ISmimeCapability ISmimeCapabilities",
    "extensions": "IX509Extension IX509Extensions",
    "extension_types": "IX509ExtensionAlternativeNames IX509ExtensionAuthorityKeyIdentifier"
    " IX509ExtensionBasicConstraints IX509ExtensionCertificatePolicies IX509ExtensionEnhancedKeyUsage IX509ExtensionKeyUsage"
    " IX509ExtensionMSApplicationPolicies IX509ExtensionSmimeCapabilities IX509ExtensionSubjectKeyIdentifier"
    " IX509ExtensionTemplate IX509ExtensionTemplateName",
    "attributes": "IX509Attribute IX509Attributes ICryptAttribute ICryptAttributes",
    "attribute_types": "IX509AttributeClientId"
    " IX509AttributeCspProvider IX509AttributeExtensions IX509AttributeOSVersion IX509AttributeRenewalCertificate"
    " IX509AttributeArchiveKey IX509AttributeArchiveKeyHash",
    "providers": "ICspAlgorithm ICspAlgorithms ICspInformation ICspInformations ICspStatus ICspStatuses",
    "private_keys": "IX509PrivateKey IX509PrivateKey2",
    "public_keys": "IX509PublicKey",
    "endorsement_keys": "IX509EndorsementKey",
    "signatures": "IX509SignatureInformation",
    "pkcs10_requests": "IX509CertificateRequestPkcs10 IX509CertificateRequestPkcs10V2 IX509CertificateRequestPkcs10V3"
    " IX509CertificateRequestPkcs10V4",
    "certificate_requests": "IX509CertificateRequestCertificate IX509CertificateRequestCertificate2",
    "pkcs7_requests": "IX509CertificateRequestPkcs7 IX509CertificateRequestPkcs7V2",
    "cmc_requests": "IX509CertificateRequestCmc IX509CertificateRequestCmc2",
    "requests": "IX509CertificateRequest",
    "enrollment_status": "IX509EnrollmentStatus",
    "enrollments": "IX509Enrollment IX509Enrollment2",
    "cert_properties": "ICertProperty ICertProperties",
    "cert_property_types": "ICertPropertyArchived ICertPropertyArchivedKeyHash ICertPropertyAutoEnroll ICertPropertyBackedUp"
    " ICertPropertyDescription ICertPropertyEnrollment ICertPropertyFriendlyName ICertPropertyKeyProvInfo"
    " ICertPropertyRenewal ICertPropertyRequestOriginator ICertPropertySHA1Hash",
    "cert_policy_server_property": "ICertPropertyEnrollmentPolicyServer",
    "signer_certificates": "ISignerCertificate ISignerCertificates",
    "enrollment_helper": "IX509EnrollmentHelper",
    "scep_enrollments": "IX509SCEPEnrollment IX509SCEPEnrollment2",
    "scep_enrollment_helper": "IX509SCEPEnrollmentHelper",
    "enrollment_factories": "IX509EnrollmentWebClassFactory IX509MachineEnrollmentFactory",
    "cert_requests": "ICertRequest ICertRequest2 ICertRequest3",
    "cert_configs": "ICertConfig ICertConfig2 ICertGetConfig",
    "templates": "IX509CertificateTemplate IX509CertificateTemplates IX509CertificateTemplateWritable",
    "certification_authorities": "ICertificationAuthority ICertificationAuthorities",
    "attestation_challenges": "ICertificateAttestationChallenge ICertificateAttestationChallenge2",
    "policy_servers": "IX509EnrollmentPolicyServer",
    "policy_server_urls": "IX509PolicyServerUrl IX509PolicyServerListManager",
}
MODULES: dict[str, str] = {name: module for module, names in INTERFACES.items() for name in names.split()}

# Coclass -> (its class id, the interface whose class it creates).
COCLASSES: dict[str, tuple[str, str]] = {
    "CObjectId": ("884e2000-217d-11da-b2a4-000e7bbb2b09", "IObjectId"),
    "CObjectIds": ("884e2001-217d-11da-b2a4-000e7bbb2b09", "IObjectIds"),
    "CBinaryConverter": ("884e2002-217d-11da-b2a4-000e7bbb2b09", "IBinaryConverter"),
    "CX500DistinguishedName": ("884e2003-217d-11da-b2a4-000e7bbb2b09", "IX500DistinguishedName"),
    "CCspInformation": ("884e2007-217d-11da-b2a4-000e7bbb2b09", "ICspInformation"),
    "CCspInformations": ("884e2008-217d-11da-b2a4-000e7bbb2b09", "ICspInformations"),
    "CCspStatus": ("884e2009-217d-11da-b2a4-000e7bbb2b09", "ICspStatus"),
    "CX509PublicKey": ("884e200b-217d-11da-b2a4-000e7bbb2b09", "IX509PublicKey"),
    "CX509PrivateKey": ("884e200c-217d-11da-b2a4-000e7bbb2b09", "IX509PrivateKey"),
    "CX509EndorsementKey": ("11a25a1d-b9a3-4edd-af83-3b59adbed361", "IX509EndorsementKey"),
    "CX509Extension": ("884e200d-217d-11da-b2a4-000e7bbb2b09", "IX509Extension"),
    "CX509Extensions": ("884e200e-217d-11da-b2a4-000e7bbb2b09", "IX509Extensions"),
    "CX509ExtensionKeyUsage": ("884e200f-217d-11da-b2a4-000e7bbb2b09", "IX509ExtensionKeyUsage"),
    "CX509ExtensionEnhancedKeyUsage": ("884e2010-217d-11da-b2a4-000e7bbb2b09", "IX509ExtensionEnhancedKeyUsage"),
    "CX509ExtensionTemplateName": ("884e2011-217d-11da-b2a4-000e7bbb2b09", "IX509ExtensionTemplateName"),
    "CX509ExtensionTemplate": ("884e2012-217d-11da-b2a4-000e7bbb2b09", "IX509ExtensionTemplate"),
    "CAlternativeName": ("884e2013-217d-11da-b2a4-000e7bbb2b09", "IAlternativeName"),
    "CAlternativeNames": ("884e2014-217d-11da-b2a4-000e7bbb2b09", "IAlternativeNames"),
    "CX509ExtensionAlternativeNames": ("884e2015-217d-11da-b2a4-000e7bbb2b09", "IX509ExtensionAlternativeNames"),
    "CX509ExtensionBasicConstraints": ("884e2016-217d-11da-b2a4-000e7bbb2b09", "IX509ExtensionBasicConstraints"),
    "CX509ExtensionSubjectKeyIdentifier": ("884e2017-217d-11da-b2a4-000e7bbb2b09", "IX509ExtensionSubjectKeyIdentifier"),
    "CX509ExtensionAuthorityKeyIdentifier": ("884e2018-217d-11da-b2a4-000e7bbb2b09", "IX509ExtensionAuthorityKeyIdentifier"),
    "CSmimeCapability": ("884e2019-217d-11da-b2a4-000e7bbb2b09", "ISmimeCapability"),
    "CSmimeCapabilities": ("884e201a-217d-11da-b2a4-000e7bbb2b09", "ISmimeCapabilities"),
    "CX509ExtensionSmimeCapabilities": ("884e201b-217d-11da-b2a4-000e7bbb2b09", "IX509ExtensionSmimeCapabilities"),
    "CPolicyQualifier": ("884e201c-217d-11da-b2a4-000e7bbb2b09", "IPolicyQualifier"),
    "CPolicyQualifiers": ("884e201d-217d-11da-b2a4-000e7bbb2b09", "IPolicyQualifiers"),
    "CCertificatePolicy": ("884e201e-217d-11da-b2a4-000e7bbb2b09", "ICertificatePolicy"),
    "CCertificatePolicies": ("884e201f-217d-11da-b2a4-000e7bbb2b09", "ICertificatePolicies"),
    "CX509ExtensionCertificatePolicies": ("884e2020-217d-11da-b2a4-000e7bbb2b09", "IX509ExtensionCertificatePolicies"),
    "CX509ExtensionMSApplicationPolicies": ("884e2021-217d-11da-b2a4-000e7bbb2b09", "IX509ExtensionMSApplicationPolicies"),
    "CX509Attribute": ("884e2022-217d-11da-b2a4-000e7bbb2b09", "IX509Attribute"),
    "CX509Attributes": ("884e2023-217d-11da-b2a4-000e7bbb2b09", "IX509Attributes"),
    "CX509AttributeExtensions": ("884e2024-217d-11da-b2a4-000e7bbb2b09", "IX509AttributeExtensions"),
    "CX509AttributeClientId": ("884e2025-217d-11da-b2a4-000e7bbb2b09", "IX509AttributeClientId"),
    "CX509AttributeRenewalCertificate": ("884e2026-217d-11da-b2a4-000e7bbb2b09", "IX509AttributeRenewalCertificate"),
    "CX509AttributeArchiveKey": ("884e2027-217d-11da-b2a4-000e7bbb2b09", "IX509AttributeArchiveKey"),
    "CX509AttributeArchiveKeyHash": ("884e2028-217d-11da-b2a4-000e7bbb2b09", "IX509AttributeArchiveKeyHash"),
    "CX509AttributeOSVersion": ("884e202a-217d-11da-b2a4-000e7bbb2b09", "IX509AttributeOSVersion"),
    "CX509AttributeCspProvider": ("884e202b-217d-11da-b2a4-000e7bbb2b09", "IX509AttributeCspProvider"),
    "CCryptAttribute": ("884e202c-217d-11da-b2a4-000e7bbb2b09", "ICryptAttribute"),
    "CCryptAttributes": ("884e202d-217d-11da-b2a4-000e7bbb2b09", "ICryptAttributes"),
    "CX509NameValuePair": ("884e203f-217d-11da-b2a4-000e7bbb2b09", "IX509NameValuePair"),
    "CX509CertificateRequestPkcs10": ("884e2042-217d-11da-b2a4-000e7bbb2b09", "IX509CertificateRequestPkcs10"),
    "CX509CertificateRequestCertificate": ("884e2043-217d-11da-b2a4-000e7bbb2b09", "IX509CertificateRequestCertificate"),
    "CX509CertificateRequestPkcs7": ("884e2044-217d-11da-b2a4-000e7bbb2b09", "IX509CertificateRequestPkcs7V2"),
    "CX509CertificateRequestCmc": ("884e2045-217d-11da-b2a4-000e7bbb2b09", "IX509CertificateRequestCmc"),
    "CX509Enrollment": ("884e2046-217d-11da-b2a4-000e7bbb2b09", "IX509Enrollment"),
    "CCertProperty": ("884e202e-217d-11da-b2a4-000e7bbb2b09", "ICertProperty"),
    "CCertProperties": ("884e202f-217d-11da-b2a4-000e7bbb2b09", "ICertProperties"),
    "CCertPropertyFriendlyName": ("884e2030-217d-11da-b2a4-000e7bbb2b09", "ICertPropertyFriendlyName"),
    "CCertPropertyDescription": ("884e2031-217d-11da-b2a4-000e7bbb2b09", "ICertPropertyDescription"),
    "CCertPropertyAutoEnroll": ("884e2032-217d-11da-b2a4-000e7bbb2b09", "ICertPropertyAutoEnroll"),
    "CCertPropertyRequestOriginator": ("884e2033-217d-11da-b2a4-000e7bbb2b09", "ICertPropertyRequestOriginator"),
    "CCertPropertySHA1Hash": ("884e2034-217d-11da-b2a4-000e7bbb2b09", "ICertPropertySHA1Hash"),
    "CCertPropertyKeyProvInfo": ("884e2036-217d-11da-b2a4-000e7bbb2b09", "ICertPropertyKeyProvInfo"),
    "CCertPropertyArchived": ("884e2037-217d-11da-b2a4-000e7bbb2b09", "ICertPropertyArchived"),
    "CCertPropertyBackedUp": ("884e2038-217d-11da-b2a4-000e7bbb2b09", "ICertPropertyBackedUp"),
    "CCertPropertyEnrollment": ("884e2039-217d-11da-b2a4-000e7bbb2b09", "ICertPropertyEnrollment"),
    "CCertPropertyRenewal": ("884e203a-217d-11da-b2a4-000e7bbb2b09", "ICertPropertyRenewal"),
    "CCertPropertyArchivedKeyHash": ("884e203b-217d-11da-b2a4-000e7bbb2b09", "ICertPropertyArchivedKeyHash"),
    "CSignerCertificate": ("884e203d-217d-11da-b2a4-000e7bbb2b09", "ISignerCertificate"),
    "CX509EnrollmentWebClassFactory": ("884e2049-217d-11da-b2a4-000e7bbb2b09", "IX509EnrollmentWebClassFactory"),
    "CCertPropertyEnrollmentPolicyServer": ("884e204c-217d-11da-b2a4-000e7bbb2b09", "ICertPropertyEnrollmentPolicyServer"),
    "CX509EnrollmentHelper": ("884e2050-217d-11da-b2a4-000e7bbb2b09", "IX509EnrollmentHelper"),
    "CX509MachineEnrollmentFactory": ("884e2051-217d-11da-b2a4-000e7bbb2b09", "IX509MachineEnrollmentFactory"),
    "CX509SCEPEnrollment": ("884e2061-217d-11da-b2a4-000e7bbb2b09", "IX509SCEPEnrollment"),
    "CX509SCEPEnrollmentHelper": ("884e2062-217d-11da-b2a4-000e7bbb2b09", "IX509SCEPEnrollmentHelper"),
    "CCertRequest": ("98aff3f0-5524-11d0-8812-00a0c903b83c", "ICertRequest"),
    "CCertConfig": ("372fce38-4324-11d0-8810-00a0c903b83c", "ICertConfig"),
    "CCertGetConfig": ("c6cc49b0-ce17-11d0-8833-00a0c903b83c", "ICertGetConfig"),
    "CCertificateAttestationChallenge": ("1362ada1-eb60-456a-b6e1-118050db741b", "ICertificateAttestationChallenge"),
    "CX509CertificateTemplateADWritable": ("8336e323-2e6a-4a04-937c-548f681839b3", "IX509CertificateTemplateWritable"),
    "CX509EnrollmentPolicyActiveDirectory": ("91f39027-217f-11da-b2a4-000e7bbb2b09", "IX509EnrollmentPolicyServer"),
    "CX509EnrollmentPolicyWebService": ("91f39028-217f-11da-b2a4-000e7bbb2b09", "IX509EnrollmentPolicyServer"),
    "CX509PolicyServerListManager": ("91f39029-217f-11da-b2a4-000e7bbb2b09", "IX509PolicyServerListManager"),
    "CX509PolicyServerUrl": ("91f3902a-217f-11da-b2a4-000e7bbb2b09", "IX509PolicyServerUrl"),
}

# ProgIDs that are not "X509Enrollment." and the coclass.
PROG_IDS: dict[str, str] = {
    "certificateauthority.request": "CCertRequest",
    "certificateauthority.config": "CCertConfig",
    "certificateauthority.getconfig": "CCertGetConfig",
}


def module_of(name: str) -> ModuleType | None:
    """The module that holds a public name (an interface or a coclass), or None where no module does."""
    interface = COCLASSES[name][1] if name in COCLASSES else name
    module = MODULES.get(interface)
    return import_module(f"certenroll.{module}") if module is not None else None


def public_class(name: str) -> type | None:
    """The class that a public name (``IX509Enrollment``, ``IX509Enrollment2``, ``CX509Enrollment``) stands for, or None."""
    module = module_of(name)
    interface = COCLASSES[name][1] if name in COCLASSES else name
    return getattr(module, interface) if module is not None else None


def coclass_of(identifier: str) -> str:
    """The coclass that a ProgID (any case, with or without version) or a CLSID (braced or not) names.

    Raises:
        ComError: CO_E_CLASSSTRING where nothing of that name is registered.
    """
    wanted = identifier.strip().lower()
    for prefix in ("clsid:", "new:"):
        wanted = wanted.removeprefix(prefix)
    by_class_id = _BY_CLASS_ID.get(wanted.strip("{}"))
    if by_class_id is not None:
        return by_class_id
    stem, _, version = wanted.rpartition(".")
    name = stem if version.isdigit() else wanted
    found = PROG_IDS.get(name) or _BY_PROG_ID.get(name)
    if found is None:
        raise ComError(HRESULT.CO_E_CLASSSTRING, f"no class is registered as {identifier!r}")
    return found


def create(identifier: str) -> object:
    """A new object of the class that a ProgID or CLSID names. Raises ComError CO_E_CLASSSTRING."""
    coclass = coclass_of(identifier)
    found = public_class(coclass)
    if found is None:
        raise ComError(HRESULT.REGDB_E_CLASSNOTREG, f"{coclass} has no implementation")
    return found()


_BY_CLASS_ID = {class_id: coclass for coclass, (class_id, _) in COCLASSES.items()}
_BY_PROG_ID = {f"x509enrollment.{coclass.lower()}": coclass for coclass in COCLASSES if coclass not in PROG_IDS.values()}
