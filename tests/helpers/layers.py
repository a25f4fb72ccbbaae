#!/usr/bin/env python3
"""layers.py - make an image from text, and print its block of a stream.

    layers.py [OPTION...] [NAME...] [COMPRESSION:TEXT...]

The image has these names. Each COMPRESSION:TEXT becomes a layer: a tar of one file that holds TEXT.
COMPRESSION is none, gzip, members (gzip, cut into two members), zstd, frames
(zstd, with skippable frames around two others), xz or bzip2; zstd is made by
the program of that name. The blobs go to blobs/ALGORITHM/HEX below the current
folder; the same arguments give the same bytes.

    --sha512    digests and diff_ids by SHA-512
    --plain     layers lie in `plain`, uncompressed, and have no `file`
    --no-image  the image record has no manifest's digest
    --comment X goes into the config, so that it is another one
"""
import argparse
import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import subprocess
import tarfile


def tar(text):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as t:
        info = tarfile.TarInfo("file.txt")
        info.size = len(text)
        t.addfile(info, io.BytesIO(text))
    return out.getvalue()


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, check=True,
                          stdout=subprocess.PIPE).stdout


def skippable(data):
    return b"\x50\x2a\x4d\x18" + len(data).to_bytes(4, "little") + data


def compress(kind, data):
    half = len(data) // 2
    return {
        "none": lambda: data,
        "gzip": lambda: gzip.compress(data, mtime=0),
        "members": lambda: (gzip.compress(data[:half], mtime=0)
                            + gzip.compress(data[half:], mtime=0)),
        "zstd": lambda: zstd(data),
        "frames": lambda: (skippable(b"a") + zstd(data[:half])
                           + skippable(b"bc") + zstd(data[half:])),
        "xz": lambda: lzma.compress(data),
        "bzip2": lambda: bz2.compress(data),
    }[kind]()


def digest(args, data):
    name = "sha512" if args.sha512 else "sha256"
    return name + ":" + hashlib.new(name, data).hexdigest()


def store(args, data):
    name = digest(args, data)
    path = "blobs/" + name.replace(":", "/")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    return {"digest": name, "size": len(data), "file": path}


def layer(args, index, text):
    kind, text = text.split(":", 1)
    plain = tar(text.encode())
    record = {"type": "layer", "index": index}
    if args.plain:
        blob = store(args, plain)
        record["diff_id"] = blob["digest"]
        record["plain"] = {"file": blob["file"]}
        return record
    record.update(store(args, compress(kind, plain)))
    record["diff_id"] = digest(args, plain)
    return record


def put(record):
    print(json.dumps(record, separators=(",", ":")))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sha512", action="store_true")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--no-image", action="store_true")
    parser.add_argument("--comment")
    parser.add_argument("words", nargs="*")
    args = parser.parse_args()
    names = [w for w in args.words if w.split(":", 1)[0] not in KINDS]
    texts = [w for w in args.words if w.split(":", 1)[0] in KINDS]

    layers = [layer(args, i, text) for i, text in enumerate(texts)]
    document = {"architecture": "amd64", "os": "linux", "rootfs": {
        "type": "layers", "diff_ids": [r["diff_id"] for r in layers]}}
    if args.comment:
        document["comment"] = args.comment
    config = store(args, json.dumps(document).encode())
    image = {"type": "image", "names": names, "layers": len(layers)}
    if not args.no_image:
        image.update(store(args, json.dumps([config, layers]).encode()))
    put(image)
    put({"type": "config", **config})
    for record in layers:
        put(record)


KINDS = ("none", "gzip", "members", "zstd", "frames", "xz", "bzip2")

if __name__ == "__main__":
    main()
