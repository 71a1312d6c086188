"""The pages of examples/legacy, opened, filled in and clicked, with keys in software, in a TPM and on a card."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA1

from tests.support.legacy_pages import Place, form_of, requests_in, usages_of

# For what has nothing to do with where the keys are.
IN_SOFTWARE = pytest.mark.parametrize("device", ["software"], indirect=True)
CLIENT, EMAIL = "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4"
CREATE, GO, INSTALL = ("--event", "Create.onclick"), ("--event", "go.onclick"), ("--event", "Install.onclick")
CARD_PROVIDER = "Microsoft Base Smart Card Crypto Provider"
UNKNOWN = "[message box] No request of this computer has this certificate's key. -> OK"


def answer(place: Place, request: str, *options: str) -> None:
    """Puts the CA's answer to the text of a request into the file answer.p7b."""
    (place.folder / "asked.req").write_text(request)
    (place.folder / "answer.p7b").unlink(missing_ok=True)
    place.xenroll("ca", "sign", "asked.req", "--out", "answer.p7b", *options)


def accepted(place: Place, *events: str) -> list[str]:
    """What accept.htm says when that answer is pasted and its button is clicked."""
    clicks = [part for event in (*INSTALL[1:], *events) for part in ("--event", event)]
    return place.run("accept.htm", options=("--field-file", "PKCS7=answer.p7b", *clicks)).splitlines()


# A page in VBScript ---------------------------------------------------------------------------------------------------


def test_a_page_asks_for_a_certificate_installs_it_and_sends_its_form(place: Place) -> None:
    fields = ("--field", "CommonName=Carla", "--field", "Spec=Signature", "--field", "Exportable=off")
    written = place.run("page_vbscript.htm", options=(*fields, *CREATE, "--event", "Send.onclick"))
    assert written.startswith("[message box] Ask for a certificate: Your certificate is installed. -> OK\n")
    form = form_of(written)
    assert (form["CommonName"], form["Spec"], form["KeyLength"]) == ("Carla", "2", "2048")
    (request,) = requests_in(form["CertRequest"])
    (certificate,) = place.check_installed("CN=Carla,O=Example")
    assert certificate.public_key() == request.public_key()
    assert usages_of(certificate) == [CLIENT]


@IN_SOFTWARE
def test_a_page_without_a_request_does_not_send_its_form(place: Place) -> None:
    assert place.run("page_vbscript.htm", options=("--event", "Send.onclick")) == ""


def test_the_chosen_length_is_the_key_s_which_a_ca_may_refuse(place: Place) -> None:
    clicks = ("--field", "KeyLength=1024", *CREATE, "--event", "Send.onclick")
    refusal, _, sent = place.run("page_vbscript.htm", options=clicks).partition("\n")
    assert refusal == "[message box] VBScript: The CA refuses: 0x80094811 -> OK"  # the key is too short for it
    (request,) = requests_in(form_of(sent)["CertRequest"])
    key = request.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 1024
    assert place.stored() == []


def test_the_card_s_own_provider_makes_no_key_for_export_and_the_page_says_so(place: Place) -> None:
    variables = {name: value for name, value in place.xenroll.variables.items() if name != "XENROLL_KEY_LOCATION"}
    user = replace(place, xenroll=replace(place.xenroll, variables=variables))
    chosen = ("--field", f"Providers={CARD_PROVIDER}")
    told = user.run("page_vbscript.htm", options=(*chosen, *CREATE))
    assert told == "[message box] VBScript: No request: 0x8009000B -> OK\n"
    assert user.stored() == user.stored("REQUEST") == []
    if place.store == "smartcard":
        user.run("page_vbscript.htm", options=(*chosen, "--field", "Exportable=off", *CREATE))
        place.check_installed("CN=Carol,O=Example")


@IN_SOFTWARE
def test_a_ca_that_holds_requests_leaves_one_that_is_outstanding(place: Place) -> None:
    policy = place.xenroll.home / "ca" / "policy.json"
    policy.write_text(policy.read_text().replace('"issue"', '"hold"'))
    written = place.run("page_vbscript.htm", options=CREATE)
    assert written == "[message box] VBScript: The CA holds your request: 1 -> OK\n"
    assert [one.subject for one in place.stored("REQUEST")] == ["CN=Carol,O=Example"]
    assert place.stored() == []


# A page in JScript ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("control", "usages"), [("xenroll", [CLIENT]), ("certenroll", [])])
def test_a_page_asks_by_either_control(place: Place, control: str, usages: list[str]) -> None:
    fields = ("--field", "cn=Dora", "--field", f"control={control}", "--field", "keysize=2048")
    form = form_of(place.run("page_jscript.htm", options=(*fields, *GO)))
    assert (form["cn"], form["control"], form["keysize"]) == ("Dora", control, "2048")
    (request,) = requests_in(form["csr"])
    assert (request.subject.rfc4514_string(), usages_of(request)) == ("CN=Dora,O=Example", usages)
    answer(place, form["csr"])
    assert accepted(place) == ["[message box] Installed. -> OK"]
    (certificate,) = place.check_installed("CN=Dora,O=Example")
    assert certificate.public_key() == request.public_key()


# A page that a server makes, and the one for its answer ----------------------------------------------------------------


def test_the_server_s_part_of_a_page_writes_the_name_into_the_browser_s(place: Place) -> None:
    form = form_of(place.run("request.asp", options=("--query", "name=Zoe", "--field", f"Usage={EMAIL}", *CREATE)))
    (request,) = requests_in(form["CertRequest"])
    assert (request.subject.rfc4514_string(), usages_of(request)) == ("CN=Zoe", [EMAIL])
    assert [one.key.store for one in place.stored("REQUEST")] == [place.store]


def test_an_answer_is_accepted_twice_and_not_a_third_time(place: Place) -> None:
    answer(place, form_of(place.run("request.asp", options=CREATE))["CertRequest"])
    assert accepted(place, "Install.onclick") == ["[message box] Installed. -> OK", UNKNOWN]
    place.check_installed("CN=Erin")
    assert place.stored("REQUEST") == []


def test_an_answer_to_a_request_that_is_gone_is_told_by_its_number(place: Place) -> None:
    answer(place, form_of(place.run("request.asp", options=CREATE))["CertRequest"])
    (entry,) = place.stored("REQUEST")
    place.xenroll("store", "delete", entry.certificate.fingerprint(SHA1()).hex(), "--store", "REQUEST")
    assert accepted(place) == [UNKNOWN]
    assert place.stored() == []
