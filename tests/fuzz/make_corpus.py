#!/usr/bin/env python3
"""make_corpus DIR - what fuzz targets start from that is no text: gzip data.

The first byte of a gunzip input says into which pieces the rest is cut.
"""
import gzip
import os
import struct
import sys
import zlib


def member(data, level=6, flags=0, extra=b""):
    head = b"\x1f\x8b\x08" + bytes([flags]) + b"\0\0\0\0\0\xff" + extra
    body = zlib.compressobj(level, zlib.DEFLATED, -15)
    return (head + body.compress(data) + body.flush()
            + struct.pack("<II", zlib.crc32(data), len(data) & 0xffffffff))


def gunzip_inputs():
    text = b"one layer after another\n" * 40
    whole = member(text)
    yield "empty", b""
    yield "one", whole
    yield "stored", member(text, 0)
    yield "two", whole + member(b"more")
    yield "nothing-in-it", member(b"")
    yield "padded", whole + bytes(100)
    yield "garbage", whole + b"garbage"
    yield "cut", whole[:-3]
    yield "cut-header", whole + whole[:6]
    yield "bad-crc", whole[:-8] + b"\0\0\0\0" + whole[-4:]
    yield "bad-length", whole[:-1] + b"\1"
    yield "name", member(text, flags=8, extra=b"layer.tar\0")
    yield "all-fields", member(text, flags=4 | 8 | 16,
                               extra=b"\4\0abcdname\0comment\0")
    yield "header-crc", member(text, flags=2, extra=struct.pack(
        "<H", zlib.crc32(b"\x1f\x8b\x08\x02\0\0\0\0\0\xff") & 0xffff))
    yield "reserved-flag", member(text, flags=0x20)
    # A set of codes that is incomplete: zlib refuses it, ISA-L does not.
    yield "odd-codes", bytes.fromhex(
        "1f8b0800000500000003edc13101000000c2a0f54f6d062da0") + bytes(77)
    yield "zeros", gzip.compress(bytes(200000), mtime=0)


def main():
    folder = os.path.join(sys.argv[1], "gunzip")
    os.makedirs(folder, exist_ok=True)
    for name, data in gunzip_inputs():
        for cut in (1, 7, 256):
            with open(os.path.join(folder, f"{name}-{cut}"), "wb") as out:
                out.write(bytes([cut - 1]) + data)


main()
