"""What the two samples that only make a request share: the steps with which somebody takes it to a CA and comes back.

Each step is a process of its own, as it is with certreq.
"""

import sys
from pathlib import Path

from enroll_common import check_disposition, number, pick_ca

from certenroll import (
    CERT_REQUEST_OUT_TYPE,
    CR_IN_BASE64,
    CR_IN_FORMATANY,
    CR_OUT_CHAIN,
    ComError,
    Dispatch,
    EncodingType,
    InstallResponseRestrictionFlags,
    X509CertificateEnrollmentContext,
)

ERROR_FILE_NOT_FOUND = 0x80070002


def submit(request_file, response_file):
    """Sends the request in a file to the CA and writes its answer to another."""
    request = Dispatch("CertificateAuthority.Request")
    disposition = request.Submit(CR_IN_BASE64 | CR_IN_FORMATANY, read(request_file), "", pick_ca())
    return write_answer(request, disposition, response_file)


def retrieve(request_id, response_file):
    """Asks the CA what became of a request that it held."""
    request = Dispatch("CertificateAuthority.Request")
    disposition = request.RetrievePending(number(request_id), pick_ca())
    return write_answer(request, disposition, response_file)


def write_answer(request, disposition, response_file):
    code = check_disposition(request, disposition)
    if code == 0:
        answer = request.GetCertificate(CERT_REQUEST_OUT_TYPE.CR_OUT_BASE64 | CR_OUT_CHAIN)
        Path(response_file).write_text(answer, encoding="ascii")
        print(f"The CA's response is in {response_file}")
    return code


def accept(response_file):
    """Installs the certificate. Encode notes no request in the store: its key is found by the certificate's public key."""
    enrollment = Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.Initialize(X509CertificateEnrollmentContext.ContextUser)
    enrollment.InstallResponse(
        InstallResponseRestrictionFlags.AllowNoOutstandingRequest,
        read(response_file),
        EncodingType.XCN_CRYPT_STRING_ANY,
        "",
    )
    print("The certificate is installed:")
    print(enrollment.Certificate(EncodingType.XCN_CRYPT_STRING_BASE64HEADER))
    return 0


def read(file):
    try:
        return Path(file).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ComError(ERROR_FILE_NOT_FOUND, f"{file}: {error}") from error


def run(create, usage, counts, arguments):
    """Calls the step that the first argument names; ``create`` takes as many arguments as ``counts`` says."""
    steps = {"create": (create, counts), "submit": (submit, (2,)), "retrieve": (retrieve, (2,)), "accept": (accept, (1,))}
    step, wanted = steps.get(arguments[0] if arguments else "", (None, ()))
    if step is None or len(arguments) - 1 not in wanted:
        print(usage)
        return 2
    try:
        return step(*arguments[1:])
    except ComError as error:
        print(error, file=sys.stderr)  # standard output is the request's
        return 1
