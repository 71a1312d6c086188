"""Policy documents of MS-XCEP: what is read, what is written, what is refused."""

from __future__ import annotations

import contextlib
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certenroll.asn1 import extensions as codec
from certenroll.asn1.der import Extension
from certenroll.ca.local import LocalCA
from certenroll.ca.policies.documents import NAMESPACE, PolicyDocument, decode_policy, encode_policy
from certenroll.ca.policies.elements import MAX_BYTES, MAX_DEPTH, PolicyDocumentError
from certenroll.ca.policies.fields import ObjectIdentifier
from certenroll.ca.policies.local_templates import add_template, delete_template, directory_policy, template_facts
from certenroll.ca.policies.template_facts import AuthorityFacts, AuthorityUri, TemplateFacts
from certenroll.hresults import HRESULT

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
EFS = "1.3.6.1.4.1.311.10.3.4"

# In the form of MS-XCEP section 4.1.1.2, with its mixture of xsi:nil, nil and elements that are empty.
ATTRIBUTES = """<attributes><commonName>EFS</commonName><policySchema>1</policySchema><certificateValidity>
  <validityPeriodSeconds>31536000</validityPeriodSeconds><renewalPeriodSeconds>3628800</renewalPeriodSeconds>
  </certificateValidity><permission><enroll>true</enroll><autoEnroll>0</autoEnroll></permission><privateKeyAttributes>
  <minimalKeyLength>2048</minimalKeyLength><keySpec>1</keySpec><keyUsageProperty xsi:nil="true"/><permissions xsi:nil="1"/>
  <algorithmOIDReference xsi:nil="true"/><cryptoProviders><provider>
    Microsoft Enhanced Cryptographic Provider v1.0</provider></cryptoProviders></privateKeyAttributes>
  <revision><majorRevision>3</majorRevision><minorRevision>1</minorRevision></revision>
  <supersededPolicies xsi:nil="true"/><privateKeyFlags nil="true"/><subjectNameFlags nil="true"/>
  <enrollmentFlags>41</enrollmentFlags><generalFlags nil="true"/><hashAlgorithmOIDReference xsi:nil="true"/>
  <rARequirements xsi:nil="true"/><keyArchivalAttributes xsi:nil="true"/><extensions>
    <extension><oIDReference>5</oIDReference><critical>false</critical><value></value></extension>
    <extension><oIDReference>6</oIDReference><critical>false</critical><value>MAwGCisGAQQBgjcKAwQ=</value></extension>
    <extension><oIDReference>7</oIDReference><critical>true</critical><value>
      AwIF
      oA==</value></extension></extensions><vendor xmlns="urn:other"><commonName>x</commonName></vendor></attributes>"""
OIDS = """<oIDs>
  <oID><value>1.3.6.1.4.1.311.20.2</value><group>6</group><oIDReferenceID>5</oIDReferenceID>
    <defaultName>Certificate Template Name</defaultName></oID>
  <oID><value>2.5.29.37</value><group>6</group><oIDReferenceID>6</oIDReferenceID><defaultName xsi:nil="true"/></oID>
  <oID><value>2.5.29.15</value><group>6</group><oIDReferenceID>7</oIDReferenceID></oID>
  <oID><value>
    1.3.6.1.4.1.311.21.8.3800100.3166153.13323660.9808540.8334961.78.1.6
    </value><group>9</group><oIDReferenceID>9</oIDReferenceID><defaultName>Basic EFS</defaultName></oID></oIDs>"""
CAS = """<cAs><cA><uris><cAURI><clientAuthentication>8</clientAuthentication><uri>https://ces.test/a?b=1&amp;c</uri>
  <priority>1</priority><renewalOnly>false</renewalOnly></cAURI></uris><certificate>MAA=</certificate>
  <enrollPermission>true</enrollPermission><cAReferenceID>0</cAReferenceID></cA></cAs>"""


def document(attributes: str = ATTRIBUTES, oids: str = OIDS, cas: str = CAS, head: str = "") -> bytes:
    references = "<policyOIDReference>9</policyOIDReference><cAs><cAReference>0</cAReference></cAs>"
    policy = f"<policy>{references}{attributes}</policy>"
    response = (
        "<response><policyID>{083C7011}</policyID><policyFriendlyName>Contoso Enrollment Policy</policyFriendlyName>"
        f'<nextUpdateHours>8</nextUpdateHours><policiesNotChanged xsi:nil="true"/><policies>{policy}</policies></response>'
    )
    text = f'{head}<GetPoliciesResponse xmlns="{NAMESPACE}" {XSI}>{response}{cas}{oids}</GetPoliciesResponse>'
    return text.encode()


