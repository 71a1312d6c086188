"""The control's properties: what a script sets before it creates a request or accepts an answer.

Keeps values and does nothing with them; which property does what stands with the methods that read it. Defaults stand
in ``defaults``, the properties of the stores in ``stores``. Source: the nf-xenroll-icenroll*-get_* pages.
"""

from __future__ import annotations

from certenroll.com import stored
from certenroll.enums import XECI_XENROLL, X509CertificateEnrollmentContext, X509KeySpec
from certenroll.errors import BadArgument
from certenroll.hresults import HRESULT
from xenroll_compat import defaults
from xenroll_compat.hash_names import alg_id_of, check_hash, hash_of_alg_id
from xenroll_compat.stores import ControlStores


class ControlProperties(ControlStores):
    """The properties of ICEnroll to ICEnroll4 but for those of the stores, and KeyLocation, which is not Microsoft's."""

    ProviderName = stored("str", "_provider_name", "", "The provider; empty is the default one of ProviderType.")
    ProviderType = stored("int", "_provider_type", defaults.PROV_RSA_FULL, "The provider's type; enumProviders lists it.")
    ProviderFlags = stored("int", "_provider_flags", 0, "CryptAcquireContext's flags; CRYPT_MACHINE_KEYSET is heeded.")
    KeySpec = stored("X509KeySpec", "_key_spec", X509KeySpec(defaults.AT_SIGNATURE), "Exchange (1) or signature key (2).")
    GenKeyFlags = stored("int", "_gen_key_flags", 0, "Length in bits << 16, with CryptGenKey's flags: 1 exportable, ...")
    UseExistingKeySet = stored("bool", "_use_existing", False, "Whether the key of ContainerName is there already.")
    KeyLocation = stored("int", "_key_location", 0, "Not Microsoft's: 1 TPM, 2 TPM if any, 3 software, 4 card, 0 unsaid.")
    ReuseHardwareKeyIfUnableToGenNew = stored(
        "bool", "_reuse_key", False, "Whether a device that has no room for a new key lends one that it has."
    )

    DeleteRequestCert = stored("bool", "_delete_request", True, "Whether an accepted request leaves the request store.")
    WriteCertToCSP = stored("bool", "_write_to_csp", True, "Whether a card is given the certificate.")
    WriteCertToUserDS = stored("bool", "_write_to_ds", False, "Kept: there is no user object in a directory here.")
    SPCFileName = stored("str", "_spc_file", "", "The file that an accepted answer is written to, as binary PKCS #7.")

    EnableT61DNEncoding = stored("bool", "_t61", False, "Whether names beyond PrintableString are TeletexString.")
    EnableSMIMECapabilities = stored("bool", "_smime", False, "Whether a request names the ciphers that its maker reads.")
    LimitExchangeKeyToEncipherment = stored(
        "bool", "_limit_exchange", False, "Whether an exchange key's usage leaves out signatures."
    )
    IncludeSubjectKeyID = stored("bool", "_subject_key_id", True, "Whether a request has a subject key identifier.")
    ClientId = stored("int", "_client_id", XECI_XENROLL, "The program that asks (XECI_*); XECI_DISABLE leaves it out.")

    @property
    def PVKFileName(self) -> str:
        """The .pvk file that a new key goes to, and stays in alone. Setting it sets CRYPT_EXPORTABLE in GenKeyFlags.

        With UseExistingKeySet the key of a file that is there is imported, and that of ContainerName copied to a new file.
        """
        return str(self.__dict__.get("_pvk_file", ""))

    @PVKFileName.setter
    def PVKFileName(self, bstr: str) -> None:
        self.__dict__["_pvk_file"] = bstr
        if bstr:
            self.GenKeyFlags = self.GenKeyFlags | defaults.CRYPT_EXPORTABLE

    @property
    def HashAlgorithm(self) -> str:
        """The hash that a request is signed with, a hint: a name (SHA1, MD5, SHA256, ...) or an object id.

        Reads as it was set; 1.3.14.3.2.29 before that, an object id after HashAlgID was set. Raises ComError
        CRYPT_E_UNKNOWN_ALGO for a name that is no hash. What is signed is SHA-256 where SHA-1 or MD5 is asked for,
        unless the profile says legacy_hashes.
        """
        return str(self.__dict__.get("_hash_shown", defaults.DEFAULT_HASH))

    @HashAlgorithm.setter
    def HashAlgorithm(self, bstr: str) -> None:
        self.__dict__["_hash"] = check_hash(bstr)
        self.__dict__["_hash_shown"] = bstr

    @property
    def HashAlgID(self) -> int:
        """The same hash as an ALG_ID; 0 where it has none. Raises ComError NTE_BAD_ALGID on setting what is no hash."""
        return alg_id_of(self.HashAlgorithm)

    @HashAlgID.setter
    def HashAlgID(self, hashAlgID: int) -> None:
        self.__dict__["_hash"], self.__dict__["_hash_shown"] = hash_of_alg_id(hashAlgID)

    @property
    def ContainerName(self) -> str:
        """The key's container. Where none was set, a GUID is made for each request, and it reads as the last one."""
        return str(self.__dict__.get("_container") or self.__dict__.get("_made_container", ""))

    @ContainerName.setter
    def ContainerName(self, bstrContainer: str) -> None:
        self.__dict__["_container"] = bstrContainer

    @property
    def ThumbPrint(self) -> str:
        """The thumbprint of a pending request in hexadecimal: the one that was set, else that of the last one made.

        One that was set chooses the request that an answer is accepted for. Raises ComError E_INVALIDARG on setting
        what is no SHA-1 in hexadecimal.
        """
        return str(self.__dict__.get("_thumbprint") or self.__dict__.get("_made_thumbprint", ""))

    @ThumbPrint.setter
    def ThumbPrint(self, bstrThumbPrint: str) -> None:
        digits = "".join(bstrThumbPrint.replace(":", " ").split()).upper()
        if digits and (len(digits) != 40 or not set(digits) <= set("0123456789ABCDEF")):
            raise BadArgument(HRESULT.E_INVALIDARG, "a thumbprint has 40 hexadecimal digits", argerror=0)
        self.__dict__["_thumbprint"] = digits

    def enrollment_context(self) -> X509CertificateEnrollmentContext:
        """For whom the control works: the machine where ProviderFlags or the flags of MY or REQUEST say so."""
        if self.ProviderFlags & defaults.CRYPT_MACHINE_KEYSET or self.machine_stores():
            return X509CertificateEnrollmentContext.ContextMachine
        return X509CertificateEnrollmentContext.ContextUser

    def signature_hash(self) -> str:
        """The name or object id of the hash that was asked for, or "" where none was."""
        return str(self.__dict__.get("_hash", ""))

    def forget_all(self) -> None:
        """Gives every property its default again."""
        self.__dict__.clear()
