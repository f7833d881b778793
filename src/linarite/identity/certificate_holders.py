"""Who clients are by their certificates, as settings map them to the directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from linarite.domain.client_certificate import ISSUER
from linarite.domain.principal import SERVICE_PRINCIPAL, USER, Principal
from linarite.web.client_certificates import tidy_issuer, tidy_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.domain.client_certificate import ShownCertificate
    from linarite.identity.verification import OwnDirectory
    from linarite.web.options import ClientCertificateSettings

log = structlog.get_logger("linarite.identity")

REMEMBERED_MAX = 1000


class MappedHolders:
    """`CertificateHolders` by `[client_certificates.NAME]`, the first that fits.

    Whether somebody is still in the directory and enabled, and in which groups, is looked up for
    each call.
    """

    def __init__(
        self,
        rules: Mapping[str, ClientCertificateSettings],
        directory: OwnDirectory,
        tenant: str,
    ) -> None:
        """`tenant` is this server's own."""
        self._rules = rules
        self._directory = directory
        self._tenant = tenant
        self._remembered: dict[tuple[str, str], str] = {}

    def warn(self) -> None:
        """Tell of rules that mean nobody, as the directory is now."""
        for name, rule in self._rules.items():
            entry = self._directory.entry(rule.principal.lower())
            if entry is None:
                log.warning(
                    "a client certificate's principal is nobody in the directory: calls with it "
                    "are refused until `linarite identity principal list` or `user list` has it",
                    rule=name,
                    principal=rule.principal,
                )
            elif entry.kind not in {USER, SERVICE_PRINCIPAL}:
                log.warning(
                    "a client certificate's principal is neither a user nor a service principal: "
                    "nothing else calls by itself",
                    kind=entry.kind,
                    rule=name,
                    principal=rule.principal,
                )

    def holder(self, shown: ShownCertificate, listener: str) -> Principal | None:
        """Whose it is; None for nobody's, and for who has gone or is disabled."""
        key = (shown.thumbprint, listener)
        object_id = self._remembered.get(key)
        if object_id is None:
            if len(self._remembered) >= REMEMBERED_MAX:
                self._remembered.clear()
            object_id = self._remembered[key] = self._mapped(shown, listener)
        entry = self._directory.entry(object_id) if object_id else None
        if entry is None or entry.kind not in {USER, SERVICE_PRINCIPAL}:
            return None
        if self._directory.valid_from(self._tenant, entry.object_id) is None:
            return None  # disabled
        return Principal(
            kind=entry.kind,
            name=entry.app_id or entry.name,
            object_id=entry.object_id,
            tenant_id=self._tenant,
            app_id=entry.app_id,
            groups=self._directory.groups_of(entry.object_id),
            issuer=ISSUER,
            token_id=shown.thumbprint,
        )

    def _mapped(self, shown: ShownCertificate, listener: str) -> str:
        for name, rule in self._rules.items():
            if fits(rule, shown, listener):
                log.info(
                    "client certificate", rule=name, object_id=rule.principal, listener=listener
                )
                return rule.principal.lower()
        log.warning(
            "client certificate of nobody: no [client_certificates.NAME] fits it",
            thumbprint=shown.thumbprint,
            subject=shown.subject,
            issuers=sorted(shown.issuers),
            listener=listener,
        )
        return ""


def fits(rule: ClientCertificateSettings, shown: ShownCertificate, listener: str) -> bool:
    """Whether a rule means a certificate: everything that it says must be so."""
    thumbprint = rule.thumbprint.replace(":", "").lower()
    return (
        (not rule.listeners or listener in rule.listeners)
        and (not thumbprint or thumbprint == shown.thumbprint)
        and (not rule.subject or rule.subject == shown.subject)
        and (not rule.name or tidy_name(rule.name) in shown.names)
        and (not rule.issuer or tidy_issuer(rule.issuer) in shown.issuers)
    )
