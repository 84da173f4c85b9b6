"""Files of contacts: receive, say what the columns are, take in by batches, stop."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlmodel import col, select

from aerostic.core.errors import Conflict, Invalid, NotFound
from aerostic.core.permissions import Permission, requires
from aerostic.core.queue import QueueName
from aerostic.core.tenancy import Context
from aerostic.domain.audiences.models import ContactList
from aerostic.domain.contacts import fields, phones
from aerostic.domain.contacts.access import attributes_by_key, the_tag
from aerostic.domain.contacts.models import (
    ContactIdentity,
    ContactImport,
    IdentityKind,
    ImportStatus,
)
from aerostic.domain.imports import files, lease, listing, mapping, reading, rows
from aerostic.domain.imports.rows import Person, Reader, Refusal
from aerostic.domain.imports.taking import Batch
from aerostic.domain.plans import limits as plans
from aerostic.domain.plans.limits import Limit

BATCH = 1_000
LONGEST_LIST_NAME = 80
FORGOTTEN_AFTER = timedelta(days=1)
ENDED = (ImportStatus.DONE, ImportStatus.CANCELLED, ImportStatus.FAILED)


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to take a file in. Without `updates`, contacts that are there already stay as they are."""

    default_country: str = ""
    updates: bool = True
    tag_ids: tuple[UUID, ...] = field(default=())


@requires(Permission.CONTACTS_IMPORT)
def receive(ctx: Context, file_name: str, path: Path) -> ContactImport:
    """Read an uploaded file into its one form and propose what its columns are. Nobody is imported yet.

    Raises NotATable or TooLarge with the reason, Unavailable where the disk does not take it.
    """
    _drop_forgotten(ctx)
    table = reading.open_table(path)
    upload = ContactImport(
        file_name=fields.clean(Path(file_name).name[:200]) or "contacts",
        storage_key="",
        columns=table.columns,
        options={"kind": table.kind, "encoding": table.encoding, "by": ctx.actor.name},
        actor_user_id=ctx.actor.user_id,
        created_at=ctx.now,
    )
    upload.storage_key = files.storage_key(ctx.tenant_id, upload.id)
    upload.rows_total = files.write(upload.storage_key, table.rows)
    if not upload.rows_total:
        files.remove(upload.storage_key)
        raise reading.NotATable("The file has headings but no rows.")
    sample = [row.cells for row in files.read(upload.storage_key, stop=50)]
    known = attributes_by_key(ctx)
    upload.mapping = {"targets": mapping.propose(table.columns, sample, known.values())}
    ctx.session.add(upload)
    ctx.session.flush()
    ctx.announce("import", upload.id)
    return upload


@requires(Permission.CAMPAIGNS_MANAGE)
def receive_list(ctx: Context, name: str, file_name: str, path: Path) -> ContactList:
    """The same for a list to write to: whoever is in the file becomes a contact and stays on the list.

    What a row says under each heading is kept with it, for the variables of a campaign. Contacts that are
    there already stay as they are. Raises Conflict where there is a list of that name.
    """
    upload = receive(ctx, file_name, path)
    made = ContactList(
        name=fields.short("name", name, LONGEST_LIST_NAME, "The name") or upload.file_name,
        import_id=upload.id,
        columns=listing.variables(upload.columns),
        created_by_name=ctx.actor.name,
        created_at=ctx.now,
    )
    upload.options = upload.options | {"list_id": str(made.id)}
    ctx.session.add(made)
    try:
        ctx.write_unless_taken(Conflict(f"There is already a list named “{made.name}”."))
    except Conflict:
        files.remove(upload.storage_key)
        raise
    ctx.announce("list", made.id)
    return made


@requires(Permission.CONTACTS_IMPORT)
def start(
    ctx: Context, import_id: UUID, targets: Sequence[str], options: ImportOptions
) -> ContactImport:
    """Begin to take the file in. Started twice it runs once. Raises Invalid for a wrong mapping."""
    wanted = _the_import(ctx, import_id, for_update=True)
    if wanted.status in (ImportStatus.QUEUED, ImportStatus.RUNNING):
        return wanted
    if wanted.status != ImportStatus.UPLOADED:
        raise Conflict("This file was taken in before. Upload it again to repeat.")
    country = options.default_country.strip().upper()
    if country and not phones.is_country(country):
        raise Invalid("default_country", f"“{country[:20]}” is not a country code such as DE.")
    wanted.mapping = {"targets": mapping.check(targets, wanted.columns, attributes_by_key(ctx))}
    wanted.options = wanted.options | {
        "default_country": country,
        "updates": options.updates,
        "tag_ids": [str(the_tag(ctx, tag_id).id) for tag_id in fields.ids(options.tag_ids)],
    }
    wanted.status = ImportStatus.QUEUED
    lease.ask_for(ctx, wanted.id)
    _enqueue(ctx, wanted)
    return wanted


@requires(Permission.CONTACTS_IMPORT)
def cancel(ctx: Context, import_id: UUID) -> ContactImport:
    """Stop before the next batch. Contacts that were taken in stay."""
    wanted = _the_import(ctx, import_id, for_update=True)
    if wanted.status not in ENDED:
        _end(ctx, wanted, ImportStatus.CANCELLED)
    return wanted


@requires(Permission.CONTACTS_IMPORT)
def begin(ctx: Context, import_id: UUID, *, holder: str) -> ContactImport | None:
    """Lease the import for a worker; None where there is nothing to do or another has it."""
    wanted = ctx.get(ContactImport, import_id, for_update=True)
    if wanted is None or wanted.status in (*ENDED, ImportStatus.UPLOADED):
        lease.settle(ctx, import_id)
        return None
    if not lease.take(ctx, import_id, holder):
        return None
    if not files.is_there(wanted.storage_key) and wanted.rows_done < wanted.rows_total:
        _end(ctx, wanted, ImportStatus.FAILED, "The uploaded file is gone. Upload it again.")
        return None
    wanted.status = ImportStatus.RUNNING
    ctx.announce("import", wanted.id)
    return wanted


