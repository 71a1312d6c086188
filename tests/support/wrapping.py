"""What the tests of PKCS#7 and CMC request objects share: blank requests, installed signers, devices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import certenroll
from tests.support.enrolling import BINARY, name, new_enrollment, new_key
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm


def blank(kind: str) -> Any:
    """An IX509CertificateRequestPkcs7 or -Cmc before any Initialize method."""
    return certenroll.Dispatch(f"X509Enrollment.CX509CertificateRequest{kind}")


def installed_signer(subject: str = "CN=agent", **key: Any) -> Any:
    """An ISignerCertificate of MY, for a certificate that signed itself."""
    request: Any = blank("Certificate")
    request.InitializeFromPrivateKey(1, new_key(**key), "")
    request.Subject = name(subject)
    enrollment = new_enrollment(request)
    enrollment.InstallResponse(2, enrollment.CreateRequest(1), 1, "")
    return signer_for(enrollment.Certificate(BINARY))


def signer_for(certificate: bytes) -> Any:
    """An ISignerCertificate for a certificate of MY."""
    signer: Any = certenroll.Dispatch("X509Enrollment.CSignerCertificate")
    signer.Initialize(False, 0, BINARY, certificate)
    return signer


def pair(left: str, right: str) -> Any:
    """An IX509NameValuePair."""
    made: Any = certenroll.Dispatch("X509Enrollment.CX509NameValuePair")
    made.Initialize(left, right)
    return made


@contextmanager
def device(kind: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The KeyLocation of a kind of key store, with its device."""
    if kind == "tpm":
        with SwTpm() as tpm:
            monkeypatch.setenv("XENROLL_TPM_TCTI", tpm.tcti)
            yield 1
    elif kind == "smartcard":
        with SoftToken():
            yield 4
    else:
        yield 3
