"""What the members of keys and providers do: which key is made, where, and what the provider says that it can make."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from certenroll import facade
from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed
from tests.support.control_effects.bench import THERE, Bench, Effect, attribute, containers, csr, refused
from tests.support.control_effects.full_card import full_card

_CSP = "1.3.6.1.4.1.311.13.2.2"
_DEFAULT, _SCHANNEL = "Microsoft Base Cryptographic Provider", "Microsoft RSA SChannel Cryptographic Provider"
_ALL_USAGES, _SIGNATURE, _ENCIPHERMENT = (True, True, True, True), (True, True, False, False), (False, False, True, True)


def _bits(request: x509.CertificateSigningRequest) -> int:
    key = request.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key.key_size


def _usage(request: x509.CertificateSigningRequest) -> tuple[bool, bool, bool, bool]:
    use = request.extensions.get_extension_for_class(x509.KeyUsage).value
    return use.digital_signature, use.content_commitment, use.key_encipherment, use.data_encipherment


def names_container(bench: Bench, member: str) -> None:
    """The key is in the container that was named, then in one with a GUID for its name."""
    control = bench.with_new_key()
    setattr(control, member, "my key")
    csr(control)
    assert containers() == ["my key", *THERE]
    setattr(control, member, "")
    csr(control)
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", getattr(control, member))
    assert getattr(control, member) in containers()


def makes_key_of_flags(bench: Bench, member: str) -> None:
    """The key has the length of the upper bits, and leaves its store where the lowest one says so."""
    for flags, bits, exportable in ((1024 << 16 | 1, 1024, True), (1032 << 16 | 2, 1032, False)):
        control = bench.with_new_key()
        setattr(control, member, flags)
        assert _bits(csr(control)) == bits
        software = next(report for report in facade.key_reports() if report.store == "software")
        made = next(one.info for one in software.keys if one.info.container == control.ContainerName)
        assert made.exportable is exportable
    refused(HRESULT.NTE_BAD_LEN, csr, bench.with_new_key(GenKeyFlags=512 << 16))


def tells_lengths(bench: Bench, member: str) -> None:
    """A key of the least length is made; a shorter one and one longer than the most are refused."""
    control = bench.with_new_key()
    least, most = control.GetKeyLen(True, False), control.GetKeyLen(False, False)
    if member == "GetKeyLenEx":
        assert [control.GetKeyLenEx(one, 2) for one in (1, 2)] == [least, most]
        assert [control.GetKeyLenEx(one, 1) for one in (3, 4)] == [8, 2048]
        assert _bits(csr(bench.with_new_key(GenKeyFlags=0))) == control.GetKeyLenEx(4, 2)
    assert _bits(csr(bench.with_new_key(GenKeyFlags=least << 16))) == least
    for bits in (least - 8, most + 8):
        refused(HRESULT.NTE_BAD_LEN, csr, bench.with_new_key(GenKeyFlags=bits << 16))


def tells_key_specs(bench: Bench, member: str) -> None:
    """With a provider of exchange keys alone, an exchange key is made and a signature key is not."""
    control = bench.with_new_key()
    assert getattr(control, member)() == 3
    control.ProviderName = _SCHANNEL
    assert getattr(control, member)() == 1
    refused(HRESULT.NTE_BAD_ALGID, csr, control)
    control.KeySpec = 1
    assert csr(control)


def decides_usage(bench: Bench, member: str) -> None:
    """The request's key usage follows the kind of its key, in whatever type a script gives the number."""
    control = bench.control()
    for number, usage in ((2, _SIGNATURE), (1, _ALL_USAGES), ("2", _SIGNATURE)):
        setattr(control, member, number)
        assert _usage(csr(control)) == usage


def limits_usage(bench: Bench, member: str) -> None:
    """The signature usages leave the request for an exchange key; one for a signature key keeps its own."""
    control = bench.control(KeySpec=1)
    assert _usage(csr(control)) == _ALL_USAGES
    setattr(control, member, True)
    assert _usage(csr(control)) == _ENCIPHERMENT
    control.KeySpec = 2
    assert _usage(csr(control)) == _SIGNATURE


def reuses_hardware_key(bench: Bench, member: str) -> None:
    """A full card is an error, or the request is for the key that is on the card; it stays the card's one key."""
    with full_card(bench.folder) as card:
        first = csr(bench.with_new_key(GenKeyFlags=0, KeyLocation=4, ContainerName="first")).public_key()
        card.fill()
        control = bench.with_new_key(GenKeyFlags=0, KeyLocation=4, ContainerName="second")
        refused(HRESULT.NTE_TOKEN_KEYSET_STORAGE_FULL, csr, control)
        setattr(control, member, True)
        assert csr(control).public_key() == first
        assert facade.containers("smartcard") == ["first"]


def uses_key_that_is_there(bench: Bench, member: str) -> None:
    """Two requests are for one key; without it, the container that is there is refused."""
    control = bench.control()
    first = csr(control).public_key()
    assert csr(bench.control()).public_key() == first
    setattr(control, member, False)
    refused(HRESULT.NTE_EXISTS, csr, control)
    assert containers() == THERE


