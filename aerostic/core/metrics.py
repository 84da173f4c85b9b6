"""Figures for Prometheus. Each is named here, once, so that no two mean the same."""

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)

HTTP_REQUESTS = Histogram(
    "aerostic_http_request_seconds",
    "Time to answer an HTTP request",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
SIGN_INS = Counter("aerostic_sign_ins", "Attempts to sign in", ["outcome"])
MAILS = Counter("aerostic_mails", "E-mails handed to the mail server", ["outcome"])


def exposition() -> tuple[bytes, str]:
    """All figures as Prometheus reads them, and their content type.

    Where several processes serve one address, the client library sums what each wrote into
    PROMETHEUS_MULTIPROC_DIR; which of them answers then makes no difference.
    """
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST
