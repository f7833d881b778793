"""What would have to change for a refusal to become an answer, by what refused.

Braces are filled from the request's record and from how things stand now.
"""

from __future__ import annotations

OPENAI_USER = "Cognitive Services OpenAI User (5e0bd9bd-7b93-4f28-af87-19fc36ad61bd)"

ADVICE_BY_CODE: dict[tuple[str, str], tuple[str, ...]] = {
    ("authentication", "401"): (
        (
            "Show one of the keys of {account} in the header `api-key` (`linarite keys --show` "
            "prints it), or a token that this server knows."
        ),
        "If the key was right once: it has been regenerated since.",
        (
            "If a client certificate was shown: a [client_certificates.NAME] of the settings must "
            "fit it, and its principal be an object id of `linarite identity principal list`."
        ),
    ),
    ("authentication", "Unauthorized"): (
        (
            "Show a token that holds: not expired, for https://cognitiveservices.azure.com or "
            "https://ai.azure.com, of an issuer that this server knows."
        ),
    ),
    ("authentication", "AuthenticationTypeDisabled"): (
        "Set `properties.disableLocalAuth` of {account} to false, so that keys are taken;",
        "or call with a token of somebody who has the role {role} at {account}.",
    ),
    ("authentication", "KeyVaultEncryptionKeyNotFound"): (
        (
            "Put the key that `properties.encryption` of {account} names back into its key vault: "
            "the folder that [key_vaults.NAME] of the settings says. Until then nobody is let in."
        ),
    ),
    ("authorization", "PermissionDenied"): (
        (
            "Assign the role {role}, or another one that grants the data action of {action}, to "
            "{principal} at {account}."
        ),
    ),
    ("network", "404"): (
        (
            "Call by the name of an account that there is ({accounts}), its customSubDomainName "
            "first; a private endpoint is called by its own account's names alone."
        ),
        "Or make the account: `linarite account create`.",
    ),
    ("network", "OutboundAccessDenied"): (
        (
            "Add the host to properties.allowedFqdnList of {account}, or to an outbound rule of "
            "its network security perimeter: `linarite egress refused` says which host and which."
        ),
    ),
    ("route", "DeploymentNotFound"): (
        "Name a deployment that {account} has: {deployments};",
        "or make the one that was asked for: `linarite deployment create`.",
    ),
    ("route", "404"): (
        "Ask for a path and an api-version that there are: docs/operations lists them.",
    ),
    ("route", "405"): ("Use the method that the operation has: docs/operations lists them.",),
    ("quota", "429"): (
        "Wait as long as the answer's Retry-After says, or raise the deployment's `sku.capacity`.",
    ),
}
ADVICE_BY_CONTROL: dict[str, tuple[str, ...]] = {
    "authentication": ("Show a key of {account} or a token that this server knows.",),
    "authorization": (
        "Assign a role that grants the data action of {action} to {principal} at {account}.",
    ),
    "route": ("Ask for a path, method and api-version that there are: docs/operations.",),
    "request": (
        (
            "Change the request itself: it was refused with {code}. The answer named the field; "
            "bodies are not kept."
        ),
    ),
    "place": (
        (
            "Wait as long as the answer's Retry-After says; or give the deployment more room: the "
            "instance {instance} had none, or was not up. /readyz says how it stands."
        ),
    ),
    "engine": ("Look at what the instance {instance} runs: it refused or failed with {code}.",),
}

ADVICE_FOR_USAGE_LIMITS = (
    (
        "Wait as long as the answer's Retry-After says, or raise the usage limit '{limit}': "
        "`linarite limit show {limit}` tells what is left, and of whom."
    ),
)
ADVICE_FOR_APPLICATION_KEYS: dict[str, tuple[str, ...]] = {
    "authentication": (
        (
            "The application key '{key}' has expired or is disabled: set expiresAt or enabled of "
            "{account}/providers/Linarite.Access/applicationKeys/{key} anew."
        ),
    ),
    "authorization": (
        (
            "The application key '{key}' must be allowed to do {action}: by another role "
            "(roleDefinitionId) or with the deployment among its own (deployments), at "
            "{account}/providers/Linarite.Access/applicationKeys/{key}."
        ),
    ),
}
"""by control, where the caller has shown the key of an application"""
