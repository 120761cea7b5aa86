"""The vendor's own client library keeps settings in the home folder and watches them: it gets an empty home first."""

import importlib.util
import os
import tempfile

if importlib.util.find_spec("PureCloudPlatformClientV2"):
    os.environ["HOME"] = tempfile.mkdtemp(prefix="sdk-home-")