FULL = TemplateFacts(
    common_name="Full",
    schema_version=4,
    friendly_name="Full <template> & Ä",
    oid="1.3.6.1.4.1.311.21.8.1.2.3",
    validity_seconds=2**40,
    renewal_seconds=1,
    enroll=False,
    auto_enroll=True,
    minimum_key_size=256,
    key_spec=2,
    key_usage_property=0xFFFFFF,
    key_security="D:P(A;;GA;;;BA)",
    key_algorithm="1.2.840.10045.3.1.7",
    crypto_providers=("Microsoft Software Key Storage Provider", "Microsoft Platform Crypto Provider"),
    major_revision=100,
    minor_revision=0,
    superseded=("Old", "Older"),
    private_key_flags=0x01010011,
    subject_name_flags=0x82000000,
    enrollment_flags=0x29,
    general_flags=0x20240,
    hash_algorithm="2.16.840.1.101.3.4.2.1",
    ra_signatures=1,
    ra_ekus=("1.3.6.1.4.1.311.20.2.1",),
    ra_policies=("1.2.3.4",),
    symmetric_algorithm="1.2.840.113549.3.7",
    symmetric_key_length=168,
    extensions=(Extension(codec.KEY_USAGE, True, b"\x03\x02\x05\xa0"), Extension("1.2.3.9", False, b"")),
    authorities=(4, 7),
    security_descriptor="O:BAD:(A;;GA;;;AU)",
)
WHOLE = PolicyDocument(
    policy_id="{A}",
    friendly_name="Ä & <b>",
    next_update_hours=12,
    templates=(FULL, TemplateFacts("Plain", oid="1.2.3.5")),
    authorities=(
        AuthorityFacts(4, b"0\x00", (AuthorityUri("https://a/?x=1&y=2", 8, 1, True), AuthorityUri("https://b", 2)), False),
        AuthorityFacts(7, b"0\x01\x00", config="host\\name"),
    ),
    oids=(ObjectIdentifier("1.2.3.99", 7, "Custom"),),
)


def test_the_form_of_microsofts_example_is_read() -> None:
    found = decode_policy(document())
    (template,), (authority,) = found.templates, found.authorities
    assert (found.policy_id, found.friendly_name, found.next_update_hours) == ("{083C7011}", "Contoso Enrollment Policy", 8)
    assert (template.common_name, template.friendly_name, template.schema_version) == ("EFS", "Basic EFS", 1)
    assert template.oid == "1.3.6.1.4.1.311.21.8.3800100.3166153.13323660.9808540.8334961.78.1.6"
    assert template.crypto_providers == ("Microsoft Enhanced Cryptographic Provider v1.0",)
    assert (template.enroll, template.auto_enroll, template.key_spec, template.private_key_flags) == (True, False, 1, None)
    assert (template.ekus, template.key_usage, template.enrollment_flags) == ((EFS,), 0xA0, 41)
    assert authority.uris == (AuthorityUri("https://ces.test/a?b=1&c", 8, 1, False),)
    assert authority.templates == ("EFS",)


def test_an_empty_template_name_extension_is_filled_in_for_the_request() -> None:
    (template,) = decode_policy(document()).templates
    name, usages, usage = template.request_extensions
    assert (name.oid, codec.decode_template_name(name.value)) == (codec.TEMPLATE_NAME, "EFS")
    assert (usages.oid, usage.oid) == (codec.EXTENDED_KEY_USAGE, codec.KEY_USAGE)


@pytest.mark.parametrize("soap", ["http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/"])
def test_a_saved_soap_answer_is_read(soap: str) -> None:
    text = document().decode()
    wrapped = f'<s:Envelope xmlns:s="{soap}"><s:Header/><s:Body>{text}</s:Body></s:Envelope>'
    assert decode_policy(wrapped.encode()) == decode_policy(document())


def test_utf_16_is_read() -> None:
    text = document(head='<?xml version="1.0" encoding="utf-16"?>').decode()
    assert decode_policy(text.encode("utf-16")) == decode_policy(document())


def test_a_policy_that_has_not_changed_has_no_templates() -> None:
    text = (
        f'<GetPoliciesResponse xmlns="{NAMESPACE}" {XSI}><response><policyID>x</policyID>'
        '<policiesNotChanged>true</policiesNotChanged><policies xsi:nil="true"/></response>'
        '<cAs xsi:nil="true"/><oIDs xsi:nil="true"/></GetPoliciesResponse>'
    )
    assert decode_policy(text.encode()) == PolicyDocument("x", not_changed=True)


