"""A worker without a network, which behaves, or misbehaves, as its first argument says."""

import json
import signal
import sys
import time
from pathlib import Path

from dreamcanvas.process import Frame, read_frame, write_frame

mode, note = sys.argv[1], Path(sys.argv[2])
starts = len(note.read_text(encoding="utf-8").splitlines()) if note.exists() else 0
with note.open("a", encoding="utf-8") as file:
    file.write(json.dumps(sys.argv[3:]) + "\n")

if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if mode == "never ready":
    time.sleep(60)
if mode == "dies at once" or (mode == "dies at first" and starts < 2):
    sys.exit(3)
if mode == "babbles":
    sys.stdout.write("Welcome to the dream!\n" * 100)
    sys.stdout.flush()
    time.sleep(60)
write_frame(sys.stdout.buffer, Frame({"ready": True}))
while (request := read_frame(sys.stdin.buffer)) is not None:
    if mode == "hangs":
        time.sleep(60)
    if mode == "dies":
        sys.exit(4)
    if mode == "refuses":
        write_frame(sys.stdout.buffer, Frame({"ok": False, "error": "no such layer"}))
        continue
    if mode == "slow":
        time.sleep(0.3)
    answer = {"ok": True, "seconds": 0.5}
    write_frame(sys.stdout.buffer, Frame(answer, request.payload[::-1]))
