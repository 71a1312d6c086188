# A PKCS #10 request with an elliptic curve key of a CNG provider and SHA-384, without any default extension. It is printed;
# a CA gets it by another way (Microsoft's C# sample CreateCNGCertRequest, and what follows it).
#
#   cng_cert_request.py create SUBJECT [ALGORITHM [HASH]] > request.req
#   cng_cert_request.py submit request.req response.p7b
#   cng_cert_request.py retrieve REQUESTID response.p7b
#   cng_cert_request.py accept response.p7b

import sys

from request_steps import run

from certenroll import (
    AlgorithmFlags,
    Dispatch,
    EncodingType,
    ObjectIdGroupId,
    ObjectIdPublicKeyFlags,
    X500NameFlags,
    X509CertificateEnrollmentContext,
)

USAGE = """\
usage: cng_cert_request.py create SUBJECT [ALGORITHM [HASH]]
       cng_cert_request.py submit REQUESTFILE RESPONSEFILE
       cng_cert_request.py retrieve REQUESTID RESPONSEFILE
       cng_cert_request.py accept RESPONSEFILE
       cng_cert_request.py create CN=YourName ECDSA_P256 SHA384"""


def algorithm(group, name):
    found = Dispatch("X509Enrollment.CObjectId")
    any_key = ObjectIdPublicKeyFlags.XCN_CRYPT_OID_INFO_PUBKEY_ANY
    found.InitializeFromAlgorithmName(group, any_key, AlgorithmFlags.AlgorithmFlagsNone, name)
    return found


def create(subject, key_algorithm="ECDSA_P256", hash_algorithm="SHA384"):
    key = Dispatch("X509Enrollment.CX509PrivateKey")
    key.ProviderName = "Microsoft Software Key Storage Provider"
    key.Algorithm = algorithm(ObjectIdGroupId.XCN_CRYPT_PUBKEY_ALG_OID_GROUP_ID, key_algorithm)
    key.Create()

    name = Dispatch("X509Enrollment.CX500DistinguishedName")
    name.Encode(subject, X500NameFlags.XCN_CERT_NAME_STR_NONE)

    pkcs10 = Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
    pkcs10.InitializeFromPrivateKey(X509CertificateEnrollmentContext.ContextUser, key, "")
    pkcs10.SuppressDefaults = True
    pkcs10.HashAlgorithm = algorithm(ObjectIdGroupId.XCN_CRYPT_HASH_ALG_OID_GROUP_ID, hash_algorithm)
    pkcs10.Subject = name
    pkcs10.Encode()
    print(pkcs10.RawData(EncodingType.XCN_CRYPT_STRING_BASE64), end="")
    return 0


def main(arguments):
    return run(create, USAGE, (1, 2, 3), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
