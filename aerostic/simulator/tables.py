"""The tables of the outside world. `at` and `*_at` columns hold simulated time unless they say otherwise."""

#: Part of the file's name. Raise it with every change below: the outside world then starts afresh.
SCHEMA_VERSION = 2

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS portfolios (id TEXT PRIMARY KEY, name TEXT NOT NULL,
    messaging_limit INTEGER NOT NULL);

CREATE TABLE IF NOT EXISTS accounts (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, portfolio_id TEXT NOT NULL REFERENCES portfolios (id),
    currency TEXT NOT NULL DEFAULT 'USD', timezone_id TEXT NOT NULL DEFAULT '1',
    subscribed INTEGER NOT NULL DEFAULT 1, callback_url TEXT);

CREATE TABLE IF NOT EXISTS numbers (
    id TEXT PRIMARY KEY, account_id TEXT NOT NULL REFERENCES accounts (id), display TEXT NOT NULL,
    verified_name TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'CONNECTED',
    quality TEXT NOT NULL DEFAULT 'GREEN',
    verification TEXT NOT NULL DEFAULT 'VERIFIED', throughput INTEGER NOT NULL, pin TEXT,
    code TEXT, callback_url TEXT,
    profile TEXT NOT NULL DEFAULT '{}');

CREATE TABLE IF NOT EXISTS tokens (
    token TEXT PRIMARY KEY, account_ids TEXT NOT NULL, expires_at REAL,
    is_expired INTEGER NOT NULL DEFAULT 0);

CREATE TABLE IF NOT EXISTS codes (code TEXT PRIMARY KEY, account_ids TEXT NOT NULL, expires_at REAL NOT NULL);

CREATE TABLE IF NOT EXISTS people (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, phone TEXT UNIQUE, username TEXT UNIQUE,
    country TEXT NOT NULL,
    identity_seed TEXT NOT NULL, is_reachable INTEGER NOT NULL DEFAULT 1,
    refuses_marketing INTEGER NOT NULL DEFAULT 0,
    has_whatsapp INTEGER NOT NULL DEFAULT 1, made_by TEXT NOT NULL, open_number_id TEXT);

CREATE TABLE IF NOT EXISTS identities (
    user_id TEXT PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES people (id), portfolio_id TEXT NOT NULL,
    is_current INTEGER NOT NULL DEFAULT 1);
CREATE INDEX IF NOT EXISTS identities_person ON identities (person_id, portfolio_id);

CREATE TABLE IF NOT EXISTS messages (
    position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    number_id TEXT NOT NULL REFERENCES numbers (id), person_id INTEGER NOT NULL REFERENCES people (id),
    direction TEXT NOT NULL CHECK (direction IN ('inbound', 'outbound')), type TEXT NOT NULL,
    content TEXT NOT NULL,
    context_id TEXT, at REAL NOT NULL, status TEXT NOT NULL, errors TEXT, callback_data TEXT, pricing TEXT,
    addressed_to TEXT, is_revoked INTEGER NOT NULL DEFAULT 0, is_edited INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS messages_chat ON messages (number_id, person_id, position);
CREATE INDEX IF NOT EXISTS messages_person ON messages (person_id, position);
CREATE INDEX IF NOT EXISTS messages_inbound ON messages (number_id, person_id,
    at) WHERE direction = 'inbound';

CREATE INDEX IF NOT EXISTS messages_templates ON messages (at)
    WHERE direction = 'outbound' AND type = 'template';

CREATE INDEX IF NOT EXISTS messages_referrals ON messages (number_id, person_id, at)
    WHERE json_extract(content, '$.referral') IS NOT NULL;

CREATE TABLE IF NOT EXISTS service_months (
    number_id TEXT NOT NULL, month TEXT NOT NULL, delivered INTEGER NOT NULL, PRIMARY KEY (number_id, month));

CREATE TABLE IF NOT EXISTS reactions (
    message_id TEXT NOT NULL, direction TEXT NOT NULL, emoji TEXT NOT NULL,
    PRIMARY KEY (message_id, direction));

CREATE TABLE IF NOT EXISTS status_events (
    id INTEGER PRIMARY KEY, message_id TEXT NOT NULL, status TEXT NOT NULL, at REAL NOT NULL,
    webhook_id INTEGER);
CREATE INDEX IF NOT EXISTS status_events_message ON status_events (message_id);

CREATE TABLE IF NOT EXISTS steps (
    id INTEGER PRIMARY KEY, due_real_at REAL NOT NULL, message_id TEXT NOT NULL,
    status TEXT NOT NULL, errors TEXT);
CREATE INDEX IF NOT EXISTS steps_due ON steps (due_real_at);

CREATE TABLE IF NOT EXISTS webhooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account_id TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL,
    message_id TEXT, state TEXT NOT NULL DEFAULT 'PENDING', attempts INTEGER NOT NULL DEFAULT 0,
    created_real_at REAL NOT NULL, due_real_at REAL NOT NULL, last_error TEXT);
CREATE INDEX IF NOT EXISTS webhooks_due ON webhooks (due_real_at, id) WHERE state IN ('PENDING', 'RETRYING');

CREATE TABLE IF NOT EXISTS media (
    id TEXT PRIMARY KEY, number_id TEXT NOT NULL REFERENCES numbers (id), origin TEXT NOT NULL,
    mime_type TEXT NOT NULL,
    sha256 TEXT NOT NULL, size INTEGER NOT NULL, filename TEXT, at REAL NOT NULL);

CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, filename TEXT NOT NULL, length INTEGER NOT NULL, mime_type TEXT NOT NULL,
    received INTEGER NOT NULL DEFAULT 0, handle TEXT);

CREATE TABLE IF NOT EXISTS templates (
    id TEXT PRIMARY KEY, account_id TEXT NOT NULL REFERENCES accounts (id), name TEXT NOT NULL,
    language TEXT NOT NULL,
    category TEXT NOT NULL, status TEXT NOT NULL, parameter_format TEXT NOT NULL, components TEXT NOT NULL,
    quality TEXT NOT NULL DEFAULT 'UNKNOWN', rejected_reason TEXT NOT NULL DEFAULT 'NONE',
    ttl_seconds INTEGER, edits TEXT NOT NULL DEFAULT '[]',
    at REAL NOT NULL, UNIQUE (account_id, name, language));

CREATE TABLE IF NOT EXISTS resting_names (
    account_id TEXT NOT NULL, name TEXT NOT NULL, until REAL NOT NULL);
"""

#: In an order in which each refers only to those before it.
TABLES = (
    "settings",
    "portfolios",
    "accounts",
    "numbers",
    "tokens",
    "codes",
    "people",
    "identities",
    "messages",
    "service_months",
    "reactions",
    "status_events",
    "steps",
    "webhooks",
    "media",
    "uploads",
    "templates",
    "resting_names",
)
