"""The boundary between tenants, asked of PostgreSQL itself."""

from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import select, text

from aerostic.core.ids import new_id
from aerostic.core.permissions import STRANGER, system
from aerostic.core.tenancy import shared_work
from aerostic.domain.contacts.models import Contact, ContactTag, Tag


def make_contact(place, name: str = "Ada") -> UUID:
    with place.work() as ctx:
        contact = Contact(name=name)
        ctx.session.add(contact)
        ctx.session.flush()
        return contact.id


def test_a_tenant_sees_its_own_rows_and_no_others(place, rival):
    mine, theirs = make_contact(place), make_contact(rival)
    with place.work() as ctx:
        assert [row.id for row in ctx.session.exec(select(Contact))] == [mine]
        assert ctx.get(Contact, theirs) is None


def test_without_a_tenant_there_are_no_rows(place):
    make_contact(place)
    with shared_work(STRANGER) as ctx:
        assert ctx.session.exec(select(Contact)).all() == []


def test_a_row_can_not_be_written_for_another_tenant(place, rival):
    with pytest.raises(DBAPIError, match="row-level security"), place.work() as ctx:
        statement = text("update contacts set tenant_id = :other")
        make_contact(place)
        ctx.session.execute(statement, {"other": rival.tenant_id})
    with rival.work() as ctx:
        assert ctx.session.exec(select(Contact)).all() == []


def test_a_foreign_key_can_not_point_at_another_tenants_row(place, rival):
    theirs = make_contact(rival)
    with pytest.raises(DBAPIError, match="foreign key"), place.work() as ctx:
        tag = Tag(name="vip")
        ctx.session.add(tag)
        ctx.session.flush()
        ctx.session.add(ContactTag(tag_id=tag.id, contact_id=theirs))


def test_the_tenant_is_stamped_whatever_the_caller_says(place, rival):
    with place.work() as ctx:
        ctx.session.add(Contact(tenant_id=rival.tenant_id, name="Eve"))
    with place.work() as ctx:
        assert [row.name for row in ctx.session.exec(select(Contact))] == ["Eve"]


def test_partitions_can_not_be_read_around_their_parent(place):
    with pytest.raises(DBAPIError, match="permission denied"), place.work() as ctx:
        ctx.session.execute(text("select * from messages_other"))


def test_a_rollback_starts_no_jobs_and_announces_nothing(place):
    from aerostic.core import queue

    with pytest.raises(RuntimeError), place.work() as ctx:
        ctx.enqueue("workers.jobs.media.fetch", media_id=str(new_id()))
        raise RuntimeError
    assert len(queue.queue(queue.QueueName.DEFAULT)) == 0


def test_private_rows_of_the_platform_need_the_platforms_scope():
    from aerostic.core.tenancy import platform_work
    from aerostic.domain.platform.models import SecurityEvent

    actor = system("test")
    with platform_work(actor) as ctx:
        event = SecurityEvent(kind="test")
        ctx.session.add(event)
        ctx.session.flush()
        made = event.id
    with shared_work(actor) as ctx:
        assert ctx.session.get(SecurityEvent, made) is None
    with platform_work(actor) as ctx:
        assert ctx.session.get(SecurityEvent, made) is not None
