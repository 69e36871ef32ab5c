from origami import demo


@demo(title="Echo")
def predict(text: str) -> str:
    """Says what it was told."""
    return text
