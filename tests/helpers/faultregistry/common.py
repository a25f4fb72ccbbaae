"""Media types, and what every module here needs."""

import hashlib
import json
import sys

MT_INDEX = "application/vnd.oci.image.index.v1+json"
MT_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
MT_CONFIG = "application/vnd.oci.image.config.v1+json"
MT_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
MT_D_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
MT_D_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MT_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
MANIFEST_TYPES = (MT_INDEX, MT_MANIFEST, MT_D_LIST, MT_D_MANIFEST)


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def dumps(obj):
    return json.dumps(obj, separators=(",", ":")).encode()


def die(text):
    sys.stderr.write("faultregistry: %s\n" % text)
    sys.exit(2)
