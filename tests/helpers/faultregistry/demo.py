"""A small image for two platforms, with attestations, as an OCI layout."""

import gzip
import io
import os
import random
import tarfile

from common import MT_CONFIG, MT_INDEX, MT_LAYER, MT_MANIFEST, dumps, sha256


def make_demo(root, size):
    """Write a small two-platform image (with an attestation) as an OCI layout."""
    blobs = os.path.join(root, "blobs", "sha256")
    os.makedirs(blobs, exist_ok=True)

    def store(data, mtype, **more):
        d = sha256(data)
        with open(os.path.join(blobs, d[7:]), "wb") as f:
            f.write(data)
        return dict({"mediaType": mtype, "digest": d, "size": len(data)}, **more)

    def layer(name, data):
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as t:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
        raw = raw.getvalue()
        return store(gzip.compress(raw, 6, mtime=0), MT_LAYER), sha256(raw)

    entries, atts = [], []
    for i, plat in enumerate(({"os": "linux", "architecture": "amd64"},
                              {"os": "linux", "architecture": "arm64", "variant": "v8"})):
        rnd = random.Random(1000 + i)
        pairs = [layer("etc/hello", b"hello from %s\n" % plat["architecture"].encode()),
                 layer("usr/big", rnd.randbytes(size))]
        config = store(dumps(dict(plat, config={"Cmd": ["/hello"]},
                                  rootfs={"type": "layers", "diff_ids": [d for _, d in pairs]})), MT_CONFIG)
        m = store(dumps({"schemaVersion": 2, "mediaType": MT_MANIFEST, "config": config,
                         "layers": [d for d, _ in pairs]}), MT_MANIFEST)
        entries.append(dict(m, platform=plat))
        att = store(dumps({"schemaVersion": 2, "mediaType": MT_MANIFEST, "config": config,
                           "layers": [store(b"{}", "application/vnd.in-toto+json")]}), MT_MANIFEST)
        atts.append(dict(att, platform={"os": "unknown", "architecture": "unknown"},
                         annotations={"vnd.docker.reference.type": "attestation-manifest",
                                      "vnd.docker.reference.digest": m["digest"]}))
    idx = store(dumps({"schemaVersion": 2, "mediaType": MT_INDEX, "manifests": entries + atts}), MT_INDEX)
    name = "org.opencontainers.image.ref.name"
    sbom = store(dumps({"schemaVersion": 2, "mediaType": MT_MANIFEST, "artifactType": "application/vnd.example.sbom",
                        "config": store(b"{}", "application/vnd.oci.empty.v1+json"),
                        "layers": [store(b"{}", "application/vnd.oci.empty.v1+json")],
                        "subject": {k: entries[0][k] for k in ("mediaType", "digest", "size")}}), MT_MANIFEST)
    top = [dict(idx, annotations={name: "latest"}), dict(entries[0], annotations={name: "amd64"}),
           dict(entries[1], annotations={name: "arm64"}), sbom]
    with open(os.path.join(root, "index.json"), "wb") as f:
        f.write(dumps({"schemaVersion": 2, "mediaType": MT_INDEX, "manifests": top}))
    with open(os.path.join(root, "oci-layout"), "wb") as f:
        f.write(b'{"imageLayoutVersion":"1.0.0"}')
