"""What belongs to files beside their keeper: uploads, imports, sealing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.controls.egress import EgressDialer
from linarite.domain.audit import AuditTrail
from linarite.domain.held_data import HeldData
from linarite.domain.resource import KeyStore, ResourceStore
from linarite.files.importing import FileImporter
from linarite.files.uploads import UploadKeeper
from linarite.storage.account_seals import AccountSeals

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from linarite.domain.stored_object import StoredObjects
    from linarite.files import FileKeeper
    from linarite.files.options import Files


class Around(msgspec.Struct, frozen=True):
    """What keepers of stored things find in a server."""

    resources: ResourceStore
    keys: KeyStore
    dialer: EgressDialer
    trail: AuditTrail
    held: HeldData
    """what is stored adds itself"""


class FileParts(msgspec.Struct, frozen=True):
    """What makes files in other ways than by one form."""

    uploads: UploadKeeper
    imports: FileImporter


async def open_seals(around: Around, options: Files) -> AccountSeals:
    """Who is sealed, as accounts say it now and later."""
    seals = AccountSeals(around.resources, around.keys.box_of, always=options.sealed == "always")
    await seals.refresh()
    around.resources.subscribe(seals.follow)
    return seals


async def open_file_parts(
    stack: AsyncExitStack, objects: StoredObjects, files: FileKeeper, around: Around
) -> FileParts:
    """Imports go on from here, until the stack is left."""
    imports = FileImporter(files, objects, around.dialer, around.keys.box_of)
    stack.push_async_callback(imports.stop)
    await imports.start()
    uploads = UploadKeeper(files, objects)
    stack.push_async_callback(uploads.stop)
    return FileParts(uploads, imports)
