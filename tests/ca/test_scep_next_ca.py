"""GetNextCACert: the CA that will follow is believed where the CA that is followed signed it, and only then.

OpenSSL writes the answers: a degenerate PKCS #7 inside a message that the CA signs.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certenroll.asn1.cms import encode_certificate_bag
from certenroll.asn1.der import DecodeError
from certenroll.asn1.scep import read_next_certificates
from certenroll.ca.base import CAError
from certenroll.ca.scep.transport import HttpRefusal, ScepServer
from certenroll.hresults import HRESULT
from tests.ca.test_scep_transport import answering, web_server
from tests.stores.pki import Made, key, make
from tests.support.ca import pem
from tests.support.judges import run
from tests.support.requires import program

CA = make("SCEP CA", private=key("SCEP CA", 2048))
NEXT = make("SCEP CA", private=key("SCEP CA, the next", 2048))
ROOT = make("A root")
STRANGER = make("Somebody", private=key("Somebody", 2048))


def signed_by(folder: Path, signer: Made, content: bytes, *options: str) -> bytes:
    """What OpenSSL makes of a content that a CA signs."""
    place = {name: folder / name for name in ("content", "signer", "key", "signed")}
    place["content"].write_bytes(content)
    place["signer"].write_text(pem("CERTIFICATE", signer.der))
    place["key"].write_bytes(signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    run(
        *(program("openssl"), "cms", "-sign", "-binary", "-nodetach", "-in", str(place["content"])),
        *("-signer", str(place["signer"]), "-inkey", str(place["key"])),
        *("-outform", "DER", "-out", str(place["signed"]), *options),
    )
    return place["signed"].read_bytes()


def bag_of(folder: Path, *certificates: Made) -> bytes:
    """OpenSSL's degenerate PKCS #7."""
    source, bag = folder / "certificates.pem", folder / "bag"
    source.write_text(pem("CERTIFICATE", *(one.der for one in certificates)))
    run(program("openssl"), "crl2pkcs7", "-nocrl", "-certfile", str(source), "-outform", "DER", "-out", str(bag))
    return bag.read_bytes()


@pytest.mark.parametrize("options", [(), ("-stream",), ("-noattr",), ("-md", "sha512"), ("-nocerts",)])
def test_the_next_ca_s_certificates_are_had_from_the_server(tmp_path: Path, options: tuple[str, ...]) -> None:
    answer = signed_by(tmp_path, CA, bag_of(tmp_path, NEXT, ROOT), *options)
    with web_server(answering(answer, "application/x-x509-next-ca-cert")) as web:
        found = ScepServer(web.url).next_ca_certificates((CA.der,), "my CA")
    assert sorted(found) == sorted((NEXT.der, ROOT.der))
    assert web.heard[0].query == {"operation": ["GetNextCACert"], "message": ["my CA"]}


def test_whatever_the_ca_did_not_sign_is_not_believed(tmp_path: Path) -> None:
    bag = bag_of(tmp_path, NEXT)
    good = signed_by(tmp_path, CA, bag)
    wrong = {
        HRESULT.CRYPT_E_SIGNER_NOT_FOUND: signed_by(tmp_path, STRANGER, bag),
        HRESULT.CRYPT_E_HASH_VALUE: good.replace(NEXT.der, make("SCEP CA", private=NEXT.key).der, 1),
        HRESULT.NTE_BAD_SIGNATURE: good[:-1] + bytes((good[-1] ^ 1,)),
        HRESULT.CRYPT_E_NO_SIGNER: bag,
        HRESULT.CRYPT_E_BAD_MSG: signed_by(tmp_path, CA, encode_certificate_bag(())),
        HRESULT.CRYPT_E_ASN1_EOD: b"",
    }
    for code, answer in wrong.items():
        with web_server(answering(answer)) as web, pytest.raises(CAError) as caught:
            ScepServer(web.url).next_ca_certificates((CA.der,))
        assert caught.value.hresult == code, code.name


def test_certificates_beside_the_content_are_nobody_s_word(tmp_path: Path) -> None:
    beside = tmp_path / "beside.pem"
    beside.write_text(pem("CERTIFICATE", STRANGER.der))
    answer = signed_by(tmp_path, CA, bag_of(tmp_path, NEXT), "-certfile", str(beside))
    assert STRANGER.der in answer
    assert read_next_certificates(answer, (CA.der,)) == (NEXT.der,)


def test_a_server_without_a_next_ca_is_told_from_one_that_is_broken() -> None:
    with web_server(answering(b"no next CA", "text/plain", 404)) as web, pytest.raises(HttpRefusal) as caught:
        ScepServer(web.url).next_ca_certificates((CA.der,))
    assert (caught.value.status, caught.value.body) == (404, b"no next CA")


def test_every_truncation_is_a_decode_error(tmp_path: Path) -> None:
    answer = signed_by(tmp_path, CA, bag_of(tmp_path, NEXT))
    for size in range(len(answer)):
        with pytest.raises(DecodeError):
            read_next_certificates(answer[:size], (CA.der,))
