import sys
from collections.abc import Iterator

import gradio


def echo(text: str) -> str:
    return text


def stream(text: str) -> Iterator[str]:
    said = ""
    for _ in range(200):
        said += text + " "
        yield said


kind, port, concurrency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
page = gradio.Interface(
    stream if kind == "stream" else echo,
    "text",
    "text",
    api_name="predict",
    flagging_mode="never",
    analytics_enabled=False,
)
page.queue(default_concurrency_limit=concurrency, max_size=None)
page.launch(server_name="127.0.0.1", server_port=port, quiet=True)
