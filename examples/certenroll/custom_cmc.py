# A CMC request for the computer, put together by hand: enhanced key usage and DNS name beside the PKCS #10 inside, and a
# name with a value for the CA. It is sent through ICertRequest to a stand-alone CA, and the answer is installed
# (Microsoft's enrollCustomCMC).
#
#   custom_cmc.py NAME VALUE DNS EKU
#
# The CA is picked from the user's profile; its root must be trusted in the machine's, where the certificate goes.

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
    X509CertificateEnrollmentContext,
)

USAGE = """\
usage: custom_cmc.py NAME VALUE DNS EKU
       custom_cmc.py Name Value www.example.com 1.3.6.1.5.5.7.3.1"""


def key_usage_extension(eku):
    usage = Dispatch("X509Enrollment.CObjectId")
    usage.InitializeFromValue(eku)
    usages = Dispatch("X509Enrollment.CObjectIds")
    usages.Add(usage)
    extension = Dispatch("X509Enrollment.CX509ExtensionEnhancedKeyUsage")
    extension.InitializeEncode(usages)
    return extension


def dns_extension(dns):
    name = Dispatch("X509Enrollment.CAlternativeName")
    name.InitializeFromString(AlternativeNameType.XCN_CERT_ALT_NAME_DNS_NAME, dns)
    names = Dispatch("X509Enrollment.CAlternativeNames")
    names.Add(name)
    extension = Dispatch("X509Enrollment.CX509ExtensionAlternativeNames")
    extension.InitializeEncode(names)
    return extension


def enroll(name, value, dns, eku):
    pkcs10 = Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
    pkcs10.Initialize(X509CertificateEnrollmentContext.ContextMachine)
    cmc = Dispatch("X509Enrollment.CX509CertificateRequestCmc")
    cmc.InitializeFromInnerRequest(pkcs10)

    extensions = cmc.X509Extensions
    extensions.Add(key_usage_extension(eku))
    extensions.Add(dns_extension(dns))

    pair = Dispatch("X509Enrollment.CX509NameValuePair")
    pair.Initialize(name, value)
    cmc.NameValuePairs.Add(pair)

    enrollment = Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.InitializeFromRequest(cmc)
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
    return run(enroll, USAGE, (4,), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
