"""The members of IEnroll to IEnroll4: twins of ICEnroll's with C strings and blobs in the place of BSTRs.

A table, and what makes functions and properties of its rows. Where C++ takes or gives a blob, a twin takes or gives
bytes; a certificate context is the certificate's DER. Source: the nf-xenroll-ienroll*- pages.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from certenroll.com import ComObject
from certenroll.encodings import decode_text
from certenroll.enums import EncodingType

_ANY: Final = EncodingType.XCN_CRYPT_STRING_BASE64_ANY
C = TypeVar("C", bound=ComObject)


@dataclass(frozen=True)
class Twin:
    """A member that does what another does.

    Attributes:
        base: the member of ICEnroll.
        blob: what of it is bytes here: "" nothing, "result" the result, which is text there, "argument" an argument,
            which may be bytes there too.
    """

    base: str
    blob: str = ""


METHODS: Final[dict[str, Twin]] = {
    "createPKCS10WStr": Twin("createPKCS10", "result"),
    "createFilePKCS10WStr": Twin("createFilePKCS10"),
    "createRequestWStr": Twin("createRequest", "result"),
    "createFileRequestWStr": Twin("createFileRequest"),
    "freeRequestInfoBlob": Twin("freeRequestInfo", "argument"),
    "acceptPKCS7Blob": Twin("acceptPKCS7", "argument"),
    "acceptFilePKCS7WStr": Twin("acceptFilePKCS7"),
    "acceptResponseBlob": Twin("acceptResponse", "argument"),
    "acceptFileResponseWStr": Twin("acceptFileResponse"),
    "getCertContextFromPKCS7": Twin("getCertFromPKCS7", "result"),
    "getCertContextFromResponseBlob": Twin("getCertFromResponse", "result"),
    "getCertContextFromFileResponseWStr": Twin("getCertFromFileResponse", "result"),
    "InstallPKCS7Blob": Twin("InstallPKCS7", "argument"),
    "InstallPKCS7BlobEx": Twin("InstallPKCS7Ex", "argument"),
    "createPFXWStr": Twin("createPFX", "result"),
    "createFilePFXWStr": Twin("createFilePFX"),
    "setPendingRequestInfoWStr": Twin("setPendingRequestInfo"),
    "enumPendingRequestWStr": Twin("enumPendingRequest"),
    "binaryBlobToString": Twin("binaryToString", "argument"),
    "stringToBinaryBlob": Twin("stringToBinary"),
    "enumProvidersWStr": Twin("enumProviders"),
    "enumContainersWStr": Twin("enumContainers"),
    "getProviderTypeWStr": Twin("getProviderType"),
    "GetAlgNameWStr": Twin("GetAlgName"),
    "AddCertTypeToRequestWStr": Twin("addCertTypeToRequest"),
    "AddCertTypeToRequestWStrEx": Twin("addCertTypeToRequestEx"),
    "AddNameValuePairToSignatureWStr": Twin("addNameValuePairToSignature"),
    "addNameValuePairToRequestWStr": Twin("addNameValuePairToRequest"),
    "addExtensionToRequestWStr": Twin("addExtensionToRequest", "argument"),
    "addAttributeToRequestWStr": Twin("addAttributeToRequest", "argument"),
}
PROPERTIES: Final[dict[str, str]] = {
    f"{name}WStr": name
    for name in (
        *(f"{store}Store{what}" for store in ("My", "CA", "Root", "Request") for what in ("Name", "Type")),
        *("ContainerName", "ProviderName", "SPCFileName", "PVKFileName", "HashAlgorithm"),
    )
}


def with_twins(cls: type[C]) -> type[C]:
    """A class like ``cls`` that has the twins too, made when the class is."""

    def fill(namespace: dict[str, Any]) -> None:
        namespace.update({"__doc__": cls.__doc__, "__module__": cls.__module__})
        for name, twin in METHODS.items():
            namespace[name] = _method(name, twin, getattr(cls, twin.base))
        for name, base in PROPERTIES.items():
            namespace[name] = _property(name, base, getattr(cls, base))
        namespace["ThumbPrintWStr"] = _thumbprint()
        namespace["removePendingRequestWStr"] = _remove_by_blob

    made: type[C] = types.new_class(cls.__name__, (cls,), exec_body=fill)
    return made


def _method(name: str, twin: Twin, base: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(base)
    def call(self: ComObject, *args: Any) -> Any:
        result = getattr(self, twin.base)(*args)
        return decode_text(result, _ANY) if twin.blob == "result" else result

    call.__name__, call.__qualname__ = name, f"CEnroll.{name}"
    call.__doc__ = f"{twin.base} for C++{_MEANINGS[twin.blob]}. Raises as it does."
    return call


_MEANINGS: Final = {"": "", "result": ": gives bytes, the DER itself", "argument": ": takes bytes"}


def _property(name: str, base: str, original: property) -> property:
    def read(self: ComObject) -> str:
        return str(getattr(self, base))

    def write(self: ComObject, value: str) -> None:
        setattr(self, base, value)

    return property(read, write, doc=f"{base} for C++. {original.__doc__}")


def _thumbprint() -> property:
    def read(self: ComObject) -> bytes:
        return bytes.fromhex(getattr(self, "ThumbPrint"))  # noqa: B009 - a member of the class that is to be made

    def write(self: ComObject, thumbPrintBlob: bytes) -> None:
        setattr(self, "ThumbPrint", thumbPrintBlob.hex())  # noqa: B010

    return property(read, write, doc="ThumbPrint for C++: 20 bytes, or none.")


def _remove_by_blob(self: Any, thumbPrintBlob: bytes) -> None:
    """removePendingRequest for C++: takes bytes. Raises as it does."""
    self.removePendingRequest(thumbPrintBlob.hex())
