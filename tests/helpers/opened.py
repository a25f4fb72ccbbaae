#!/usr/bin/env python3
"""opened - which files of a folder does a command open?

usage: opened.py DIR OUT COMMAND [ARGUMENT]...

Runs the command and writes the names of the files in DIR that were opened
meanwhile, by anybody, to OUT, a line each, sorted. Exits as the command does.
"""

import ctypes
import os
import struct
import subprocess
import sys

IN_OPEN = 0x20
IN_NONBLOCK = 0x800


def main():
    directory, out, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.inotify_init1(IN_NONBLOCK)
    if fd < 0 or libc.inotify_add_watch(fd, os.fsencode(directory), IN_OPEN) < 0:
        sys.exit("inotify: %s" % os.strerror(ctypes.get_errno()))
    code = subprocess.call(command)
    names = set()
    while True:
        try:
            data = os.read(fd, 65536)
        except BlockingIOError:
            break
        at = 0
        while at < len(data):
            _, _, _, length = struct.unpack_from("iIII", data, at)
            name = data[at + 16:at + 16 + length].rstrip(b"\0").decode()
            names.add(name)
            at += 16 + length
    with open(out, "w", encoding="ascii") as f:
        f.writelines(name + "\n" for name in sorted(filter(None, names)))
    return code


if __name__ == "__main__":
    sys.exit(main())
