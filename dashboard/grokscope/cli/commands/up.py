"""``grokscope up``: the dashboard on an existing store."""

import webbrowser
from contextlib import nullcontext
from typing import Annotated

import typer

from grokscope.cli import options
from grokscope.cli.automatic_verdicts import automatic_verdicts
from grokscope.cli.ports import DEFAULT_PORT, LOOPBACK, choose_port
from grokscope.cli.server import dashboard
from grokscope.cli.terminal import complain, say, waiting
from grokscope.collectors.recording.ship import upgrade_store
from grokscope.schemas import store_uri
from grokscope.schemas.secrets import redacted
from grokscope.store import BusyStoreError, MissingStoreError, UnreachableError, open_store


def up(
    *,
    store: options.Store = None,
    port: options.Port = None,
    upgrade: options.UpgradeStore = False,
    host: Annotated[
        str, typer.Option(help="Address to listen on; anything but loopback shows your runs to others.")
    ] = LOOPBACK,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
    write: Annotated[
        bool,
        typer.Option("--write", help="Put the verdict on each run that has ended: tags and an artifact."),
    ] = False,
) -> None:
    """Open the dashboard on a store of runs; Ctrl-C ends it.

    Example: grokscope up --store sqlite:///mlflow.db
    """
    uri = store_uri(store)
    if upgrade:
        upgrade_store(uri, say=complain)
    port = choose_port(DEFAULT_PORT if port is None else port, host)
    try:
        with waiting(f"waiting for {redacted(uri)} to answer; the dashboard opens in any case"):
            open_store(uri).close()
    except (BusyStoreError, MissingStoreError, UnreachableError) as error:
        # Not there yet, or too slow now, is no mistake: the page says so and shows the runs once they come.
        complain(str(error))
    verdicts = automatic_verdicts(uri) if write else nullcontext()
    with verdicts, dashboard(uri, port=port, host=host) as running:
        address = f"http://localhost:{port}"
        writes = ", and its runs get their verdicts as they end" if write else ""
        say(f"{address} shows {redacted(uri)}{writes}; Ctrl-C ends it", err=True)
        if browser:
            webbrowser.open(address)
        running.wait_for_end()
