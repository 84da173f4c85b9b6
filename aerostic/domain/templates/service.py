"""Write, submit, change and delete templates; keep our copy of an account's equal to Meta's."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlmodel import select

from aerostic.core.errors import Conflict, Invalid, NotFound, Refused
from aerostic.core.permissions import Permission, requires
from aerostic.core.tenancy import Context
from aerostic.domain.channels.models import WhatsappAccount
from aerostic.domain.channels.service import access_token
from aerostic.domain.templates import checks, history, notation, samples, standing, told
from aerostic.domain.templates.checks import Problem
from aerostic.domain.templates.definition import Definition, headers
from aerostic.domain.templates.languages import LANGUAGES
from aerostic.domain.templates.models import Template, TemplateEventKind, TemplateStatus
from aerostic.integrations.meta.management import Management, Submitted, TemplateFacts
from aerostic.integrations.meta.template_refusals import LANGUAGE_EXISTS, NOT_THERE, TemplateRefused

DELETED = TemplateStatus.DELETED
NAME_RESTS = timedelta(
    days=30
)  # Meta: so long the name of a deleted, once approved template is taken
JUST_SUBMITTED = timedelta(minutes=5)  # a listing may not know of it yet


class NotReady(Refused):
    """Meta would refuse it. `problems` says what, each at its place."""

    code = "template_not_ready"

    def __init__(self, problems: list[Problem]) -> None:
        first = problems[0].message
        more = f" And {len(problems) - 1} more to put right." if len(problems) > 1 else ""
        super().__init__(first + more)
        self.problems = problems

    def fields(self) -> list[tuple[str, str]]:
        return [(one.place, one.message) for one in self.problems]


# Writing -----------------------------------------------------------------------------------------


@requires(Permission.TEMPLATES_MANAGE)
def create(
    ctx: Context, account_id: UUID, *, name: str, language: str, definition: Definition
) -> Template:
    """A draft, known to nobody but the workspace. Raises Conflict where name and language are taken."""
    _account(ctx, account_id)
    if wrong := checks.check_name(name):
        raise Invalid("name", wrong)
    if language not in LANGUAGES:
        raise Invalid("language", "Meta knows no such language. Choose one of the list.")
    samples.check(ctx, definition)
    template = _free_place(ctx, account_id, name, language)
    template.status, template.category = TemplateStatus.DRAFT, definition.category
    template.parameter_format = definition.parameter_format
    template.draft, template.revision = definition.model_dump(mode="json"), 0
    ctx.session.add(template)
    ctx.write_unless_taken(_taken(name, language))
    history.note(ctx, template, TemplateEventKind.CREATED, "Begun as a draft.")
    return template


def _free_place(ctx: Context, account_id: UUID, name: str, language: str) -> Template:
    """A new row, or the one of a deleted template whose name may be used again."""
    statement = select(Template).where(
        Template.account_id == account_id, Template.name == name, Template.language == language
    )
    found = ctx.session.exec(statement.with_for_update()).one_or_none()
    if found is None:
        return Template(account_id=account_id, name=name, language=language, category="", status="")
    if found.status != DELETED:
        raise _taken(name, language)
    if found.deleted_at and found.deleted_at + NAME_RESTS > ctx.now:
        until = (found.deleted_at + NAME_RESTS).strftime("%-d %B %Y")
        raise Invalid(
            "name",
            f"A template of this name was deleted lately. Meta lets the name be used again on {until}.",
        )
    found.meta_template_id, found.components, found.files = "", [], {}
    found.told_status, found.note, found.rejection_reason = "", "", None
    found.deleted_at, found.submitted_at, found.quality = None, None, "UNKNOWN"
    return found


def _taken(name: str, language: str) -> Conflict:
    return Conflict(f"There is a template “{name}” in {LANGUAGES.get(language, language)} already.")


@requires(Permission.TEMPLATES_MANAGE)
def write(ctx: Context, template_id: UUID, definition: Definition, *, revision: int) -> Template:
    """Keep what was written. Raises Conflict where somebody else wrote since `revision`."""
    template = _mine(ctx, template_id)
    if template.revision != revision:
        raise Conflict(
            "Somebody else has changed this template meanwhile. Load it again, then make your changes.",
            code="stale",
        )
    standing.check_may_be_written(template)
    samples.check(ctx, definition)
    template.draft = definition.model_dump(mode="json")
    template.revision += 1
    if template.status == TemplateStatus.DRAFT:
        template.category = definition.category
        template.parameter_format = definition.parameter_format
    ctx.announce("template", template.id)
    return template


@requires(Permission.TEMPLATES_MANAGE)
def discard(ctx: Context, template_id: UUID) -> Template:
    """Forget the changes that were not submitted. A template that Meta never saw is deleted instead."""
    template = _mine(ctx, template_id)
    if template.status == TemplateStatus.DRAFT:
        raise Refused("This template exists nowhere else. Delete it, if you do not want it.")
    template.draft, template.revision = None, template.revision + 1
    ctx.announce("template", template.id)
    return template


@requires(Permission.TEMPLATES_MANAGE)
def duplicate(
    ctx: Context, template_id: UUID, *, name: str, language: str, account_id: UUID | None = None
) -> Template:
    """A draft with the same contents: under another name, in another language, or for another account."""
    original = ctx.get(Template, template_id)
    if original is None:
        raise NotFound("That template no longer exists.")
    contents = standing.contents(original)
    for header in headers(contents).values():
        header.handle = ""  # Meta's name for a sample serves one template
    return create(
        ctx, account_id or original.account_id, name=name, language=language, definition=contents
    )


# Submitting --------------------------------------------------------------------------------------


@requires(Permission.TEMPLATES_MANAGE)
def submit(ctx: Context, template_id: UUID) -> Template:
    """Send what was written to Meta's review. Raises NotReady, TemplateRefused, or Unavailable.

    Whatever Meta answers, what was written is kept. No answer: submitting again finds out.
    """
    template = _mine(ctx, template_id)
    if template.draft is None:
        raise Refused("Nothing has been changed since it was submitted.")
    definition, sent = standing.contents(template), template.draft
    _check_ready(ctx, template, definition)
    account = _account(ctx, template.account_id)
    files = samples.files(ctx, definition)
    token, version, is_new = access_token(account), account.graph_version, not _is_at_meta(template)
    ctx.release()
    with Management(token, graph_version=version) as meta:
        samples.upload(meta, definition, files)
        if is_new:
            answer = _submit_new(meta, account.meta_account_id, template, definition)
        else:
            answer = _submit_change(meta, template, definition)
    return _submitted(ctx, template_id, definition, sent, answer)


def _is_at_meta(template: Template) -> bool:
    return bool(template.meta_template_id)


def _check_ready(ctx: Context, template: Template, definition: Definition) -> None:
    standing.check_may_be_submitted(ctx, template, definition)
    found = checks.problems(definition, name=template.name, language=template.language)
    if found:
        raise NotReady(found)


def _body(definition: Definition) -> dict[str, Any]:
    body: dict[str, Any] = {"components": notation.components(definition)}
    if definition.ttl_seconds is not None:
        body["message_send_ttl_seconds"] = definition.ttl_seconds
    return body


def _submit_new(
    meta: Management, account: str, template: Template, definition: Definition
) -> Submitted | TemplateFacts:
    wanted = _body(definition) | {
        "name": template.name,
        "language": template.language,
        "category": definition.category.value,
        "parameter_format": definition.parameter_format.value,
    }
    try:
        return meta.create_template(account, wanted)
    except TemplateRefused as refused:
        if refused.subcode != LANGUAGE_EXISTS:
            raise
        found = meta.template(account, template.name, template.language)
        if found is None:
            raise
        return found


def _submit_change(meta: Management, template: Template, definition: Definition) -> Submitted:
    wanted = _body(definition)
    if template.status != TemplateStatus.APPROVED:
        wanted["category"] = definition.category.value
    meta.edit_template(template.meta_template_id, wanted)
    return Submitted(template.meta_template_id, TemplateStatus.PENDING, definition.category.value)


def _submitted(
    ctx: Context,
    template_id: UUID,
    definition: Definition,
    sent: dict[str, Any],
    answer: Submitted | TemplateFacts,
) -> Template:
    template = _mine(ctx, template_id)
    if isinstance(answer, TemplateFacts):
        return _found_there(ctx, template, answer)
    was_approved = template.status == TemplateStatus.APPROVED
    template.files = samples.kept(definition)
    template.components = notation.components(definition)
    template.ttl_seconds = definition.ttl_seconds
    template.parameter_format = definition.parameter_format
    template.meta_template_id, template.submitted_at = answer.meta_template_id, ctx.now
    template.status, template.rejection_reason = answer.status, None
    template.told_status, template.note = answer.status, told.in_words(answer.status, None, {})
    if template.draft == sent:  # else someone wrote on meanwhile: that is the next edit
        template.draft = None
    template.revision += 1
    kind = TemplateEventKind.EDITED if was_approved else TemplateEventKind.SUBMITTED
    history.note(ctx, template, kind, "Submitted to Meta's review.")
    template.category = definition.category
    told.move(ctx, template, answer.category)
    return template


def _found_there(ctx: Context, template: Template, facts: TemplateFacts) -> Template:
    """Meta has it already: an answer was lost, or it was made elsewhere. Ours is kept as an edit."""
    contents = standing.contents(template)
    _take_over(ctx, template.account_id, template, facts)
    if notation.plain_of(contents) == notation.plain_of(standing.submitted(template)):
        template.files, template.draft = samples.kept(contents), None
    template.submitted_at = template.submitted_at or ctx.now
    template.revision += 1
    words = "Meta has a template of this name and language already: this is it."
    history.note(ctx, template, TemplateEventKind.SUBMITTED, words)
    return template


# Deleting ----------------------------------------------------------------------------------------


@requires(Permission.TEMPLATES_MANAGE)
def delete(ctx: Context, template_id: UUID, *, all_languages: bool = False) -> int:
    """Delete a template here and at Meta, in one language or in all; return how many languages went."""
    template = _mine(ctx, template_id)
    rows = _variants(ctx, template) if all_languages else [template]
    if any(_is_at_meta(row) for row in rows):
        account = _account(ctx, template.account_id)
        one = None if all_languages else template.meta_template_id
        token, version = access_token(account), account.graph_version
        ctx.release()
        with Management(token, graph_version=version) as meta:
            _delete_there(meta, account.meta_account_id, template.name, one)
        rows = _still_here(ctx, rows)
    for row in rows:
        _delete_here(ctx, row)
    return len(rows)


def _still_here(ctx: Context, rows: list[Template]) -> list[Template]:
    found = (ctx.get(Template, row.id, for_update=True) for row in rows)
    return [row for row in found if row is not None]


def _delete_there(meta: Management, account: str, name: str, template_id: str | None) -> None:
    try:
        meta.delete_template(account, name, meta_template_id=template_id)
    except TemplateRefused as refused:
        if refused.subcode != NOT_THERE:  # gone already: that is what was wanted
            raise


def _delete_here(ctx: Context, template: Template) -> None:
    """Messages and workflows still name what Meta once had, so that stays, marked."""
    ctx.announce("template", template.id)
    if not _is_at_meta(template):
        ctx.session.delete(template)
        return
    told.bury(ctx, template)
    template.told_status, template.note = DELETED, "Deleted."
    history.note(ctx, template, TemplateEventKind.DELETED, "Deleted here and at Meta.")


def _variants(ctx: Context, template: Template) -> list[Template]:
    statement = select(Template).where(
        Template.account_id == template.account_id,
        Template.name == template.name,
        Template.status != DELETED,
    )
    return list(ctx.session.exec(statement.with_for_update()))


# Keeping equal -----------------------------------------------------------------------------------


@requires(Permission.TEMPLATES_MANAGE)
def sync(ctx: Context, account_id: UUID) -> int:
    """Take over every template of an account; return how many. A listing that fails changes nothing."""
    account = _account(ctx, account_id)
    token, version = access_token(account), account.graph_version
    ctx.release()
    with Management(token, graph_version=version) as meta:
        listed = meta.templates(account.meta_account_id)
    known = {(row.name, row.language): row for row in _templates_of(ctx, account_id)}
    for facts in listed:
        _take_over(ctx, account_id, known.pop((facts.name, facts.language), None), facts)
    for gone in known.values():
        _miss(ctx, gone)
    ctx.announce("template", account_id)
    return len(listed)


def _templates_of(ctx: Context, account_id: UUID) -> list[Template]:
    statement = select(Template).where(Template.account_id == account_id).with_for_update()
    return list(ctx.session.exec(statement.execution_options(populate_existing=True)))


def _miss(ctx: Context, template: Template) -> None:
    """Meta does not list it. Drafts it never had; what was submitted just now it may not list yet."""
    is_fresh = template.submitted_at and template.submitted_at + JUST_SUBMITTED > ctx.now
    if not _is_at_meta(template) or template.status == DELETED or is_fresh:
        return
    template.synced_at = ctx.now
    told.stand(ctx, template, DELETED)


def _take_over(
    ctx: Context, account_id: UUID, known: Template | None, facts: TemplateFacts
) -> Template:
    template = known or Template(
        account_id=account_id,
        name=facts.name,
        language=facts.language,
        category=facts.category,
        status=facts.status,
        told_status=facts.status,
        note=told.in_words(facts.status, facts.rejection_reason, {}),
    )
    was_known = known is not None and _is_at_meta(known)
    template.meta_template_id = facts.meta_template_id
    template.parameter_format = facts.parameter_format
    template.components, template.ttl_seconds = facts.components, facts.ttl_seconds
    template.synced_at, template.deleted_at = ctx.now, None
    ctx.session.add(template)
    if was_known:  # what a lost webhook would have told
        told.move(ctx, template, facts.category)
        told.quality(ctx, template, facts.quality)
    template.category, template.quality = facts.category, facts.quality
    told.stand(ctx, template, facts.status, reason=facts.rejection_reason)
    return template


# Looking up --------------------------------------------------------------------------------------


def _account(ctx: Context, account_id: UUID) -> WhatsappAccount:
    account = ctx.get(WhatsappAccount, account_id)
    if account is None:
        raise NotFound("That account no longer exists.")
    return account


def _mine(ctx: Context, template_id: UUID) -> Template:
    template = ctx.get(Template, template_id, for_update=True)
    if template is None:
        raise NotFound("That template no longer exists.")
    return template
