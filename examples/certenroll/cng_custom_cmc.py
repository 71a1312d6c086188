# A key of a key storage provider (CNG) with its algorithm, protection and export policy, and a CMC request for it with a
# hash and a form of signature; the request is written to a file (Microsoft's createCNGCustomCMC).
#
#   cng_custom_cmc.py PROVIDER ALGORITHM HASH FILE [AlternateSignature]

import sys
from pathlib import Path

from enroll_common import run

from certenroll import (
    AlgorithmFlags,
    Dispatch,
    EncodingType,
    ObjectIdGroupId,
    ObjectIdPublicKeyFlags,
    X509CertificateEnrollmentContext,
    X509PrivateKeyExportFlags,
    X509PrivateKeyProtection,
)

USAGE = """\
usage: cng_custom_cmc.py PROVIDER ALGORITHM HASH FILE [AlternateSignature]
       cng_custom_cmc.py "Microsoft Software Key Storage Provider" ECDSA_P521 SHA512 cmc.req AlternateSignature"""


def algorithm(group, name):
    found = Dispatch("X509Enrollment.CObjectId")
    found.InitializeFromAlgorithmName(
        group, ObjectIdPublicKeyFlags.XCN_CRYPT_OID_INFO_PUBKEY_ANY, AlgorithmFlags.AlgorithmFlagsNone, name
    )
    return found


def create_key(provider, key_algorithm):
    key = Dispatch("X509Enrollment.CX509PrivateKey")
    key.LegacyCsp = False
    key.ProviderName = provider
    key.Algorithm = algorithm(ObjectIdGroupId.XCN_CRYPT_PUBKEY_ALG_OID_GROUP_ID, key_algorithm)
    key.KeyProtection = X509PrivateKeyProtection.XCN_NCRYPT_UI_NO_PROTECTION_FLAG
    key.ExportPolicy = X509PrivateKeyExportFlags.XCN_NCRYPT_ALLOW_EXPORT_NONE
    key.Create()
    return key


def create(provider, key_algorithm, hash_algorithm, file, form=""):
    key = create_key(provider, key_algorithm)
    pkcs10 = Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
    pkcs10.InitializeFromPrivateKey(X509CertificateEnrollmentContext.ContextUser, key, "")

    cmc = Dispatch("X509Enrollment.CX509CertificateRequestCmc")
    cmc.InitializeFromInnerRequest(pkcs10)
    cmc.AlternateSignatureAlgorithm = form.lower() == "alternatesignature"
    cmc.HashAlgorithm = algorithm(ObjectIdGroupId.XCN_CRYPT_HASH_ALG_OID_GROUP_ID, hash_algorithm)
    cmc.Encode()

    Path(file).write_text(cmc.RawData(EncodingType.XCN_CRYPT_STRING_BASE64), encoding="ascii")
    print(f"The request is in {file}; its key is in the container {key.ContainerName}")
    return 0


def main(arguments):
    return run(create, USAGE, (4, 5), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
