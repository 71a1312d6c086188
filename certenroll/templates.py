"""IX509CertificateTemplate, its collection, and IX509CertificateTemplateWritable: templates as automation objects.

One table says which fact of a template answers which property, and in which form. Knows facts and how a local CA takes a new
template; where templates come from is ``policy_servers``.

Source: the pages of the interfaces, of EnrollmentTemplateProperty and CommitTemplateFlags; docs/analysis/templates.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from certenroll.ca.policies.template_facts import TemplateFacts
from certenroll.com import ComCollection, ComObject, Slot
from certenroll.enums import (
    CommitTemplateFlags,
    EnrollmentTemplateProperty,
    ObjectIdGroupId,
    X509CertificateEnrollmentContext,
)
from certenroll.errors import BadArgument, ComError
from certenroll.extension_types import extension_from
from certenroll.extensions import IX509Extensions, dotted
from certenroll.hresults import HRESULT, signed
from certenroll.object_ids import IObjectId, IObjectIds, object_id
from certenroll.oid_table import named

if TYPE_CHECKING:
    from certenroll.stores.profile import Profile

_P = EnrollmentTemplateProperty
_FLAGS = CommitTemplateFlags
# SDDL: an owner, a group, and lists of rights, each at most once and in this order; at least one of them.
_LIST: Final = r"(?:[A-Z]*)(?:\([^()]*(?:\([^()]*\)[^()]*)*\))*"
_SDDL: Final = re.compile(rf"(?=.)(?:O:[^:()]+?)?(?:G:[^:()]+?)?(?:D:{_LIST})?(?:S:{_LIST})?")


def _object_ids(values: Iterable[str]) -> IObjectIds:
    made = IObjectIds()
    for value in values:
        made.Add(object_id(value))
    return made


def _extensions(facts: TemplateFacts) -> IX509Extensions:
    made = IX509Extensions()
    for one in facts.request_extensions:
        made.Add(extension_from(one))
    return made


def _algorithm(oid: str | None, group: ObjectIdGroupId) -> str | None:
    """The CNG name of an algorithm ("SHA256"), or its identifier where it has none."""
    if oid is None:
        return None
    row = named(oid, int(group)) or named(oid)
    return (row.cng or row.name) if row is not None else oid


def _number(name: str) -> Callable[[TemplateFacts], int | None]:
    """A VT_I4, as the values are since Windows 8.1: a flag of 0x80000000 makes it negative."""

    def read(facts: TemplateFacts) -> int | None:
        value = getattr(facts, name)
        return signed(value) if value is not None else None

    return read


def _own(name: str) -> Callable[[TemplateFacts], Any]:
    return lambda facts: getattr(facts, name)


def _ids(name: str) -> Callable[[TemplateFacts], IObjectIds | None]:
    return lambda facts: _object_ids(getattr(facts, name)) if getattr(facts, name) else None


def _texts(name: str) -> Callable[[TemplateFacts], list[str] | None]:
    return lambda facts: list(getattr(facts, name)) or None


# What answers each property; None is a value that the template does not have.
_PROPERTIES: Final[dict[EnrollmentTemplateProperty, Callable[[TemplateFacts], Any]]] = {
    _P.TemplatePropCommonName: _own("common_name"),
    _P.TemplatePropFriendlyName: _own("friendly_name"),
    _P.TemplatePropEKUs: _ids("ekus"),
    _P.TemplatePropCryptoProviders: _texts("crypto_providers"),
    _P.TemplatePropMajorRevision: _number("major_revision"),
    _P.TemplatePropDescription: lambda _: None,
    _P.TemplatePropKeySpec: _number("key_spec"),
    _P.TemplatePropSchemaVersion: _number("schema_version"),
    _P.TemplatePropMinorRevision: _number("minor_revision"),
    _P.TemplatePropRASignatureCount: _number("ra_signatures"),
    _P.TemplatePropMinimumKeySize: _number("minimum_key_size"),
    _P.TemplatePropOID: lambda facts: object_id(facts.oid) if facts.oid is not None else None,
    _P.TemplatePropSupersede: _texts("superseded"),
    _P.TemplatePropRACertificatePolicies: _ids("ra_policies"),
    _P.TemplatePropRAEKUs: _ids("ra_ekus"),
    _P.TemplatePropCertificatePolicies: _ids("issuance_policies"),
    _P.TemplatePropV1ApplicationPolicy: _ids("application_policies"),
    _P.TemplatePropAsymmetricAlgorithm: lambda facts: _algorithm(
        facts.key_algorithm, ObjectIdGroupId.XCN_CRYPT_PUBKEY_ALG_OID_GROUP_ID
    ),
    _P.TemplatePropKeySecurityDescriptor: _own("key_security"),
    _P.TemplatePropSymmetricAlgorithm: lambda facts: _algorithm(
        facts.symmetric_algorithm, ObjectIdGroupId.XCN_CRYPT_ENCRYPT_ALG_OID_GROUP_ID
    ),
    _P.TemplatePropSymmetricKeyLength: lambda facts: facts.symmetric_key_length or None,
    _P.TemplatePropHashAlgorithm: lambda facts: _algorithm(
        facts.hash_algorithm, ObjectIdGroupId.XCN_CRYPT_HASH_ALG_OID_GROUP_ID
    ),
    _P.TemplatePropKeyUsage: _number("key_usage_property"),
    _P.TemplatePropEnrollmentFlags: _number("enrollment_flags"),
    _P.TemplatePropSubjectNameFlags: _number("subject_name_flags"),
    _P.TemplatePropPrivateKeyFlags: _number("private_key_flags"),
    _P.TemplatePropGeneralFlags: _number("general_flags"),
    _P.TemplatePropSecurityDescriptor: _own("security_descriptor"),
    _P.TemplatePropExtensions: _extensions,
    _P.TemplatePropValidityPeriod: _own("validity_seconds"),
    _P.TemplatePropRenewalPeriod: _own("renewal_seconds"),
}


class IX509CertificateTemplate(ComObject):
    """One template. Scripts get it from a policy server and create none themselves."""

    def __init__(self) -> None:
        self._facts: Slot[TemplateFacts] = Slot("the certificate template")
        self._context = X509CertificateEnrollmentContext.ContextUser

    def Property(self, property: EnrollmentTemplateProperty) -> Any:  # noqa: A002  Microsoft's name
        """What the template says.

        Args:
            property: which value.

        Returns:
            str, int, a list of str, IObjectId, IObjectIds or IX509Extensions, as the page of EnrollmentTemplateProperty
            has it; a period is in seconds.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY where the template has no such value, OLE_E_BLANK for an object that is of
                no template.
        """
        value = _PROPERTIES[property](self._facts.get())
        if value is None:
            text = f"the template {self._facts.get().common_name} has no {property.name}"
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, text)
        return value

    def template_facts(self) -> TemplateFacts:
        """Everything that the template says, for Python's side of the object model. Raises ComError OLE_E_BLANK."""
        return self._facts.get()


