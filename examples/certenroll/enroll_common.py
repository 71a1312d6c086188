"""What the samples share: telling how an enrollment ended, finding a certificate to sign with, writing files.

The stores that a Windows program opens with CertOpenStore are read here through ``certenroll.facade``.
"""

import os
from datetime import UTC, datetime

from cryptography import x509

import certenroll
from certenroll import CR_DISP, ComError, Dispatch, EncodingType, EnrollmentEnrollStatus, facade

CERT_E_UNTRUSTEDROOT = 0x800B0109
CRYPT_E_NOT_FOUND = 0x80092004


def run(sample, usage, counts, arguments):
    """Calls a sample with the arguments of the command line.

    Args:
        sample: the function that does the work and returns the exit code.
        usage: what is printed where the number of arguments is none of ``counts``.
        counts: how many arguments it takes.
        arguments: those of the command line.

    Returns:
        The exit code: the sample's own, 1 for an error, 2 for wrong usage.
    """
    if len(arguments) not in counts:
        print(usage)
        return 2
    try:
        return sample(*arguments)
    except ComError as error:
        print(error)  # 0x........ NAME: what went wrong
        return 1


def number(text):
    """A number of the command line. Raises ComError E_INVALIDARG for any other text."""
    try:
        return int(text)
    except ValueError:
        raise ComError(0x80070057, f"{text!r} is no number") from None


def check_enroll_status(enrollment):
    """Prints how Enroll ended and returns the exit code: only a certificate is a success, a pending request is none."""
    status = enrollment.Status
    if status.Status == EnrollmentEnrollStatus.Enrolled:
        print(f"Certificate issued: request {enrollment.RequestIdString}")
        print(enrollment.Certificate(EncodingType.XCN_CRYPT_STRING_BASE64HEADER))
        return 0
    if status.Status == EnrollmentEnrollStatus.EnrollPended:
        print(f"Request {enrollment.RequestIdString} is pending: {status.Text}")
        return 1
    print(f"Request failed: {ComError(status.Error, status.Text)}")
    return 1


def check_disposition(request, disposition):
    """Prints what a CA answered to ICertRequest.Submit and returns the exit code, 0 where it issued a certificate."""
    if disposition == CR_DISP.CR_DISP_ISSUED:
        print(f"Certificate issued: request {request.GetRequestId()}")
        return 0
    message = request.GetDispositionMessage()
    if disposition == CR_DISP.CR_DISP_UNDER_SUBMISSION:
        print(f"The submission is pending: request {request.GetRequestId()}: {message}")
    else:
        print(f"The submission failed: {ComError(request.GetLastStatus(), message)}")
    return 1


def pick_ca():
    """The configuration string of the CA that a person would pick; nobody is asked here, and the default one is taken."""
    config = Dispatch("CertificateAuthority.Config")
    return config.GetConfig(certenroll.CERT_GET_CONFIG_FLAGS.CC_UIPICKCONFIG)


def signing_certificate(fits, template):
    """DER of a certificate of the user's that ``fits``; one is enrolled for by ``template`` where there is none.

    Args:
        fits: says of a ``cryptography.x509.Certificate`` whether it will do.
        template: the template of the new certificate.

    Raises:
        ComError: CRYPT_E_NOT_FOUND where the new one does not fit either, CERT_E_UNTRUSTEDROOT for an untrusted one.
    """
    entry = find_certificate(fits)
    if entry is None:
        enroll_by_template(template)
        entry = find_certificate(fits)
    if entry is None:
        raise ComError(CRYPT_E_NOT_FOUND, f"template {template} gave no certificate that can sign this request")
    verify_certificate(entry)
    return entry.der


def find_certificate(fits):
    """The first certificate of MY that is in force, has its private key here and fits; None where there is none."""
    now = datetime.now(UTC)
    for entry in facade.certificates("MY"):
        usable = entry.key is not None and entry.not_before <= now <= entry.not_after
        if usable and fits(x509.load_der_x509_certificate(entry.der)):
            return entry
    return None


def verify_certificate(entry):
    """Raises ComError CERT_E_UNTRUSTEDROOT where the chain of a certificate does not end at one in ROOT."""
    top = facade.chain_of(entry)[-1]
    if top not in [root.der for root in facade.certificates("ROOT")]:
        raise ComError(CERT_E_UNTRUSTEDROOT, f"{entry.subject} leads to no root that is trusted here")


def enroll_by_template(template):
    """Enrolls for a certificate. Raises ComError with the CA's code where it gives none."""
    enrollment = Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.InitializeFromTemplateName(certenroll.X509CertificateEnrollmentContext.ContextUser, template)
    enrollment.Enroll()
    if check_enroll_status(enrollment) != 0:
        raise ComError(enrollment.Status.Error or CRYPT_E_NOT_FOUND, f"there is no certificate of {template} to sign with")


def has_usage(oid):
    """A test for ``find_certificate``: whether a certificate's enhanced key usage names ``oid``."""

    def fits(certificate):
        extensions = [one.value for one in certificate.extensions if one.oid.dotted_string == "2.5.29.37"]
        return any(usage.dotted_string == oid for extension in extensions for usage in extension)

    return fits


def signs(certificate):
    """A test for ``find_certificate``: whether a certificate's key usage has digital signatures in it."""
    extensions = [one.value for one in certificate.extensions if one.oid.dotted_string == "2.5.29.15"]
    return any(extension.digital_signature for extension in extensions)


def write_private(path, data):
    """Writes a file that holds a private key: its owner alone may read it."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(data)