def test_every_field_comes_back_as_it_was_written() -> None:
    found = decode_policy(encode_policy(WHOLE))
    assert found.templates == WHOLE.templates
    assert [replace(one, templates=()) for one in found.authorities] == list(WHOLE.authorities)
    assert found.authorities[0].templates == ("Full",)
    assert WHOLE.oids[0] in found.oids
    assert (found.policy_id, found.friendly_name, found.next_update_hours) == ("{A}", "Ä & <b>", 12)
    assert decode_policy(encode_policy(found)) == found


def test_what_was_read_is_written_without_loss() -> None:
    found = decode_policy(document())
    assert decode_policy(encode_policy(found)) == found


def test_another_reader_finds_the_elements_in_the_order_of_the_schema() -> None:
    root = ET.fromstring(encode_policy(WHOLE))
    names = [one.tag.rpartition("}")[2] for one in root.find(f".//{{{NAMESPACE}}}attributes") or ()]
    assert names == [
        "commonName", "policySchema", "certificateValidity", "permission", "privateKeyAttributes", "revision",
        "supersededPolicies", "privateKeyFlags", "subjectNameFlags", "enrollmentFlags", "generalFlags",
        "hashAlgorithmOIDReference", "rARequirements", "keyArchivalAttributes", "extensions", "securityDescriptor",
    ]  # fmt: skip
    references = {one.text for one in root.iter(f"{{{NAMESPACE}}}oIDReferenceID")}
    used = {one.text for one in root.iter() if one.tag.endswith("OIDReference") and one.text}
    assert used <= references
    assert len(references) == len(list(root.iter(f"{{{NAMESPACE}}}oID")))


def refused(data: bytes) -> str:
    with pytest.raises(PolicyDocumentError) as caught:
        decode_policy(data)
    assert caught.value.hresult == HRESULT.WIN32_INVALID_DATA
    return caught.value.reason


@pytest.mark.parametrize(
    "head",
    [
        "<!DOCTYPE x>",
        '<!DOCTYPE GetPoliciesResponse [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE GetPoliciesResponse SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x">%p;]>',
    ],
)
def test_a_doctype_is_refused(head: str) -> None:
    assert "DOCTYPE" in refused(document(head=head))


def test_an_entity_that_nobody_declared_is_refused() -> None:
    refused(document(ATTRIBUTES.replace("EFS", "&efs;")))


def test_nesting_beyond_the_bound_is_refused() -> None:
    deep = "<a>" * MAX_DEPTH + "</a>" * MAX_DEPTH
    assert "elements" in refused(document(ATTRIBUTES.replace("</attributes>", f"{deep}</attributes>")))


def test_more_elements_than_the_bound_are_refused() -> None:
    assert "elements" in refused(b"<a>" + b"<b/>" * 100_001 + b"</a>")


def test_a_document_beyond_the_bound_is_refused() -> None:
    assert "bytes" in refused(b" " * (MAX_BYTES + 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<commonName>EFS</commonName>", ""),
        ("<commonName>EFS</commonName>", "<commonName> </commonName>"),
        ("<commonName>EFS</commonName>", "<commonName>EFS</commonName><commonName>X</commonName>"),
        ("<policySchema>1<", "<policySchema>one<"),
        ("<policySchema>1<", "<policySchema>-1<"),
        ("<policySchema>1<", "<policySchema>4294967296<"),
        ("<policySchema>1<", "<policySchema>\u0661<"),
        ("<policySchema>1<", f"<policySchema>{'9' * 5000}<"),
        ("<enroll>true<", "<enroll>yes<"),
        ("<minimalKeyLength>2048</minimalKeyLength>", '<minimalKeyLength xsi:nil="true"/>'),
        ("MAwGCisGAQQBgjcKAwQ=", "MAwG*"),
        ("<oIDReference>5<", "<oIDReference>55<"),
        ("<oIDReferenceID>9<", "<oIDReferenceID>7<"),
        ("<value>2.5.29.15<", "<value>2.5.29.<"),
        ("<cAReference>0<", "<cAReference>3<"),
        ("<certificate>MAA=<", "<certificate><"),
        ("<policyID>{083C7011}</policyID>", ""),
        ("enrollmentpolicy", "enrollment"),
        ("GetPoliciesResponse", "GetPolicies"),
    ],
)
def test_a_value_that_the_schema_does_not_have_is_refused(old: str, new: str) -> None:
    text = document().decode()
    assert old in text
    refused(text.replace(old, new).encode())


