"""What every test may lean on."""

import signal
import threading
from pathlib import Path

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # started in the background; tests of Ctrl-C need it heard

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data and encoders; absent on a user's machine, where such tests skip."""
    if not SHARED.is_dir():
        pytest.skip("the folder ../shared/data with real audio and encoders is not beside this checkout")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Small tensors, and bits that do not depend on how many cores there are."""
    import torch

    torch.set_num_threads(1)
