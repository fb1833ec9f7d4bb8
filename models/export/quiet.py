"""Leaves what the libraries say to themselves out of what people read."""

import os
import warnings


def quiet():
    """Errors alone, and no progress bars but ours; nothing is looked up on the network."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    warnings.filterwarnings("ignore")
    import diffusers
    import transformers

    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
