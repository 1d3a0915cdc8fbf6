"""No test of an encoder reaches the network; the hub's client reads this once, when it is imported."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
