"""`l2rkit app`: a web page."""

import signal
import threading

import click

from .common import HELP, import_mmengine, user_errors


@click.command(
    context_settings=HELP, short_help="Serves a page for the browser: photos in, faces out."
)
@click.option(
    "--host",
    help="0.0.0.0 admits other machines, without a password.  [default: 127.0.0.1]",
)
@click.option("--port", default=7860, show_default=True, type=click.IntRange(1, 65535))
@user_errors
def app(host: str | None, port: int) -> None:
    """Serves a web page that reconstructs 3D faces from photos, until Ctrl-C.

    It needs gradio: pip install 'gradio>=6.31,<7'. Photos stay on this machine, and are deleted.
    """
    import_mmengine()
    from ..demo.serving import served

    ends: list[int] = []

    def end(number: int, frame: object) -> None:
        ends.append(number)  # Python ignores exceptions in some callbacks while parts are loaded
        raise KeyboardInterrupt

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # all delete its files; Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:  # as by nohup
            signal.signal(number, end)
    with served(host, port) as address:
        from ..demo.look import warmed

        click.echo("loading the default method ...")
        warmed()
        try:
            if not ends:
                click.echo(f"{address} is there, until Ctrl-C")
                threading.Event().wait()
        except KeyboardInterrupt:
            click.echo("closed")
