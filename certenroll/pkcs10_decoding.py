"""From a PKCS#10 to what IX509CertificateRequestPkcs10 shows of it: typed attributes and extensions, client, template.

Knows no keys and encodes nothing. Source: the "also" list of IX509CertificateRequestPkcs10::InitializeDecode.
"""

from __future__ import annotations

from dataclasses import dataclass

from certenroll.asn1 import attributes, extensions, pkcs10
from certenroll.asn1.der import DecodeError
from certenroll.attribute_types import crypt_attribute_from
from certenroll.attributes import ICryptAttributes
from certenroll.distinguished_names import IX500DistinguishedName, distinguished_name
from certenroll.extension_types import extension_from
from certenroll.extensions import IX509Extensions
from certenroll.object_ids import IObjectIds, object_id


@dataclass(frozen=True)
class Contents:
    """What a request says.

    Attributes:
        subject: its name.
        attributes, extensions: each as its typed object, in the order of the request.
        critical: the object ids of the extensions that are critical.
        client_id: RequestClientInfoClientId, 0 where the request does not tell.
        template: the template's object id or name, "" where it names none.
    """

    subject: IX500DistinguishedName
    attributes: ICryptAttributes
    extensions: IX509Extensions
    critical: IObjectIds
    client_id: int
    template: str


def contents_of(request: pkcs10.CertificationRequest) -> Contents:
    """The contents of a decoded request. Raises DecodeError where its extensions are malformed."""
    asked = request.extensions
    return Contents(
        subject=distinguished_name(request.subject),
        attributes=ICryptAttributes([crypt_attribute_from(one) for one in request.attributes]),
        extensions=IX509Extensions([extension_from(one) for one in asked]),
        critical=IObjectIds([object_id(one.oid) for one in asked if one.critical]),
        client_id=_client_id(request),
        template=template_in({one.oid: one.value for one in asked}),
    )


def template_in(values: dict[str, bytes]) -> str:
    """The template that the extensions of a request or certificate name: by object id, else by name, else "".

    Args:
        values: the extensions' values by object id. A malformed one names no template.
    """
    try:
        if extensions.TEMPLATE in values:
            return extensions.decode_template(values[extensions.TEMPLATE]).oid
        if extensions.TEMPLATE_NAME in values:
            return extensions.decode_template_name(values[extensions.TEMPLATE_NAME])
    except DecodeError:
        return ""
    return ""


def _client_id(request: pkcs10.CertificationRequest) -> int:
    try:
        return next((attributes.decode_client_info(one).client_id for one in request.values(attributes.CLIENT_INFO)), 0)
    except DecodeError:
        return 0
