"""A message's status only climbs. Meta tells statuses late, twice and in any order."""

from aerostic.domain.inbox.models import MessageStatus

RUNGS = (
    MessageStatus.ACCEPTED,
    MessageStatus.SENT,
    MessageStatus.DELIVERED,
    MessageStatus.READ,
    MessageStatus.PLAYED,
)
_HEIGHT: dict[str, int] = {str(status): height for height, status in enumerate(RUNGS, start=1)}
ARRIVED = frozenset({MessageStatus.DELIVERED, MessageStatus.READ, MessageStatus.PLAYED})
# Nobody knew yet whether Meta had it: the first status settles that.
UNSETTLED = frozenset(
    {
        MessageStatus.QUEUED,
        MessageStatus.SENDING,
        MessageStatus.UNKNOWN,
        MessageStatus.CANCELLED,
    }
)


def climb(now: str, told: str) -> str:
    """The status after Meta told `told` of a message that is at `now`.

    `failed` ends it, unless the message had arrived: then one of the person's devices failed, no more.
    """
    if now == MessageStatus.FAILED:
        return now
    if told == MessageStatus.FAILED:
        return now if now in ARRIVED else told
    return told if _HEIGHT.get(told, 0) > _HEIGHT.get(now, 0) else now


def contradicts(now: str, told: str) -> bool:
    """Whether both can not be the whole truth: arrived, and yet failed."""
    return (now == MessageStatus.FAILED and told in ARRIVED) or (
        told == MessageStatus.FAILED and now in ARRIVED
    )


def has_reached(now: str, rung: str) -> bool:
    """Whether a message at `now` has been at `rung`: one that was read was delivered, told or not."""
    return _HEIGHT.get(now, 0) >= _HEIGHT.get(rung, len(RUNGS) + 1)