def lists_algorithms(bench: Bench, member: str) -> None:
    """Each hash that is listed is taken and named, and the request is signed with the strong ones."""
    control = bench.control(ProviderType=24)
    numbers = _listed(lambda at: getattr(control, member)(at, 0x8000))
    assert {0x8004, 0x800C, 0x800D, 0x800E} <= set(numbers)
    for number in numbers:
        if "SHA-" in control.GetAlgName(number):
            control.HashAlgID = number
            assert control.HashAlgID == number
    assert _listed(lambda at: getattr(control, member)(at, 0x2000)) == [0x2400]


def _listed(call: Callable[[int], object]) -> list[object]:
    """What a script's loop over an index gives."""
    found: list[object] = []
    while True:
        try:
            found.append(call(len(found)))
        except ComError as error:
            if error.hresult != signed(HRESULT.WIN32_NO_MORE_ITEMS):
                raise
            return found


def lists_containers(bench: Bench, member: str) -> None:
    """The containers are those that the key store has."""
    control = bench.with_new_key(ContainerName="my key")
    csr(control)
    assert sorted(map(str, _listed(getattr(control, member)))) == containers() == ["my key", *THERE]


def lists_providers(bench: Bench, member: str) -> None:
    """Every provider of each type is of that type, and may be asked for its keys."""
    control = bench.control()
    for kind in (1, 12, 24):
        control.ProviderType = kind
        names = _listed(lambda at: getattr(control, member)(at, 0))
        assert names
        assert {control.getProviderType(one) for one in names} == {kind}


def names_algorithm(bench: Bench, member: str) -> None:
    """A hash by its name is the same hash."""
    control = bench.control(ProviderType=24)
    for number in (0x8004, 0x800C, 0x800E):
        control.HashAlgorithm = getattr(control, member)(number)
        assert control.HashAlgID == number


def tells_type(bench: Bench, member: str) -> None:
    """The types by which the providers are listed."""
    control = bench.control()
    assert [getattr(control, member)(one) for one in (_DEFAULT + " v1.0", _SCHANNEL)] == [1, 12]


def signs_with(bench: Bench, member: str) -> None:
    """pyca tells the hash of the signature; an old one is not used any more."""
    control = bench.control()
    numbers: dict[object, str] = {0x8003: "sha256", 0x8004: "sha256", 0x800D: "sha384", 0x800E: "sha512"}
    names: dict[object, str] = {"MD5": "sha256", "SHA1": "sha256", "SHA384": "sha384", "2.16.840.1.101.3.4.2.3": "sha512"}
    for value, name in (numbers if member == "HashAlgID" else names).items():
        setattr(control, member, value)
        algorithm = csr(control).signature_hash_algorithm
        assert algorithm is not None
        assert algorithm.name == name


def makes_machine_key(bench: Bench, member: str) -> None:
    """Key and request are the machine's, and the user has neither."""
    control = bench.with_new_key()
    setattr(control, member, 0x20)
    csr(control)
    assert containers() == THERE
    assert facade.containers("software", 2) == [control.ContainerName]
    assert len(facade.pending_requests(2)) == 1


def names_provider(bench: Bench, member: str) -> None:
    """The request names the provider of its key; an unknown one makes neither key nor request."""
    control = bench.control()
    setattr(control, member, "Microsoft Strong Cryptographic Provider")
    assert "Microsoft Strong Cryptographic Provider".encode("utf-16-be") in attribute(csr(control), _CSP)
    setattr(control, member, "No Such Provider")
    refused(HRESULT.NTE_KEYSET_NOT_DEF, csr, control)


def chooses_default_provider(bench: Bench, member: str) -> None:
    """The request names a provider of that type where none is named."""
    control = bench.control(KeySpec=1)
    for kind in (1, 24):
        setattr(control, member, kind)
        request = csr(control)
        names = _listed(lambda at: control.enumProviders(at, 0))
        assert any(str(name).encode("utf-16-be") in attribute(request, _CSP) for name in names)


EFFECTS: Final[dict[str, Effect]] = {
    "ContainerName": names_container,
    "ContainerNameWStr": names_container,
    "GenKeyFlags": makes_key_of_flags,
    "GetKeyLen": tells_lengths,
    "GetKeyLenEx": tells_lengths,
    "GetSupportedKeySpec": tells_key_specs,
    "KeySpec": decides_usage,
    "LimitExchangeKeyToEncipherment": limits_usage,
    "ReuseHardwareKeyIfUnableToGenNew": reuses_hardware_key,
    "UseExistingKeySet": uses_key_that_is_there,
    "EnumAlgs": lists_algorithms,
    "enumContainers": lists_containers,
    "enumContainersWStr": lists_containers,
    "enumProviders": lists_providers,
    "enumProvidersWStr": lists_providers,
    "GetAlgName": names_algorithm,
    "GetAlgNameWStr": names_algorithm,
    "getProviderType": tells_type,
    "getProviderTypeWStr": tells_type,
    "HashAlgID": signs_with,
    "HashAlgorithm": signs_with,
    "HashAlgorithmWStr": signs_with,
    "ProviderFlags": makes_machine_key,
    "ProviderName": names_provider,
    "ProviderNameWStr": names_provider,
    "ProviderType": chooses_default_provider,
}