class IX509CertificateTemplates(ComCollection[IX509CertificateTemplate]):
    """A collection of templates."""

    _item_type_ = "IX509CertificateTemplate"

    def ItemByName(self, bstrName: str) -> IX509CertificateTemplate:
        """The template of that common name, without regard to case. Raises ComError WIN32_NOT_FOUND."""
        wanted = bstrName.strip().casefold()
        return self._first(lambda facts: facts.common_name.casefold() == wanted, bstrName)

    def ItemByOid(self, pOid: IObjectId) -> IX509CertificateTemplate:
        """The template of that object identifier. Raises ComError WIN32_NOT_FOUND, OLE_E_BLANK for a blank identifier."""
        wanted = dotted(pOid)
        return self._first(lambda facts: facts.oid == wanted, wanted)

    def _first(self, fits: Callable[[TemplateFacts], bool], what: str) -> IX509CertificateTemplate:
        found = next((one for one in self._items if fits(one.template_facts())), None)
        if found is None:
            raise ComError(HRESULT.WIN32_NOT_FOUND, f"no template is {what!r}", argerror=0)
        return found


class IX509CertificateTemplateWritable(ComObject):
    """A template that is to be added to a CA's, or to be deleted from them."""

    def __init__(self) -> None:
        self._template: Slot[IX509CertificateTemplate] = Slot("the writable template")
        self._security: str | None = None

    def Initialize(self, pValue: object) -> None:
        """Takes a template.

        Raises:
            ComError: E_POINTER where nothing is given, E_NOINTERFACE where it is no template, OLE_E_BLANK where it is
                blank, WIN32_ALREADY_INITIALIZED on the second time.
        """
        if pValue is None:
            raise BadArgument(HRESULT.E_POINTER, "a template is needed, nothing was given", argerror=0)
        if not isinstance(pValue, IX509CertificateTemplate):
            text = f"an IX509CertificateTemplate is needed, not {type(pValue).__name__}"
            raise BadArgument(HRESULT.E_NOINTERFACE, text, argerror=0)
        self._template.set(template_from(pValue.template_facts(), pValue._context))

    @property
    def Template(self) -> IX509CertificateTemplate:
        """A copy of the template that was given to Initialize. Raises ComError OLE_E_BLANK."""
        template = self._template.get()
        return template_from(template.template_facts(), template._context)

    def Property(self, property: EnrollmentTemplateProperty) -> Any:  # noqa: A002  Microsoft's name
        """What the template says, with the security descriptor that was set. Raises ComError as a template's does."""
        return template_from(self._changed(), self._template.get()._context).Property(property)

    def SetProperty(self, property: EnrollmentTemplateProperty, value: object) -> None:  # noqa: A002  Microsoft's name
        """Sets the security descriptor, the only value that can be set.

        Args:
            property: TemplatePropSecurityDescriptor.
            value: SDDL.

        Raises:
            ComError: WIN32_NOT_SUPPORTED for another property, E_INVALIDARG for what is no SDDL, DISP_E_TYPEMISMATCH for
                what is no string, OLE_E_BLANK before Initialize.
        """
        self._template.get()
        if property is not _P.TemplatePropSecurityDescriptor:
            text = f"{property.name} cannot be set; only TemplatePropSecurityDescriptor can"
            raise BadArgument(HRESULT.WIN32_NOT_SUPPORTED, text, argerror=0)
        if not isinstance(value, str):
            raise BadArgument(HRESULT.DISP_E_TYPEMISMATCH, "a security descriptor is a string", argerror=1)
        if not _SDDL.fullmatch(value):
            raise BadArgument(HRESULT.E_INVALIDARG, f"{value[:60]!r} is no SDDL; write D:(A;;GA;;;BA)", argerror=1)
        self._security = value

    def Commit(self, commitFlags: CommitTemplateFlags, strServerContext: str = "") -> None:
        """Adds the template to a local CA's, or deletes it there.

        Args:
            commitFlags: CommitFlagSaveTemplateGenerateOID or CommitFlagDeleteTemplate.
            strServerContext: whose: the host or the configuration string of a local CA, a file: URL of a policy document,
                or "" for the profile's own CA.

        Raises:
            ComError: CRYPT_E_EXISTS where there is one of that name or object identifier, WIN32_NOT_FOUND and
                CRYPT_E_NOT_FOUND where there is none to delete, E_NOTIMPL for the two flags that Microsoft does not use,
                E_INVALIDARG for any other, WIN32_NOT_SUPPORTED for a default template, RPC_SERVER_UNAVAILABLE where there
                is no such CA, OLE_E_BLANK before Initialize.
        """
        facts = self._changed()
        if commitFlags in (_FLAGS.CommitFlagSaveTemplateUseCurrentOID, _FLAGS.CommitFlagSaveTemplateOverwrite):
            raise ComError(HRESULT.E_NOTIMPL, f"{commitFlags.name} is not used", argerror=0)
        if commitFlags not in (_FLAGS.CommitFlagSaveTemplateGenerateOID, _FLAGS.CommitFlagDeleteTemplate):
            raise BadArgument(HRESULT.E_INVALIDARG, f"CommitTemplateFlags has no value {int(commitFlags)}", argerror=0)
        delete = commitFlags == _FLAGS.CommitFlagDeleteTemplate
        _commit(facts, _profile_of(self._template.get()._context), strServerContext.strip(), delete)

    def _changed(self) -> TemplateFacts:
        facts = self._template.get().template_facts()
        return facts if self._security is None else replace(facts, security_descriptor=self._security)


