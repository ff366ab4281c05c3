"""No test asks a network for weights, and none finds those that the user has fetched.

A test that wants either says so itself.
"""

import os
import tempfile

os.environ["CAUSALMIX_OFFLINE"] = "1"
os.environ["CAUSALMIX_CACHE"] = tempfile.mkdtemp(prefix="causalmix-tests-")
