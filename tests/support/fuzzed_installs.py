"""Damaged responses installed into a real profile in which a request is outstanding: what may come of it, and nothing else.

A refusal leaves every store as it was: that is looked at after many of them at once. An install has put the certificate that
was issued, octet for octet, into MY, and made no root trusted; the profile is then set back to what it was. Certificates
beside the chain go to CA unjudged (docs/install-response.md, "any other"): how often a damaged one does is counted.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from certenroll import facade
from certenroll.asn1 import algorithms, cmc_responses, pfx
from certenroll.asn1.algorithms import SignatureScheme
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.cmc_statuses import CmcStatus, PendInfo, Status
from certenroll.asn1.cms import DATA, NewSigner, encode_signed_data
from certenroll.asn1.signed_messages import new_signer
from certenroll.engine.opening import open_workspace
from certenroll.enums import EnrollmentEnrollStatus
from certenroll.errors import ComError
from tests.stores.pki import NOW, Made, key, make
from tests.support.enrolling import BINARY, bag, issue, laid_open, new_enrollment, requested
from tests.support.fuzzing import Job, Tally

BATCH = 500
PASSWORD = "secret"
INSTALLED, TOLD_TO_WAIT = "installed", "told to wait"
BESIDE = "of these with a certificate beside the chain, put into CA unverified"


class FuzzedProfile:
    """A profile with a root that is trusted, a request that is outstanding, and the answers to it.

    Args:
        home: a new folder; XENROLL_HOME names it from now on.

    Attributes:
        answers: name -> (the whole response, its password, flags of InstallResponse).
    """

    def __init__(self, home: Path) -> None:
        os.environ["XENROLL_HOME"] = str(home)
        self._home = home
        self._workspace = open_workspace()
        self._workspace.clock = lambda: NOW
        root = make("fuzzed root")
        authority = make("fuzzed ca", root, ca=True)
        self._workspace.certificates.add("ROOT", root.der)
        _, spki = requested()
        leaf = issue(spki, authority)
        own = make("own", authority)
        self._genuine = {one.der for one in (root, authority, leaf, own)}
        self.answers = {
            "a bag": (bag(authority, leaf), "", 0),
            "a bag with its root": (bag(leaf, authority, root), "", 0),
            "a full response": (_full_response(authority, leaf), "", 0),
            "a full response that waits": (_waiting(authority), "", 0),
            "a signed message": (_signed(authority, leaf), "", 0),
            "a PFX": (pfx.write_pfx(key("own"), own.der, [authority.der], PASSWORD, legacy=True), PASSWORD, 1),
        }
        self._before = laid_open(home)
        self._files = {path for path in home.rglob("*") if path.is_file()}
        self._rows = sqlite3.connect(":memory:")
        with sqlite3.connect(home / "store.db") as source:
            source.backup(self._rows)
        source.close()

    def close(self) -> None:
        """Lets go of the files."""
        self._rows.close()
        self._workspace.profile.database.close()

    def run(self, job: Job) -> Tally:
        """Installs every mutation of a job, which is named as one of the answers."""
        tally, flags = Tally(), self.answers[job.name][2]
        refused: list[str] = []
        for what, where, data in job.mutations():
            tally.inputs += 1
            place = f"{job.name} installed, {what} {where}"
            outcome = self._install(data, flags, job.password)
            tally.outcomes[outcome] += 1
            if outcome == "refused":
                refused.append(place)
            else:
                tally.outcomes[BESIDE] += self._stands_beside()
                tally.findings += [f"{place}: {finding}" for finding in self._strangers(outcome)]
                self._set_back()
            if len(refused) == BATCH:
                self._check_untouched(refused, tally)
        self._check_untouched(refused, tally)
        return tally

    def _install(self, data: bytes, flags: int, password: str) -> str:
        enrollment = new_enrollment()
        try:
            enrollment.InstallResponse(flags, data, BINARY, password)
        except ComError as error:
            return "refused" if error.hresult < 0 else "an error with a code of success"
        except Exception as error:  # noqa: BLE001 - what nobody documents is what is looked for here
            return f"{type(error).__name__}: {error}"
        waits = enrollment.Status.Status == EnrollmentEnrollStatus.EnrollPended
        return TOLD_TO_WAIT if waits else INSTALLED

    def _strangers(self, outcome: str) -> list[str]:
        """What a reading that was no refusal has put where only verified certificates belong."""
        if outcome not in (INSTALLED, TOLD_TO_WAIT):
            return [outcome]
        findings = []
        mine = [one.der for one in facade.certificates("MY")]
        if len(mine) != (outcome == INSTALLED) or not self._genuine.issuperset(mine):
            findings.append(f"MY holds {len(mine)} certificates, not the one that was issued")
        if not self._genuine.issuperset(one.der for one in facade.certificates("ROOT")):
            findings.append("a root became trusted that nobody trusts")
        return findings

    def _stands_beside(self) -> bool:
        """Whether CA, which trusts nobody, was given a certificate that is no part of the chain and that nobody verified."""
        return not self._genuine.issuperset(one.der for one in facade.certificates("CA"))

    def _check_untouched(self, refused: list[str], tally: Tally) -> None:
        if refused and laid_open(self._home) != self._before:
            tally.findings.append(f"the profile is another after refusals, {refused[0]} to {refused[-1]}")
            self._set_back()
        refused.clear()

    def _set_back(self) -> None:
        for path in {path for path in self._home.rglob("*") if path.is_file()} - self._files:
            if not path.name.startswith("store.db"):
                path.unlink()
        with sqlite3.connect(self._home / "store.db") as target:
            self._rows.backup(target)
        target.close()


def _full_response(authority: Made, leaf: Made) -> bytes:
    attributes = cmc_responses.issued_attributes(leaf.der)
    content = cmc_responses.new_response(CmcStatus(Status.SUCCESS, (1,), "Issued"), attributes=attributes)
    return cmc_responses.encode_full_response(content, [_signer(authority)], [leaf.der, authority.der])


def _waiting(authority: Made) -> bytes:
    status = CmcStatus(Status.PENDING, (1,), "Taken Under Submission", pend_info=PendInfo(b"42", NOW))
    return cmc_responses.encode_full_response(cmc_responses.new_response(status), [_signer(authority)], [authority.der])


def _signed(authority: Made, leaf: Made) -> bytes:
    return encode_signed_data(DATA, b"issued", [_signer(authority)], [leaf.der, authority.der])


def _signer(authority: Made) -> NewSigner:
    scheme = SignatureScheme("sha256")
    sign = algorithms.signer(authority.key, scheme)
    return new_signer(authority.key.public_key(), scheme, sign, certificate=read_certificate(authority.der))