@requires(Permission.CONTACTS_IMPORT)
def take_batch(
    ctx: Context, import_id: UUID, batch: Sequence[files.SourceRow], *, start: int, holder: str
) -> bool:
    """Take rows in and move the position past them; False where this worker must stop."""
    wanted = _the_import(ctx, import_id, for_update=True)
    is_ours = wanted.status == ImportStatus.RUNNING and lease.renew(ctx, import_id, holder)
    if not is_ours or wanted.rows_done != start:
        return False
    if _list_is_gone(ctx, wanted):
        _end(ctx, wanted, ImportStatus.CANCELLED, "The list was deleted meanwhile.")
        return False
    reader = Reader(
        wanted.mapping["targets"],
        attributes_by_key(ctx),
        wanted.options.get("default_country") or None,
    )
    _take(ctx, wanted, _within_plan(ctx, [reader.read(row) for row in batch]))
    ctx.announce("import", wanted.id)
    ctx.announce("contact", "many")
    return True


@requires(Permission.CONTACTS_IMPORT)
def finish(ctx: Context, import_id: UUID, *, holder: str) -> bool:
    """Close an import whose rows are all taken; else make it due for another worker."""
    wanted = _the_import(ctx, import_id, for_update=True)
    if wanted.status != ImportStatus.RUNNING or not lease.renew(ctx, import_id, holder):
        return False
    if wanted.rows_done < wanted.rows_total:
        lease.let_go(ctx, import_id)
        _enqueue(ctx, wanted)
        return False
    _end(ctx, wanted, ImportStatus.DONE)
    return True


def _list_is_gone(ctx: Context, wanted: ContactImport) -> bool:
    """Whether it is for a list that was deleted meanwhile. One that is there stays until the commit."""
    list_id = wanted.options.get("list_id")
    return bool(list_id) and ctx.get(ContactList, UUID(list_id), for_update=True) is None


def _within_plan(ctx: Context, read: Sequence[Person | Refusal]) -> Sequence[Person | Refusal]:
    """The same, without those new people for whom the workspace's plan has no room."""
    room = plans.room(ctx, Limit.CONTACTS)
    if room is None:
        return read
    numbers = dict.fromkeys(one.phone for one in read if isinstance(one, rows.Person))
    is_known = select(col(ContactIdentity.value)).where(
        col(ContactIdentity.tenant_id) == ctx.tenant_id,
        col(ContactIdentity.kind) == IdentityKind.PHONE,
        col(ContactIdentity.value).in_(numbers),
    )
    known = set(ctx.session.scalars(is_known))
    new = [one for one in numbers if one not in known]
    left_out = set(new[room:])
    reason = plans.refusal(ctx, Limit.CONTACTS, adding=len(new)) if left_out else ""
    return [
        rows.Refusal(one.row, reason)
        if isinstance(one, rows.Person) and one.phone in left_out
        else one
        for one in read
    ]


def _take(ctx: Context, wanted: ContactImport, read: Sequence[Person | Refusal]) -> None:
    tag_ids = [UUID(tag_id) for tag_id in wanted.options.get("tag_ids", [])]
    with ctx.cursor() as cursor:
        list_id = wanted.options.get("list_id")
        batch = Batch(
            ctx,
            cursor,
            wanted,
            bool(wanted.options.get("updates")) and not list_id,
            tag_ids,
            UUID(list_id) if list_id else None,
        )
        outcome = batch.take(one for one in read if isinstance(one, rows.Person))
        refusals = [one for one in read if isinstance(one, rows.Refusal)] + outcome.refusals
        batch.report(refusals)
        if list_id:
            listing.write(ctx, cursor, wanted, UUID(list_id), outcome.members)
    wanted.rows_done += len(read)
    wanted.rows_created += outcome.created
    wanted.rows_updated += outcome.updated
    wanted.rows_unchanged += outcome.unchanged
    wanted.rows_refused += len(refusals)
    if list_id:
        ctx.announce("list", list_id)


def _enqueue(ctx: Context, wanted: ContactImport) -> None:
    ctx.enqueue(
        "workers.jobs.imports.run",
        queue_name=QueueName.IMPORTS,
        once_as=f"import-{wanted.id}-{wanted.rows_done}",
        import_id=str(wanted.id),
    )
    ctx.announce("import", wanted.id)


def _end(
    ctx: Context, wanted: ContactImport, status: ImportStatus, problem: str | None = None
) -> None:
    wanted.status = status
    wanted.problem = problem
    wanted.finished_at = ctx.now
    lease.settle(ctx, wanted.id)
    files.remove(wanted.storage_key)
    ctx.announce("import", wanted.id)


def _drop_forgotten(ctx: Context) -> None:
    """Files that were uploaded and left are personal data without a purpose."""
    forgotten = select(ContactImport).where(
        col(ContactImport.status) == ImportStatus.UPLOADED,
        col(ContactImport.created_at) < ctx.now - FORGOTTEN_AFTER,
    )
    for upload in ctx.session.exec(forgotten):
        _end(ctx, upload, ImportStatus.CANCELLED)


def _the_import(ctx: Context, import_id: UUID, *, for_update: bool = False) -> ContactImport:
    wanted = ctx.get(ContactImport, import_id, for_update=for_update)
    if wanted is None:
        raise NotFound("That import does not exist.")
    return wanted
