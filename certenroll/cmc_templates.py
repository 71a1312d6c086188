"""A CMC request and its template: what is taken over from one that the directory knows, or a policy server gave.

Knows no keys and no messages; IX509CertificateRequestCmc derives from it. Source: the pages of the Initialize methods of
IX509CertificateRequestCmc and -Cmc2 that take a template.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from certenroll.cmc_properties import CmcProperties
from certenroll.engine.template_lookup import directory_facts
from certenroll.enums import X509CertificateEnrollmentContext
from certenroll.errors import ComError
from certenroll.extension_types import extension_from
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId, object_id
from certenroll.requests import IX509CertificateRequest
from certenroll.template_wishes import archival_cipher

if TYPE_CHECKING:
    from certenroll.ca.policies.template_facts import TemplateFacts
    from certenroll.policy_servers import IX509EnrollmentPolicyServer
    from certenroll.templates import IX509CertificateTemplate


class CmcTemplates(CmcProperties):
    """The part of a CMC request that has to do with templates."""

    def __init__(self) -> None:
        super().__init__()
        self._template_oid = ""  # where the template is named by its name and known all the same
        self._outer_template: tuple[IX509EnrollmentPolicyServer, IX509CertificateTemplate] | None = None

    def InitializeFromTemplateName(self, Context: X509CertificateEnrollmentContext, strTemplateName: str) -> None:
        """Makes a request for a template, with a new key; whether that is archived, and by which cipher, the template says.

        Args:
            Context: for whom.
            strTemplateName: the template's common name or object id.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, E_INVALIDARG for no name.
            CAError: the files of the CA that stands for the directory are malformed.
        """
        super().InitializeFromTemplateName(Context, strTemplateName)
        self._take_template(directory_facts(Context, strTemplateName))

    def InitializeFromTemplate(
        self,
        context: X509CertificateEnrollmentContext,
        pPolicyServer: IX509EnrollmentPolicyServer,
        pTemplate: IX509CertificateTemplate,
    ) -> None:
        """Makes a request for a template of a policy server, with a new key, to be archived where the template says so.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, E_POINTER where a server or template is missing.
        """
        super().InitializeFromTemplate(context, pPolicyServer, pTemplate)
        self._take_template(pTemplate.template_facts())

    def InitializeFromInnerRequestTemplateName(self, pInnerRequest: IX509CertificateRequest, strTemplateName: str) -> None:
        """Puts a request inside and names a template beside it; what the directory says of the template is taken over.

        Args:
            pInnerRequest: a PKCS#10 or CMC request.
            strTemplateName: the template's common name or object id.

        Raises:
            ComError: E_INVALIDARG for no name, and as InitializeFromInnerRequest.
            CAError: the files of the CA that stands for the directory are malformed.
        """
        if not strTemplateName:
            raise ComError(HRESULT.E_INVALIDARG, "no template is named", argerror=1)
        self.InitializeFromInnerRequest(pInnerRequest)
        self._template = strTemplateName
        facts = directory_facts(self.EnrollmentContext, strTemplateName)
        self._template_oid = (facts.oid or "") if facts is not None else ""
        self._take_template(facts, with_extensions=True)

    def InitializeFromInnerRequestTemplate(
        self,
        pInnerRequest: IX509CertificateRequest,
        pPolicyServer: IX509EnrollmentPolicyServer,
        pTemplate: IX509CertificateTemplate,
    ) -> None:
        """Puts a request inside, and beside it the extensions of a template and whether its key is to be archived.

        Raises:
            ComError: E_POINTER where a server or template is missing, and as InitializeFromInnerRequest.
        """
        facts = pTemplate.template_facts()
        self.InitializeFromInnerRequest(pInnerRequest)
        self._outer_template = (pPolicyServer, pTemplate)
        self._template = facts.oid or facts.common_name
        self._take_template(facts, with_extensions=True)

    @property
    def PolicyServer(self) -> IX509EnrollmentPolicyServer:
        """Where the template came from. Raises CERTSRV_E_PROPERTY_EMPTY where none was given as an object."""
        self._context.get()
        return self._outer_template[0] if self._outer_template else super().PolicyServer

    @property
    def Template(self) -> IX509CertificateTemplate:
        """The template. Raises CERTSRV_E_PROPERTY_EMPTY where none was given as an object."""
        self._context.get()
        return self._outer_template[1] if self._outer_template else super().Template

    @property
    def TemplateObjectId(self) -> IObjectId:
        """The object id of the template, of this request or of the one inside.

        Raises CERTSRV_E_PROPERTY_EMPTY where neither names one by its object id, or by a name that the directory knows.
        """
        self._context.get()
        named = self._template if self._template[:1].isdigit() else self._template_oid
        return object_id(named) if named else self.innermost_request().TemplateObjectId

    @property
    def template_name(self) -> str:
        """The template's name or object id, "" where none is named."""
        return self._template or self.innermost_request().template_name

    @property
    def lacks_exchange_certificate(self) -> bool:
        """Whether it is still to be encoded, with a key to be archived, and nobody said for which CA."""
        return not self.is_encoded and self.ArchivePrivateKey and not self._exchange_certificate

    def _take_template(self, facts: TemplateFacts | None, *, with_extensions: bool = False) -> None:
        """Takes over archival and its cipher, and for the message itself the extensions; nothing of an unknown one."""
        if facts is None:
            return
        self._archive_key = facts.archival
        self._cipher = archival_cipher(facts) or self._cipher
        for one in facts.request_extensions if with_extensions else ():
            self._extensions.Add(extension_from(one))
