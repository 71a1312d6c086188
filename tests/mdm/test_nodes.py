"""The table of nodes: against the DDF, and the node that a LocURI names."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from certenroll.mdm.model import Code, Refused
from certenroll.mdm.nodes import TREE, every_node, locate, sibling
from keystores.base import Scope
from tests.support.shared import shared_path

SCEP = "./Device/Vendor/MSFT/ClientCertificateInstall/SCEP"
NEW_IN_WINDOWS_11 = "AttestPrivateKey"  # the two trees of the DDF differ in its values and in nothing else


def ddf_trees() -> list[ElementTree.Element]:
    text = shared_path("vectors", "syncml", "ClientCertificateInstall.ddf.xml").read_text(encoding="utf-8")
    return ElementTree.fromstring(text[text.index("<MgmtTree") :]).findall("Node")


def ddf_nodes(node: ElementTree.Element, path: str = "") -> Iterator[tuple[str, ElementTree.Element]]:
    properties = node.find("DFProperties")
    assert properties is not None
    yield path, properties
    for child in node.findall("Node"):
        yield from ddf_nodes(child, f"{path}/{child.findtext('NodeName') or '{}'}".lstrip("/"))


def tags(properties: ElementTree.Element, name: str) -> frozenset[str]:
    found = properties.find(name)
    return frozenset(one.tag for one in found) if found is not None else frozenset()


def test_the_table_is_the_ddf() -> None:
    ours = dict(every_node())
    trees = ddf_trees()
    assert len(trees) == 2
    for tree in trees:
        theirs = dict(ddf_nodes(tree))
        assert set(ours) == set(theirs)
        for path, properties in theirs.items():
            node = ours[path]
            said = (node.access, frozenset({node.format}), frozenset({node.occurrence}), node.default)
            wanted = (tags(properties, "AccessType"), tags(properties, "DFFormat"), tags(properties, "Occurrence"))
            assert said == (*wanted, properties.findtext("DefaultValue")), path


def test_the_values_that_the_ddf_lists_are_the_ones_that_are_taken() -> None:
    namespaced = "{http://schemas.microsoft.com/MobileDevice/DM}"
    for path, properties in ddf_nodes(ddf_trees()[0]):
        allowed = properties.find(f"{namespaced}AllowedValues")
        if allowed is None or allowed.get("ValueType") != "ENUM":
            continue
        node = dict(every_node())[path]
        listed = [one.text or "" for one in allowed.iter(f"{namespaced}Value")]
        assert listed, path
        assert all(node.values.fits(value) for value in listed), path
        assert not node.values.fits("7"), path


@pytest.mark.parametrize(
    ("uri", "scope", "path"),
    [
        ("./User/Vendor/MSFT/ClientCertificateInstall", Scope.USER, ""),
        (f"{SCEP}/a/Install/KeyLength", Scope.MACHINE, "SCEP/a/Install/KeyLength"),
        ("./Vendor/MSFT/ClientCertificateInstall/SCEP/a/Status", Scope.MACHINE, "SCEP/a/Status"),
        ("./vendor/msft/clientcertificateinstall/scep/A/certThumbPrint", Scope.MACHINE, "SCEP/A/CertThumbprint"),
        (f"{SCEP}/%7BA%20b%7D/", Scope.MACHINE, "SCEP/{A b}"),
    ],
)
def test_a_uri_names_a_node(uri: str, scope: Scope, path: str) -> None:
    found = locate(uri)
    assert (found.scope, found.path) == (scope, path)


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("", Code.BAD_REQUEST),
        ("/Device/Vendor/MSFT/ClientCertificateInstall", Code.BAD_REQUEST),
        (f"{SCEP}//Install", Code.BAD_REQUEST),
        (f"{SCEP}/*", Code.BAD_REQUEST),
        (f"{SCEP}/a%2Fb", Code.BAD_REQUEST),
        (f"{SCEP}/{'x' * 256}", Code.BAD_REQUEST),
        (f"{SCEP}/{'x' * 4096}", Code.BAD_REQUEST),
        ("./Vendor/MSFT/CertificateStore/My", Code.NOT_FOUND),
        ("./DevDetail/SwV", Code.NOT_FOUND),
        (f"{SCEP}/a/Install/Nothing", Code.NOT_FOUND),
        (f"{SCEP}/a/Status/Below", Code.NOT_FOUND),
    ],
)
def test_a_uri_that_names_none_is_refused(uri: str, code: Code) -> None:
    with pytest.raises(Refused) as caught:
        locate(uri)
    assert caught.value.code is code


def test_every_node_of_the_table_is_found_by_its_own_path() -> None:
    for path, node in every_node(TREE):
        uri = f"./Device/Vendor/MSFT/ClientCertificateInstall/{path.replace('{}', 'id')}".rstrip("/")
        assert locate(uri).node == node


def test_a_node_of_the_same_instance_is_found_whatever_its_identifier_holds() -> None:
    found = sibling(locate(f"{SCEP}/%2541/Install/Enroll"), "Install/KeyLength")
    assert (found.path, found.scope, found.node.name) == ("SCEP/%41/Install/KeyLength", Scope.MACHINE, "KeyLength")
