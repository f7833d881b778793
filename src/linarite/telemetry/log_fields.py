"""The fields a log line may have.

An allow-list, because nobody can list what must not be logged. A field that is not here is
dropped, and its name is told under `fields_dropped`; add it here when it cannot hold a key, a
token, a prompt or an answer.
"""

from __future__ import annotations

LOG_FIELDS = frozenset(
    {
        # every line
        *("event", "level", "logger", "timestamp", "exception"),
        # a request
        *("request_id", "account", "deployment", "model", "operation", "method", "path"),
        *("status", "error_code", "finish", "caller_key", "client_address"),
        *("duration_ms", "prompt_tokens", "completion_tokens", "limit"),
        # an instance and its engine
        *("instance", "engine", "state", "pid", "line", "attempts", "wait_s", "timeout_s"),
        # jobs, and the resources that they work on
        *("job", "kind", "resource", "instances"),
        # the audit log
        *("audit_key", "entries", "lost"),
        # sign-ins: ids that the server gave out, never names that people typed
        *("how", "client_id", "object_id", "aadsts", "correlation_id"),
        # issuers' public keys, and policies
        *("issuer", "keys", "kid", "policy"),
        # certificates: what they publish
        *("subject", "thumbprint", "until", "files", "issuers", "principal"),
        # models and files
        *("file", "version"),
        # the server and its surroundings
        *("address", "host", "port", "url", "listener", "setting", "home"),
        # outgoing connections: words of ours
        *("purpose", "rule", "destination"),
        # limits: words and numbers of ours
        *("measure", "percent", "used", "bound", "refusing"),
        # what went wrong, and how much of it
        *("reason", "why", "check", "use", "pause_s", "for_s", "by_ms"),
        *("count", "backlog", "dropped"),
    }
)
