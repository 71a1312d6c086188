"""Reading requests: every kind that comes is read or refused with its own code."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from certenroll.ca.incoming import CMC, KEYGEN, PKCS7, PKCS10, BadRequest, read
from tests.ca.conftest import EC_KEY
from tests.support.requires import program
from tests.support.shared import shared_path

MakeRequest = Callable[..., bytes]


def test_a_request_of_openssl_is_read(request_of: MakeRequest) -> None:
    found = read(request_of("/CN=x", "-addext", "subjectAltName=DNS:a"), PKCS10)
    assert [one.oid for one in found.extensions] == ["2.5.29.17"]
    assert found.templates == ()


def test_a_truncated_request_is_refused_at_every_offset(request_of: MakeRequest) -> None:
    request = request_of(key=EC_KEY)
    for length in range(len(request)):
        with pytest.raises(BadRequest) as caught:
            read(request[:length])
        assert caught.value.hresult & 0xFFFFF000 == 0x80093000


def test_a_request_that_its_key_did_not_sign_is_refused(request_of: MakeRequest) -> None:
    request = request_of(key=EC_KEY)
    with pytest.raises(BadRequest) as caught:
        read(request.replace(b"Alice", b"Clive"))
    assert caught.value.hresult == 0x80090006


SAMPLES = [
    ("pkcs--7-renewal-encoded-asn-1", PKCS7),
    ("pkcs--7-eobo-encoded-asn-1", PKCS7),
    ("cmc-encoded-asn-1", CMC),
    ("cmc--renewal-encoded-asn-1", CMC),
    ("cmc-eobo-encoded-asn-1", CMC),
    ("cmc-key-archival-encoded-asn-1", CMC),
]


@pytest.mark.parametrize(("name", "kind"), SAMPLES)
def test_microsofts_samples_are_read(name: str, kind: int) -> None:
    message = shared_path("vectors", "msdocs-requests", f"{name}.der").read_bytes()
    found = read(message, kind)
    assert (found.renewed is not None) == ("renewal" in name)
    assert (found.archived_key is not None) == ("archival" in name)
    assert [one.pair.value for one in found.on_behalf] == (["Domain\\TargetUser"] if "eobo" in name else [])
    assert read(message) == found


def test_a_keygen_request_is_recognized_and_refused() -> None:
    message = shared_path("vectors", "msdocs-requests", "key-generation-encoded-asn-1.der").read_bytes()
    for flags in (0, KEYGEN):
        with pytest.raises(BadRequest, match="not taken by this CA") as caught:
            read(message, flags)
        assert caught.value.hresult == 0x80091004


def test_a_message_of_another_kind_than_announced_is_refused(request_of: MakeRequest) -> None:
    with pytest.raises(BadRequest, match="PKCS #10, CMC was announced") as caught:
        read(request_of(key=EC_KEY), CMC)
    assert caught.value.hresult == 0x80091004


def test_cms_that_is_not_signed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"x")
    command = [program("openssl"), "cms", "-data_create", "-in", str(tmp_path / "in"), "-outform", "DER"]
    data = subprocess.run(command, check=True, capture_output=True).stdout
    with pytest.raises(BadRequest, match="not signed"):
        read(data)


def test_a_request_of_more_than_a_megabyte_is_not_looked_at() -> None:
    with pytest.raises(BadRequest) as caught:
        read(bytes(1 + (1 << 20)))
    assert caught.value.hresult == 0x8007000D


@pytest.mark.parametrize("message", [b"", b"\0", b"0", b"\x30\x00", b"\x30\x80\x00\x00", b"-----BEGIN", b"\xff" * 50])
def test_what_is_no_message_is_refused(message: bytes) -> None:
    with pytest.raises(BadRequest):
        read(message)