def template_from(
    facts: TemplateFacts, context: X509CertificateEnrollmentContext = X509CertificateEnrollmentContext.ContextUser
) -> IX509CertificateTemplate:
    """The object of a template.

    Args:
        facts: what it says.
        context: whose policy it came from.
    """
    made = IX509CertificateTemplate()
    made._facts.set(facts)
    made._context = context
    return made


def _profile_of(context: X509CertificateEnrollmentContext) -> Profile:
    from certenroll.engine.opening import open_workspace

    return open_workspace(context).profile


def _commit(facts: TemplateFacts, profile: Profile, server: str, delete: bool) -> None:
    from certenroll.ca.policies import document_templates, local_templates
    from certenroll.ca.policies.sources import document_path

    if server.lower().startswith("file:"):
        path = document_path(profile, server)
        change = document_templates.delete_template if delete else document_templates.add_template
        change(path, facts)
    elif delete:
        local_templates.delete_template(_ca_directory(profile, server), facts)
    else:
        local_templates.add_template(_ca_directory(profile, server), facts)


def _ca_directory(profile: Profile, server: str) -> Path:
    from certenroll.ca.directory import LOCAL, list_cas

    found = [one for one in list_cas(profile) if one.transport == LOCAL and one.path is not None]
    wanted = server.casefold()
    fitting = [one for one in found if not wanted or wanted in (one.host.casefold(), one.config.casefold())]
    if not fitting or fitting[0].path is None:
        known = ", ".join(one.config for one in found) or "none"
        text = f"no local CA is {server or 'there'!r} (known: {known}); make one with 'xenroll ca init'"
        raise ComError(HRESULT.RPC_SERVER_UNAVAILABLE, text, argerror=1)
    return fitting[0].path
