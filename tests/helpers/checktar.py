#!/usr/bin/env python3
"""checktar.py FILE - check a docker-save tar, and print what is in it.

Every member must be a regular file with the members' fixed metadata, the tar
must be, byte for byte, what Python's tarfile makes of the same files, configs
must hash to their names, and layers to the diff_ids of their configs. Prints
"CONFIG TAGS LAYERS" for each image, its words cut to 12 digits, and then how
many members there are.
"""
import hashlib
import io
import json
import sys
import tarfile


def header(info):
    """tarfile leaves the device numbers of a regular file empty; octal zero,
    as POSIX has it, it writes only for devices."""
    name, size = info.name, info.size
    info = tarfile.TarInfo(name)
    info.size = size
    if len(name) > 100 and "/" not in name:
        pax = info.tobuf(tarfile.PAX_FORMAT)
        return b"".join(with_devices(pax[i:i + 512]) if i in (0, 1024)
                        else pax[i:i + 512] for i in (0, 512, 1024))
    return with_devices(info.tobuf(tarfile.USTAR_FORMAT))


def with_devices(block):
    block = block[:329] + b"0000000\0" * 2 + block[345:]
    blank = block[:148] + b" " * 8 + block[156:]
    return block[:148] + b"%06o\0 " % sum(blank) + block[156:]


def check_bytes(raw, members):
    want = io.BytesIO()
    for info, data in members:
        want.write(header(info))
        want.write(data + b"\0" * (-len(data) % 512))
    want.write(b"\0" * 1024)
    assert want.getvalue() == raw, "not the bytes of tarfile"


def check_hash(name, data, algorithm):
    got = hashlib.new(algorithm, data).hexdigest()
    assert got == name, f"{name} holds {got}"


def check_image(entry, files):
    config = files[entry["Config"]]
    name = entry["Config"].removesuffix(".json")
    check_hash(name, config, "sha256" if len(name) == 64 else "sha512")
    diff_ids = json.loads(config)["rootfs"]["diff_ids"]
    assert len(diff_ids) == len(entry["Layers"])
    for diff_id, layer in zip(diff_ids, entry["Layers"]):
        algorithm, digits = diff_id.split(":")
        check_hash(digits, files[layer], algorithm)
    assert list(entry) == ["Config", "RepoTags", "Layers"]
    print(name[:12], ",".join(entry["RepoTags"]) or "-",
          *(layer[:12] for layer in entry["Layers"]))


def main():
    with open(sys.argv[1], "rb") as f:
        raw = f.read()
    with tarfile.open(fileobj=io.BytesIO(raw)) as t:
        members = [(m, t.extractfile(m).read()) for m in t]
    assert all(m.type == tarfile.REGTYPE for m, _ in members)
    check_bytes(raw, members)
    files = {m.name: data for m, data in members}
    assert len(files) == len(members), "a name occurs twice"
    manifest = members[-1][1]
    assert members[-1][0].name == "manifest.json"
    document = json.loads(manifest)
    assert manifest.decode() == json.dumps(document, separators=(",", ":"))
    for entry in document:
        check_image(entry, files)
    print(len(members), "members")


main()
