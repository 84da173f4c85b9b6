"""WhatsApp, inside: a stand-in for Meta's Cloud API and for the people at the other end.

It is the outside world. It shares no table, model or setting with the product; they meet over HTTP only,
exactly as the product meets Meta.
"""
