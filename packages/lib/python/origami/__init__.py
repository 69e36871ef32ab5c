"""What a model's author may say, and need not: a bare ``predict`` function is enough.

Standard library only. The runtime loads the model with ``python -m origami.worker model.py``.
"""

from . import components
from .author import demo
from .call import Canceled, progress
from .components import *

__all__ = ["Canceled", "demo", "progress"]
__all__ += components.__all__
