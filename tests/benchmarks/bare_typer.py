"""The least that a Typer app can be, to compare the program's start with."""

import typer

app = typer.Typer()


@app.command()
def say(word: str) -> None:
    """Say a word."""
    typer.echo(word)


if __name__ == "__main__":
    app()
