"""`dreamcanvas`, where few files may be open: 512, and 1,024 if it asks."""

import resource
import runpy

resource.setrlimit(resource.RLIMIT_NOFILE, (512, 1024))
runpy.run_module("dreamcanvas", run_name="__main__", alter_sys=True)
