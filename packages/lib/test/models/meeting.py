import asyncio

from origami import demo

here = []
met = asyncio.Event()


@demo(concurrency=2)
async def predict(name: str) -> str:
    """Waits until somebody else is there."""
    here.append(name)
    print(name, "comes")
    if len(here) == 2:
        met.set()
    try:
        await met.wait()
    except asyncio.CancelledError:
        await asyncio.sleep(0)
        print(name, "goes")
        raise
    print(name, "met")
    return f"{name} met {len(here)}"
