#!/usr/bin/env python3
"""mkimage - container images made from a few lines of text.

    mkimage.py write DIR <DESCRIPTION     an OCI image layout in DIR
    mkimage.py push DIR HOST:PORT REPO    all its tags, verbatim, over http

The same description gives the same bytes, but for what compressors of other
versions may do. A description, one thing a line, # for comments:

    image TAG [os=OS] [architecture=ARCH] [variant=V] [format=docker]
              [algorithm=sha512] [entrypoint=PROGRAM] [cmd=ARGUMENT]
    layer [gzip|zstd|xz|bzip2|none]       of the image above
    dir PATH                              an entry of the layer above
    file PATH [TEXT]                      holds TEXT and a newline
    copy PATH FILE                        a file of this machine, mode 0755
    fill PATH BYTES                       bytes that do not compress
    link PATH TARGET                      a symlink
    hard PATH TARGET                      a hard link
    index TAG [format=docker] TAG...      of images and indexes above

Tags are those of one repository: every image and index has one.
"""

import bz2
import gzip
import hashlib
import http.client
import io
import json
import lzma
import os
import random
import shlex
import subprocess
import sys
import tarfile

MTIME = 1000000000
REF_NAME = "org.opencontainers.image.ref.name"

OCI = {
    "index": "application/vnd.oci.image.index.v1+json",
    "manifest": "application/vnd.oci.image.manifest.v1+json",
    "config": "application/vnd.oci.image.config.v1+json",
    "layer": "application/vnd.oci.image.layer.v1.tar",
    "separator": "+",
}
DOCKER = {
    "index": "application/vnd.docker.distribution.manifest.list.v2+json",
    "manifest": "application/vnd.docker.distribution.manifest.v2+json",
    "config": "application/vnd.docker.container.image.v1+json",
    "layer": "application/vnd.docker.image.rootfs.diff.tar",
    "separator": ".",
}
COMPRESS = {
    "none": lambda data: data,
    "gzip": lambda data: gzip.compress(data, 6, mtime=0),
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zstd": lambda data: subprocess.run(
        ["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout,
}


def dumps(document):
    return json.dumps(document, separators=(",", ":")).encode()


def digest_of(data, algorithm="sha256"):
    return algorithm + ":" + hashlib.new(algorithm, data).hexdigest()


class Layer:
    """A tar under construction, and what it is compressed with."""

    def __init__(self, compression):
        self.compression = compression
        self.raw = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.raw, mode="w", format=tarfile.GNU_FORMAT)

    def add(self, path, kind=tarfile.REGTYPE, mode=0o644, data=b"", target=""):
        info = tarfile.TarInfo(path)
        info.type, info.mode, info.mtime = kind, mode, MTIME
        info.size, info.linkname = len(data), target
        self.tar.addfile(info, io.BytesIO(data))

    def entry(self, word, path, rest):
        if word == "dir":
            self.add(path, tarfile.DIRTYPE, 0o755)
        elif word == "file":
            self.add(path, data=(" ".join(rest) + "\n").encode())
        elif word == "copy":
            with open(rest[0], "rb") as source:
                self.add(path, mode=0o755, data=source.read())
        elif word == "fill":
            self.add(path, data=random.Random(path).randbytes(int(rest[0])))
        elif word == "link":
            self.add(path, tarfile.SYMTYPE, 0o777, target=rest[0])
        elif word == "hard":
            self.add(path, tarfile.LNKTYPE, target=rest[0])
        else:
            sys.exit("mkimage: what is '%s'?" % word)

    def finish(self):
        """The digest of the plain tar, and the compressed bytes."""
        self.tar.close()
        plain = self.raw.getvalue()
        return digest_of(plain), COMPRESS[self.compression](plain)


class Image:
    def __init__(self, options):
        self.options = options
        self.types = DOCKER if options.get("format") == "docker" else OCI
        self.layers = []

    def platform(self):
        platform = {"os": self.options.get("os", "linux"),
                    "architecture": self.options.get("architecture", "amd64")}
        if "variant" in self.options:
            platform["variant"] = self.options["variant"]
        return platform


