"""Replies written: as a Windows device writes them, valid by the DTD's order, and read by other XML programs."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from certenroll.mdm.model import Header, Reply, Result, Status, Verb
from certenroll.mdm.replies import write
from certenroll.mdm.syncml import parse
from tests.support.oracles import java
from tests.support.shared import shared_path

HEADER = Header("48", "1", "DEVICE", "https://server.test/mdm")
GET = Result("g", "./Vendor/MSFT/ClientCertificateInstall", "node", "PFXCertInstall/SCEP")
DM = "{SYNCML:SYNCML1.2}"
# The order of elements of OMA's SyncML DTD 1.2, for the elements that a device's reply has.
DTD = """<!DOCTYPE SyncML [
<!ELEMENT SyncML (SyncHdr, SyncBody)>
<!ELEMENT SyncHdr (VerDTD, VerProto, SessionID, MsgID, Target, Source, RespURI?, NoResp?, Cred?, Meta?)>
<!ELEMENT SyncBody ((Alert | Results | Status | Replace)+, Final?)>
<!ELEMENT Status (CmdID, MsgRef, CmdRef, Cmd, TargetRef*, SourceRef*, Cred?, Chal?, Data, Item*)>
<!ELEMENT Results (CmdID, MsgRef?, CmdRef, Meta?, TargetRef?, SourceRef?, Item+)>
<!ELEMENT Item (Target?, Source?, SourceParent?, TargetParent?, Meta?, Data?, MoreData?)>
<!ELEMENT Target (LocURI, LocName?)> <!ELEMENT Source (LocURI, LocName?)>
<!ELEMENT Meta (Format?, Type?)> <!ELEMENT Final EMPTY>
<!ELEMENT VerDTD (#PCDATA)> <!ELEMENT VerProto (#PCDATA)> <!ELEMENT SessionID (#PCDATA)> <!ELEMENT MsgID (#PCDATA)>
<!ELEMENT LocURI (#PCDATA)> <!ELEMENT CmdID (#PCDATA)> <!ELEMENT MsgRef (#PCDATA)> <!ELEMENT CmdRef (#PCDATA)>
<!ELEMENT Cmd (#PCDATA)> <!ELEMENT TargetRef (#PCDATA)> <!ELEMENT Data (#PCDATA)>
<!ELEMENT Format (#PCDATA)> <!ELEMENT Type (#PCDATA)>
<!ATTLIST SyncML xmlns CDATA #FIXED "SYNCML:SYNCML1.2">
<!ATTLIST Format xmlns CDATA #FIXED "syncml:metinf"> <!ATTLIST Type xmlns CDATA #FIXED "syncml:metinf">
]>
"""


def reply(*answers: Status | Result, header: Header | None = HEADER) -> Reply:
    return Reply(header, (Status("0", "SyncHdr", 200), *answers) if header is not None else answers)


def read(data: bytes) -> ET.Element:
    return ET.fromstring(data)


def texts(data: bytes, path: str) -> list[str | None]:
    """The texts of the elements of that path, each name of which is SyncML's."""
    return [one.text for one in read(data).findall("/".join(f"{DM}{name}" for name in path.split("/")))]


def shape(element: ET.Element) -> object:
    return element.tag, (element.text or "").strip(), [shape(one) for one in element]


def test_an_atomic_that_was_done_is_answered_as_windows_answers_it() -> None:
    theirs = shared_path("vectors", "syncml", "windows_atomic_200_response.xml").read_text()
    header = Header("48", "1", "1F28CCBDCE02AE44BD2AAC3C0B9AD4DE", "https://roperzh-fleet.ngrok.io/api/mdm/microsoft/management")
    ours = reply(
        Status("90dbfca8-d4ac-40c9-bf57-ba5b8cbf1ce0", "Atomic", 200),
        Status("81a141b2-5064-4dc3-a51a-128b8caa5438", "Replace", 200, "./Device/Vendor/MSFT/x"),
        header=header,
    )
    assert shape(read(write(ours))) == shape(read(theirs.encode()))
    assert write(ours).decode().split() == theirs.partition("-->")[2].split()


def test_the_header_has_the_session_the_next_number_and_its_ends_exchanged() -> None:
    fields = [(one.tag.removeprefix(DM), one.text) for one in read(write(reply()))[0]][:4]
    assert fields == [("VerDTD", "1.2"), ("VerProto", "DM/1.2"), ("SessionID", "48"), ("MsgID", "2")]
    assert texts(write(reply()), "SyncHdr/Target/LocURI") == ["https://server.test/mdm"]
    assert texts(write(reply()), "SyncHdr/Source/LocURI") == ["DEVICE"]


@pytest.mark.parametrize(
    ("given", "number", "referred"),
    [("1", "2", "1"), ("9", "10", "9"), ("", "1", "1"), ("ab", "ab", "ab"), ("9" * 30, "9" * 30, "9" * 30), ("٣", "٣", "٣")],
)
def test_the_reply_has_the_number_after_the_message_s_where_that_is_one(given: str, number: str, referred: str) -> None:
    made = write(reply(header=Header("", given)))
    assert texts(made, "SyncHdr/MsgID") == [number]
    assert texts(made, "SyncBody/Status/MsgRef") == [referred]
    assert texts(made, "SyncHdr/SessionID") == ["1"]


def test_a_message_without_a_header_gets_an_empty_one() -> None:
    made = write(reply(Status("7", "Add", 418), header=None))
    assert [one.tag for one in read(made)] == [f"{DM}SyncHdr", f"{DM}SyncBody"]
    assert len(read(made)[0]) == 0
    assert texts(made, "SyncBody/Status/MsgRef") == ["1"]


def test_commands_are_numbered_from_1_and_final_is_last() -> None:
    made = write(reply(Status("a", "Get", 200), GET, Status("b", "Add", 418)))
    assert [one.tag.removeprefix(DM) for one in read(made)[1]] == ["Status", "Status", "Results", "Status", "Final"]
    assert [one.find(f"{DM}CmdID").text for one in read(made)[1][:-1]] == ["1", "2", "3", "4"]  # type: ignore[union-attr]


def test_a_result_has_its_place_format_and_value() -> None:
    made = write(reply(Status("g", "Get", 200), Result("g", "./x", "int", "5")))
    item = read(made).find(f"{DM}SyncBody/{DM}Results/{DM}Item")
    assert item is not None
    assert [one.tag.removeprefix(DM) for one in item] == ["Source", "Meta", "Data"]
    kinds = {one.tag: one.text for one in item[1]}
    assert kinds == {"{syncml:metinf}Format": "int"}
    assert (item[0][0].text, item[2].text) == ("./x", "5")


def test_a_target_is_named_where_a_command_has_several_statuses() -> None:
    made = write(reply(Status("1", "Add", 200, "./a"), Status("1", "Add", 404, "./b"), Status("2", "Add", 200, "./c")))
    assert texts(made, "SyncBody/Status/TargetRef") == ["./a", "./b"]


def test_a_command_without_cmdid_is_answered_with_an_empty_reference() -> None:
    assert texts(write(reply(Status("", "Add", 400))), "SyncBody/Status/CmdRef") == ["0", None]


def test_a_reason_does_not_stand_in_the_reply() -> None:
    assert b"because" not in write(reply(Status("1", "Add", 400, reason="because")))


@pytest.mark.parametrize("text", ["<&>\"']]>", "a\r\nb\tc", " spaces ", "Grüße 𐍈", "&amp;", "<![CDATA[x]]>", ""])
def test_every_text_comes_out_as_it_went_in(text: str) -> None:
    made = write(reply(Status("g", "Get", 200), Result("g", text, "chr", text)))
    data = read(made).find(f"{DM}SyncBody/{DM}Results/{DM}Item/{DM}Data")
    assert data is not None
    assert (data.text or "") == text


@pytest.mark.parametrize("text", ["\0", "\x1b[31m", "\ud800", "\ufffe", "\x0b"])
def test_a_character_that_xml_cannot_hold_is_replaced(text: str) -> None:
    made = write(reply(Status(text, text, 400, text), Status(text, text, 400, text), Result(text, text, "chr", text)))
    data = read(made).find(f"{DM}SyncBody/{DM}Results/{DM}Item/{DM}Data")
    assert data is not None
    assert data.text == "\ufffd" + text[1:]


def test_a_reply_is_read_by_our_own_reader() -> None:
    message = parse(write(reply(Status("g", "Get", 200), GET)))
    assert message.header == Header("48", "2", HEADER.source, HEADER.target)
    assert [(one.verb, one.cmd_id) for one in message.commands] == [
        (Verb.STATUS, "1"), (Verb.STATUS, "2"), (Verb.RESULTS, "3"),
    ]
    assert message.final


def test_xerces_finds_our_replies_valid_and_a_wrong_order_not(tmp_path: Path) -> None:
    documents = [
        write(reply()),
        write(reply(Status("1", "Atomic", 507), Status("2", "Add", 216, "./a<&"), Status("", "X", 400, "./b"))),
        write(reply(Status("1", "Get", 200, "./a"), GET, Status("1", "Get", 404, "./b"))),
        write(reply(Status("1", "Get", 200), Result("1", "./\0a", "bin", "\r\x01\ud800"))),
    ]
    documents.append(documents[0].replace(b"<CmdRef>0</CmdRef>", b"").replace(b"</Cmd>", b"</Cmd><CmdRef>0</CmdRef>"))
    files = [tmp_path / f"{number}.xml" for number in range(len(documents))]
    for file, document in zip(files, documents, strict=True):
        file.write_bytes(DTD.encode() + document)
    *ours, wrong = java("XmlJudge", *files).splitlines()
    assert ours == ["valid"] * 4
    assert wrong.startswith("invalid")
