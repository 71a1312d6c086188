"""Which template a request falls under, which rules hold, and what policy.json may say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from certenroll.ca.base import CAError, Disposition, Submission
from certenroll.ca.incoming import Incoming, read
from certenroll.ca.local import LocalCA
from certenroll.ca.policy import Policy, decide, load_policy
from certenroll.ca.templates import BUILT_IN, Mode
from tests.ca.conftest import EC_KEY
from tests.support.shared import shared_path

MakeRequest = Callable[..., bytes]


@pytest.fixture
def incoming(request_of: MakeRequest) -> Incoming:
    return read(request_of(key=EC_KEY))


def named(incoming: Incoming, *templates: str) -> Incoming:
    return Incoming(incoming.subject, incoming.public_key_info, incoming.extensions, templates)


@pytest.mark.parametrize("attribute", ["CertificateTemplate", "certificate template", "Certificate-Template"])
@pytest.mark.parametrize("name", ["WebServer", "webserver", "Web Server", "web-server", " WebServer "])
def test_a_template_is_named_without_regard_to_spaces_hyphens_and_case(
    incoming: Incoming, attribute: str, name: str
) -> None:
    assert decide(Policy(), incoming, {attribute: name}).template.name == "WebServer"


def test_a_template_is_named_by_the_request_itself(incoming: Incoming) -> None:
    policy = Policy(template_arc="1.3.6.1.4.1.311.21.8.7")
    assert decide(policy, named(incoming, "User"), {}).template.name == "User"
    assert decide(policy, named(incoming, "1.3.6.1.4.1.311.21.8.7.1.1"), {}).template.name == "User"


def test_the_places_that_name_a_template_may_agree_and_may_not_differ(incoming: Incoming) -> None:
    policy = Policy(template_arc="1.2.3")
    agreeing = decide(policy, named(incoming, "User", "1.2.3.1.1"), {"CertificateTemplate": "USER"})
    assert agreeing.template.name == "User"
    differing = decide(policy, named(incoming, "User"), {"CertificateTemplate": "WebServer"})
    assert (differing.disposition, differing.status) == (Disposition.DENIED, 0x80094802)


def test_an_unknown_template_is_denied(incoming: Incoming) -> None:
    found = decide(Policy(), incoming, {"CertificateTemplate": "Nonesuch"})
    assert (found.disposition, found.status) == (Disposition.DENIED, 0x80094800)
    assert "Nonesuch" in found.message


def test_an_enterprise_policy_wants_a_template(incoming: Incoming) -> None:
    found = decide(Policy(require_template=True), incoming, {})
    assert (found.disposition, found.status) == (Disposition.DENIED, 0x80094801)


def test_a_template_may_have_a_mode_of_its_own(incoming: Incoming) -> None:
    policy = Policy(mode=Mode.DENY, templates={"User": {"mode": "hold"}, "WebServer": {"mode": "issue"}})
    asked = {name: decide(policy, incoming, {"CertificateTemplate": name}) for name in ("User", "WebServer", "Machine")}
    assert [one.disposition for one in asked.values()] == [
        Disposition.UNDER_SUBMISSION,
        Disposition.ISSUED,
        Disposition.DENIED,
    ]
    assert asked["Machine"].status == 0x80094014


def test_approval_passes_over_modes_and_not_over_rules(incoming: Incoming) -> None:
    assert decide(Policy(mode=Mode.DENY), incoming, {}, approved=True).disposition is Disposition.ISSUED
    strict = Policy(templates={"": {"minimum_ec_bits": 384}})
    assert decide(strict, incoming, {}, approved=True).status == 0x80094811


def test_the_templates_that_windows_requests_name_are_found() -> None:
    request = read(shared_path("vectors", "msdocs-requests", "pkcs--10-encoded-asn-1.der").read_bytes())
    assert request.templates == ("User",)


def test_a_policy_survives_its_file(tmp_path: Path) -> None:
    policy = Policy(Mode.HOLD, True, True, True, "1.2.3", {"Own": {"ekus": ["1.2.3"], "version": [1, 0]}})
    policy.save(tmp_path)
    assert load_policy(tmp_path) == policy
    assert load_policy(tmp_path).template("own") == policy.template("Own")


def test_a_template_survives_its_values() -> None:
    for template in BUILT_IN:
        assert type(template)(template.name).changed(template.values()) == template


def test_without_a_file_the_default_policy_holds(tmp_path: Path) -> None:
    assert load_policy(tmp_path) == Policy()


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"mood": "issue"},
        {"mode": "perhaps"},
        {"require_template": "yes"},
        {"templates": []},
        {"templates": {"User": 1}},
        {"templates": {"User": {"validity_days": "long"}}},
        {"templates": {"User": {"validity_days": 0}}},
        {"templates": {"User": {"ekus": ["no oid"]}}},
        {"templates": {"User": {"ekus": "1.2.3"}}},
        {"templates": {"User": {"key_usage": ["sing"]}}},
        {"templates": {"User": {"version": [1]}}},
        {"templates": {"User": {"mode": "perhaps"}}},
        {"templates": {"User": {"ca": 1}}},
        {"templates": {"User": {"name": "Other"}}},
        {"templates": {"": {"nonsense": 1}}},
    ],
)
def test_a_file_that_is_no_policy_is_refused_with_the_reason(tmp_path: Path, document: object) -> None:
    (tmp_path / "policy.json").write_text(json.dumps(document))
    with pytest.raises(CAError, match=r"policy\.json") as caught:
        load_policy(tmp_path)
    assert caught.value.hresult == 0x8007000D


def test_a_change_of_the_file_holds_for_the_next_process(tmp_path: Path, ca: LocalCA, request_of: MakeRequest) -> None:
    document = json.loads((tmp_path / "ca" / "policy.json").read_text())
    (tmp_path / "ca" / "policy.json").write_text(json.dumps(document | {"mode": "hold"}))
    answer = LocalCA(tmp_path / "ca").submit(Submission(request_of()))
    assert answer.disposition is Disposition.UNDER_SUBMISSION
