"""Certificate stores: adding, finding, properties, and that a search costs the same in a large store."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.der import DecodeError
from certenroll.stores import properties as props
from certenroll.stores.certificates import CA, MY, REQUEST, ROOT, CertificateStore
from certenroll.stores.database import Database
from certenroll.stores.errors import NoSuchRecord, PropertyError, StoreError
from tests.stores.pki import common_name, make

ONE = make("one")
TWO = make("two", ONE)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "store.db")


@pytest.fixture
def store(database: Database) -> CertificateStore:
    return CertificateStore(database)


def sha1(der: bytes) -> bytes:
    return hashlib.sha1(der).digest()


def test_a_certificate_comes_back_with_its_facts(store: CertificateStore) -> None:
    assert store.add(MY, TWO.der, {props.FRIENDLY_NAME: b"n\0\0\0"})
    found = store.get(MY, sha1(TWO.der))
    assert found is not None
    assert (found.store, found.der, found.sha1) == (MY, TWO.der, TWO.certificate.fingerprint(hashes.SHA1()))
    assert (found.subject, found.issuer) == (common_name("two").public_bytes(), common_name("one").public_bytes())
    assert (found.serial, found.public_key_hash) == (TWO.certificate.serial_number, hashlib.sha256(TWO.spki).digest())
    assert dict(found.properties) == {props.FRIENDLY_NAME: b"n\0\0\0"}


def test_adding_again_keeps_properties_and_overwrites_those_given(store: CertificateStore) -> None:
    assert store.add(MY, ONE.der, {2: b"key", 11: b"old"})
    assert not store.add(MY, ONE.der, {11: b"new", 13: b"more"})
    found = store.get(MY, sha1(ONE.der))
    assert found is not None
    assert dict(found.properties) == {2: b"key", 11: b"new", 13: b"more"}
    assert store.count(MY) == 1


def test_the_same_certificate_in_two_stores_has_properties_of_its_own(store: CertificateStore) -> None:
    store.add(MY, ONE.der, {11: b"mine"})
    store.add(ROOT, ONE.der)
    assert store.get_property(ROOT, sha1(ONE.der), 11) is None
    assert store.remove(ROOT, sha1(ONE.der))
    assert store.get_property(MY, sha1(ONE.der), 11) == b"mine"


def test_store_names_know_no_case_and_any_name_will_do(store: CertificateStore) -> None:
    store.add("my", ONE.der)
    store.add("MyStoreName", TWO.der)
    store.add("Хранилище", TWO.der)
    assert store.get("My", sha1(ONE.der)) is not None
    assert store.count("mystorename") == store.count("хранилище") == 1
    assert list(store.names()) == ["MY", "MyStoreName", "Хранилище"]


@pytest.mark.parametrize("name", ["", "  ", "a\0b", "a\nb", "a\\b", "x" * 256])
def test_a_name_that_no_store_can_have_is_an_invalid_argument(store: CertificateStore, name: str) -> None:
    with pytest.raises(StoreError) as caught:
        store.add(name, ONE.der)
    assert caught.value.hresult == 0x80070057


def test_certificates_are_found_by_key_subject_and_issuer_in_one_store_or_in_all(store: CertificateStore) -> None:
    renewed = make("one", days=(-50, 200))
    for name, der in ((MY, ONE.der), (MY, TWO.der), (CA, renewed.der)):
        store.add(name, der)
    subject = common_name("one").public_bytes()
    of_key = store.find_by_public_key(None, ONE.spki)
    assert [(each.store, each.der) for each in of_key] == [(CA, renewed.der), (MY, ONE.der)]
    assert [each.der for each in store.find_by_public_key("my", ONE.spki)] == [ONE.der]
    assert [each.der for each in store.find_by_subject(None, subject)] == [renewed.der, ONE.der]
    assert [each.der for each in store.find_by_subject("ca", subject)] == [renewed.der]
    assert [each.der for each in store.find_by_issuer_serial(None, subject, TWO.certificate.serial_number)] == [TWO.der]
    assert list(store.find_by_issuer_serial(CA, subject, TWO.certificate.serial_number)) == []
    assert list(store.find_by_subject(None, b"nobody")) == []


@pytest.mark.parametrize("digits", [1, 7, 8, 39, 40])
def test_a_certificate_is_found_by_the_beginning_of_its_thumbprint(store: CertificateStore, digits: int) -> None:
    store.add(MY, ONE.der)
    store.add(MY, TWO.der)
    store.add(CA, ONE.der)
    beginning = sha1(ONE.der).hex()[:digits]
    for text in (beginning, beginning.upper()):
        found = {one.sha1 for one in store.find_by_thumbprint("my", text)}
        assert found == {one for one in map(sha1, (ONE.der, TWO.der)) if one.hex().startswith(beginning)}


@pytest.mark.parametrize("text", ["", "no digits", "0" * 41, "0x12345678"])
def test_what_is_no_beginning_of_a_thumbprint_finds_nothing(store: CertificateStore, text: str) -> None:
    store.add(MY, ONE.der)
    assert store.find_by_thumbprint(MY, text) == []


def test_the_values_of_a_property_are_told_once_each(store: CertificateStore) -> None:
    store.add(MY, ONE.der, {11: b"a", 13: b"c"})
    store.add(CA, ONE.der, {11: b"a"})
    store.add("Other", TWO.der, {11: b"b", 19: b""})
    assert sorted(store.property_values(11)) == [b"a", b"b"]
    assert store.property_values(12) == []


def test_removing_takes_the_properties_along(store: CertificateStore, database: Database) -> None:
    store.add(MY, ONE.der, {11: b"x"})
    assert store.remove(MY, sha1(ONE.der))
    assert not store.remove(MY, sha1(ONE.der))
    assert database.query("SELECT count(*) FROM properties") == [(0,)]


def test_an_archived_certificate_is_not_listed_and_is_found(store: CertificateStore) -> None:
    store.add(MY, ONE.der, {props.ARCHIVED: b""})
    store.add(MY, TWO.der)
    assert [each.der for each in store.list(MY)] == [TWO.der]
    assert [each.der for each in store.list(MY, archived=True)] == [ONE.der, TWO.der]
    assert (store.count(MY), store.count(MY, archived=True)) == (1, 2)
    assert store.get(MY, sha1(ONE.der)) is not None
    assert store.find_by_public_key(MY, ONE.spki)


def test_a_property_is_set_read_replaced_and_removed(store: CertificateStore) -> None:
    store.add(MY, ONE.der)
    thumbprint = sha1(ONE.der)
    assert store.get_property(MY, thumbprint, 11) is None
    store.set_property(MY, thumbprint, 11, b"a")
    store.set_property(MY, thumbprint, 11, b"")
    assert store.get_property(MY, thumbprint, 11) == b""
    assert store.remove_property(MY, thumbprint, 11)
    assert not store.remove_property(MY, thumbprint, 11)


def test_hashes_that_were_never_set_are_computed(store: CertificateStore) -> None:
    store.add(MY, ONE.der)
    thumbprint = sha1(ONE.der)
    identifier = x509.SubjectKeyIdentifier.from_public_key(ONE.key.public_key()).digest
    assert store.get_property(MY, thumbprint, 3) == thumbprint
    assert store.get_property(MY, thumbprint, 4) == hashlib.md5(ONE.der).digest()
    assert store.get_property(MY, thumbprint, 107) == hashlib.sha256(ONE.der).digest()
    assert store.get_property(MY, thumbprint, 20) == identifier
    store.set_property(MY, thumbprint, 20, b"set")
    assert store.get_property(MY, thumbprint, 20) == b"set"


@pytest.mark.parametrize("property_id", [-1, 0, 0x10000])
def test_a_property_id_out_of_range_is_refused_and_adds_nothing(store: CertificateStore, property_id: int) -> None:
    with pytest.raises(PropertyError) as caught:
        store.add(MY, ONE.der, {11: b"x", property_id: b"x"})
    assert caught.value.hresult == 0x80070057
    assert store.count(MY) == 0


def test_properties_of_a_certificate_that_is_not_there_are_not_found(store: CertificateStore) -> None:
    absent = sha1(ONE.der)
    calls: list[Callable[[], object]] = [
        lambda: store.get_property(MY, absent, 11),
        lambda: store.set_property(MY, absent, 11, b""),
        lambda: store.remove_property(MY, absent, 11),
    ]
    for call in calls:
        with pytest.raises(NoSuchRecord) as caught:
            call()
        assert caught.value.hresult == 0x80092004


def test_bytes_that_are_no_certificate_are_refused_at_every_length(store: CertificateStore) -> None:
    for size in range(0, len(ONE.der), 7):
        with pytest.raises(DecodeError):
            store.add(MY, ONE.der[:size])
    assert store.count(MY) == 0


def test_a_store_can_be_changed_while_it_is_listed(store: CertificateStore) -> None:
    store.add(MY, ONE.der)
    store.add(MY, TWO.der)
    for each in store.list(MY):
        store.remove(MY, each.sha1)
    assert store.count(MY) == 0


def certificates(count: int) -> Iterator[bytes]:
    """Certificates that differ in serial number, names and key; their signatures do not fit, which no store looks at."""
    template = make("template")
    name, key_end = common_name("template").public_bytes(), template.spki[-8:]
    serial = template.certificate.serial_number.to_bytes(20, "big").lstrip(b"\0")
    for number in range(count):
        mark = f"{number:08d}".encode()
        yield (
            template.der.replace(serial, b"\x01" + hashlib.sha256(mark).digest()[: len(serial) - 1])
            .replace(name, name.replace(b"template", mark))
            .replace(key_end, mark)
        )


def test_a_list_of_more_than_a_page_gives_each_once_and_in_order(store: CertificateStore, database: Database) -> None:
    made = list(certificates(600))
    with database.transaction():
        for der in made:
            store.add(REQUEST, der, {11: der[:4]})
    assert [(each.der, each.properties[11]) for each in store.list(REQUEST)] == [(der, der[:4]) for der in made]


def median_of(act: Callable[[], object]) -> float:
    times = []
    for _ in range(51):
        started = time.perf_counter()
        act()
        times.append(time.perf_counter() - started)
    return sorted(times)[25]


def costs(store: CertificateStore, some: bytes, fresh: Iterator[bytes]) -> dict[str, float]:
    """Median seconds of each operation."""
    found = store.get(MY, sha1(some))
    assert found is not None
    spki = read_certificate(some).public_key_info
    return {
        "get": median_of(lambda: store.get(MY, sha1(some))),
        "find by subject": median_of(lambda: store.find_by_subject(MY, found.subject)),
        "find by issuer and serial": median_of(lambda: store.find_by_issuer_serial(None, found.issuer, found.serial)),
        "find by public key": median_of(lambda: store.find_by_public_key(MY, spki)),
        "set property": median_of(lambda: store.set_property(MY, found.sha1, 11, b"x")),
        "add": median_of(lambda: store.add(MY, next(fresh))),
        "add, there already": median_of(lambda: store.add(MY, some)),
    }


@pytest.mark.exhaustive
def test_what_an_operation_costs_does_not_grow_with_the_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = certificates(100_500)
    small, large = (Database(tmp_path / name) for name in ("small.db", "large.db"))
    some = next(made)
    found = {}
    for name, database, count in (("100", small, 100), ("100000", large, 100_000)):
        store = CertificateStore(database)
        started = time.perf_counter()
        with database.transaction():
            store.add(MY, some)
            for _ in range(count if count == 100 else count - 200):
                store.add(MY, next(made))
        filled = (time.perf_counter() - started) / count
        found[name] = costs(store, some, made) | {"add within a large transaction": filled}
    with capsys.disabled():
        for operation, seconds in found["100"].items():
            print(f"\n{operation}: {seconds * 1e6:.0f} us, {found['100000'][operation] * 1e6:.0f} us", end="")
    for operation, seconds in found["100"].items():
        assert found["100000"][operation] < seconds * 5 + 0.002, operation
