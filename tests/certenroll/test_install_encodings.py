"""Requests out and responses in, in every encoding; bags of any size and order, by whoever makes them."""

from __future__ import annotations

import base64
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from certenroll import facade
from certenroll.asn1 import der, pkcs10
from certenroll.encodings import decode_text, encode_text
from certenroll.engine.workspace import Workspace
from certenroll.enums import EncodingType
from tests.stores.pki import Made, make
from tests.support.ca import pem
from tests.support.enrolling import BINARY, bag, issue, requested
from tests.support.requires import program

ROOT = make("root")
CA = make("ca", ROOT, ca=True)
NOCRLF = 0x40000000
NOCR = 0x80000000
WRITABLE = [EncodingType(number) for number in (0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13)]
READ_ONLY = {6: 0, 7: 0, 8: 12}  # an encoding that is only read -> one of those that it reads


@pytest.fixture
def trusting(workspace: Workspace) -> Workspace:
    """A profile that trusts ROOT."""
    workspace.certificates.add("ROOT", ROOT.der)
    return workspace


@pytest.mark.parametrize("line_ends", [0, NOCRLF, NOCR], ids=["CRLF", "NOCRLF", "NOCR"])
@pytest.mark.parametrize("encoding", WRITABLE, ids=lambda one: one.name)
def test_a_request_goes_out_and_a_response_comes_in_by_the_same_encoding(
    trusting: Workspace, encoding: EncodingType, line_ends: int
) -> None:
    enrollment, spki = requested()
    text = enrollment.CreateRequest(encoding | line_ends)
    assert isinstance(text, bytes if encoding == BINARY else str)
    request = decode_text(text, encoding)
    assert request == enrollment.CreateRequest(BINARY)
    assert pkcs10.decode(request).public_key_info == spki
    enrollment.InstallResponse(0, encode_text(bag(issue(spki, CA), CA), EncodingType(encoding | line_ends)), encoding)
    assert enrollment.Certificate(encoding) == encode_text(facade.certificates("MY")[0].der, encoding)


@pytest.mark.parametrize(("encoding", "writes"), READ_ONLY.items())
def test_a_response_comes_in_by_an_encoding_that_is_only_read(trusting: Workspace, encoding: int, writes: int) -> None:
    enrollment, spki = requested()
    enrollment.InstallResponse(0, encode_text(bag(issue(spki, CA), CA), EncodingType(writes)), encoding)
    assert len(facade.certificates("MY")) == 1


@pytest.mark.parametrize("label", ["CERTIFICATE", "PKCS7", "X509 CERTIFICATE"])
def test_a_response_in_an_envelope_of_any_name_is_read(trusting: Workspace, label: str) -> None:
    enrollment, spki = requested()
    body = base64.encodebytes(bag(issue(spki, CA), CA)).decode()
    enrollment.InstallResponse(0, f"from the CA:\n-----BEGIN {label}-----\n{body}-----END {label}-----\n", 0)
    assert len(facade.certificates("MY")) == 1


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("size", [1, 3, 20])
@pytest.mark.parametrize("form", ["DER", "BER"])
def test_the_leaf_is_found_by_its_key_wherever_it_stands(trusting: Workspace, form: str, size: int, seed: int) -> None:
    trusting.certificates.add("CA", CA.der)
    enrollment, spki = requested()
    leaf = issue(spki, CA)
    others = [CA, ROOT, *(make(f"stranger {number}", CA) for number in range(17))]
    certificates = [leaf, *others[: size - 1]]
    random.Random(seed).shuffle(certificates)
    message = bag(*certificates)
    enrollment.InstallResponse(0, _indefinite(message) if form == "BER" else message, BINARY)
    assert enrollment.Certificate(BINARY) == leaf.der
    assert [one.der for one in facade.certificates("MY")] == [leaf.der]
    assert {one.der for one in facade.certificates("CA")} == {CA.der, *(one.der for one in others[2 : size - 1])}


@pytest.mark.parametrize("position", range(4))
def test_a_bag_that_openssl_makes_is_installed(trusting: Workspace, tmp_path: Path, position: int) -> None:
    enrollment, spki = requested()
    leaf = issue(spki, CA)
    certificates = [CA, ROOT, make("stranger", CA)]
    certificates.insert(position, leaf)
    out = tmp_path / "bag.p7b"
    command = [program("openssl"), "crl2pkcs7", "-nocrl", "-outform", "DER", "-out", str(out)]
    for number, one in enumerate(certificates):
        command += ["-certfile", str(_pem(tmp_path / f"{number}.pem", one))]
    subprocess.run(command, check=True, capture_output=True)
    enrollment.InstallResponse(0, out.read_bytes(), BINARY)
    assert enrollment.Certificate(BINARY) == leaf.der


@pytest.mark.parametrize("as_text", [False, True], ids=["DER", "PEM"])
def test_a_bag_that_certtool_makes_is_installed(trusting: Workspace, tmp_path: Path, as_text: bool) -> None:
    enrollment, spki = requested()
    leaf = issue(spki, CA)
    inputs = _pem(tmp_path / "all.pem", ROOT, leaf, CA)
    out = tmp_path / "bag.p7b"
    command = [program("certtool"), "--p7-generate", "--load-certificate", str(inputs), "--outfile", str(out)]
    subprocess.run([*command, *([] if as_text else ["--outder"])], check=True, capture_output=True)
    given: Any = out.read_text() if as_text else out.read_bytes()
    enrollment.InstallResponse(0, given, 0 if as_text else BINARY)
    assert enrollment.Certificate(BINARY) == leaf.der


def test_a_certificate_that_stands_twice_is_installed_once(trusting: Workspace) -> None:
    enrollment, spki = requested()
    leaf = issue(spki, CA)
    enrollment.InstallResponse(0, bag(CA, leaf, CA, leaf), BINARY)
    assert len(facade.certificates("MY")) == 1


def test_a_renewed_certificate_beside_its_heir_of_the_same_key_is_not_taken_for_it(trusting: Workspace) -> None:
    enrollment, spki = requested()
    old, new = issue(spki, CA, days=(-50, 10)), issue(spki, CA, days=(-1, 60))
    enrollment.InstallResponse(0, bag(old, new, CA), BINARY)
    assert enrollment.Certificate(BINARY) == new.der


def _pem(path: Path, *certificates: Made) -> Path:
    path.write_text(pem("CERTIFICATE", *(one.der for one in certificates)))
    return path


def _indefinite(message: bytes) -> bytes:
    """A bag whose own layers are of indefinite length, as streaming writers make them; certificates keep their octets."""
    content_type, wrapped = der.children(message)
    (signed,) = der.children(wrapped)
    fields = [_open(one) if one[0] == 0xA0 else one for one in der.children(signed)]
    return _ended(b"\x30", content_type + _ended(b"\xa0", _ended(b"\x30", b"".join(fields))))


def _open(element: bytes) -> bytes:
    return _ended(element[:1], der.contents(element))


def _ended(tag: bytes, contents: bytes) -> bytes:
    return tag + b"\x80" + contents + b"\0\0"
