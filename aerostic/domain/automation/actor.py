"""Who acts when a workflow does: the workspace's automation, with what its nodes need and no more."""

from aerostic.core.permissions import Permission, system

AUTOMATION = system(
    "automation",
    Permission.WORKSPACE_READ,
    Permission.TEAM_READ,
    Permission.NUMBERS_READ,
    Permission.INBOX_READ,
    Permission.INBOX_REPLY,
    Permission.CONTACTS_READ,
    Permission.CONTACTS_WRITE,
    Permission.TEMPLATES_READ,
    Permission.AUTOMATION_READ,
    Permission.AUTOMATION_RUN,
    Permission.AI_READ,
    Permission.CONNECTIONS_READ,
    Permission.MEDIA_STORE,
)
