"""Verifies many extracts in one process: a JSON line {"path","key"} in, the verdict as a JSON line out."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
import verify  # noqa: E402

for line in sys.stdin:
    asked = json.loads(line)
    keys = [verify.Key(asked["key"])] if asked.get("key") else []
    witnesses = [verify.Key(key) for key in asked.get("witnesses", [])]
    authorities = verify.parse_pem(asked["authorities"]) if asked.get("authorities") else []
    print(json.dumps(verify.verify(asked["path"], keys, (), witnesses, None, authorities)), flush=True)
