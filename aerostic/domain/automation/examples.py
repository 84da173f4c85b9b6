"""Settings that work, one for each kind that needs some: the documentation shows them, a test reads them."""

from collections.abc import Mapping
from typing import Any

_ID = (
    "01a208a6-6c95-7133-99e1-95d127b740ac"  # of something of yours: the editor offers what there is
)

EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "trigger.message": {"new_only": True},
    "trigger.keyword": {"keywords": ["order", "delivery"], "way": "word"},
    "trigger.choice": {"ids": ["talk_to_us"]},
    "trigger.reaction": {"emojis": ["👎"]},
    "trigger.webhook": {"secret": _ID, "proof": "hmac"},
    "trigger.schedule": {"cron": "0 9 * * 1-5", "time_zone": "Europe/Berlin"},
    "trigger.tag_added": {"tags": [_ID]},
    "trigger.no_reply": {"amount": 4, "unit": "hours"},
    "send.text": {"text": "Hello {{ contact.name }}, we have got your message."},
    "send.media": {"media": _ID, "caption": "Our menu"},
    "send.buttons": {
        "text": "Shall we call you?",
        "buttons": [{"id": "yes", "title": "Yes, please"}, {"id": "no", "title": "No"}],
    },
    "send.list": {
        "text": "What is it about?",
        "button": "Choose",
        "rows": [
            {"id": "order", "title": "An order", "section": "Shop"},
            {"id": "invoice", "title": "An invoice", "section": "Shop"},
            {"id": "job", "title": "A job", "section": "Company"},
        ],
    },
    "send.link": {
        "text": "Your parcel is on its way.",
        "label": "Track it",
        "url": "https://example.com",
    },
    "send.template": {
        "template": _ID,
        "variables": [{"name": "body.1", "value": "{{ contact.name }}"}],
        "to": "{{ webhookPayload.body.phone }}",
    },
    "send.flow": {
        "text": "Book a table",
        "flow_id": "1234567890",
        "label": "Book",
        "screen": "START",
        "values": {"name": "{{ contact.name }}"},
    },
    "send.product": {"catalog_id": "194836987003835", "products": [{"id": "shirt-blue-m"}]},
    "send.location": {"latitude": 52.52, "longitude": 13.405, "name": "Bluebird Café"},
    "ask.text": {
        "question": "What is your postcode?",
        "pattern": "^\\d{5}$",
        "save_as": "postcode",
    },
    "ask.number": {"question": "How many people?", "least": 1, "most": 12, "whole": True},
    "ask.email": {"question": "Where shall we send it?", "contact_field": "email"},
    "ask.date": {"question": "Which day suits you?", "earliest": "tomorrow", "days_ahead": 60},
    "ask.choice": {
        "question": "How was it?",
        "choices": [{"id": "good", "title": "Good"}, {"id": "bad", "title": "Not so good"}],
    },
    "logic.condition": {
        "combine": "all",
        "conditions": [
            {"value": "{{ apiResponse.body.total }}", "compare": "at_least", "to": 100},
            {"value": "{{ contact.country }}", "compare": "one_of", "to": ["DE", "AT", "CH"]},
        ],
    },
    "logic.switch": {
        "value": "{{ message.text }}",
        "cases": [
            {"id": "hours", "title": "Hours", "compare": "contains", "to": "open"},
            {"id": "price", "title": "Price", "compare": "matches", "to": "price|cost"},
        ],
    },
    "logic.set": {"values": [{"name": "order_id", "value": "{{ webhookPayload.body.order.id }}"}]},
    "logic.loop": {"items": "{{ apiResponse.body.orders }}"},
    "logic.wait": {
        "until": "business_hours",
        "days": ["monday", "tuesday", "wednesday", "thursday", "friday"],
        "opens": "09:00",
        "closes": "17:30",
        "time_zone": "Europe/Berlin",
    },
    "logic.subworkflow": {
        "workflow": _ID,
        "given": [{"name": "order_id", "value": "{{ vars.order_id }}"}],
    },
    "logic.split": {
        "variants": [
            {"id": "a", "title": "Short", "share": 50},
            {"id": "b", "title": "Long", "share": 50},
        ]
    },
    "wallet.check": {"amount": "25"},
    "logic.stop": {"reason": "Answered", "result": {"answered": True}},
    "contact.find": {
        "by": "phone",
        "value": "{{ webhookPayload.body.phone }}",
        "save_as": "customer",
    },
    "contact.create": {
        "phone": "{{ webhookPayload.body.phone }}",
        "name": "{{ webhookPayload.body.name }}",
    },
    "contact.update": {"fields": [{"name": "email", "value": "{{ vars.answer }}"}]},
    "contact.tag": {"action": "add", "tags": [_ID]},
    "conversation.assign": {"to": "least_busy"},
    "conversation.label": {"action": "add", "labels": [_ID]},
    "conversation.note": {"text": "Order {{ vars.order_id }}: {{ apiResponse.body.status }}"},
    "conversation.hand_off": {"to": "least_busy", "note": "Asked for a person."},
    "data.transform": {
        "value": "{{ apiResponse.body.orders }}",
        "operations": [
            {"do": "filter", "field": "status", "compare": "equals", "to": "open"},
            {"do": "sort", "field": "created_at", "descending": True},
            {"do": "take", "count": 3},
            {"do": "format", "text": "[id]: [total] €"},
            {"do": "join", "separator": "\n"},
        ],
        "save_as": "orders",
    },
    "http.request": {
        "method": "POST",
        "url": "https://api.example.com/orders",
        "auth": "bearer",
        "secret": _ID,
        "body_type": "json",
        "json_body": {"phone": "{{ contact.phone }}", "item": "{{ vars.item }}"},
        "save_as": "order",
    },
    "email.send": {
        "to": "orders@example.com",
        "subject": "A new order from {{ contact.name }}",
        "text": "{{ vars.order }}",
    },
    "google.drive": {"account": _ID, "action": "list", "search": "menu"},
    "google.sheets": {
        "account": _ID,
        "action": "append",
        "spreadsheet": "1AbCdEfGhIjKlMnOpQrStUvWxYz",
        "values": {"Name": "{{ contact.name }}", "Phone": "{{ contact.phone }}"},
    },
    "ai.agent": {"agent": _ID},
    "ai.knowledge": {"base": _ID},
    "ai.knowledge_search": {"base": _ID, "question": "{{ message.text }}"},
    "ai.memory_store": {"name": "favourite"},
    "webhook.respond": {"status": 200, "body": {"status": "{{ apiResponse.body.status }}"}},
}
