"""Files of the States of models and optimizers: saving, loading, and a look at what they hold.

Needs safetensors for single files and orbax-checkpoint for folders
(``pip install brainstate-jax[checkpoint]``).
"""

from .save_and_load import contents, load, save, save_async
from .values import Saved

__all__ = ["Saved", "contents", "load", "save", "save_async"]
