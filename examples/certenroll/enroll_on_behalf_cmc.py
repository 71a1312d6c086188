# An enrollment agent asks for somebody else: a CMC request with that person's name, signed by the agent's certificate. The
# certificate and its key leave in a PFX and are deleted here (Microsoft's enrollEOBOCMC).
#
#   enroll_on_behalf_cmc.py TEMPLATE REQUESTER FILE PASSWORD [AGENTTEMPLATE]
#
# Where the user has no agent's certificate yet, one is enrolled for first. A password on a command line is open to everyone
# on the computer, here as in the original.

import hashlib
import sys

from enroll_common import check_enroll_status, has_usage, run, signing_certificate, write_private

from certenroll import (
    Dispatch,
    EncodingType,
    InnerRequestLevel,
    PFXExportOptions,
    X509CertificateEnrollmentContext,
    X509PrivateKeyVerify,
    facade,
)

ENROLLMENT_AGENT = "1.3.6.1.4.1.311.20.2.1"
BINARY = EncodingType.XCN_CRYPT_STRING_BINARY

USAGE = """\
usage: enroll_on_behalf_cmc.py TEMPLATE REQUESTER FILE PASSWORD [AGENTTEMPLATE]
       enroll_on_behalf_cmc.py User "DOMAIN\\user" user.pfx 1111 EnrollmentAgent"""


def enroll(template, requester, file, password, agent_template="EnrollmentAgent"):
    cmc = Dispatch("X509Enrollment.CX509CertificateRequestCmc")
    cmc.InitializeFromTemplateName(X509CertificateEnrollmentContext.ContextUser, template)
    cmc.RequesterName = requester

    signer = Dispatch("X509Enrollment.CSignerCertificate")
    agent = signing_certificate(has_usage(ENROLLMENT_AGENT), agent_template)
    signer.Initialize(False, X509PrivateKeyVerify.VerifyNone, BINARY, agent)
    cmc.SignerCertificates.Add(signer)

    enrollment = Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.InitializeFromRequest(cmc)
    enrollment.Enroll()
    code = check_enroll_status(enrollment)
    if code != 0:
        return code

    write_private(file, enrollment.CreatePFX(password, PFXExportOptions.PFXExportEEOnly, BINARY))
    delete_certificate_and_key(enrollment)
    print(f"The certificate of {requester} is in {file}")
    return 0


def delete_certificate_and_key(enrollment):
    """What was enrolled for belongs to somebody else; nothing of it stays with the agent."""
    thumbprint = hashlib.sha1(enrollment.Certificate(BINARY)).hexdigest()
    facade.delete_certificate("MY", thumbprint)

    pkcs10 = enrollment.Request.GetInnerRequest(InnerRequestLevel.LevelInnermost)
    key = pkcs10.PrivateKey
    key.Close()
    key.Delete()


def main(arguments):
    return run(enroll, USAGE, (4, 5), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
