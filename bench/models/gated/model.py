import time
from pathlib import Path

from origami import demo


@demo(title="Gated")
def predict(text: str) -> str:
    """Waits until the file that the text names exists; answers at once when it names none."""
    while text.startswith("/") and not Path(text).exists():
        time.sleep(0.01)
    return text
