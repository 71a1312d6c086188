"""What the facade adds to requests: signed attributes, keys used again or gone to a file, lengths of a device."""

from __future__ import annotations

from typing import Any

import pytest

from certenroll import com, facade
from certenroll.asn1 import der, pkcs7_requests
from certenroll.asn1.der import Attribute, DecodeError
from certenroll.hresults import HRESULT
from keystores.base import KeyAlgorithm, KeyTemplate, KeyUse
from keystores.errors import KeyStoreError
from tests.support.enrolling import BINARY, new_enrollment, new_request, refused
from tests.support.installed import SOFTWARE, installed, make_ca, message
from tests.support.softhsm import SoftToken

pytestmark = pytest.mark.usefixtures("home")
ATTRIBUTE = Attribute("1.2.3.5", (b"\x04\x05hello",))


@pytest.mark.parametrize("tag", [der.SET, der.SEQUENCE])
def test_attributes_are_read_as_objects(tag: int) -> None:
    (found,) = facade.read_attributes(der.wrap(tag, der.encode_attribute(ATTRIBUTE)))
    assert found.to_attribute() == ATTRIBUTE


def test_attributes_that_end_early_are_refused_at_every_offset() -> None:
    data = der.wrap(der.SET, der.encode_attribute(ATTRIBUTE))
    for end in range(len(data)):
        with pytest.raises(DecodeError):
            facade.read_attributes(data[:end])


def test_the_signer_of_a_pkcs7_signs_attributes_until_it_is_encoded() -> None:
    make_ca()
    request: Any = message("Pkcs7", installed(SOFTWARE, "EC", "CN=agent", "EnrollmentAgent"), inner=new_request("CN=x"))
    attributes = facade.read_attributes(der.wrap(der.SET, der.encode_attribute(ATTRIBUTE)))
    facade.sign_attributes(request, attributes)
    request.Encode()
    made = pkcs7_requests.decode(request.RawData(BINARY))
    assert made.signed.signers[0].signed_values("1.2.3.5") == ATTRIBUTE.values
    assert refused(facade.sign_attributes, request, attributes) == HRESULT.WIN32_ALREADY_INITIALIZED


def test_a_key_cannot_have_gone_to_a_file_before_there_is_a_request() -> None:
    assert refused(facade.leave_key_in_file, new_enrollment(new_request()), "key.pvk") == HRESULT.CERTSRV_E_PROPERTY_EMPTY


def test_a_key_of_the_wrong_kind_is_not_used_again_and_software_is_never_full() -> None:
    installed_key = SOFTWARE.new_key("RSA")
    installed_key.Create()
    assert facade.reusable_container(("software",), 2) == ""
    with SoftToken() as token:
        token.store().create("curve", KeyTemplate(KeyAlgorithm.EC, 256))
        token.store().create("signs", KeyTemplate(use=KeyUse.SIGN))
        assert facade.reusable_container(("smartcard",), 1) == ""
        assert facade.reusable_container(("smartcard", "software"), 2) == "signs"


def test_a_look_at_a_holder_or_a_certificate_is_told_to_no_observer() -> None:
    calls: list[com.Call] = []
    with com.observe(calls.append):
        assert facade.key_holder(3, "", 1) == ("Microsoft Strong Cryptographic Provider", ())
        refused(facade.checked_certificate, b"none")
    assert calls == []
    with pytest.raises(KeyStoreError):
        facade.key_holder(9, "", 1)
    with pytest.raises(KeyStoreError):
        facade.key_holder(0, "no provider", 0)
