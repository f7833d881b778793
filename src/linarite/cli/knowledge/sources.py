"""Which source a person means, and what opens it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote

import typer

from linarite.cli.arm.reaching import require_private
from linarite.cli.given_key import read_key
from linarite.cli.knowledge.documents import Meant
from linarite.cli.knowledge.folder import Folder
from linarite.cli.knowledge.object_stores import AzureContainer, Place, S3Bucket
from linarite.cli.knowledge.s3_requests import Credentials
from linarite.domain.errors import SetupError
from linarite.domain.target import target_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from linarite.cli.knowledge.documents import DocumentSource

WHAT_OPENS = "What opens a bucket or a container"
S3 = "s3://"
HTTP = ("https://", "http://")


@dataclass(frozen=True, kw_only=True)
class SourceFlags:
    """Of object stores; a folder needs none."""

    access_key_id: Annotated[
        str | None, typer.Option(help="Of S3, as env:NAME.", rich_help_panel=WHAT_OPENS)
    ] = None
    secret_access_key: Annotated[
        str | None, typer.Option(help="Of S3, as env:NAME.", rich_help_panel=WHAT_OPENS)
    ] = None
    session_token: Annotated[
        str | None, typer.Option(help="Of S3, as env:NAME.", rich_help_panel=WHAT_OPENS)
    ] = None
    region: Annotated[str, typer.Option(help="Of S3.", rich_help_panel=WHAT_OPENS)] = "us-east-1"
    s3_endpoint: Annotated[
        str | None,
        typer.Option(
            help="URL of a store that speaks like S3.",
            show_default="Amazon's in the region",
            rich_help_panel=WHAT_OPENS,
        ),
    ] = None
    sas: Annotated[
        str | None,
        typer.Option(
            help="Shared access signature of Azure Blob, as env:NAME.", rich_help_panel=WHAT_OPENS
        ),
    ] = None
    storage_token: Annotated[
        str | None,
        typer.Option(
            help="Access token for https://storage.azure.com, as env:NAME.",
            rich_help_panel=WHAT_OPENS,
        ),
    ] = None
    storage_ca_file: Annotated[
        Path | None,
        typer.Option(help="PEM file with the store's authority.", rich_help_panel=WHAT_OPENS),
    ] = None


def source_of(
    told: str,
    patterns: tuple[Sequence[str], Sequence[str]],
    flags: SourceFlags,
    variable: Callable[[str], str | None],
) -> DocumentSource:
    """A folder, a bucket (`s3://BUCKET/PREFIX`) or a container (`https://…/CONTAINER/PREFIX`).

    Raises SetupError.
    """
    meant = Meant(*patterns)
    ca_file = str(flags.storage_ca_file) if flags.storage_ca_file is not None else None

    def secret(value: str | None, flag: str) -> str:
        return read_key(value, None, variable, flag) or ""

    if told.lower().startswith(S3):
        bucket, _, prefix = told[len(S3) :].partition("/")
        if flags.s3_endpoint is not None:
            require_private(flags.s3_endpoint)
        address = flags.s3_endpoint or f"https://s3.{flags.region}.amazonaws.com"
        place = Place(target_of(address), bucket, _folder_of(prefix))
        key_id = secret(flags.access_key_id, "--access-key-id")
        key = secret(flags.secret_access_key, "--secret-access-key")
        if bool(key_id) != bool(key) or not bucket:
            raise SetupError(
                "A bucket looks like s3://BUCKET/PREFIX, and takes --access-key-id env:NAME and "
                "--secret-access-key env:NAME, or neither where everybody may read it."
            )
        token = secret(flags.session_token, "--session-token")
        credentials = Credentials(key_id, key, flags.region, token) if key else None
        return S3Bucket(place, meant, ca_file, credentials)
    if told.lower().startswith(HTTP):
        require_private(told)
        sas = secret(flags.sas, "--sas")
        token = secret(flags.storage_token, "--storage-token")
        return AzureContainer(_container(told), meant, ca_file, sas=sas, token=token)
    return Folder(Path(told), meant)


def _container(told: str) -> Place:
    """`https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX`.

    On a host of another form, as emulators have it, the account stands before the container.
    """
    target = target_of(told)
    parts = [unquote(each) for each in target.path.partition("?")[0].strip("/").split("/")]
    before = 1 if ".blob." not in target.host else 0
    if "?" in target.path or len(parts) <= before or not parts[before]:
        raise SetupError(
            "A container looks like https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX. "
            "Without a query: give a shared access signature as --sas env:NAME."
        )
    base = "".join(f"/{each}" for each in parts[:before])
    store = target_of(f"{'https' if target.tls else 'http'}://{target.host_header}{base}")
    return Place(store, parts[before], _folder_of("/".join(parts[before + 1 :])))


def _folder_of(prefix: str) -> str:
    return f"{prefix.strip('/')}/" if prefix.strip("/") else ""
