"""The commands of `python3 run.py`. Each is a few lines that call what does the work."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

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
Host = Annotated[str, typer.Option(help="The address to listen on.")]

DEFAULT_DATA_DIR = Path(".aerostic")


def main() -> None:
    """Run the command; say what went wrong in a sentence."""
    arguments = sys.argv[1:]
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in {"-h", "--help"}):
        arguments = ["up", *arguments]
    try:
        cli(arguments, prog_name="python3 run.py")
    except (OperationError, SettingsError) as problem:
        console.complain(f"\n{problem}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def from_here(path: Path) -> Path:
    """A path as the person meant it: relative to where they typed the command."""
    return (
        Path(os.environ.get("AEROSTIC_RUN_FROM", ".")) / path if path != DEFAULT_DATA_DIR else path
    )


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
def build() -> None:
    """Build the pages, if what they are made of changed."""
    from aerostic.operations import frontend

    frontend.build(Path(".web") / "build.log", {**frontend.placeholder_settings(), **os.environ})
    console.say("The pages are built.")


@cli.command()
def web(
    port: Port = 8000,
    host: Host = "127.0.0.1",
    processes: Annotated[int, typer.Option(min=1, max=64)] = 1,
) -> None:
    """The pages, their sockets, the API and the webhooks: one process."""
    from aerostic.operations import serve

    serve.web(host=host, port=port, processes=processes)


@cli.command()
def api(port: Port = 8001, host: Host = "127.0.0.1") -> None:
    """The API and the webhooks alone: one process."""
    from aerostic.operations import serve

    serve.api(host=host, port=port)
