"""SyncML messages read: the documented examples, the shapes found in the wild, and what is refused."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from certenroll.hresults import HRESULT
from certenroll.mdm.model import Command, Header, Item, Message, Verb
from certenroll.mdm.syncml import Limits, SyncMLError, numbered, parse
from tests.support.shared import shared_path

ROOT = Path(__file__).resolve().parents[2]
NODE = "./Vendor/MSFT/ClientCertificateInstall/SCEP/a"
ADD = f"<Add><CmdID>7</CmdID><Item><Target><LocURI>{NODE}</LocURI></Target><Data>x</Data></Item></Add>"
ADDED = Command("Add", Verb.ADD, "7", (Item(NODE, data="x"),))


def body(inner: str) -> bytes:
    return f"<SyncML><SyncBody>{inner}</SyncBody></SyncML>".encode()


def only(inner: str) -> Command:
    """The one command of a body."""
    (found,) = parse(body(inner)).commands
    return found


def refusal(data: bytes, limits: Limits = Limits()) -> str:  # noqa: B008
    with pytest.raises(SyncMLError) as caught:
        parse(data, limits=limits)
    assert caught.value.hresult == HRESULT.WIN32_INVALID_DATA
    return str(caught.value)


# The documented examples ------------------------------------------------------------------------------------------------


def test_the_documented_pfx_message_is_a_delete_and_an_atomic_of_six_adds() -> None:
    message = parse(shared_path("vectors", "syncml", "doc_pfx_install.xml").read_bytes())
    delete, atomic = message.commands
    assert (message.header, message.final) == (None, True)
    assert (delete.verb, delete.cmd_id, delete.items[0].data) == (Verb.DELETE, "$CmdID$", None)
    assert [one.verb for one in atomic.children] == [Verb.ADD] * 6
    assert [(one.items[0].target.rpartition("/")[2], one.items[0].format, one.items[0].data) for one in atomic.children] == [
        ("KeyLocation", "int", "2"),
        ("PFXCertBlob", "chr", "Base64_Encode_Cert_Blob"),
        ("PFXCertPassword", "chr", "Base64Encoded_Encrypted_Password_Blog"),
        ("PFXCertPasswordEncryptionType", "int", "2"),
        ("PFXCertPasswordEncryptionStore", "chr", "My"),
        ("PFXKeyExportable", "bool", "true"),
    ]


def test_the_documented_scep_message_is_an_atomic_that_ends_with_exec() -> None:
    text = shared_path("vectors", "syncml", "doc_scep_enroll.xml").read_text()
    (atomic,) = parse(text.replace("<InsertUniqueIDHere>", "one").encode()).commands
    assert [one.cmd_id for one in atomic.children[:2]] == ["301", "302"]
    assert {one.verb for one in atomic.children[:-1]} == {Verb.ADD}
    values = {one.items[0].target.rpartition("/")[2]: one.items[0].data for one in atomic.children}
    assert (values["one"], values["SubjectAlternativeNames"], values["KeyLength"]) == (None, "", "1024")
    assert (atomic.children[-1].verb, atomic.children[-1].items[0].data) == (Verb.EXEC, None)


def test_a_bare_atomic_of_the_documentation_is_read() -> None:
    message = parse(shared_path("vectors", "syncml", "msdocs_certificatestore_scep_tail.xml").read_bytes())
    assert [one.cmd_id for one in message.commands[0].children] == ["13", "14", "15", "16"]


def test_a_device_s_own_reply_is_read_as_statuses() -> None:
    message = parse(shared_path("vectors", "syncml", "windows_atomic_200_response.xml").read_bytes())
    assert message.header == Header(
        "48", "2", "https://roperzh-fleet.ngrok.io/api/mdm/microsoft/management", "1F28CCBDCE02AE44BD2AAC3C0B9AD4DE"
    )
    assert [(one.verb, one.cmd_id, one.wrong) for one in message.commands] == [(Verb.STATUS, str(n), "") for n in (1, 2, 3)]


# Shapes -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        ADD,
        f"<SyncBody>{ADD}</SyncBody>",
        f"<SyncML><SyncBody>{ADD}</SyncBody></SyncML>",
        f'<SyncML xmlns="SYNCML:SYNCML1.1"><SyncBody>{ADD}</SyncBody></SyncML>',
        f'<SyncML xmlns="SYNCML:SYNCML1.2"><SyncBody xmlns:msft="urn:m">{ADD}</SyncBody></SyncML>',
        f'<SyncML xmlns="syncml:syncml1.2"><SyncBody>{ADD}</SyncBody></SyncML>',
        f"paste this:\n\n<SyncML><SyncBody>{ADD}</SyncBody></SyncML>\n\nthat was it\n",
        f"\n\n  <?xml version='1.0' encoding='utf-8'?>\n{ADD}",
        f"<!-- one --><?tool do it?>{ADD}<!-- two -->",
        ADD.replace("<Data>x", "<Data><![CDATA[x]]>"),
        ADD.replace("<Data>x", "<Data><!-- y -->x<?z z?>"),
        ADD.replace("<Data>x", "<Data>&#x78;"),
        ADD.replace(NODE, f"\n\t{NODE}  \n").replace("7", "\n7 "),
        ADD.replace("<CmdID>7</CmdID>", "").replace("</Item>", "</Item><CmdID>7</CmdID>"),
        ADD.replace("<Item>", '<NoResp/><v:More xmlns:v="urn:v"><v:b/></v:More><Item>'),
        ADD.replace("</LocURI>", "</LocURI><LocName>a</LocName>"),
    ],
)
def test_the_same_add_is_read_from_every_shape(text: str) -> None:
    assert parse(text.encode()) == Message(None, (ADDED,))


def test_a_prefix_for_every_element_is_read() -> None:
    text = ADD.replace("</", "\0").replace("<", "<s:").replace("\0", "</s:")
    message = parse(f'<s:SyncML xmlns:s="SYNCML:SYNCML1.2"><s:SyncBody>{text}<s:Final/></s:SyncBody></s:SyncML>'.encode())
    assert message == Message(None, (ADDED,), final=True)


@pytest.mark.parametrize(
    "meta",
    [
        '<Meta><Format xmlns="syncml:metinf">int</Format><Type xmlns="syncml:metinf">text/plain</Type></Meta>',
        "<Meta><Format> int </Format><Type>text/plain</Type><Size>3</Size></Meta>",
        '<Meta xmlns="syncml:metinf"><Format>int</Format><Type>text/plain</Type></Meta>',
        '<Meta xmlns:m="syncml:metinf"><m:Type>text/plain</m:Type><m:Format>int</m:Format></Meta>',
    ],
)
def test_format_and_type_are_read_with_and_without_their_namespace(meta: str) -> None:
    (item,) = only(ADD.replace("<Data>", f"{meta}<Data>")).items
    assert (item.format, item.type) == ("int", "text/plain")


def test_an_item_s_own_meta_stands_above_the_command_s() -> None:
    items = "".join(f"<Item>{meta}</Item>" for meta in ("", "<Meta><Format>int</Format></Meta>"))
    above = "<Meta><Format>chr</Format><Type>text/plain</Type></Meta>"
    found = only(f"<Replace><CmdID>1</CmdID>{above}{items}</Replace>").items
    assert found == (Item("", "chr", "text/plain"), Item("", "int", "text/plain"))


def test_several_commands_without_a_root_are_read_in_their_order() -> None:
    message = parse(b"<Get><CmdID>1</CmdID></Get> <Atomic><CmdID>2</CmdID></Atomic><Exec><CmdID>3</CmdID></Exec><Final/>")
    assert [(one.verb, one.cmd_id) for one in message.commands] == [(Verb.GET, "1"), (Verb.ATOMIC, "2"), (Verb.EXEC, "3")]
    assert message.final


def test_a_header_gives_what_a_reply_needs() -> None:
    header = "<SyncHdr><VerDTD>1.2</VerDTD><SessionID> 5</SessionID><MsgID>9</MsgID><Meta><MaxMsgSize>4</MaxMsgSize></Meta>"
    message = parse(f"<SyncML>{header}<Source><LocURI>s</LocURI></Source></SyncHdr><SyncBody/></SyncML>".encode())
    assert message == Message(Header("5", "9", "", "s"), ())


def test_an_alert_has_its_code_and_items_without_a_target() -> None:
    alert = only("<Alert><CmdID>2</CmdID><Data>1224</Data><Item><Meta><Type>t</Type></Meta><Data>user</Data></Item></Alert>")
    assert alert == Command("Alert", Verb.ALERT, "2", (Item("", None, "t", "user"),), data="1224")


def test_blanks_of_data_are_kept_and_line_ends_are_xml_s() -> None:
    assert only(ADD.replace(">x<", "> a\r\nb&#13; <")).items[0].data == " a\nb\r "


def test_empty_data_is_not_the_same_as_none() -> None:
    assert only(ADD.replace(">x<", "><")).items[0].data == ""
    assert only(ADD.replace("<Data>x</Data>", "")).items[0].data is None


def test_an_atomic_has_its_commands_and_not_its_parts() -> None:
    atomic = only(f"<Atomic><CmdID>1</CmdID><NoResp/><Meta/>{ADD}<Sequence><CmdID>2</CmdID>{ADD}</Sequence></Atomic>")
    assert atomic.children == (ADDED, Command("Sequence", Verb.SEQUENCE, "2", children=(ADDED,)))


@pytest.mark.parametrize("inner", ["<Copy><CmdID>7</CmdID></Copy>", "<Copy xmlns='urn:x'><CmdID xmlns=''>7</CmdID></Copy>"])
@pytest.mark.parametrize("around", ["{}", "<Atomic>{}</Atomic>", "<Sequence>{}</Sequence>"])
def test_an_element_that_is_no_command_is_kept_with_its_name(inner: str, around: str) -> None:
    found = only(around.format(inner))
    assert (found.children[0] if found.children else found) == Command("Copy", None, "7")


def test_an_add_of_another_namespace_is_no_command() -> None:
    found = only('<Add xmlns="urn:x"/>')
    assert (found.verb, "urn:x" in found.wrong) == (None, True)


def test_no_repr_shows_data() -> None:
    assert "s3cret" not in repr(parse(ADD.replace(">x<", ">s3cret<").encode()))


# Malformed commands -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (ADD.replace(">x<", "><a/><"), "holds elements"),
        (ADD.replace(NODE, "<b/>"), "holds elements"),
        (ADD.replace(">7<", "><b/><"), "holds elements"),
        (ADD.replace("<CmdID>", "<CmdID>6</CmdID><CmdID>"), "twice"),
        (ADD.replace("<Data>", "<Data>y</Data><Data>"), "twice"),
        (ADD.replace("<Target>", "<Target/><Target>"), "twice"),
        (ADD.replace("<LocURI>", "<LocURI/><LocURI>"), "twice"),
        (ADD.replace("<Data>", "<Meta/><Meta/><Data>"), "twice"),
        (ADD.replace("</Data>", "</Data><MoreData/>"), "MoreData"),
        (ADD.replace("Data>", "Date>"), "<Date> has no place in <Item>"),
        (ADD.replace("Item>", "Object>"), "<Object> has no place in <Add>"),
        (f"<Replace><CmdID>7</CmdID><Target><LocURI>{NODE}</LocURI></Target></Replace>", "<Target> has no place"),
        ("<Add><CmdID>7</CmdID><Data>x</Data></Add>", "<Data> has no place"),
        (f"<Atomic><CmdID>7</CmdID><CmdID>8</CmdID>{ADD}</Atomic>", "twice"),
    ],
)
def test_a_malformed_command_says_why_and_the_next_one_is_read(text: str, why: str) -> None:
    wrong, right = parse(body(text + ADD)).commands
    assert why in wrong.wrong
    assert (wrong.items, wrong.children, right) == ((), (), ADDED)


def test_a_missing_cmdid_is_none_and_the_session_s_affair() -> None:
    found = only(ADD.replace("<CmdID>7</CmdID>", ""))
    assert (found.cmd_id, found.wrong) == (None, "")


def test_a_profile_s_commands_without_cmdid_get_numbers_that_are_free() -> None:
    unnumbered = ADD.replace("<CmdID>7</CmdID>", "")
    message = numbered(parse(f"<Atomic>{unnumbered}{ADD.replace('7', '2')}<What/></Atomic>{unnumbered}<Status/>".encode()))
    atomic, add, status = message.commands
    assert [one.cmd_id for one in (atomic, *atomic.children, add, status)] == ["1", "3", "2", "4", "5", None]
    assert add.items == ADDED.items


def test_what_the_server_says_of_earlier_messages_is_never_malformed() -> None:
    found = only("<Status><CmdID>1</CmdID><Data><a/></Data><Data/><What/></Status>")
    assert found == Command("Status", Verb.STATUS, "1")


# Encodings --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("declared", ["", '<?xml version="1.0" encoding="UTF-16"?>', '<?xml version="1.0"?>'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_unicode_form_is_read_with_and_without_its_declaration(encoding: str, declared: str) -> None:
    data = (declared + ADD.replace(">x<", ">Grüße 𐍈<")).encode(encoding)
    assert parse(data).commands[0].items[0].data == "Grüße 𐍈"


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1252"])
def test_a_declared_code_page_is_read(encoding: str) -> None:
    data = (f"<?xml version='1.0' encoding='{encoding}'?>" + ADD.replace(">x<", ">Grüße<")).encode(encoding)
    assert parse(data).commands[0].items[0].data == "Grüße"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"\xef\xbb\xbf", "no SyncML"),
        (ADD.encode("utf-32"), "UTF-32"),
        (b'<?xml version="1.0" encoding="EBCDIC-CP-US"?>' + ADD.encode(), "EBCDIC-CP-US"),
        (ADD.replace(">x<", ">ü<").encode("latin-1"), "not utf-8"),
        (ADD.encode("utf-16")[:-1], "not utf-16-le"),
        (b"\xff\xfe\x00\xd8", "not utf-16-le"),
        (b"\x03\x01\x6a\x00", "WBXML"),
        (b"\x00\x01\x02", "no well-formed XML"),
    ],
)
def test_an_encoding_that_is_not_read_is_told(data: bytes, why: str) -> None:
    assert why in refusal(data)


# Refused as a whole -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{'json': true}", "no SyncML"),
        ("<html><Add/></html>", "no SyncML"),
        ("<Final/>", "no SyncML"),
        ('<SyncML xmlns="urn:other"><SyncBody/></SyncML>', "no SyncML"),
        ("<SyncML/>", "no SyncBody"),
        ("<SyncML><SyncHdr/></SyncML>", "no SyncBody"),
        ("<SyncML><SyncBody/><SyncBody/></SyncML>", "more than one"),
        ("<SyncML><SyncBody/></SyncML><SyncML><SyncBody/></SyncML>", "more than one"),
        (f"<SyncML>{ADD}<SyncBody/></SyncML>", "beside the SyncBody"),
        ("<SyncML><SyncHdr><MsgID/><MsgID/></SyncHdr><SyncBody/></SyncML>", "SyncHdr cannot be read"),
        ("<SyncML><SyncBody></SyncML>", "mismatched tag"),
        ("<Add x='1' x='2'/>", "duplicate attribute"),
        ("<v:Add/>", "unbound prefix"),
        ("</fragment><Add/>", "no well-formed XML"),
        ("<Add/></fragment>", "no well-formed XML"),
        ("<Add/></fragment><fragment>", "no well-formed XML"),
        ("<Add>&nbsp;</Add>", "entity"),
        (f"<{'a' * 600}/>", "name of an element"),
    ],
)
def test_what_is_no_message_is_refused(text: str, why: str) -> None:
    assert why in refusal(text.encode())


DOCTYPES = {
    "plain": "<!DOCTYPE SyncML><SyncML><SyncBody/></SyncML>",
    "after a declaration": "<?xml version='1.0'?>\n<!DOCTYPE SyncML SYSTEM 'file:///etc/passwd'><SyncML/>",
    "an entity": "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><SyncBody><Add>&e;</Add></SyncBody>",
    "billion laughs": "<!DOCTYPE a [<!ENTITY a0 'ha'>"
    + "".join(f"<!ENTITY a{n + 1} '{f'&a{n};' * 10}'>" for n in range(10))
    + "]><SyncBody>&a10;</SyncBody>",
    "quadratic": f"<!DOCTYPE a [<!ENTITY e '{'x' * 50_000}'>]><SyncBody>{'&e;' * 50_000}</SyncBody>",
    "a parameter entity": "<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1:9/'> %p;]><SyncBody/>",
    "within an element": "<SyncBody><!DOCTYPE a></SyncBody>",
}


@pytest.mark.parametrize("name", DOCTYPES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_doctype_is_refused_by_its_name(name: str, encoding: str) -> None:
    assert "DOCTYPE" in refusal(DOCTYPES[name].encode(encoding))


@pytest.mark.parametrize(
    ("data", "limits", "why"),
    [
        (b"<Add/>" + b" " * 100, Limits(size=100), "larger than 100 bytes"),
        (b"<Atomic>" * 5 + b"</Atomic>" * 5, Limits(depth=4), "more than 4 elements within each other"),
        (b"<Add><a/><a/><a/></Add>", Limits(elements=3), "more than 3 elements"),
        (ADD.encode() * 3, Limits(commands=2), "more than 2 commands"),
        (b"<Atomic>" + ADD.encode() * 2 + b"</Atomic>", Limits(commands=2), "more than 2 commands"),
        (b"<Get><Item/><Item/><Item/></Get>", Limits(commands=2), "more than 2 commands"),
    ],
)
def test_what_passes_a_limit_is_refused_and_what_reaches_it_is_read(data: bytes, limits: Limits, why: str) -> None:
    assert why in refusal(data, limits)
    one_more = Limits(len(data), limits.depth + 1, limits.elements + 1, limits.commands + 1)
    assert parse(data, limits=one_more).commands


@pytest.mark.parametrize(
    "expression",
    [
        "b'<Add>' + b'x' * 100_000_000 + b'</Add>'",
        "b'<Atomic>' * 1_000_000",
        "b'<Atomic/>' * 900_000",
        "b'<Add>' + b'<!---->' * 1_100_000",
        "b'<Add><![CDATA[' + b'x' * 8_000_000",
        "b'<Add ' + b'x' * 8_000_000",
        "b'<Add>' + b'&lt;' * 2_000_000 + b'</Add>'",
        "b'<Add ' + b' '.join(b'a%d=\"\"' % n for n in range(600_000)) + b'>'",
    ],
)
def test_a_bomb_is_refused_at_once_and_in_little_memory(expression: str) -> None:
    code = (
        "import resource, sys\nfrom certenroll.mdm.syncml import SyncMLError, parse\n"
        f"data = {expression}\nbefore = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    parse(data)\nexcept SyncMLError:\n    pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    assert time.monotonic() - began < 10
    assert int(done.stdout) < 256 * 1024  # kilobytes


def test_truncated_at_every_offset_a_message_is_refused() -> None:
    whole = body(f"<Atomic><CmdID>1</CmdID>{ADD}</Atomic><Get><CmdID>2</CmdID></Get><Final/>")
    assert parse(whole).final
    for size in range(len(whole)):
        refusal(whole[:size])


def test_truncated_commands_without_a_root_never_give_half_a_command() -> None:
    whole = (ADD + ADD).encode()
    for size in range(1, len(whole) + 1):
        try:
            found = parse(whole[:size]).commands
        except SyncMLError:
            continue
        assert set(found) == {ADDED}


def test_no_flipped_bit_gives_another_kind_of_error() -> None:
    whole = body(ADD)
    for place in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            with contextlib.suppress(SyncMLError):
                assert isinstance(parse(bytes(damaged)), Message)
