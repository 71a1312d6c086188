"""A user's script, in the steps that a user takes.

    python -m tests.flows.script STEP FOLDER LOCATION ALGORITHM CONTAINER

Each step may be run again after it was killed: it looks at what is there and goes on from it.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import certenroll
from certenroll import facade

USER = certenroll.X509CertificateEnrollmentContext.ContextUser
BINARY = certenroll.EncodingType.XCN_CRYPT_STRING_BINARY


@dataclass(frozen=True)
class Wish:
    """What certificate is wanted, and in which folder files are exchanged."""

    folder: Path
    location: int
    algorithm: str = "ECDSA_P256"
    container: str = ""

    @property
    def request_file(self) -> Path:
        return self.folder / "request.der"

    @property
    def response_file(self) -> Path:
        return self.folder / "response.p7b"

    def arguments(self) -> list[str]:
        return [str(self.folder), str(self.location), self.algorithm, self.container]


def new_enrollment(wish: Wish) -> Any:
    """An IX509Enrollment with a request for the wish, nothing made yet."""
    key = certenroll.Dispatch("X509Enrollment.CX509PrivateKey")
    if wish.location:
        key.KeyLocation = wish.location
    if wish.container:
        key.ContainerName = wish.container
    algorithm = certenroll.Dispatch("X509Enrollment.CObjectId")
    group = certenroll.ObjectIdGroupId.XCN_CRYPT_PUBKEY_ALG_OID_GROUP_ID
    name, _, length = wish.algorithm.partition("-")
    algorithm.InitializeFromAlgorithmName(group, 0, 0, name)
    key.Algorithm = algorithm
    key.Length = int(length or 0)
    request = certenroll.Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
    request.InitializeFromPrivateKey(USER, key, "")
    request.Subject = certenroll.Dispatch("X509Enrollment.CX500DistinguishedName")
    request.Subject.Encode("CN=Alice, O=Example", 0)
    enrollment = certenroll.Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.InitializeFromRequest(request)
    return enrollment


def create(wish: Wish) -> None:
    """Out of band: the request's file, of the request that waits where there is one."""
    if wish.request_file.exists():
        return
    waiting = facade.pending_requests()
    request = facade.request_bytes(str(waiting[0].id)) if waiting else new_enrollment(wish).CreateRequest(BINARY)
    unfinished = wish.request_file.with_suffix(".new")
    unfinished.write_bytes(request)
    os.replace(unfinished, wish.request_file)


def accept(wish: Wish) -> None:
    """Out of band: installs the response's file."""
    if facade.certificates("MY"):
        return
    enrollment = certenroll.Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.Initialize(USER)
    enrollment.InstallResponse(certenroll.InstallResponseRestrictionFlags.AllowNone, wish.response_file.read_bytes(), BINARY)


def enroll(wish: Wish) -> None:
    """Automatic, and the first half of delayed: sends a request, unless one is on its way."""
    if facade.certificates("MY"):
        return
    for request in facade.pending_requests():
        if request.state != "made":
            facade.retrieve_pending(str(request.id))
            return
        facade.remove_pending(request.thumbprint)  # it was never sent
    new_enrollment(wish).Enroll()


def retrieve(wish: Wish) -> None:
    """The second half of delayed: asks for what waits."""
    for request in facade.pending_requests():
        facade.retrieve_pending(str(request.id))


def look(wish: Wish) -> None:
    """Opens the profile and does nothing."""
    facade.pending_requests()


STEPS = {"create": create, "accept": accept, "enroll": enroll, "retrieve": retrieve, "look": look}

if __name__ == "__main__":
    STEPS[sys.argv[1]](Wish(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]))
