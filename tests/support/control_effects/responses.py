"""What the members that accept an answer, look into one, or decide what an accepted one leaves do."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7

from certenroll import facade
from certenroll.hresults import HRESULT
from tests.support.control_effects.bench import (
    EVERYWHERE,
    OTHER,
    SHARED,
    Bench,
    Effect,
    as_bytes,
    bag,
    base64_of,
    leaf_of,
    openssl,
    refused,
    stores,
)
from tests.support.softhsm import SoftToken


def _handed(bench: Bench, member: str, message: bytes) -> str | bytes:
    """A message in the form that a member takes it: a file's name, bytes or text."""
    if "File" in member:
        Path(bench.file("answer")).write_text(base64_of(message), encoding="ascii")
        return bench.file("answer")
    return message if "Blob" in member or "Context" in member else base64_of(message)


def _crowded(answer: bytes, other: bytes) -> bytes:
    """An answer with another's certificate in it."""
    return bag(*pkcs7.load_der_pkcs7_certificates(answer), x509.load_der_x509_certificate(leaf_of(other)))


def installs(bench: Bench, member: str) -> None:
    """Leaf, chain and root stand where they belong, the leaf with its key, and the request is gone."""
    control = bench.control()
    answer = bench.answered(control)
    getattr(control, member)(_handed(bench, member, answer))
    assert stores() == EVERYWHERE
    (installed,) = facade.certificates("MY")
    assert installed.der == leaf_of(answer)
    assert installed.key is not None
    assert installed.key.container == SHARED
    refused(HRESULT.CRYPT_E_NOT_FOUND, control.acceptPKCS7, answer)


def installs_single(bench: Bench, member: str) -> None:
    """As ``installs``; an answer with another end-entity certificate is refused."""
    control = bench.control()
    other = bench.answered(bench.control(ContainerName=OTHER), "CN=User 2")
    crowded = _crowded(bench.answered(control), other)
    refused(HRESULT.CRYPT_E_INVALID_MSG_TYPE, getattr(control, member), _handed(bench, member, crowded))
    assert stores() == {"REQUEST": ["CN=User", "CN=User 2"]}
    for pending in facade.pending_requests():
        control.removePendingRequest(pending.thumbprint)
    installs(bench, member)


def tells_certificate(bench: Bench, member: str) -> None:
    """The leaf is told from its chain, and no store changes."""
    control = bench.control()
    answer = bench.answered(control)
    found = getattr(control, member)(_handed(bench, member, answer))
    assert isinstance(found, bytes) is ("Context" in member)
    assert as_bytes(found) == leaf_of(answer)
    assert stores() == {"REQUEST": ["CN=User"]}


def installs_chain(bench: Bench, member: str) -> None:
    """The CA's certificates are new, then they are not; the request stays."""
    control = bench.control()
    control.createPKCS10("CN=User", "")
    install = getattr(control, member)
    counted = [install(_handed(bench, member, bench.chain())) for _ in range(2)]
    assert counted == ([2, 0] if member.endswith("Ex") else [None, None])
    assert stores() == {"CA": ["CN=Test CA"], "ROOT": ["CN=Test CA Root"], "REQUEST": ["CN=User"]}


def writes_answer(bench: Bench, member: str) -> None:
    """OpenSSL reads leaf, chain and root from the file; an existing file is left alone and nothing is installed."""
    control = bench.control()
    setattr(control, member, bench.file("chain.spc"))
    control.acceptPKCS7(base64_of(bench.answered(control)))
    shown = openssl("pkcs7", "-inform", "DER", "-print_certs", "-noout", "-in", bench.file("chain.spc"))
    assert shown.count("subject=") == 3
    refused(HRESULT.WIN32_FILE_EXISTS, control.acceptPKCS7, bench.answered(control))
    assert stores() == {**EVERYWHERE, "REQUEST": ["CN=User"]}


def gives_to_card(bench: Bench, member: str) -> None:
    """A card has the certificate beside its key, or has it not."""
    with SoftToken() as token:
        for name, wanted in (("first", True), ("second", False)):
            control = bench.with_new_key(GenKeyFlags=0, KeyLocation=4, ContainerName=name)
            setattr(control, member, wanted)
            answer = bench.answered(control)
            control.acceptPKCS7(answer)
            assert token.store().read_certificate(name) == (leaf_of(answer) if wanted else None)


def changes_nothing(bench: Bench, member: str) -> None:
    """The same stores hold the same, whatever it says."""
    for wanted in (True, False):
        control = bench.control()
        setattr(control, member, wanted)
        control.acceptPKCS7(bench.answered(control))
        assert {**stores(), "MY": ["CN=User"]} == EVERYWHERE


EFFECTS: Final[dict[str, Effect]] = {
    **dict.fromkeys(("acceptPKCS7", "acceptPKCS7Blob", "acceptFilePKCS7", "acceptFilePKCS7WStr"), installs),
    **dict.fromkeys(
        ("acceptResponse", "acceptResponseBlob", "acceptFileResponse", "acceptFileResponseWStr"), installs_single
    ),
    "getCertFromPKCS7": tells_certificate,
    "getCertContextFromPKCS7": tells_certificate,
    "getCertFromResponse": tells_certificate,
    "getCertContextFromResponseBlob": tells_certificate,
    "getCertFromFileResponse": tells_certificate,
    "getCertContextFromFileResponseWStr": tells_certificate,
    **dict.fromkeys(("InstallPKCS7", "InstallPKCS7Blob", "InstallPKCS7Ex", "InstallPKCS7BlobEx"), installs_chain),
    "SPCFileName": writes_answer,
    "SPCFileNameWStr": writes_answer,
    "WriteCertToCSP": gives_to_card,
    "WriteCertToUserDS": changes_nothing,
}
