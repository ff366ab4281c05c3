"""No test asks a network for weights, and none finds those that the user has fetched.

A test that wants either says so itself.
"""

import os
import signal
import tempfile
from importlib.util import find_spec

os.environ["CAUSALMIX_OFFLINE"] = "1"
os.environ["CAUSALMIX_CACHE"] = tempfile.mkdtemp(prefix="causalmix-tests-")

# A shell that starts the tests in the background makes them, and all they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

if find_spec("tabarena") is None:  # an extra: without it these cannot be imported
    collect_ignore_glob = ["autogluon_causalmix/tabarena.py", "tests/test_tabarena.py"]
