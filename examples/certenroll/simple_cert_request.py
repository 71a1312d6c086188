# A PKCS #10 request with an RSA key of a CryptoAPI provider, in a container with a name, without any default extension. It
# is printed; a CA gets it by another way (Microsoft's C# sample CreateSimpleCertRequest, and what follows it).
#
#   simple_cert_request.py create CONTAINER SUBJECT [LENGTH] > request.req
#   simple_cert_request.py submit request.req response.p7b
#   simple_cert_request.py retrieve REQUESTID response.p7b
#   simple_cert_request.py accept response.p7b

import sys

from enroll_common import number
from request_steps import run

from certenroll import Dispatch, EncodingType, X500NameFlags, X509CertificateEnrollmentContext, X509KeySpec

USAGE = """\
usage: simple_cert_request.py create CONTAINER SUBJECT [LENGTH]
       simple_cert_request.py submit REQUESTFILE RESPONSEFILE
       simple_cert_request.py retrieve REQUESTID RESPONSEFILE
       simple_cert_request.py accept RESPONSEFILE
       simple_cert_request.py create PutYourContainerName CN=YourName 2048"""


def create(container, subject, length="2048"):
    provider = Dispatch("X509Enrollment.CCspInformation")
    provider.InitializeFromName("Microsoft Enhanced Cryptographic Provider v1.0")
    providers = Dispatch("X509Enrollment.CCspInformations")
    providers.Add(provider)

    key = Dispatch("X509Enrollment.CX509PrivateKey")
    key.ContainerName = container
    key.Length = number(length)
    key.KeySpec = X509KeySpec.XCN_AT_KEYEXCHANGE
    key.CspInformations = providers
    key.Create()

    name = Dispatch("X509Enrollment.CX500DistinguishedName")
    name.Encode(subject, X500NameFlags.XCN_CERT_NAME_STR_NONE)

    pkcs10 = Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
    pkcs10.InitializeFromPrivateKey(X509CertificateEnrollmentContext.ContextUser, key, "")
    pkcs10.SuppressDefaults = True
    pkcs10.Subject = name
    pkcs10.Encode()
    print(pkcs10.RawData(EncodingType.XCN_CRYPT_STRING_BASE64), end="")
    return 0


def main(arguments):
    return run(create, USAGE, (2, 3), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
