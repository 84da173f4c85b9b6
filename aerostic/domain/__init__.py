"""The product. Importing any part of it loads every table, so that the metadata is always whole."""

import aerostic.core.due_work
import aerostic.domain.ai.models
import aerostic.domain.analytics.models
import aerostic.domain.audiences.models
import aerostic.domain.automation.models
import aerostic.domain.billing.models
import aerostic.domain.campaigns.models
import aerostic.domain.channels.models
import aerostic.domain.connections.models
import aerostic.domain.contacts.models
import aerostic.domain.deliveries.models
import aerostic.domain.identity.models
import aerostic.domain.inbox.models
import aerostic.domain.knowledge.models
import aerostic.domain.mail.models
import aerostic.domain.media.models
import aerostic.domain.plans.models
import aerostic.domain.platform.models
import aerostic.domain.signals.models
import aerostic.domain.templates.models
import aerostic.domain.tenants.models
import aerostic.domain.usage.models
import aerostic.domain.vault.models
import aerostic.domain.webhooks_out.models  # noqa: F401
