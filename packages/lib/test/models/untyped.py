from typing import Any, Optional, Union


def predict(
    bare,
    word="w",
    count=2.5,
    sure=True,
    nothing=None,
    parts=[1],
    any: Any = "text",
    either: "str | int" = "e",
    maybe: Optional[Union[str, int]] = None,
) -> dict:
    return dict(locals())
