"""The commands of `python3 run.py`. Each is a few lines that call what does the work."""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from aerostic.core.errors import AppError
from aerostic.core.settings import SettingsError
from aerostic.operations import console
from aerostic.operations.errors import OperationError

cli = typer.Typer(
    name="run.py",
    help="Aerostic: WhatsApp for a whole company. Without a command, everything is started.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

DataDir = Annotated[
    Path, typer.Option("--data-dir", help="Where databases, media, secrets and logs lie.")
]
Port = Annotated[int, typer.Option(min=1, max=65535, help="The one port that serves everything.")]
Processes = Annotated[int, typer.Option(min=1, max=64, help="How many serve the port.")]
Host = Annotated[str, typer.Option(help="The address to listen on.")]

DEFAULT_DATA_DIR = Path(".aerostic")
PASSES_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

users = typer.Typer(help="Users, without a browser.", no_args_is_help=True)
tenants = typer.Typer(help="Workspaces, without a browser.", no_args_is_help=True)
deliveries = typer.Typer(help="Meta's webhook deliveries.", no_args_is_help=True)
ledger = typer.Typer(help="The ledger of every wallet.", no_args_is_help=True)
wallet = typer.Typer(help="A workspace's money, without a browser.", no_args_is_help=True)
prices = typer.Typer(help="What messages cost.", no_args_is_help=True)
cli.add_typer(ledger, name="ledger")
cli.add_typer(wallet, name="wallet")
cli.add_typer(prices, name="prices")
cli.add_typer(deliveries, name="deliveries")
cli.add_typer(users, name="user")
cli.add_typer(tenants, name="tenant")


def main() -> None:
    """Run the command; say what went wrong in a sentence."""
    arguments = sys.argv[1:]
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in {"-h", "--help"}):
        arguments = ["up", *arguments]
    try:
        cli(arguments, prog_name="python3 run.py")
    except (OperationError, SettingsError, AppError) as problem:
        console.complain(str(problem))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def from_here(path: Path) -> Path:
    """A path as the person meant it: relative to where they typed it. Else what the settings say."""
    if path != DEFAULT_DATA_DIR:
        return Path(os.environ.get("AEROSTIC_RUN_FROM", ".")) / path
    from aerostic.operations import configuration

    return Path(configuration.read_given().get("AEROSTIC_DATA_DIR", str(DEFAULT_DATA_DIR)))


@cli.command()
def up(
    port: Port = 8000,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    host: Host = "127.0.0.1",
    demo: Annotated[bool, typer.Option(help="Demo data on the first start.")] = True,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 1,
    verbose: Annotated[bool, typer.Option(help="Show the logs of the servers too.")] = False,
) -> None:
    """Set up and start everything; Ctrl-C stops it."""
    from aerostic.operations import up as starting

    starting.run(
        starting.Wishes(
            from_here(data_dir), host, port, demo=demo, workers=workers, verbose=verbose
        )
    )