class Layout:
    def __init__(self, root):
        self.root = root
        self.top = []  # descriptors, as index.json lists them
        self.image = None

    def blob(self, data, media_type, algorithm="sha256"):
        digest = digest_of(data, algorithm)
        path = os.path.join(self.root, "blobs", *digest.split(":"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def publish(self, tag, descriptor, platform=None):
        descriptor = dict(descriptor, annotations={REF_NAME: tag})
        if platform:
            descriptor["platform"] = platform
        self.top.append(descriptor)

    def finish_image(self):
        if not self.image:
            return
        image, types = self.image, self.image.types
        algorithm = image.options.get("algorithm", "sha256")
        layers, diff_ids = [], []
        for layer in image.layers:
            diff_id, data = layer.finish()
            media_type = types["layer"]
            if layer.compression != "none":
                media_type += types["separator"] + layer.compression
            layers.append(self.blob(data, media_type, algorithm))
            diff_ids.append(diff_id)
        inner = {}
        for key, name in (("entrypoint", "Entrypoint"), ("cmd", "Cmd")):
            if key in image.options:
                inner[name] = [image.options[key]]
        config = dumps(dict(image.platform(), created="2001-09-09T01:46:40Z", config=inner,
                            rootfs={"type": "layers", "diff_ids": diff_ids},
                            history=[{"created": "2001-09-09T01:46:40Z",
                                      "created_by": "layer %d" % i} for i in range(len(layers))]))
        manifest = dumps({"schemaVersion": 2, "mediaType": types["manifest"],
                          "config": self.blob(config, types["config"], algorithm),
                          "layers": layers})
        self.publish(image.options["tag"], self.blob(manifest, types["manifest"]),
                     image.platform())
        self.image = None

    def index(self, tag, options, tags):
        types = DOCKER if options.get("format") == "docker" else OCI
        entries = []
        for name in tags:
            entry = next(e for e in self.top if e["annotations"][REF_NAME] == name)
            entries.append({k: v for k, v in entry.items() if k != "annotations"})
        body = dumps({"schemaVersion": 2, "mediaType": types["index"], "manifests": entries})
        self.publish(tag, self.blob(body, types["index"]))

    def line(self, words):
        word, rest = words[0], words[1:]
        if word in ("image", "index"):
            self.finish_image()
            options = dict(w.split("=", 1) for w in rest[1:] if "=" in w)
            options["tag"] = rest[0]
            if word == "image":
                self.image = Image(options)
            else:
                self.index(rest[0], options, [w for w in rest[1:] if "=" not in w])
        elif word == "layer":
            self.image.layers.append(Layer(rest[0] if rest else "gzip"))
        else:
            self.image.layers[-1].entry(word, rest[0], rest[1:])

    def finish(self):
        self.finish_image()
        with open(os.path.join(self.root, "index.json"), "wb") as file:
            file.write(dumps({"schemaVersion": 2, "mediaType": OCI["index"],
                              "manifests": self.top}))
        with open(os.path.join(self.root, "oci-layout"), "wb") as file:
            file.write(b'{"imageLayoutVersion":"1.0.0"}')


class Push:
    def __init__(self, root, host, repository):
        self.root, self.repository, self.done = root, repository, set()
        self.http = http.client.HTTPConnection(host, timeout=30)

    def read(self, digest):
        with open(os.path.join(self.root, "blobs", *digest.split(":")), "rb") as file:
            return file.read()

    def ask(self, method, path, body=b"", media_type="application/octet-stream"):
        self.http.request(method, path, body, {"Content-Type": media_type})
        answer = self.http.getresponse()
        text = answer.read()
        if answer.status not in (201, 202):
            sys.exit("mkimage: %s %s: %d %s" % (method, path, answer.status, text.decode()))
        return answer

    def blob(self, digest):
        if digest in self.done:
            return
        self.done.add(digest)
        where = self.ask("POST", "/v2/%s/blobs/uploads/" % self.repository).getheader("Location")
        if where.startswith("http"):
            where = "/" + where.split("/", 3)[3]
        where += ("&" if "?" in where else "?") + "digest=" + digest
        self.ask("PUT", where, self.read(digest))

    def manifest(self, descriptor, reference):
        body = self.read(descriptor["digest"])
        document = json.loads(body)
        for entry in document.get("manifests", []):
            self.manifest(entry, entry["digest"])
        for blob in [document[k] for k in ("config",) if k in document] + document.get("layers", []):
            self.blob(blob["digest"])
        self.ask("PUT", "/v2/%s/manifests/%s" % (self.repository, reference), body,
                 descriptor["mediaType"])

    def all(self):
        with open(os.path.join(self.root, "index.json"), "rb") as file:
            for descriptor in json.load(file)["manifests"]:
                self.manifest(descriptor, descriptor["annotations"][REF_NAME])


def main():
    if sys.argv[1:2] == ["write"] and len(sys.argv) == 3:
        layout = Layout(sys.argv[2])
        for line in sys.stdin:
            words = shlex.split(line, comments=True)
            if words:
                layout.line(words)
        layout.finish()
    elif sys.argv[1:2] == ["push"] and len(sys.argv) == 5:
        Push(*sys.argv[2:]).all()
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
