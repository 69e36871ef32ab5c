from collections.abc import Iterator
from typing import Literal

from origami import progress


def predict(word: str, times: int = 3, how: Literal["plain", "loud"] = "plain", wait: bool = False) -> Iterator[str]:
    """Says a word again and again."""
    print("saying", word)
    for number in range(times):
        progress(number + 1, times)
        yield (word.upper() if how == "loud" else word) + " "
    while wait:
        pass
