# A PKCS #10 request put together by hand: subject, enhanced key usage, e-mail address. It is sent through ICertRequest to a
# stand-alone CA, and the answer is installed (Microsoft's enrollCustomPKCS10).
#
#   custom_pkcs10.py SUBJECT EMAIL EKU

import sys

from enroll_common import check_disposition, pick_ca, run

from certenroll import (
    CERT_REQUEST_OUT_TYPE,
    CR_IN_BASE64,
    CR_IN_FORMATANY,
    CR_OUT_CHAIN,
    AlternativeNameType,
    Dispatch,
    EncodingType,
    InstallResponseRestrictionFlags,
    X500NameFlags,
    X509CertificateEnrollmentContext,
)

USAGE = """\
usage: custom_pkcs10.py SUBJECT EMAIL EKU
       custom_pkcs10.py "CN=foo,OU=bar,DC=com" user@example.com 1.3.6.1.5.5.7.3.2"""


def key_usage_extension(eku):
    usage = Dispatch("X509Enrollment.CObjectId")
    usage.InitializeFromValue(eku)
    usages = Dispatch("X509Enrollment.CObjectIds")
    usages.Add(usage)
    extension = Dispatch("X509Enrollment.CX509ExtensionEnhancedKeyUsage")
    extension.InitializeEncode(usages)
    return extension


def email_extension(address):
    name = Dispatch("X509Enrollment.CAlternativeName")
    name.InitializeFromString(AlternativeNameType.XCN_CERT_ALT_NAME_RFC822_NAME, address)
    names = Dispatch("X509Enrollment.CAlternativeNames")
    names.Add(name)
    extension = Dispatch("X509Enrollment.CX509ExtensionAlternativeNames")
    extension.InitializeEncode(names)
    return extension


def enroll(subject, email, eku):
    pkcs10 = Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
    pkcs10.Initialize(X509CertificateEnrollmentContext.ContextUser)

    name = Dispatch("X509Enrollment.CX500DistinguishedName")
    name.Encode(subject, X500NameFlags.XCN_CERT_NAME_STR_NONE)
    pkcs10.Subject = name

    extensions = pkcs10.X509Extensions
    extensions.Add(key_usage_extension(eku))
    extensions.Add(email_extension(email))

    enrollment = Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.InitializeFromRequest(pkcs10)
    text = enrollment.CreateRequest(EncodingType.XCN_CRYPT_STRING_BASE64)

    request = Dispatch("CertificateAuthority.Request")
    disposition = request.Submit(CR_IN_BASE64 | CR_IN_FORMATANY, text, "", pick_ca())
    code = check_disposition(request, disposition)
    if code != 0:
        return code

    answer = request.GetCertificate(CERT_REQUEST_OUT_TYPE.CR_OUT_BASE64 | CR_OUT_CHAIN)
    enrollment.InstallResponse(
        InstallResponseRestrictionFlags.AllowNone, answer, EncodingType.XCN_CRYPT_STRING_BASE64, ""
    )
    print(enrollment.Certificate(EncodingType.XCN_CRYPT_STRING_BASE64HEADER))
    return 0


def main(arguments):
    return run(enroll, USAGE, (3,), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
