"""Placeholders of profiles filled: which forms there are, how values are escaped, and what is left over."""

from __future__ import annotations

import time

import pytest

from certenroll.hresults import HRESULT
from certenroll.mdm.syncml import parse
from certenroll.mdm.variables import SubstitutionError, is_profile, substitute
from tests.support.shared import shared_path


def unfilled(text: str, values: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(SubstitutionError) as caught:
        substitute(text, values or {})
    assert caught.value.hresult == HRESULT.E_INVALIDARG
    assert all(name in str(caught.value) for name in caught.value.names)
    return caught.value.names


def test_the_documented_scep_profile_is_xml_once_its_id_is_given() -> None:
    text = shared_path("vectors", "syncml", "doc_scep_enroll.xml").read_text()
    (atomic,) = parse(substitute(text, {"InsertUniqueIDHere": "one"}).encode()).commands
    assert {one.items[0].target.split("/SCEP/")[1].split("/")[0] for one in atomic.children} == {"one"}
    assert unfilled(text) == ("InsertUniqueIDHere",)


def test_the_documented_pfx_profile_numbers_its_commands() -> None:
    text = shared_path("vectors", "syncml", "doc_pfx_install.xml").read_text()
    delete, atomic = parse(substitute(text, {}).encode()).commands
    assert [delete.cmd_id, atomic.cmd_id, *(one.cmd_id for one in atomic.children)] == [str(n) for n in range(1, 9)]


def test_numbers_that_other_commands_have_are_left_out() -> None:
    text = "<CmdID>$CmdID$</CmdID><CmdID>1</CmdID><CmdID> 3 </CmdID><CmdID>$CmdID$</CmdID><CmdID>$CmdID$</CmdID>"
    assert substitute(text, {}) == text.replace("$CmdID$", "2", 1).replace("$CmdID$", "4", 1).replace("$CmdID$", "5", 1)


def test_a_cmdid_that_is_given_is_taken() -> None:
    assert substitute("$CmdID$ $CmdID$", {"CmdID": "x"}) == "x x"


@pytest.mark.parametrize("form", ["$N$", "{{N}}", "{{ N }}", "${N}", "<N>", "&lt;N&gt;"])
@pytest.mark.parametrize("around", ["{}", "./SCEP/{}/Install", "CN={},O=x", "a{}b", "{0}{0}"])
def test_each_form_is_filled_wherever_it_stands(form: str, around: str) -> None:
    text = around.replace("{}", form).replace("{0}", form)
    assert substitute(text, {"N": "v"}) == text.replace(form, "v")


@pytest.mark.parametrize("name", ["FLEET_VAR_NDES_SCEP_CHALLENGE", "FLEET_SECRET_A1"])
def test_fleet_s_variables_are_filled(name: str) -> None:
    assert substitute(f"<Data>${name}</Data>", {name: "v"}) == "<Data>v</Data>"


def test_every_placeholder_without_a_value_is_named_once() -> None:
    text = "$One$ {{Two}} ${Three} <InsertFourHere> $FLEET_VAR_FIVE &lt;InsertSixHere&gt; $One$ $CmdID$ {{Seven}}"
    assert unfilled(text, {"Seven": ""}) == ("One", "Two", "Three", "InsertFourHere", "FLEET_VAR_FIVE", "InsertSixHere")


@pytest.mark.parametrize(
    "text",
    ["313$", "$", "$$", "pa$s$word", "a $5 and $6 b", "{x}", "{{}}", "<Data>x</Data>", "<Final/>", "<br>", "{813A}"],
)
def test_what_only_looks_like_a_placeholder_stays(text: str) -> None:
    assert substitute(text, {}) == text


@pytest.mark.parametrize(
    "text",
    [
        "<Data>{}</Data>",
        "<s:Data a='b'>{}</s:Data >",
        "<Data><![CDATA[{}]]></Data>",
        "<Data><Data/><Data></Data>{}</Data>",
        "<Data>{}",
    ],
)
def test_what_stands_in_a_data_is_missed_by_its_line(text: str) -> None:
    before = "{{One}}<Data/>{{Two}}\n<Data>x</Data><!--\n<Data> -->{{Three}}\n"
    text = before + text.replace("{}", "P@$w0rd-$! $CmdID$")
    with pytest.raises(SubstitutionError, match=r"2 in Data, .* \(line 4, 4\)") as caught:
        substitute(text, {})
    assert caught.value.names == ("One", "Two", "Three")
    assert caught.value.lines == (4, 4)
    assert "w0rd" not in str(caught.value)


def test_an_error_shows_ten_lines_at_most() -> None:
    with pytest.raises(SubstitutionError, match=r"12 in Data, .* 9, 10, \.\.\.\)$"):
        substitute("\n".join(["<Data>{{A}}</Data>"] * 12), {})


@pytest.mark.parametrize("text", ["<SyncHdr/>", "<SyncHdr>", "<s:SyncHdr\n>", f"<!-- -->{'<' + 'p' * 300}:SyncHdr />"])
def test_a_text_with_a_header_is_a_server_s_message(text: str) -> None:
    assert not is_profile(f"<SyncML>{text}<SyncBody/></SyncML>")


@pytest.mark.parametrize(
    "text", ["", "<Add/>", "<!-- <SyncHdr/> -->", "<![CDATA[<SyncHdr/>]]>", "<SyncHdrs/>", "</SyncHdr>", "<?a <SyncHdr> ?>"]
)
def test_a_text_without_one_is_a_profile(text: str) -> None:
    assert is_profile(text)


def test_a_message_is_filled_with_what_is_given_alone() -> None:
    text = "<CmdID>$CmdID$</CmdID>{{A}}<Data>$B$ ${C} <InsertHere> {{A}}</Data>"
    assert substitute(text, {"A": "v"}, only_given=True) == text.replace("{{A}}", "v")


def test_a_text_that_looks_like_a_placeholder_is_kept_by_giving_it_itself() -> None:
    assert substitute("$s$ {{t}}", {"s": "$s$", "t": "{{t}}"}) == "$s$ {{t}}"


def test_a_name_that_is_a_tag_of_the_text_is_no_placeholder() -> None:
    assert substitute("<Data>{{Data}}</Data >", {"Data": "v"}) == "<Data>v</Data >"


def test_values_are_not_searched_for_placeholders() -> None:
    assert substitute("{{A}}{{B}}", {"A": "{{B}}", "B": "$A$"}) == "{{B}}$A$"


@pytest.mark.parametrize("value", ["<a/>&amp;\"'", "]]>", "</Data><Exec/>", "a\r\nb", "<!--", " x "])
@pytest.mark.parametrize("text", ["<Data>{{V}}</Data>", "<Data><![CDATA[{{V}}]]></Data>", '<Data v="{{V}}">{{V}}</Data>'])
def test_a_value_is_read_back_as_it_was_given(value: str, text: str) -> None:
    filled = substitute(f"<Add><Item>{text}</Item></Add>", {"V": value})
    (command,) = parse(filled.encode()).commands
    expected = value.replace("\r\n", "\n") if "CDATA" in text else value  # CDATA has no way to keep a carriage return
    assert command.items[0].data == expected


def test_comments_and_processing_instructions_stay_as_they_are() -> None:
    text = "<!-- {{A}} <B> --><?x {{A}} ?>"
    assert substitute(f"{text}{{{{A}}}}", {"A": "v", "B": "w"}) == f"{text}v"


def test_within_cdata_placeholders_are_filled_and_missed() -> None:
    assert substitute("<![CDATA[<!-- {{A}} -->]]>", {"A": "v"}) == "<![CDATA[<!-- v -->]]>"
    assert unfilled("<![CDATA[{{A}}<InsertBHere>") == ("A", "InsertBHere")


def test_a_value_that_xml_cannot_hold_is_refused_and_not_shown() -> None:
    with pytest.raises(SubstitutionError, match="A") as caught:
        substitute("x", {"A": "s3cret\0", "B": "fine"})
    assert caught.value.names == ("A",)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "part",
    [
        "<!--", "<![CDATA[", "<?", "{{", "{{ ", "${", "$", "$a", "<a", "&lt;a", "</a", "<CmdID> ", "$FLEET_VAR_", "<Data",
        "<Data ", "</Data ", "<a:",
    ],
)
def test_no_text_takes_long(part: str) -> None:
    began = time.monotonic()
    assert substitute(part * (1_000_000 // len(part)), {"b": "c"})
    assert is_profile(part * (1_000_000 // len(part)))
    assert time.monotonic() - began < 5


def test_many_misses_are_told_soon() -> None:
    began = time.monotonic()
    with pytest.raises(SubstitutionError):
        substitute("<Data>" + "{{a}}\n" * 300_000, {})
    assert time.monotonic() - began < 5
