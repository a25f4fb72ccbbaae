"""An OCI image layout: its blobs, its manifests, and their tags."""

import json
import os
import re
import threading

import hostile
from common import MANIFEST_TYPES, MT_INDEX, MT_MANIFEST, MT_SCHEMA1, die, sha256


class Content:
    """Some bytes with a digest: a file of the layout, or made up in memory."""

    def __init__(self, digest, data=None, path=None, mtype="application/octet-stream"):
        self.digest, self.data, self.path, self.mtype = digest, data, path, mtype
        self.size = len(data) if data is not None else os.path.getsize(path)

    def read(self):
        if self.data is not None:
            return self.data
        with open(self.path, "rb") as f:
            return f.read()

    def chunks(self, start, end, size=65536):
        if self.data is not None:
            for at in range(start, end, size):
                yield self.data[at:min(at + size, end)]
            return
        with open(self.path, "rb") as f:
            f.seek(start)
            left = end - start
            while left > 0:
                part = f.read(min(size, left))
                if not part:
                    return
                left -= len(part)
                yield part


class Layout:
    DIGEST = re.compile(r"^([a-z0-9]+(?:[+._-][a-z0-9]+)*):([a-zA-Z0-9=_-]+)$")

    def __init__(self, root):
        self.root = root
        try:
            with open(os.path.join(root, "index.json"), "rb") as f:
                self.index_bytes = f.read()
            self.index = json.loads(self.index_bytes)
        except (OSError, ValueError) as e:
            die("%s is no OCI image layout: %s" % (root, e))
        self.tags = {}          # tag: digest
        self.types = {}         # digest: media type of a manifest
        self.made = {}          # digest: Content, made up
        self.hidden = set()     # digests not to be served as blobs
        self.lock = threading.Lock()
        self.virtual = {}       # virtual tag: digest
        entries = self.index.get("manifests", [])
        for d in entries:
            self.walk(d, 0)
            name = (d.get("annotations") or {}).get("org.opencontainers.image.ref.name", "")
            if name:
                tag = name.rsplit(":", 1)[-1] if ":" in name.rsplit("/", 1)[-1] else name
                if not re.match(r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$", tag):
                    tag = "latest"
                self.tags.setdefault(tag, d["digest"])
        if len(entries) == 1 and not self.tags:
            self.tags["latest"] = entries[0]["digest"]
        whole = Content(sha256(self.index_bytes), self.index_bytes, None, self.index.get("mediaType", MT_INDEX))
        self.made[whole.digest] = whole
        self.types[whole.digest] = whole.mtype
        self.tags["_index"] = whole.digest
        self.tags.setdefault("latest", whole.digest)

    def walk(self, desc, depth):
        mtype = desc.get("mediaType", "")
        if mtype not in MANIFEST_TYPES or depth > 8 or desc.get("digest") in self.types:
            return
        self.types[desc["digest"]] = mtype
        c = self.get(desc["digest"])
        if c and c.size < 8 << 20:
            try:
                for d in json.loads(c.read()).get("manifests", []):
                    self.walk(d, depth + 1)
            except (ValueError, AttributeError, TypeError, RecursionError):
                pass

    def get(self, digest):
        """The content of a digest, or None."""
        if digest in self.made:
            return self.made[digest]
        m = self.DIGEST.match(digest)
        if not m:
            return None
        path = os.path.join(self.root, "blobs", m.group(1), m.group(2))
        if not os.path.isfile(path):
            return None
        return Content(digest, None, path)

    def manifest(self, ref):
        digest = ref if ":" in ref else (self.tags.get(ref) or self.make(ref))
        c = digest and self.get(digest)
        if not c:
            return None
        if digest in self.types:
            return Content(c.digest, c.data, c.path, self.types[digest])
        if c.size > 8 << 20:
            return None
        try:
            doc = json.loads(c.read())
            if not isinstance(doc, dict) or "schemaVersion" not in doc:
                return None
        except ValueError:
            return None
        return Content(c.digest, c.data, c.path, doc.get("mediaType") or
                       (MT_INDEX if "manifests" in doc else MT_MANIFEST))

    def first_image(self):
        """(descriptor with platform, manifest) of the first image in the layout."""
        todo = list(self.index.get("manifests", []))
        while todo:
            d = todo.pop(0)
            c = self.get(d.get("digest", ""))
            if not c:
                continue
            doc = json.loads(c.read())
            if "manifests" in doc:
                todo = doc["manifests"] + todo
            elif "layers" in doc and (d.get("platform") or {}).get("os") != "unknown":
                d = dict(d)
                d.pop("annotations", None)
                d.setdefault("platform", {"os": "linux", "architecture": "amd64"})
                return d, doc
        die("no image in %s" % self.root)

    def referrers(self, digest):
        out = []
        for d, mtype in list(self.types.items()):
            c = self.get(d)
            try:
                doc = json.loads(c.read())
            except (ValueError, AttributeError, OSError, RecursionError):
                continue
            if isinstance(doc, dict) and (doc.get("subject") or {}).get("digest") == digest:
                entry = {"mediaType": mtype, "digest": d, "size": c.size}
                kind = doc.get("artifactType") or (doc.get("config") or {}).get("mediaType")
                if kind:
                    entry["artifactType"] = kind
                if doc.get("annotations"):
                    entry["annotations"] = doc["annotations"]
                out.append(entry)
        return out

    def add(self, data, mtype, digest=None):
        c = Content(digest or sha256(data), data, None, mtype)
        self.made[c.digest] = c
        if mtype in MANIFEST_TYPES or mtype == MT_SCHEMA1:
            self.types[c.digest] = mtype
        return c

    def make(self, tag):
        """The digest of a manifest that is made up for its tag, or None."""
        with self.lock:
            if tag not in self.virtual:
                self.virtual[tag] = hostile.build(self, tag)
            return self.virtual[tag]