def test_two_templates_or_cas_of_one_name_are_refused() -> None:
    text = document().decode()
    policy = text[text.index("<policy>") : text.index("</policies>")]
    refused(text.replace(policy, policy * 2).encode())
    authority = text[text.index("<cA>") : text.index("</cAs><oIDs>")]
    refused(text.replace(authority, authority * 2).encode())


def test_a_document_that_ends_early_is_refused_at_every_byte() -> None:
    whole = encode_policy(decode_policy(document())).rstrip()
    for end in range(len(whole)):
        refused(whole[:end])


def test_what_xml_cannot_hold_is_not_written() -> None:
    with pytest.raises(PolicyDocumentError):
        encode_policy(PolicyDocument("a\x00b"))
    with pytest.raises(PolicyDocumentError):
        encode_policy(PolicyDocument(templates=(TemplateFacts("no identifier"),)))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_changed_byte_gives_a_policy_or_a_refusal(data: st.DataObject) -> None:
    whole = bytearray(document())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(PolicyDocumentError):
        assert isinstance(decode_policy(bytes(whole)), PolicyDocument)


# The local CA's templates -------------------------------------------------------------------------------------------


def test_the_policy_of_a_local_ca_survives_a_document(ca: LocalCA, tmp_path: Path) -> None:
    made = directory_policy([tmp_path / "ca"])
    found = decode_policy(encode_policy(made))
    assert found.templates == made.templates
    assert found.authorities[0].config == "ca.test\\Test CA"
    assert found.authorities[0].certificate == ca.certificates()[0]
    assert {one.common_name for one in found.templates} == {name for name, _ in ca.describe().templates}


def test_a_template_says_what_the_ca_will_do(ca: LocalCA) -> None:
    facts = {one.name: template_facts(one) for one in ca.policy.all_templates}
    assert facts["WebServer"].subject_from_request
    assert facts["WebServer"].is_machine
    assert not facts["User"].subject_from_request
    assert (facts["User"].exportable, facts["UserSignature"].exportable) == (True, False)
    assert (facts["User"].key_spec, facts["CodeSigning"].key_spec) == (1, 2)
    assert facts["SubCA"].enrollment_flags == 2
    assert facts["SubCA"].general_flags == 0x10080
    assert facts["SmartcardLogon"].crypto_providers == ("Microsoft Base Smart Card Crypto Provider",)
    assert all(one.is_default for one in facts.values())


def test_a_new_template_is_issued_by_and_a_deleted_one_is_not(tmp_path: Path, ca: LocalCA) -> None:
    folder = tmp_path / "ca"
    numbers = {one.name: one.oid for one in ca.policy.all_templates}
    usage = Extension(codec.KEY_USAGE, True, codec.encode_key_usage(0x80))
    ekus = Extension(codec.EXTENDED_KEY_USAGE, False, codec.encode_object_ids(["1.3.6.1.5.5.7.3.1"]))
    wanted = TemplateFacts("Lab", minor_revision=4, extensions=(usage, ekus), subject_name_flags=0x10001)
    stored = add_template(folder, wanted)
    assert stored.oid is not None
    policy = LocalCA(folder).policy
    lab = policy.template("Lab")
    assert lab is not None
    assert (lab.oid, lab.version, lab.ekus, lab.key_usage) == (
        stored.oid, (100, 4), ("1.3.6.1.5.5.7.3.1",), ("digital_signature",),
    )  # fmt: skip
    shown = next(one for one in directory_policy([folder]).templates if one.common_name == "Lab")
    assert shown == replace(stored, authorities=(0,))
    delete_template(folder, stored)
    assert {one.name: one.oid for one in LocalCA(folder).policy.all_templates} == numbers
    assert not list(folder.glob(".policy*"))


def test_deleting_a_template_leaves_the_numbers_of_the_others(tmp_path: Path, ca: LocalCA) -> None:
    folder = tmp_path / "ca"
    replace(ca.policy, templates={"First": {"oid": "1.2.3"}, "Second": {}}).save(folder)
    second = LocalCA(folder).policy.template("Second")
    assert second is not None
    delete_template(folder, TemplateFacts("First", oid="1.2.3"))
    assert LocalCA(folder).policy.template("Second") == second
