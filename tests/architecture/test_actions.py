"""Every action of the domain stands behind a permission, and every job that is asked for exists."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

import aerostic.domain
import workers.jobs
from aerostic.core.permissions import (
    PLATFORM_PERMISSIONS,
    ROLE_PERMISSIONS,
    Permission,
    gate_of,
)

ROOT = Path(__file__).parent.parent.parent


def modules(package: ModuleType) -> list[ModuleType]:
    names = pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    return [importlib.import_module(found.name) for found in names]


DOMAIN = modules(aerostic.domain)
JOBS = modules(workers.jobs)


def public_functions(module: ModuleType) -> Iterator[FunctionType]:
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if function.__module__ == module.__name__ and not name.startswith("_"):
            yield function


ACTIONS = [
    function
    for module in DOMAIN
    if module.__name__.endswith((".service", ".queries"))
    for function in public_functions(module)
    if next(iter(inspect.signature(function).parameters), "") == "ctx"
]


def names(function: FunctionType) -> str:
    return f"{function.__module__.removeprefix('aerostic.domain.')}.{function.__name__}"


@pytest.mark.parametrize("action", ACTIONS, ids=names)
def test_every_action_has_a_gate(action):
    assert gate_of(action), "put @requires(Permission.X) on it, or @public with the reason"


def test_there_are_actions():
    assert len(ACTIONS) > 100


def test_public_actions_are_few_and_known():
    public = sorted(names(action) for action in ACTIONS if hasattr(action, "public"))
    assert public == PUBLIC


PUBLIC = [
    "connections.service.take_state",
    "identity.queries.principal",
    "identity.queries.socket_principals",
    "identity.service.confirm_registration",
    "identity.service.forgot_password",
    "identity.service.issue_ticket",
    "identity.service.open_session",
    "identity.service.prove",
    "identity.service.redeem_ticket",
    "identity.service.refresh",
    "identity.service.register",
    "identity.service.reset_password",
    "identity.service.sign_in",
    "identity.service.sign_out",
    "tenants.queries.offer",
    "tenants.service.accept_invitation",
]


def test_every_permission_is_held_by_someone_and_asked_for_somewhere():
    held = set().union(*ROLE_PERMISSIONS.values(), *PLATFORM_PERMISSIONS.values())
    asked = {action.permission for action in ACTIONS if hasattr(action, "permission")}
    of_the_system = {
        Permission.DELIVERIES_APPLY,
        Permission.MESSAGES_SEND,
        Permission.MEDIA_STORE,
        Permission.METRICS_FOLD,
    }
    assert set(Permission) == held | of_the_system
    assert asked <= set(Permission)


def enqueued_names() -> list[tuple[str, str]]:
    found = []
    for folder in ("aerostic", "backend_api", "workers"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    parts = node.value.split(".")
                    if parts[:2] == ["workers", "jobs"] and len(parts) == 4:
                        found.append((str(path.relative_to(ROOT)), node.value))
    return found


@pytest.mark.parametrize(("where", "name"), enqueued_names())
def test_every_job_that_is_named_exists(where, name):
    module, _, function = name.rpartition(".")
    assert callable(getattr(importlib.import_module(module), function))


def test_jobs_are_named():
    assert len(enqueued_names()) >= 5


@pytest.mark.parametrize(
    "job",
    [function for module in JOBS for function in public_functions(module)],
    ids=lambda f: f.__name__,
)
def test_a_job_survives_a_newer_caller(job):
    kinds = [parameter.kind for parameter in inspect.signature(job).parameters.values()]
    assert inspect.Parameter.VAR_KEYWORD in kinds, "end its parameters with **_: object"


def pages_that_watch() -> list[tuple[str, list[str]]]:
    """Each page's `load` that watches: where it stands, and its statements."""
    found = []
    for path in sorted((ROOT / "aerostic" / "state").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.AsyncFunctionDef) and node.name == "load":
                statements = [ast.unparse(one) for one in node.body]
                if ast.get_docstring(node):
                    del statements[0]
                if "await self.watch()" in statements:
                    found.append((f"{path.name}:{node.lineno}", statements))
    return found


def test_a_page_watches_before_it_reads():
    """What changed between the reading and the watching would stay unseen."""
    pages = pages_that_watch()
    assert len(pages) >= 18
    assert [where for where, statements in pages if statements[0] != "await self.watch()"] == []
