"""Every refusal Linarite can give, as one tree.

    LinariteError
    ├── SetupError                     a person at the terminal must change something
    │   └── EgressRefused              an outgoing connection that settings don't allow
    ├── GatewayError                   Azure's gateway refuses: {"error":{"code","message"}}
    │   ├── InvalidKey                 401
    │   ├── KeyAuthenticationDisabled  403
    │   ├── ResourceNotFound           404  unknown path or api-version
    │   ├── DeploymentNotFound         404
    │   ├── ApiVersionNotSupported     400  dated version on /openai/v1/
    │   ├── OperationNotSupported      400  the model cannot do this operation
    │   ├── MethodNotAllowed           405
    │   ├── ModelRetired               410
    │   ├── RequestTimedOut            408
    │   ├── BodyTooLarge               413
    │   ├── UnsupportedContentType     415
    │   ├── TooManyHeaders             431
    │   ├── TooManyRequests            429
    │   ├── InternalError              500
    │   └── ServiceUnavailable         503  always with Retry-After
    ├── ArmError                       the control plane refuses: `domain.arm_errors`
    └── ModelError                     the model layer refuses, OpenAI's shape:
        │                              {"error":{"message","type","param","code"}}
        ├── InvalidRequest             400
        │   └── ContextLengthExceeded  400
        ├── UpstreamRefused            the status and body another endpoint answered
        └── EngineFailed               500  the engine answered nonsense or broke off

Shapes, codes and texts follow Azure OpenAI's own answers. `web.error_envelope` is the one place
that turns them into bytes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal


class LinariteError(Exception):
    """The root: an HTTP status, a code that programs read, a message that people read."""

    status: int = 500
    code: str | None = "InternalServerError"
    control = "server"
    """what refuses: `authentication`, `authorization`, `route`, `request`, `quota`, `place`,
    `engine`, or `server` for its own faults; explanations name it"""

    def __init__(self, message: str, *, headers: dict[str, str] | None = None) -> None:
        """Keep the message, and headers (such as Retry-After) the answer must carry."""
        super().__init__(message)
        self.message = message
        self.headers = headers or {}


class SetupError(LinariteError):
    """Settings, models or engines are not as they must be; the message says what to change."""

    code = "SetupError"


EgressRule = Literal["form", "allowed_hosts", "address", "allowedFqdnList", "perimeter", "proxy"]
"""what refuses a connection: the host as it is written, the server's lists, what an address is, an
account's own list, a network security perimeter, a proxy that takes no such thing"""


class EgressRefused(SetupError):
    """An outgoing connection that settings don't allow; the message names the one to change."""

    code = "EgressRefused"

    def __init__(self, message: str, *, rule: EgressRule = "form") -> None:
        """Keep which rule it was."""
        super().__init__(message)
        self.rule: EgressRule = rule


class GatewayError(LinariteError):
    """Refused before a model was involved; `hint` goes into `innererror` and helps a reader."""

    control = "route"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Take a code other than the class's own, and facts that help the reader."""
        super().__init__(message, headers=headers)
        self.code = code or type(self).code
        self.hint = hint


class InvalidKey(GatewayError):
    """No key, or one that opens nothing here."""

    control = "authentication"
    status = 401
    code = "401"

    def __init__(self, hint: dict[str, Any] | None = None) -> None:
        """Say what Azure says; which of the two it was must not be told.

        `hint` is for those alone who have shown a key that was right, and is not any more.
        """
        super().__init__(
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to "
            "provide a valid key for an active subscription and use a correct regional API "
            "endpoint for your resource.",
            hint=hint,
        )


class KeyAuthenticationDisabled(GatewayError):
    """The account takes tokens only (`disableLocalAuth`)."""

    control = "authentication"
    status = 403
    code = "AuthenticationTypeDisabled"

    def __init__(self) -> None:
        """Say what Azure says."""
        super().__init__("Key based authentication is disabled for this resource.")


class ResourceNotFound(GatewayError):
    """No such path, or the path does not exist in this api-version."""

    status = 404
    code = "404"

    def __init__(
        self, message: str = "Resource not found", *, hint: dict[str, Any] | None = None
    ) -> None:
        """Keep Azure's words; `hint` lists what does exist."""
        super().__init__(message, hint=hint)


class DeploymentNotFound(GatewayError):
    """The account has no deployment of this name."""

    status = 404
    code = "DeploymentNotFound"

    def __init__(self, wanted: str, existing: list[str]) -> None:
        """Name the deployments that do exist: the caller has proved to own the account."""
        super().__init__(
            "The API deployment for this resource does not exist. If you created the deployment "
            "within the last 5 minutes, please wait a moment and try again.",
            hint={"code": "DeploymentNotFound", "requested": wanted, "deployments": existing},
        )


class ApiVersionNotSupported(GatewayError):
    """A dated api-version on /openai/v1/."""

    status = 400
    code = "BadRequest"

    def __init__(self) -> None:
        """Say what Azure says."""
        super().__init__("API version not supported")


class OperationNotSupported(GatewayError):
    """The deployment's model cannot do this operation, or the deployment takes batches alone.

    Azure says the same of both: learn.microsoft.com/answers/questions/2108663, "Batch API calls in
    Azure OpenAI yield OperationNotSupported errors".
    """

    control = "request"
    status = 400
    code = "OperationNotSupported"

    def __init__(self, verb: str, model: str, *, batches_only: bool = False) -> None:
        """`verb` is Azure's word for the operation: chatCompletion, completion, embeddings."""
        why = "The deployment is for batches (its SKU): name it in the lines of one."
        super().__init__(
            f"The {verb} operation does not work with the specified model, {model}. Please choose "
            "different model and try again. You can learn more about which models can be used "
            "with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993.",
            hint={"code": "BatchDeployment", "message": why} if batches_only else None,
        )


class ModelRetired(GatewayError):
    """The model version behind a deployment has come to its end.

    The status is Azure's (learn.microsoft.com, "Foundry Models lifecycle and support policy");
    its words are not known, these are ours.
    """

    status = 410
    code = "ModelDeprecated"

    def __init__(self, name: str, version: str, retired_at: float) -> None:
        """Say since when, and what the deployment's owner can do."""
        since = datetime.fromtimestamp(retired_at, UTC)
        super().__init__(
            f"The model '{name}', version '{version}', of this deployment was retired on "
            f"{since:%Y-%m-%d} and answers no more. Deploy another version or model.",
            hint={"code": "ModelDeprecated", "retired_at": f"{since:%Y-%m-%dT%H:%M:%SZ}"},
        )


class MethodNotAllowed(GatewayError):
    """The path exists, the method does not."""

    status = 405
    code = "405"

    def __init__(self, allowed: list[str]) -> None:
        """Name the methods that do exist."""
        super().__init__("Method not allowed", headers={"allow": ", ".join(sorted(allowed))})


class RequestTimedOut(GatewayError):
    """Nothing came within the time that settings allow."""

    control = "request"
    status = 408
    code = "Timeout"

    def __init__(self, message: str = "The operation was timeout.") -> None:
        """Keep Azure's words unless the caller knows better."""
        super().__init__(message)


class BodyTooLarge(GatewayError):
    """More bytes than `limits.body_bytes_max`."""

    control = "request"
    status = 413
    code = "RequestEntityTooLarge"

    def __init__(self, limit_bytes: int) -> None:
        """Name the limit and its setting."""
        super().__init__(
            "Request body is too large.",
            hint={"limit_bytes": limit_bytes, "setting": "limits.body_bytes_max"},
        )


class UnsupportedContentType(GatewayError):
    """The body is not of a type this operation reads."""

    control = "request"
    status = 415
    code = "UnsupportedMediaType"

    def __init__(self, got: str, wanted: str = "application/json", kind: str = "type") -> None:
        """Name what came and what is read; `kind` may be "encoding"."""
        super().__init__(f"Unsupported content {kind} '{got[:100]}'. Send the body as '{wanted}'.")


