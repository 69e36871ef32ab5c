import random
import time
from collections.abc import Iterator
from typing import Annotated, Literal

from origami import Slider, Text, demo, progress

OPENINGS = ["Folded once,", "Before morning,", "On thin paper,", "Under the lamp,", "Without a word,", "Far from the sea,"]
SUBJECTS = {
    "quiet": ["a crane", "the river", "an old letter", "the snow", "a window"],
    "restless": ["the wind", "a train", "the harbour", "a storm", "the crowd"],
}
VERBS = ["remembers", "unfolds into", "waits for", "carries", "lets go of", "turns toward", "borrows"]


@demo(
    title="Poet",
    examples=[{"topic": "rain", "lines": 4, "mood": "quiet"}, {"topic": "the last train", "lines": 6, "mood": "restless"}],
)
def predict(
    topic: Annotated[str, Text(max_length=60, placeholder="rain")],
    lines: Annotated[int, Slider(1, 40)] = 4,
    mood: Literal["quiet", "restless"] = "quiet",
    pause: Annotated[float, Slider(0, 2)] = 0.15,
) -> Iterator[str]:
    """A few lines about anything, one word after another.

    Args:
        topic: What it is about.
        lines: How many.
        pause: Seconds between two words.
    """
    chance = random.Random(f"{topic} {lines} {mood}")
    print(f"{lines} {mood} lines about {topic}")
    for line in range(lines):
        progress(line, lines, f"line {line + 1} of {lines}")
        words = [chance.choice(OPENINGS), chance.choice(SUBJECTS[mood]), chance.choice(VERBS), topic]
        for word in words:
            time.sleep(pause)
            yield word + ("\n" if word is words[-1] else " ")
    progress(lines, lines)