@cli.command()
def migrate(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Bring the database up to date."""
    from aerostic.operations import database, servers

    with servers.at_hand(from_here(data_dir)):
        database.migrate()
    console.say("The database is up to date.")


@cli.command()
def seed(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Demo data, made by the running product. Nothing where it is there already."""
    from aerostic.operations import demo, servers

    with servers.at_hand(from_here(data_dir)):
        demo.seed()
    console.say("The demo is there.")


@cli.command(context_settings=PASSES_ON)
def test(context: typer.Context) -> None:
    """Run the tests on throw-away servers. What follows goes to pytest."""
    from aerostic.operations import checks

    sys.exit(checks.run_tests(context.args))


@cli.command(context_settings=PASSES_ON)
def check(context: typer.Context, without_tests: bool = False) -> None:
    """Everything that continuous integration checks. What follows goes to pytest."""
    from aerostic.operations import checks

    checks.check(context.args, with_tests=not without_tests)


@cli.command(context_settings=PASSES_ON)
def bench(context: typer.Context) -> None:
    """Measure what was promised. `bench ingest --json`, for example; all benchmarks by default."""
    os.execv(sys.executable, [sys.executable, "-m", "bench", *context.args])


@cli.command()
def doctor(data_dir: DataDir = DEFAULT_DATA_DIR, port: Port = 8000) -> None:
    """What is wrong with this machine or configuration, in words."""
    from aerostic.operations import doctor as examination

    wrong = examination.examine(from_here(data_dir), port)
    console.say(f"\n{wrong} to mend." if wrong else "\nNothing is wrong.")
    sys.exit(1 if wrong else 0)


@cli.command()
def shell(
    tenant: Annotated[str | None, typer.Option(help="The workspace's short name.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """A Python prompt with a context."""
    from aerostic.operations import servers
    from aerostic.operations.shell import open_prompt

    with servers.at_hand(from_here(data_dir)):
        open_prompt(tenant)


@cli.command()
def queues(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """What waits, runs and failed. Exits with 1 when something needs a look."""
    from aerostic.operations import inspect, servers

    with servers.at_hand(from_here(data_dir)):
        tell(inspect.queues())


@cli.command()
def partitions(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Make the coming months' partitions. Exits with 1 when something needs a look."""
    from aerostic.operations import inspect, servers

    with servers.at_hand(from_here(data_dir)):
        made = inspect.make_partitions()
        console.say(f"Made {', '.join(made)}." if made else "All partitions are there.")
        tell(inspect.stray_rows())


def tell(findings: list[str]) -> None:
    for finding in findings:
        console.complain(finding)
    if findings:
        sys.exit(1)


@deliveries.command("replay")
def replay_deliveries(
    ids: Annotated[
        list[str] | None, typer.Argument(help="Which; all parked ones by default.")
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Apply deliveries once more. What one has done already is not done again."""
    from aerostic.operations import deliveries as parked
    from aerostic.operations import servers

    with servers.at_hand(from_here(data_dir)):
        count = parked.replay(ids or [])
    console.say(f"{count} to be applied once more." if count else "None is parked.")


TenantSlug = Annotated[str, typer.Option("--tenant", help="The workspace's short name.")]
TenantOrCard = Annotated[
    str | None,
    typer.Option("--tenant", help="The workspace's short name; without: the default rate card."),
]
Note = Annotated[str, typer.Option(help="Stands in the ledger for good.")]


@ledger.command("verify")
def verify_ledger(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Recompute every wallet from its entries. Exits with 1 when something does not add up."""
    from aerostic.operations import money, servers

    with servers.at_hand(from_here(data_dir)):
        wallets, entries, findings = money.verify()
    console.say(f"{entries:,} entries of {wallets:,} workspaces were added up.")
    tell(findings)


@wallet.command("top-up")
def top_up_wallet(
    amount: str,
    tenant: TenantSlug,
    key: Annotated[str | None, typer.Option(help="Twice is once by it.")] = None,
    note: Note = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Put money that came in into a wallet."""
    from aerostic.operations import money, servers

    with servers.at_hand(from_here(data_dir)):
        console.say(f"{tenant} has {money.top_up(tenant, amount, key=key, note=note)}.")


@wallet.command("adjust")
def adjust_wallet(
    amount: str, tenant: TenantSlug, note: Note, data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """Put a balance right, up or down: `adjust --tenant demo --note "..." -- -2.50`."""
    from aerostic.operations import money, servers

    with servers.at_hand(from_here(data_dir)):
        console.say(f"{tenant} has {money.adjust(tenant, amount, note=note)}.")


@wallet.command("credit")
def set_credit_line(
    amount: str, tenant: TenantSlug, note: Note = "", data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """How far below zero a wallet may go. 0 withdraws the credit line."""
    from aerostic.operations import money, servers

    with servers.at_hand(from_here(data_dir)):
        console.say(f"{tenant} can spend {money.set_credit(tenant, amount, note=note)}.")


@prices.command("export")
def export_prices(tenant: TenantOrCard = None, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Prices as CSV, to be changed and taken in again."""
    from aerostic.operations import money, servers

    with servers.at_hand(from_here(data_dir)):
        console.say(money.export_prices(tenant).rstrip())


@prices.command("import")
def import_prices(
    file: Path, tenant: TenantOrCard = None, data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """Take in a CSV of currency,market,category,price,valid_from: all of it or nothing."""
    from aerostic.operations import money, servers

    with servers.at_hand(from_here(data_dir)):
        count = money.import_prices(from_here(file), tenant)
    console.say(f"{count:,} prices were taken in.")


@prices.command("preview")
def preview_prices(file: Path, tenant: TenantSlug, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """What the last 30 days would have cost a workspace at the prices of a CSV. Changes nothing."""
    from aerostic.operations import money, servers

    with servers.at_hand(from_here(data_dir)):
        for line in money.preview_prices(from_here(file), tenant):
            console.say(line)


@users.command("create")
def create_user(
    email: str,
    name: Annotated[str, typer.Option(help="The name that others see.")],
    super_admin: Annotated[bool, typer.Option("--super-admin")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """A user who can sign in at once. The password is printed once."""
    from aerostic.operations import people, servers

    with servers.at_hand(from_here(data_dir)):
        made = people.create_user(email, name, super_admin=super_admin)
    console.say(f"{made.email}  password: {made.password}")


@users.command("reset-password")
def reset_password(email: str, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """A new password, printed once. Ends the user's sessions."""
    from aerostic.operations import people, servers

    with servers.at_hand(from_here(data_dir)):
        made = people.reset_password(email)
    console.say(f"{made.email}  password: {made.password}")


@tenants.command("create")
def create_tenant(
    name: str,
    owner: Annotated[str, typer.Option(help="The owner's e-mail address; made if unknown.")],
    slug: Annotated[str | None, typer.Option(help="The short name, in addresses.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """A workspace with its owner. A new owner's password is printed once."""
    from aerostic.operations import people, servers

    with servers.at_hand(from_here(data_dir)):
        made_slug, made = people.create_tenant(name, owner=owner, slug=slug)
    console.say(f"Workspace “{made_slug}” is there.")
    if made:
        console.say(f"{made.email}  password: {made.password}")


@tenants.command("plan")
def give_plan(
    slug: Annotated[str, typer.Argument(help="The workspace's short name.")],
    plan: Annotated[str, typer.Argument(help="The plan's short name, such as trial.")],
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day of a trial.")
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Give a workspace a plan from now on."""
    from aerostic.operations import people, servers

    with servers.at_hand(from_here(data_dir)):
        people.give_plan(slug, plan, until.date() if until else None)
    console.say(f"Workspace “{slug}” has the plan “{plan}” now.")


@tenants.command("default-plan")
def make_default_plan(plan: str, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """The plan of every workspace that was given none: unlimited, unless you choose another."""
    from aerostic.operations import people, servers

    with servers.at_hand(from_here(data_dir)):
        people.make_default_plan(plan)
    console.say(f"Workspaces without a plan of their own have “{plan}” now.")


@cli.command()
def build() -> None:
    """Build the pages, if what they are made of changed."""
    from aerostic.operations import frontend

    frontend.build(Path(".tools") / "build.log", {**frontend.placeholder_settings(), **os.environ})
    console.say("The pages are built.")


@cli.command()
def healthy(port: Port = 8000) -> None:
    """Exit with 0 if the server at that port can work: for containers' health checks."""
    import asyncio

    from aerostic.operations.up import answers

    sys.exit(0 if asyncio.run(answers(port, "/health/ready")) else 1)


@cli.command()
def web(
    port: Port = 8000,
    host: Host = "127.0.0.1",
    processes: Processes = 1,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """The pages, their sockets, the API and the webhooks."""
    from aerostic.operations import serve, servers

    servers.for_a_process(from_here(data_dir))
    serve.web(host=host, port=port, processes=processes)


@cli.command()
def api(
    port: Port = 8001,
    host: Host = "127.0.0.1",
    processes: Processes = 1,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """The API and the webhooks alone."""
    from aerostic.operations import serve, servers

    servers.for_a_process(from_here(data_dir))
    serve.api(host=host, port=port, processes=processes)


@cli.command("worker")
def work(
    queues: Annotated[str, typer.Option(help="Which, separated by commas; all by default.")] = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """One process that runs background jobs."""
    from aerostic.operations import servers

    servers.for_a_process(from_here(data_dir))
    from aerostic.operations import worker

    worker.run(worker.chosen_queues(queues))


@cli.command()
def scheduler(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """The process that starts work on time. Several may run."""
    from aerostic.operations import serve, servers

    servers.for_a_process(from_here(data_dir))
    serve.scheduler()


@cli.command()
def sender(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """The process that sends messages. Several may run: each number has one at a time."""
    from aerostic.operations import serve, servers

    servers.for_a_process(from_here(data_dir))
    serve.sender()


@cli.command()
def automation(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """The process that runs workflows. Several may run: each run has one at a time."""
    from aerostic.operations import serve, servers

    servers.for_a_process(from_here(data_dir))
    serve.automation()


@cli.command("describe-nodes")
def describe_nodes() -> None:
    """Write the pages about the nodes of workflows anew, from the nodes."""
    from aerostic.operations import describing

    console.say(f"{describing.write():,} pages are in docs/nodes.")


@cli.command()
def simulator(
    port: Port = 8002, host: Host = "127.0.0.1", data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """WhatsApp's side of the conversation, for development."""
    from aerostic.operations import serve, servers

    servers.for_a_process(from_here(data_dir))
    serve.simulator(host=host, port=port)
