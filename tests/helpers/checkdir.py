#!/usr/bin/env python3
"""checkdir.py - check an extracted or merged directory against its own names.

    checkdir.py DIR [LAYOUT]

Every name in DIR must stand for what it says: a catalog entry for a manifest
file, a manifest for a config and layers whose bytes hash to the config's name
and diff_ids; a layer's folder holds layer.tar alone, or nothing (a writer was
killed). With an OCI LAYOUT, also
layers that no manifest names must be those of its images. Prints, sorted, a
line for each catalog entry (IMAGE TAG FILE), each manifest file (FILE CONFIG
TAGS LAYER..., twelve digits each, tags joined by commas or -), and at last
"N layers". Anything else is an error: one line on stderr, status 1.
"""
import hashlib
import json
import os
import re
import stat
import sys

HEX = re.compile(r"[0-9a-f]{64}([0-9a-f]{64})?")


def wrong(text):
    sys.exit("checkdir: " + text)


def read(*parts):
    path = os.path.join(*parts)
    if not stat.S_ISREG(os.lstat(path).st_mode):
        wrong(path + " is no regular file")
    with open(path, "rb") as f:
        return f.read()


def digest(data, like):
    return hashlib.new("sha256" if len(like) == 64 else "sha512", data).hexdigest()


def check_layer(directory, folder, diff_id):
    got = digest(read(directory, folder, "layer.tar"), diff_id)
    if got != diff_id:
        wrong("%s/layer.tar hashes to %s, not to %s" % (folder, got, diff_id))


def check_manifest(directory, name):
    (entry,) = json.loads(read(directory, name))
    config = read(directory, entry["Config"])
    if digest(config, entry["Config"][:-5]) + ".json" != entry["Config"]:
        wrong("%s does not hash to its name" % entry["Config"])
    diff_ids = json.loads(config)["rootfs"]["diff_ids"]
    if len(diff_ids) != len(entry["Layers"]):
        wrong("%s names %d layers, its config %d" % (name, len(entry["Layers"]), len(diff_ids)))
    for layer, diff_id in zip(entry["Layers"], diff_ids):
        check_layer(directory, layer.removesuffix("/layer.tar"), diff_id.split(":")[1])
    print(name, entry["Config"][:12], ",".join(entry["RepoTags"]) or "-",
          *[layer[:12] for layer in entry["Layers"]])
    return entry


def check_catalog(directory, manifests):
    for image, tags in sorted(json.loads(read(directory, "catalog.json")).items()):
        if not tags:
            wrong("catalog.json: %s has no tags" % image)
        for tag, name in sorted(tags.items()):
            if name not in manifests:
                wrong("catalog.json: %s %s leads to %s, which is not there" % (image, tag, name))
            if manifests[name].get("ImageName", image) != image:
                wrong("%s is of %s, not of %s" % (name, manifests[name]["ImageName"], image))
            print(image, tag, name)


def layers_of_layout(layout):
    def blob(of):
        return json.loads(read(layout, "blobs", of["digest"].replace(":", "/")))

    def walk(document):
        for child in document.get("manifests", []):
            yield from walk(blob(child))
        if "layers" in document:
            yield from zip(document["layers"], blob(document["config"])["rootfs"]["diff_ids"])

    with open(os.path.join(layout, "index.json")) as f:
        return {layer["digest"].split(":")[1]: diff_id.split(":")[1]
                for layer, diff_id in walk(json.load(f))}


def main():
    directory = sys.argv[1]
    known = layers_of_layout(sys.argv[2]) if len(sys.argv) > 2 else {}
    names = sorted(os.listdir(directory))
    manifests = {name: check_manifest(directory, name)
                 for name in names if re.fullmatch(r"manifest(-.*)?\.json", name)}
    layers = [name for name in names if HEX.fullmatch(name)]
    for name in names:
        if name in layers:
            held = os.listdir(os.path.join(directory, name))
            if held not in ([], ["layer.tar"]):
                wrong("%s holds something else than layer.tar" % name)
            if held and name in known:
                check_layer(directory, name, known[name])
        elif HEX.fullmatch(name.removesuffix(".json")):
            if digest(read(directory, name), name[:-5]) != name[:-5]:
                wrong("%s does not hash to its name" % name)
        elif name not in manifests and name != "catalog.json":
            wrong("what is %r?" % name)
    if "catalog.json" in names:
        check_catalog(directory, manifests)
    print(len(layers), "layers")


main()
