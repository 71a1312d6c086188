"""What a CMC request takes over from its template: archival, its cipher, and extensions of the message itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from certenroll import Dispatch
from certenroll.asn1 import cmc_requests, extensions
from certenroll.asn1.der import Extension
from certenroll.ca.policies.template_facts import TemplateFacts
from certenroll.hresults import HRESULT
from certenroll.templates import template_from
from tests.support.enrolling import BINARY, new_request, refused
from tests.support.installed import make_ca
from tests.support.wrapping import blank

TEMPLATE, TEMPLATE_NAME = "1.3.6.1.4.1.311.21.7", "1.3.6.1.4.1.311.20.2"
TRIPLE_DES, AES256 = "1.2.840.113549.3.7", "2.16.840.1.101.3.4.1.42"


def server() -> Any:
    return Dispatch("X509Enrollment.CX509EnrollmentPolicyWebService")


def message_extensions(request: Any) -> list[str]:
    """The object ids of the extensions beside the inner request."""
    request.Encode()
    return [one.oid for one in cmc_requests.decode(request.RawData(BINARY)).data.extensions]


def named(template: str) -> Any:
    made = blank("Cmc")
    made.InitializeFromTemplateName(1, template)
    return made


def named_beside(template: str) -> Any:
    made = blank("Cmc")
    made.InitializeFromInnerRequestTemplateName(new_request(), template)
    return made


def given(facts: TemplateFacts) -> Any:
    made = blank("Cmc")
    made.InitializeFromTemplate(1, server(), template_from(facts))
    return made


def given_beside(facts: TemplateFacts) -> Any:
    made = blank("Cmc")
    made.InitializeFromInnerRequestTemplate(new_request(), server(), template_from(facts))
    return made


@pytest.mark.parametrize("initialized", [named, named_beside])
@pytest.mark.parametrize(("template", "archives"), [("Archive", True), ("User", False), ("Unknown", False)])
def test_a_template_that_the_directory_knows_says_whether_the_key_is_archived(
    initialized: Any, template: str, archives: bool, home: Path
) -> None:
    make_ca(templates={"Archive": {"archive_key": True}})
    request = initialized(template)
    assert request.ArchivePrivateKey is archives
    if archives:
        assert refused(request.Encode) == HRESULT.CERTSRV_E_ARCHIVED_KEY_REQUIRED


@pytest.mark.parametrize("initialized", [given, given_beside])
def test_archival_and_its_cipher_are_those_of_a_policy_servers_template(initialized: Any, home: Path) -> None:
    facts = TemplateFacts("T", private_key_flags=1, symmetric_algorithm="2.16.840.1.101.3.4.1", symmetric_key_length=256)
    request = initialized(facts)
    found = (request.ArchivePrivateKey, request.EncryptionAlgorithm.Value, request.EncryptionStrength)
    assert found == (True, AES256, 256)
    request = initialized(TemplateFacts("T"))
    assert (request.ArchivePrivateKey, request.EncryptionAlgorithm.Value) == (False, TRIPLE_DES)


@pytest.mark.parametrize("oid", [TEMPLATE, TEMPLATE_NAME])
def test_one_extension_of_the_message_names_the_template(oid: str, home: Path) -> None:
    value = {
        TEMPLATE: extensions.encode_template(extensions.Template("1.2.3.4")),
        TEMPLATE_NAME: extensions.encode_template_name("T"),
    }[oid]
    request = given_beside(TemplateFacts("T", oid="1.2.3.4", extensions=(Extension(oid, False, value),)))
    assert [one for one in message_extensions(request) if one in (TEMPLATE, TEMPLATE_NAME)] == [oid]


def test_a_known_name_gives_the_extensions_and_the_object_id_of_the_template(home: Path) -> None:
    make_ca()
    request = named_beside("User")
    known = new_request(template="User").TemplateObjectId.Value
    assert request.TemplateObjectId.Value == known
    found = message_extensions(request)
    assert len([one for one in found if one in (TEMPLATE, TEMPLATE_NAME)]) == 1
    assert extensions.KEY_USAGE in found


def test_an_unknown_name_is_named_and_nothing_more(home: Path) -> None:
    request = named_beside("Unknown")
    assert refused(lambda: request.TemplateObjectId) == HRESULT.CERTSRV_E_PROPERTY_EMPTY
    assert message_extensions(request) == [TEMPLATE_NAME]
