"""Manifests made up of a layout's first image, hostile or merely odd.

Each is asked for by a tag, fr-NAME or fr-NAME-N; a function below makes it.
"""

import base64
import copy
import gzip
import hashlib
import json
import re

from common import MT_INDEX, MT_MANIFEST, MT_SCHEMA1, dumps, sha256
from state import STATE

TAGS = {}  # name: (help, has a number, function)


def tag(name, text):
    """Decorate the function that makes a tag's manifest."""
    def note(function):
        TAGS[name.removesuffix("-N")] = (text, name.endswith("-N"), function)
        return function
    return note


def listing():
    """What --list-tags shows."""
    return {name + ("-N" if numbered else ""): text
            for name, (text, numbered, _) in TAGS.items()}


def build(layout, name):
    """The digest of what the tag stands for, or None for no tag of ours."""
    match = re.match(r"^(fr-[a-z][a-z0-9-]*?)(?:-(\d+))?$", name)
    if not match or match.group(1) not in TAGS:
        return None
    return TAGS[match.group(1)][2](Make(layout, int(match.group(2) or 10)))


class Make:
    """What the functions below work with: a copy of the image, and shortcuts."""

    def __init__(self, layout, number):
        self.layout, self.number = layout, number
        self.descriptor, image = layout.first_image()
        self.image = copy.deepcopy(image)
        self.layers = self.image["layers"]

    def add(self, document, mtype=MT_MANIFEST, digest=None):
        data = document if isinstance(document, bytes) else dumps(document)
        return self.layout.add(data, mtype, digest)

    def out(self, document, mtype=MT_MANIFEST):
        return self.add(document, mtype).digest

    def read(self, descriptor):
        return self.layout.get(descriptor["digest"]).read()

    @staticmethod
    def describe(content, **more):
        return dict({"mediaType": content.mtype, "digest": content.digest, "size": content.size}, **more)

    @staticmethod
    def index(entries):
        return dumps({"schemaVersion": 2, "mediaType": MT_INDEX, "manifests": entries})


@tag("fr-deep-N", "index in index, N levels, right digests, a real image at the bottom")
def deep(m):
    entry = m.descriptor
    for _ in range(min(m.number, 100000)):
        content = m.add(m.index([entry]), MT_INDEX)
        entry = m.describe(content, platform=m.descriptor["platform"])
    return entry["digest"]


@tag("fr-wide-N", "index of N entries for no platform, then the real image")
def wide(m):
    none = {"mediaType": MT_MANIFEST, "digest": "sha256:" + "0" * 64, "size": 2,
            "platform": {"os": "unknown", "architecture": "unknown"}}
    return m.out(m.index([none] * m.number + [m.descriptor]), MT_INDEX)


@tag("fr-self", "index whose only entry is a digest that is answered with the same index "
     "(digest mismatch: endless for a client that does not check)")
def itself(m):
    fake = "sha256:" + hashlib.sha256(b"fr-self").hexdigest()
    body = m.index([{"mediaType": MT_INDEX, "digest": fake, "size": 400,
                     "platform": m.descriptor["platform"]}]).ljust(400)
    m.add(body, MT_INDEX, fake)
    return m.out(body, MT_INDEX)


@tag("fr-huge-N", "the image manifest with an annotation that makes it about N bytes")
def huge(m):
    room = max(0, m.number - len(dumps(m.image)) - 24)
    m.image.setdefault("annotations", {})["x"] = "x" * room
    return m.out(m.image)


@tag("fr-nest-N", "a manifest with N levels of nested JSON arrays in an unknown field")
def nest(m):
    return m.out(dumps(m.image)[:-1] + b',"x":' + b"[" * m.number + b"]" * m.number + b"}")


@tag("fr-both", "one document with layers and with manifests (type confusion)")
def both(m):
    return m.out(dict(m.image, manifests=[m.descriptor]))


@tag("fr-mt", "manifest whose own mediaType says index, served as a manifest")
def wrong_type(m):
    return m.out(dict(m.image, mediaType=MT_INDEX))


@tag("fr-nomt", "manifest without its mediaType field")
def no_type(m):
    m.image.pop("mediaType", None)
    return m.out(m.image)


@tag("fr-schema1", "a Docker schema 1 manifest")
def schema1(m):
    return m.out({"schemaVersion": 1, "name": "x/y", "tag": "z", "architecture": "amd64",
                  "fsLayers": [{"blobSum": d["digest"]} for d in reversed(m.layers)],
                  "history": [{"v1Compatibility": "{}"} for _ in m.layers],
                  "signatures": [{"header": {"alg": "ES256"}, "signature": "x", "protected": "x"}]},
                 MT_SCHEMA1)


@tag("fr-badjson", "not JSON")
def bad_json(m):
    return m.out(b'{"schemaVersion":2,"layers":[')


@tag("fr-dupkey", "two layers keys")
def doubled_key(m):
    return m.out(dumps(m.image)[:-1] + b',"layers":[]}')


