from collections.abc import Iterator

from origami import demo


@demo(title="Stream")
def predict(text: str) -> Iterator[str]:
    """Says what it was told 200 times."""
    for _ in range(200):
        yield text + " "
