"""What the members that export a certificate with its key, or turn bytes into text and back, do."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from certenroll.hresults import HRESULT
from tests.support.control_effects.bench import OTHER, Bench, Effect, as_bytes, leaf_of, openssl, refused


def exports(bench: Bench, member: str) -> None:
    """pyca and OpenSSL open the PFX with the password: the accepted certificate, its key, two above it."""
    control = bench.control()
    answer = bench.answered(control)
    control.acceptPKCS7(answer)
    name = bench.file("key.pfx")
    if "File" in member:
        getattr(control, member)("secret", name)
        assert Path(name).stat().st_mode & 0o777 == 0o600
        Path(name).write_bytes(as_bytes(Path(name).read_text()))
    else:
        made = getattr(control, member)("secret")
        assert isinstance(made, bytes) is member.endswith("WStr")
        Path(name).write_bytes(as_bytes(made))
    key, certificate, chain = pkcs12.load_key_and_certificates(Path(name).read_bytes(), b"secret")
    assert key is not None
    assert certificate is not None
    assert certificate.public_bytes(Encoding.DER) == leaf_of(answer)
    assert len(chain) == 2
    assert "MAC:" in openssl("pkcs12", "-in", name, "-passin", "pass:secret", "-noout", "-info")


def keeps_key(bench: Bench, member: str) -> None:
    """As ``exports``; a key that is not exportable stays, and no file is made."""
    exports(bench, member)
    control = bench.control(ContainerName=OTHER)
    control.acceptPKCS7(bench.answered(control))
    target = (bench.file("other.pfx"),) if "File" in member else ()
    refused(HRESULT.NTE_BAD_KEY_STATE, getattr(control, member), "secret", *target)
    assert not Path(bench.file("other.pfx")).exists()


def writes_text(bench: Bench, member: str) -> None:
    """OpenSSL reads the base64; the other encodings are CryptBinaryToString's."""
    convert = getattr(bench.control(), member)
    assert openssl("base64", "-d", data=convert(1, b"some bytes").encode()) == "some bytes"
    assert [convert(one, b"\x00\x01\x02") for one in (1, 12)] == ["AAEC\r\n", "000102\r\n"]
    assert convert(0, b"x").startswith("-----BEGIN CERTIFICATE-----\r\n")


def reads_text(bench: Bench, member: str) -> None:
    """The bytes that OpenSSL wrote; a header is skipped where any base64 is taken."""
    convert = getattr(bench.control(), member)
    assert convert(1, openssl("base64", data=b"some bytes")) == b"some bytes"
    assert convert(6, "-----BEGIN X-----\nAAEC\n-----END X-----") == b"\x00\x01\x02"
    assert convert(4, "00 01 02") == b"\x00\x01\x02"


EFFECTS: Final[dict[str, Effect]] = {
    **dict.fromkeys(("createPFX", "createPFXWStr", "createFilePFX", "createFilePFXWStr"), keeps_key),
    "binaryToString": writes_text,
    "binaryBlobToString": writes_text,
    "stringToBinary": reads_text,
    "stringToBinaryBlob": reads_text,
}