class TooManyHeaders(GatewayError):
    """More custom headers than Azure passes on (10), or larger ones than are read."""

    control = "request"
    status = 431
    code = "431"

    def __init__(self, limit: int) -> None:
        """Name the limit and its setting."""
        super().__init__(
            f"Too many custom headers: at most {limit} are allowed.",
            hint={"limit": limit, "setting": "limits.custom_headers_max"},
        )


class TooManyRequests(GatewayError):
    """Beyond the deployment's rate; always with Retry-After."""

    control = "quota"
    status = 429
    code = "429"

    def __init__(self, message: str, retry_after_s: float) -> None:
        """Give the wait both in seconds and in milliseconds, as Azure does."""
        super().__init__(message, headers=retry_headers(retry_after_s))


class InternalError(GatewayError):
    """Our own fault; the text says nothing of the inside."""

    control = "server"
    status = 500
    code = "InternalServerError"

    def __init__(self, request_id: str) -> None:
        """Name the request, so that the log line can be found."""
        super().__init__(
            "The server had an error processing your request. Sorry about that! You can retry "
            f"your request. Please include the request ID {request_id} when you report it."
        )


class ServiceUnavailable(GatewayError):
    """No engine can take the request now; always with Retry-After."""

    control = "place"
    status = 503
    code = "503"

    def __init__(self, reason: str, retry_after_s: float = 1.0) -> None:
        """Azure's sentence first, then the reason in ours."""
        super().__init__(
            "The service is temporarily unable to process your request. Please try again later. "
            f"({reason})",
            headers=retry_headers(retry_after_s),
        )


class ModelError(LinariteError):
    """Refused or failed at the model layer, told in OpenAI's shape."""

    control = "request"
    status = 400
    code: str | None = None
    type: str | None = "invalid_request_error"

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """`param` names the request field at fault, in dotted form (`messages[0].role`)."""
        super().__init__(message, headers=headers)
        self.param = param
        self.code = code or type(self).code


class InvalidRequest(ModelError):
    """A parameter is missing, of the wrong type, out of range or not supported."""


class ContextLengthExceeded(InvalidRequest):
    """Prompt and requested completion do not fit the model."""

    code = "context_length_exceeded"

    def __init__(
        self, limit: int, prompt_tokens: int, completion_tokens: int = 0, *, at_least: bool = False
    ) -> None:
        """All in tokens; `completion_tokens` is what was asked for, 0 when unknown.

        `at_least`: the prompt was so long that nobody counted it to its end.
        """
        self.prompt_tokens = 0 if at_least else prompt_tokens
        """0 where nobody counted to the end"""
        asked = f", {completion_tokens} in the completion" if completion_tokens else ""
        total = prompt_tokens + completion_tokens
        about = "at least " if at_least else ""
        super().__init__(
            f"This model's maximum context length is {limit} tokens. However, your messages "
            f"resulted in {about}{total} tokens ({prompt_tokens} in the messages{asked}). Please "
            "reduce the length of the messages or completion.",
            param="messages",
        )


class UpstreamRefused(ModelError):
    """Another endpoint refused: its status and its error body are passed on."""

    control = "engine"

    def __init__(self, status: int, error: dict[str, Any], headers: dict[str, str]) -> None:
        """`error` is the upstream's inner `error` object; `headers` those worth passing on."""
        super().__init__(str(error.get("message") or "Upstream refused"), headers=headers)
        self.status = status
        self.error = error


class EngineFailed(ModelError):
    """The engine broke off or answered what cannot be read; the request may be retried."""

    control = "engine"
    status = 500
    code = "server_error"
    type = "server_error"


class ConnectionDropped(EngineFailed):
    """The connection is to be closed with nothing said: what a simulated fault asks for."""


def retry_headers(retry_after_s: float) -> dict[str, str]:
    """Azure sends the wait twice: whole seconds (at least 1) and milliseconds."""
    return {
        "retry-after": str(max(1, round(retry_after_s + 0.499))),
        "retry-after-ms": str(max(1, round(retry_after_s * 1000))),
    }
