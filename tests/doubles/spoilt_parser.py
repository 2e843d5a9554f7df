"""A worker that does to itself what a hostile document might make it do."""

import json
import os
import time

from include.sources.workers import serve


def answer(asked, content: bytes) -> bytes:
    if content == b"environment":
        return json.dumps(json.dumps(dict(os.environ))).encode()
    if content == b"hang":
        time.sleep(60)
    if content == b"swell":
        bytearray(64 * 1024**3)
    os._exit(9)


if __name__ == "__main__":
    serve(answer)
