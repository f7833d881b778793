"""What is refused about responses and conversations, in the service's words."""

from __future__ import annotations

from linarite.domain.errors import GatewayError, InvalidRequest, ModelError, retry_headers


class NoSuchResponse(ModelError):
    """The account has no such response, or not one that the caller may see."""

    status = 404

    def __init__(self, response_id: str) -> None:
        """Say the same of one of another account's, and of one whose time is over."""
        super().__init__(f"Response with id '{response_id[:100]}' not found.")


class PreviousResponseNotFound(InvalidRequest):
    """The response to go on from is not there."""

    def __init__(self, response_id: str) -> None:
        """See NoSuchResponse."""
        super().__init__(
            f"Previous response with id '{response_id[:100]}' not found.",
            param="previous_response_id",
            code="previous_response_not_found",
        )


class NoSuchConversation(ModelError):
    """The account has no such conversation, or not one that the caller may see."""

    status = 404

    def __init__(self, conversation_id: str) -> None:
        """Say the same of one of another account's."""
        super().__init__(f"Conversation with id '{conversation_id[:100]}' not found.")


class NoSuchItem(ModelError):
    """The conversation has no such item."""

    status = 404

    def __init__(self, item_id: str, conversation_id: str) -> None:
        """Name both."""
        super().__init__(
            f"Item with id '{item_id[:100]}' not found in conversation '{conversation_id[:100]}'."
        )


class ReferenceNotFound(InvalidRequest):
    """An item that a request refers to is not there."""

    def __init__(self, item_id: str) -> None:
        """See NoSuchResponse."""
        super().__init__(
            f"Item with id '{item_id[:100]}' not found. Items are kept as long as the response "
            "that they belong to, and not at all with 'store' false.",
            param="input",
        )


class ContextTooLarge(InvalidRequest):
    """What a request goes on from is more than is read for one request."""

    def __init__(self, param: str, most_bytes: int) -> None:
        """`param` names what it goes on from."""
        super().__init__(
            f"What was said before takes more than the {most_bytes} bytes that are read for one "
            f"request. Send what still matters as 'input', without '{param}'.",
            param=param,
            code="context_length_exceeded",
        )


class DuplicateItem(InvalidRequest):
    """An input that refers to an item twice: lists of it could not be followed by ids."""

    def __init__(self, item_id: str) -> None:
        """Say what OpenAI says."""
        super().__init__(
            f"Duplicate item found with id {item_id[:100]}. Remove duplicate items from your input "
            "and try again.",
            param="input",
        )


class NoSuchPrompt(ModelError):
    """The account has no such prompt, or not in that version."""

    status = 404

    def __init__(self, prompt_id: str, version: str | None) -> None:
        """Say where prompts come from."""
        which = "" if version is None else f" and version '{version[:100]}'"
        super().__init__(
            f"Prompt with id '{prompt_id[:100]}'{which} not found. Prompts are made by this "
            "server's settings: responses.prompts.",
            param="prompt",
        )


class TooManyInBackground(GatewayError):
    """As many responses in the background as an account may have at a time."""

    control = "quota"
    status = 429
    code = "TooManyRequests"

    def __init__(self, most: int) -> None:
        """Name the limit and its setting."""
        super().__init__(
            f"This account has {most} responses in the background, which is as many as it may "
            "have at a time. Wait until some have ended, or cancel them: "
            "responses.background_max.",
            hint={"limit": most, "setting": "responses.background_max"},
            headers=retry_headers(10.0),
        )


class EncryptedContentInvalid(InvalidRequest):
    """What an item carries was not sealed here, or for another account."""

    def __init__(self, where: str) -> None:
        """`where` is the item's place in the request."""
        super().__init__(
            "The encrypted content of this item could not be verified. Send it as this account's "
            "endpoint gave it, or leave the item out.",
            param=f"{where}.encrypted_content",
            code="invalid_encrypted_content",
        )
