#!/usr/bin/env python3
"""extents - which bytes of a file are there, and which of them are asked for again.

    extents.py FILE                 "FROM TO" a line: what is no hole
    extents.py again LOG PATH       of the extents on stdin, how many bytes the
                                    requests for PATH in a registry's log ask
                                    for: "ALL AGAIN"
"""

import json
import os
import re
import sys


def extents(name):
    with open(name, "rb") as file:
        end = os.fstat(file.fileno()).st_size
        at = 0
        while at < end:
            try:
                start = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:  # nothing but a hole
                return
            at = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            print(start, at)


def asked(log, path):
    with open(log, encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            if record.get("path") != path:
                continue
            match = re.match(r"bytes=(\d+)-(\d*)$", record["range"] or "bytes=0-")
            yield int(match[1]), int(match[2]) + 1 if match[2] else 1 << 62


def again(log, path):
    there = [tuple(map(int, line.split())) for line in sys.stdin]
    ranges = list(asked(log, path))
    total = sum(to - start for start, to in there)
    twice = sum(max(0, min(to, last) - max(start, first))
                for start, to in there for first, last in ranges)
    print(total, twice)


if sys.argv[1] == "again":
    again(*sys.argv[2:])
else:
    extents(sys.argv[1])
