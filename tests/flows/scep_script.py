"""A SCEP client as a user has it, each step a process of its own: it asks for a certificate or after one.

    python -m tests.flows.scep_script enroll URL THUMBPRINT SUBJECT CHALLENGE
    python -m tests.flows.scep_script fetch URL TRANSACTION
"""

from __future__ import annotations

import json
import sys
from typing import Any

import certenroll
from certenroll.enums import EncodingType
from certenroll.errors import ComError
from tests.support.scep_enrolling import pkcs10_request


def main(step: str, url: str, *more: str) -> None:
    helper: Any = certenroll.Dispatch("X509Enrollment.CX509SCEPEnrollmentHelper")
    said: dict[str, Any] = {}
    try:
        if step == "enroll":
            thumbprint, subject, challenge = more
            helper.Initialize(url, "", pkcs10_request(subject, challenge), thumbprint)
            said["disposition"] = int(helper.Enroll(0))
        else:
            helper.InitializeForPending(url, "", 1, *more)
            said["disposition"] = int(helper.FetchPending(0))
        said["transaction"] = helper.X509SCEPEnrollment.TransactionId(EncodingType.XCN_CRYPT_STRING_BINARY).decode()
    except ComError as error:
        said["error"] = int(error.hresult) & 0xFFFFFFFF
    print(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