@tag("fr-traverse", "layer digests that are paths")
def traverse(m):
    m.image["layers"] = [dict(m.layers[0], digest=digest) for digest in
                         ("sha256:../../../../../../etc/passwd", "../../../../etc/passwd",
                          "sha256:" + "a" * 62 + "/x")]
    return m.out(m.image)


@tag("fr-upper", "an upper-case hex digest")
def upper_case(m):
    first = m.layers[0]
    m.image["layers"] = [dict(first, digest="sha256:" + first["digest"][7:].upper())]
    return m.out(m.image)


def with_last_size(m, size):
    m.layers[-1] = dict(m.layers[-1], size=size)
    return m.out(m.image)


@tag("fr-negsize", "a layer of size -1")
def negative_size(m):
    return with_last_size(m, -1)


@tag("fr-hugesize", "a layer of size 2^63-1")
def huge_size(m):
    return with_last_size(m, (1 << 63) - 1)


@tag("fr-wrongsize", "a layer one byte larger than it is")
def wrong_size(m):
    return with_last_size(m, m.layers[-1]["size"] + 1)


@tag("fr-sha512", "layers named by sha512")
def sha512(m):
    for layer in m.layers:
        data = m.read(layer)
        layer["digest"] = m.add(data, layer["mediaType"],
                                "sha512:" + hashlib.sha512(data).hexdigest()).digest
    return m.out(m.image)


@tag("fr-unkalg", "a layer named by an unknown digest algorithm")
def unknown_algorithm(m):
    m.image["layers"] = [dict(m.layers[0], digest="whirlpool:" + "ab" * 32)]
    return m.out(m.image)


def with_inline_config(m, named, inline):
    m.image["config"] = {"mediaType": m.image["config"]["mediaType"], "digest": sha256(named),
                         "size": len(named), "data": base64.b64encode(inline).decode()}
    return m.out(m.image)


@tag("fr-data", "config given inline (data), not served as a blob")
def inline_data(m):
    data = m.read(m.image["config"]) + b"\n"
    return with_inline_config(m, data, data)


@tag("fr-baddata", "inline data that does not fit its digest")
def bad_inline_data(m):
    data = m.read(m.image["config"])
    return with_inline_config(m, data, b"{" + data[1:-1] + b" ")


def with_foreign_layers(m, urls):
    for layer in m.layers:
        data = m.read(layer)
        try:
            data = gzip.compress(gzip.decompress(data), 1, mtime=1)
        except OSError:
            data += b"\0"
        content = m.add(data, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")
        m.layout.hidden.add(content.digest)
        layer.update(m.describe(content), urls=urls(content))
    return m.out(m.image)


@tag("fr-foreign", "layers with urls on the second port, not served as blobs")
def foreign(m):
    return with_foreign_layers(m, lambda content: [
        "ftp://127.0.0.1/none",
        "%s/blob/%s" % (STATE.cdn_base(), content.digest.replace(":", "/"))])


@tag("fr-foreign-file", "a layer with a file:// url, not served as a blob")
def foreign_file(m):
    return with_foreign_layers(m, lambda content: ["file:///etc/hostname"])


@tag("fr-attest", "index: attestation (unknown/unknown) first, then the image")
def attestation_first(m):
    attestation = m.add({"schemaVersion": 2, "mediaType": MT_MANIFEST, "config": m.image["config"],
                         "layers": [dict(m.layers[0], mediaType="application/vnd.in-toto+json")]})
    entry = m.describe(attestation, platform={"os": "unknown", "architecture": "unknown"},
                       annotations={"vnd.docker.reference.type": "attestation-manifest",
                                    "vnd.docker.reference.digest": m.descriptor["digest"]})
    return m.out(m.index([entry, m.descriptor]), MT_INDEX)


@tag("fr-noplat", "index whose only entry has no platform")
def no_platform(m):
    return m.out(m.index([{k: v for k, v in m.descriptor.items() if k != "platform"}]), MT_INDEX)


@tag("fr-artifact", "an artifact: empty config, unknown layer type")
def artifact(m):
    empty = m.add(b"{}", "application/vnd.oci.empty.v1+json")
    return m.out({"schemaVersion": 2, "mediaType": MT_MANIFEST,
                  "artifactType": "application/vnd.example+type",
                  "config": m.describe(empty, data="e30="),
                  "layers": [dict(m.layers[0], mediaType="application/vnd.example.data")]})


def with_layers(m, numbers):
    """The image with those of its layers, and a config that fits."""
    config = json.loads(m.read(m.image["config"]))
    diff_ids = config["rootfs"]["diff_ids"]
    config["rootfs"]["diff_ids"] = [diff_ids[n] for n in numbers]
    config.pop("history", None)
    m.image["config"] = m.describe(m.add(dumps(config), m.image["config"]["mediaType"]))
    m.image["layers"] = [m.layers[n] for n in numbers]
    return m.out(m.image)


@tag("fr-twice", "the same layer twice in one manifest")
def twice(m):
    return with_layers(m, [0] + list(range(len(m.layers))))


@tag("fr-empty", "a manifest with no layers")
def no_layers(m):
    return with_layers(m, [])
