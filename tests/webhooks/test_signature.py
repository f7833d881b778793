"""Signatures, against the example of the standard's own libraries."""

from __future__ import annotations

from linarite.webhooks.signature import secrets_of, shown_secret, signature_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_standards_own_example() -> None:
    """The message that its libraries test themselves with."""
    headers = signature_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        secrets_of(SECRET, "here"),
    )
    assert dict(headers) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_secret_is_shown_as_it_is_told() -> None:
    """There and back."""
    assert shown_secret(secrets_of(SECRET, "here")[0]) == SECRET
