#!/usr/bin/env python3
"""make_layers.py - write layer tars with expectations, for testing image unpackers.

usage: make_layers.py [-o OUTDIR] [--canary DIR] [--list]

Writes NAME.json and NAME.LAYER-FILES for each case.  Python 3 standard library
only; zstd layers need the `zstd` program or the python module `zstandard`
(cases that need it are left out, and said so, when neither is there).
The output depends only on this script, the zlib and the zstd it runs on.

Sidecar (NAME.json):
  name, id, kind ("semantics"|"attack"), class, title, source, note
  layers        files, bottom to top, beside the sidecar
  media_types   OCI media type of each layer
  digests/sizes sha256 and length of each file as stored
  diff_ids      sha256 of each layer's uncompressed tar (of the intended tar
                where the compressed stream is broken on purpose)
  expect        {"tree": {path: attributes}, "outside_untouched": true} or
                {"error": true, "outside_untouched": true}
  accept        list of other results that are also right (same shapes; or
                {"any": true}: whatever happens inside the target, as long as
                the outside is untouched)
  hints         timeout_s, max_rss_kib, max_unpacked (limit to hand to the tool)
Attributes of a path: type (dir file symlink char block fifo), mode (octal
string), uid, gid, mtime (s), mtime_nsec, size, sha256, linkname, rdev "M:m",
hardlink (group label: members share one inode and nobody else does), xattrs
{name: base64}.  An attribute that is absent is not to be checked.  Paths have
no leading "/" or "./"; "." is the root itself and is listed only where its
attributes matter.  Bytes that are not UTF-8 are surrogate-escaped.
"""
import argparse, base64, binascii, hashlib, io, json, os, shutil, struct, subprocess, sys, zlib

CANARY = "/tmp/occy-canary"
UP = "../" * 24                       # climbs past any sensible target directory
EPOCH = 1_000_000_000

# --------------------------------------------------------------------- tar
def _oct(v, n):
    return (b"%0*o" % (n - 1, v)) + b"\0"

def b256(v, n):
    return ((1 << (8 * n - 1)) | v).to_bytes(n, "big") if v >= 0 else (v & ((1 << (8 * n)) - 1)).to_bytes(n, "big")

def ustar(name, typ=b"0", size=0, mode=0o644, uid=0, gid=0, mtime=0, link=b"", uname=b"", gname=b"",
          maj=0, mnr=0, prefix=b"", magic=b"ustar\x0000", raw=None, badsum=False):
    """One 512-byte header; raw = {field: bytes} overrides a field as it stands."""
    fld = [("name", 100, name), ("mode", 8, _oct(mode, 8)), ("uid", 8, _oct(uid, 8)), ("gid", 8, _oct(gid, 8)),
           ("size", 12, _oct(size, 12)), ("mtime", 12, _oct(mtime, 12)), ("sum", 8, b" " * 8), ("type", 1, typ),
           ("link", 100, link), ("magic", 8, magic), ("uname", 32, uname), ("gname", 32, gname),
           ("maj", 8, _oct(maj, 8) if magic else b""), ("min", 8, _oct(mnr, 8) if magic else b""), ("prefix", 155, prefix), ("pad", 12, b"")]
    out = b""
    for key, n, val in fld:
        if raw and key in raw:
            val = raw[key]
        assert len(val) <= n, (key, n, val)
        out += val.ljust(n, b"\0")
    s = sum(out) + (1 if badsum else 0)
    return out[:148] + (b"%06o\0 " % s) + out[156:]

def pad(data):
    return data + b"\0" * (-len(data) % 512)

def paxrec(key, val):
    key = key if isinstance(key, bytes) else key.encode()
    val = val if isinstance(val, bytes) else str(val).encode()
    body = b" " + key + b"=" + val + b"\n"
    n = len(body) + 1
    while len(str(n)) + len(body) != n:
        n = len(str(n)) + len(body)
    return str(n).encode() + body

def paxhdr(recs, typ=b"x", name=b"PaxHeaders/x"):
    data = recs if isinstance(recs, bytes) else b"".join(paxrec(k, v) for k, v in recs)
    return ustar(name, typ, size=len(data)) + pad(data)

def gnulong(typ, val, nul=True):
    data = val + (b"\0" if nul else b"")
    return ustar(b"././@LongLink", typ, size=len(data), magic=b"ustar  \0") + pad(data)

EOA = b"\0" * 1024

def B(s):
    return s if isinstance(s, bytes) else s.encode("utf-8", "surrogateescape")

def U(b):
    return b if isinstance(b, str) else b.decode("utf-8", "surrogateescape")

class Ent:
    """One entry; its attributes double as the expectation of what it leaves."""
    count = 0
    def __init__(self, kind, path, data=b"", mode=None, uid=0, gid=0, mtime=None, link=None, rdev=None,
                 xattrs=None, name=None, nsec=None, hdr=None, pre=b"", typ=None):
        Ent.count += 1
        self.kind, self.path, self.data = kind, path, B(data)
        self.mode = mode if mode is not None else (0o755 if kind == "dir" else 0o777 if kind == "symlink" else 0o644)
        self.uid, self.gid, self.link, self.rdev, self.xattrs = uid, gid, link, rdev, xattrs
        self.mtime = EPOCH + 2 * Ent.count if mtime is None else mtime
        self.nsec, self.name, self.hdr, self.pre, self.typ = nsec, name, hdr or {}, pre, typ
    def tar(self):
        typ = self.typ or {"file": b"0", "hard": b"1", "symlink": b"2", "char": b"3", "block": b"4", "dir": b"5", "fifo": b"6"}[self.kind]
        name = B(self.name if self.name is not None else self.path + ("/" if self.kind == "dir" else ""))
        link = B(self.link or "")
        recs, kw, prefix = [], {}, b""
        if len(name) > 100:
            cut = name[:-1].rfind(b"/", 0, 155)
            if 0 < cut <= 155 and 0 < len(name) - cut - 1 <= 100:
                prefix, name = name[:cut], name[cut + 1:]
            else:
                recs.append(("path", name)); name = name[:100]
        if len(link) > 100:
            recs.append(("linkpath", link)); link = link[:100]
        ids = {}
        for k in ("uid", "gid"):
            v = getattr(self, k)
            if v > 0o7777777:
                recs.append((k, v)); v = 0
            ids[k] = v
        mt = self.mtime
        if self.nsec or mt < 0 or mt > 0o77777777777:
            if self.nsec and mt < 0:
                raise ValueError
            recs.append(("mtime", "%d.%09d" % (mt, self.nsec) if self.nsec else "%d" % mt)); mt = 0
        for k, v in (self.xattrs or {}).items():
            recs.append((b"SCHILY.xattr." + B(k), v))
        size = len(self.data)
        maj, mnr = self.rdev or (0, 0)
        h = ustar(name, typ, size=size, mode=self.mode, mtime=mt, link=link, prefix=prefix, maj=maj, mnr=mnr, raw=self.hdr, **ids)
        return self.pre + (paxhdr(recs) if recs else b"") + h + pad(self.data)
    def expect(self):
        kind = "file" if self.kind == "hard" else self.kind
        e = {"type": kind, "uid": self.uid, "gid": self.gid, "mtime": self.mtime, "mtime_nsec": self.nsec or 0}
        if kind != "symlink":
            e["mode"] = "%04o" % self.mode
        if kind == "file":
            e["size"], e["sha256"] = len(self.data), hashlib.sha256(self.data).hexdigest()
        if kind == "symlink":
            e["linkname"] = U(self.link)
        if self.rdev is not None:
            e["rdev"] = "%d:%d" % self.rdev
        e["xattrs"] = {k: base64.b64encode(B(v)).decode() for k, v in (self.xattrs or {}).items()}
        return e

def f(path, data=None, **kw): return Ent("file", path, ("<%s>\n" % path) if data is None else data, **kw)
def d(path, **kw): return Ent("dir", path, **kw)
def s(path, link, **kw): return Ent("symlink", path, link=link, **kw)
def h(path, link, **kw):
    e = Ent("hard", path, link=link, **kw)
    e.plain = not (set(kw) - {"name", "hdr"})      # its header then repeats the target's attributes
    return e
def fifo(path, **kw): return Ent("fifo", path, **kw)
def chr_(path, maj, mnr, **kw): return Ent("char", path, rdev=(maj, mnr), **kw)
def blk(path, maj, mnr, **kw): return Ent("block", path, rdev=(maj, mnr), **kw)
def wh(path, **kw):
    head, _, tail = path.rpartition("/")
    return f((head + "/" if head else "") + ".wh." + tail, b"", **kw)
def opq(path="", **kw): return f((path + "/" if path else "") + ".wh..wh..opq", b"", **kw)

class imp:
    """A directory that no entry describes: 0755 root:root, any mtime."""
    def __init__(self, path, **kw): self.path, self.kw = path, kw
    def expect(self):
        return dict({"type": "dir", "mode": "0755", "uid": 0, "gid": 0}, **self.kw)
def way(path):
    """PATH and all above it, as directories that no entry describes."""
    parts = path.split("/")
    return [imp("/".join(parts[:i])) for i in range(1, len(parts) + 1)]
class hl:
    """PATH is one more name of the inode that ENT made."""
    def __init__(self, path, ent): self.path, self.ent = path, ent
class at:
    """What ENT made is found at PATH (a link on its way was resolved), with changes."""
    def __init__(self, path, ent, drop=(), **kw): self.path, self.ent, self.drop, self.kw = path, ent, drop, kw

def build_tree(items):
    tree, groups = {}, {}
    for it in items:
        if isinstance(it, hl):
            groups.setdefault(id(it.ent), []).append(it.path)
    for it in items:
        if isinstance(it, hl):
            e = it.ent.expect()
        elif isinstance(it, at):
            e = dict(it.ent.expect(), **it.kw)
            for k in it.drop: e.pop(k, None)
        else:
            e = it.expect()
        ent = it if isinstance(it, Ent) else getattr(it, "ent", None)
        if ent is not None and id(ent) in groups and (isinstance(it, (Ent, hl))):
            e["hardlink"] = "g%d" % sorted(groups).index(id(ent))
        assert it.path not in tree, it.path
        tree[it.path] = e
    for g in [k for k in {e.get("hardlink") for e in tree.values()} if k]:      # a lone survivor is no group
        m = [p for p in tree if tree[p].get("hardlink") == g]
        if len(m) == 1: del tree[m[0]]["hardlink"]
    lab = {}
    for p in sorted(tree):                                                       # stable labels
        g = tree[p].get("hardlink")
        if g: tree[p]["hardlink"] = lab.setdefault(g, "g%d" % len(lab))
    return {p: tree[p] for p in sorted(tree)}

# ------------------------------------------------------------- compression
def gz(data, level=6):
    c = zlib.compressobj(level, zlib.DEFLATED, -15, 9)
    return (b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + c.compress(data) + c.flush()
            + struct.pack("<II", zlib.crc32(data), len(data) & 0xffffffff))

ZSTD_BIN = shutil.which("zstd")
try:
    import zstandard as _zs
except ImportError:
    _zs = None
def zstd(data, *args):
    if ZSTD_BIN:
        return subprocess.run([ZSTD_BIN, "-q", "-c", "--single-thread"] + list(args), input=data, stdout=subprocess.PIPE, check=True).stdout
    if _zs and not args:
        return _zs.ZstdCompressor().compress(data)
    raise NeedZstd()
class NeedZstd(Exception): pass

MEDIA = {"none": "application/vnd.oci.image.layer.v1.tar", "gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
         "zstd": "application/vnd.oci.image.layer.v1.tar+zstd"}

class Chunks:
    """A big tar stream: GEN() yields pieces; stored compressed, never whole in memory."""
    def __init__(self, gen): self.gen = gen
def zeros(n, step=1 << 20):
    z = b"\0" * step
    while n > 0:
        yield z[:min(n, step)]; n -= step

class Case:
    def __init__(self, name, kind, cls, title, source, note=""):
        self.name, self.kind, self.cls, self.title, self.source, self.note = name, kind, cls, title, source, note
        self.files, self.exp, self.acc, self.hints, self.seen = [], None, [], {}, {}
        Ent.count = 1000 * (zlib.crc32(name.encode()) % 4000)
    # layers
    def layer(self, items, comp=None, eoa=EOA, mangle=None, media=None, store=None):
        """items: Ents and raw bytes, or Chunks. mangle(tar)->bytes damages the tar before it is
        compressed (diff_id follows it); store(tar)->bytes makes the stored file itself."""
        comp = comp or ("none" if not self.files else "gzip")
        ext = {"none": ".tar", "gzip": ".tar.gz", "zstd": ".tar.zst"}[comp]
        fn = "%s.%d%s" % (self.name, len(self.files), ext)
        if isinstance(items, Chunks):
            hd, size, out = hashlib.sha256(), 0, io.BytesIO()
            if comp == "gzip":
                c = zlib.compressobj(9, zlib.DEFLATED, -15, 9); crc = 0
                out.write(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")
                for piece in items.gen():
                    hd.update(piece); size += len(piece); crc = zlib.crc32(piece, crc); out.write(c.compress(piece))
                out.write(c.flush() + struct.pack("<II", crc, size & 0xffffffff))
                blob = out.getvalue()
            elif comp == "zstd":
                if not ZSTD_BIN: raise NeedZstd()
                p = subprocess.Popen([ZSTD_BIN, "-q", "-c", "-3", "--single-thread"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                import threading
                got = []
                t = threading.Thread(target=lambda: got.append(p.stdout.read())); t.start()
                for piece in items.gen():
                    hd.update(piece); size += len(piece); p.stdin.write(piece)
                p.stdin.close(); t.join(); p.wait(); blob = got[0]
            else:
                raise ValueError
            diff = hd.hexdigest()
        else:
            for i in items:
                if isinstance(i, Ent):
                    t = self.seen.get(os.path.normpath("/" + U(B(i.link or "")).lstrip("/"))) if i.kind == "hard" and i.plain else None
                    if t: i.mode, i.uid, i.gid, i.mtime, i.xattrs, i.target = t.mode, t.uid, t.gid, t.mtime, t.xattrs, t
                    self.seen[os.path.normpath("/" + i.path)] = getattr(i, "target", i)
            tar = b"".join(i.tar() if isinstance(i, Ent) else i for i in items) + eoa
            if mangle: tar = mangle(tar)
            diff = hashlib.sha256(tar).hexdigest()
            blob = store(tar) if store else tar if comp == "none" else gz(tar) if comp == "gzip" else zstd(tar)
        self.files.append((fn, blob, media or MEDIA[comp], diff))
        return self
    def layers(self, *ls, **kw):
        for l in ls: self.layer(l, **kw)
        return self
    def again(self, i):
        """The same blob once more (one file, listed again)."""
        self.files.append(self.files[i]); return self
    # expectations
    def tree(self, *items): self.exp = {"tree": build_tree(items), "outside_untouched": True}; return self
    def error(self): self.exp = {"error": True, "outside_untouched": True}; return self
    def or_tree(self, *items): self.acc.append({"tree": build_tree(items), "outside_untouched": True}); return self
    def or_error(self): self.acc.append({"error": True, "outside_untouched": True}); return self
    def or_any(self): self.acc.append({"any": True, "outside_untouched": True}); return self
    def hint(self, **kw): self.hints.update(kw); return self

CASES = []
def P(name, kind, cls, title, source, note=""):
    def deco(fn):
        CASES.append((name, kind, cls, title, source, note, fn))
        return fn
    return deco

def write_set(outdir):
    os.makedirs(outdir, exist_ok=True)
    for old in os.listdir(outdir):
        os.unlink(os.path.join(outdir, old))
    done, skipped = [], []
    for i, (name, kind, cls, title, source, note, fn) in enumerate(CASES, 1):
        c = Case(name, kind, cls, title, source, note)
        try:
            fn(c)
        except NeedZstd:
            skipped.append(name); continue
        assert c.exp is not None and c.files, name
        side = {"name": name, "id": "P%03d" % i, "kind": kind, "class": cls,
                "title": title, "source": source}
        if note: side["note"] = note
        side["layers"] = [x[0] for x in c.files]
        side["media_types"] = [x[2] for x in c.files]
        side["digests"] = ["sha256:" + hashlib.sha256(x[1]).hexdigest() for x in c.files]
        side["sizes"] = [len(x[1]) for x in c.files]
        side["diff_ids"] = ["sha256:" + x[3] for x in c.files]
        side["expect"], side["accept"], side["hints"] = c.exp, c.acc, c.hints
        for fn_, blob, _, _ in c.files:
            with open(os.path.join(outdir, fn_), "wb") as fh: fh.write(blob)
        with open(os.path.join(outdir, name + ".json"), "w") as fh:
            json.dump(side, fh, indent=1); fh.write("\n")
        done.append(side)
    with open(os.path.join(outdir, "INDEX.tsv"), "w") as fh:
        fh.write("id\tname\tkind\tclass\texpect\tlayers\ttitle\n")
        for x in done:
            e = "error" if x["expect"].get("error") else "tree"
            e += "".join("|" + ("error" if a.get("error") else "any" if a.get("any") else "tree") for a in x["accept"])
            fh.write("\t".join([x["id"], x["name"], x["kind"], x["class"], e, str(len(x["layers"])), x["title"]]) + "\n")
    return done, skipped

def os_data(n):
    """Bytes that do not compress, the same every time."""
    out, i = b"", 0
    while len(out) < n:
        out += hashlib.sha256(b"occy%d" % i).digest(); i += 1
    return out[:n]

# ================================================================= cases
SEM, ATT = "semantics", "attack"
SPEC = "image-spec layer.md"

# ---- plain trees and attributes
@P("tree-basic", SEM, "tree", "all common entry types with ./ names, one layer", SPEC + " File Types")
def _(c):
    e = [d("etc", name="./etc/"), f("etc/conf", "k=v\n", name="./etc/conf", mode=0o640, uid=3, gid=4),
         d("bin", name="./bin/", mode=0o750, gid=8), f("bin/tool", b"\x7fELF" + bytes(range(256)) * 20, name="./bin/tool", mode=0o755),
         s("bin/t", "tool", name="./bin/t", uid=5, gid=6), s("abs", "/etc/conf", name="./abs"), f("empty", b"", name="./empty"),
         fifo("etc/pipe", mode=0o600, uid=7, gid=7), f("exact512", b"x" * 512), f("exact513", b"y" * 513)]
    c.layers(e).tree(*e)

@P("names-normalise", SEM, "names", "names with ./ . // in them mean the plain path", "go-archive diff.go path.Clean; umoci CleanPath")
def _(c):
    e = [d("a", name="./a//"), f("a/one", name="a//one"), f("a/two", name="./a/./two"), d("a/b", name="a/b"), f("a/b/three", name="././a/b/.//three")]
    c.layers(e).tree(*e)

@P("mode-special-bits", SEM, "mode", "setuid/setgid/sticky survive the chown, whatever the umask", "umoci test/unpack.bats [setuid]", "mode must be set after the owner")
def _(c):
    e = [f("su", mode=0o4755, uid=1000, gid=1000), f("sg", mode=0o2755, uid=1, gid=50), d("shared", mode=0o2775, gid=100), d("tmp", mode=0o1777),
         f("shared/x", mode=0o666, uid=9, gid=9), f("all", mode=0o777)]
    c.layers(e).tree(*e)

@P("dir-readonly-before-children", SEM, "mode", "a 0555 directory entry comes before its children", "occystrap directory.py defers directory modes")
def _(c):
    e = [d("ro", mode=0o555), f("ro/in", mode=0o444), d("ro/sub", mode=0o500), f("ro/sub/deep")]
    c.layers(e).tree(*e)

@P("dir-mtime-first", SEM, "mtime", "directory times are those of the entries though children come after", "containerd pkg/archive/tar.go (dirs at the end)")
def _(c):
    e = [d("a", mtime=1111111111), d("a/b", mtime=1222222222), f("a/b/x"), f("a/y"), s("a/l", "y"), h("a/b/h", "a/y")]
    c.layers(e).tree(e[0], e[1], e[2], e[3], e[4], hl("a/b/h", e[3]))

@P("dir-mtime-kept-upper-adds", SEM, "mtime", "an upper layer adds a child without an entry for the directory: its attributes stay", SPEC + " (attributes change only by an entry); umoci UnpackEntry restores the parent",
   "containerd and moby leave the time of unpacking on the directory")
def _(c):
    a = [d("keep", mtime=1333333333, mode=0o751, uid=11, gid=12), f("keep/old")]
    b = [f("keep/new")]
    c.layers(a, b).tree(*(a + b))

@P("dir-attrs-replaced", SEM, "mode", "a directory entry over a directory replaces attributes and keeps children", SPEC + " Changeset over existing files")
def _(c):
    a = [d("v", mode=0o700, uid=1, gid=1, xattrs={"user.old": b"1"}), f("v/f"), d("v/s"), f("v/s/g")]
    b = [d("v", mode=0o1770, uid=2, gid=3, mtime=1444444444)]
    c.layers(a, b).tree(b[0], *a[1:])

@P("implied-parents", SEM, "parents", "parents that no entry describes are made 0755 root:root", "umoci TestUnpackEntryParentDir; containerd mkparent", "their mtime is not specified")
def _(c):
    e = [f("x/y/z/file", uid=5, mode=0o600), fifo("p/q"), s("l/m/n", "o")]
    c.layers(e).tree(*(e + [imp("x"), imp("x/y"), imp("x/y/z"), imp("p"), imp("l"), imp("l/m")]))

@P("ids-and-times-large", SEM, "attrs", "uid/gid past 2097151 (PAX and base-256), nanosecond mtime", "POSIX pax; GNU tar base-256")
def _(c):
    e = [f("paxid", uid=3000000, gid=4000000), f("b256", uid=0, hdr={"uid": b256(70000, 8), "gid": b256(2500000, 8)}),
         f("ns", nsec=123456789), d("dns", nsec=987654321)]
    x = dict(uid=70000, gid=2500000)
    c.layers(e).tree(e[0], at("b256", e[1], **x), e[2], e[3])

@P("hdr-mode-type-bits", SEM, "attrs", "file type bits in the mode field are not part of the mode", "old tars store st_mode")
def _(c):
    e = [f("reg", mode=0o640, hdr={"mode": b"0100640\0"}), d("dir", mode=0o711, hdr={"mode": b"0040711\0"}), s("lnk", "reg", hdr={"mode": b"0120777\0"})]
    c.layers(e).tree(*e)

# ---- whiteouts
@P("whiteout-basic", SEM, "whiteout", "whiteouts hide a file, a tree and a file below; markers never show", SPEC + " Whiteouts")
def _(c):
    a = [f("file1"), d("a"), f("a/file2"), d("b"), d("b/sub"), f("b/sub/x"), d("c"), f("c/file3")]
    b = [wh("file1"), d("a"), wh("a/file2"), wh("b"), f("file4")]
    c.layers(a, b).tree(b[1], a[6], a[7], b[4])

@P("whiteout-missing", SEM, "whiteout", "a whiteout of a path that no lower layer has is no error", "umoci ociWhiteout; occystrap directory.py dies with KeyError")
def _(c):
    a = [f("a"), d("d"), f("d/b")]
    b = [wh("nothing"), d("d"), wh("d/neither"), f("new")]
    c.layers(a, b).tree(a[0], b[1], a[2], b[3])

@P("whiteout-then-readd", SEM, "whiteout-same-layer", "whiteout first, then the same path again in one layer: the new one stands", SPEC + ": whiteouts only apply to lower layers", "go-containerregistry mutate.Extract drops the new file")
def _(c):
    a = [f("x", "old\n"), f("y", "old\n")]
    b = [wh("x"), f("x", "new\n"), wh("y")]
    c.layers(a, b).tree(b[1])

@P("readd-then-whiteout", SEM, "whiteout-same-layer", "the new path first, then its whiteout: the new one still stands", SPEC + ": files in the same layer can only be hidden by subsequent layers", "containerd and moby remove it")
def _(c):
    a = [f("x", "old\n"), f("y", "old\n")]
    b = [f("x", "new\n"), wh("x"), wh("y")]
    c.layers(a, b).tree(b[0])

@P("whiteout-dir-readd-children", SEM, "whiteout-same-layer", "a directory is whited out and made again with other children", "umoci UpperDirWhiteout")
def _(c):
    a = [d("dir", mode=0o700, uid=9), f("dir/old"), d("dir/s"), f("dir/s/old2")]
    b = [wh("dir"), d("dir", mode=0o755), f("dir/new"), d("dir/s")]
    c.layers(a, b).tree(*b[1:])

@P("whiteout-with-content", SEM, "whiteout-shape", "a marker with data in it is a marker all the same and its data is skipped", SPEC + " ('empty file')", "moby and containerd ignore the data too")
def _(c):
    a = [f("gone"), f("stay")]
    b = [Ent("file", ".wh.gone", b"payload" * 300), f("after")]
    c.layers(a, b).tree(a[1], b[1])

@P("whiteout-symlink-not-target", SEM, "whiteout", "a whiteout of a link removes the link, not what it points at", "containerd TestBreakouts WhiteoutSymlink")
def _(c):
    a = [d("oetc"), f("oetc/passwd"), s("localetc", "/oetc"), s("pw", "oetc/passwd")]
    b = [wh("localetc"), wh("pw")]
    c.layers(a, b).tree(a[0], a[1])

@P("whiteout-through-symlink-parent", SEM, "whiteout-symlink", "a whiteout below a symlinked directory acts in the link's target inside the root", "containerd TestBreakouts WhiteoutSymlinkPath")
def _(c):
    a = [d("oetc"), f("oetc/passwd"), f("oetc/gone"), s("localetc", "/oetc")]
    b = [wh("localetc/gone")]
    c.layers(a, b).tree(at("oetc", a[0], drop=("mtime", "mtime_nsec")), a[1], a[3])

@P("whiteout-hardlink-name", SEM, "whiteout", "one of two names of an inode is whited out; the other keeps the data", SPEC + " Hardlinks")
def _(c):
    a = [f("one", "shared\n"), h("two", "one"), d("z"), h("z/three", "one")]
    b = [wh("one")]
    c.layers(a, b).tree(hl("two", a[0]), a[2], hl("z/three", a[0]))

# ---- opaque
@P("opaque-spec-example1", SEM, "opaque", "bin/.wh..wh..opq empties bin/ of lower children", SPEC + " Opaque Whiteout, first example")
def _(c):
    a = [d("etc"), f("etc/my-app-config"), d("bin"), f("bin/my-app-binary"), f("bin/my-app-tools"), d("bin/tools"), f("bin/tools/my-app-tool-one")]
    b = [d("bin"), opq("bin")]
    c.layers(a, b).tree(a[0], a[1], b[0])

@P("opaque-last", SEM, "opaque-order", "the marker comes after the new children: they stay", SPEC + " Opaque Whiteout, second example ('regardless of the ordering')")
def _(c):
    a = [d("a"), d("a/b"), d("a/b/c"), f("a/b/c/bar"), f("a/top")]
    b = [d("a"), d("a/b"), d("a/b/c"), f("a/b/c/foo"), opq("a")]
    c.layers(a, b).tree(*b[:4])

@P("opaque-same-name-kept", SEM, "opaque-order", "a child of the same name is new in the layer, the marker after it", "umoci TestUnpackOpaqueWhiteout OneLevel")
def _(c):
    a = [d("d"), f("d/k", "old\n"), f("d/l", "old\n"), s("d/m", "l")]
    b = [d("d"), f("d/k", "new\n"), s("d/m", "k"), opq("d")]
    c.layers(a, b).tree(*b[:3])

@P("opaque-sibling-prefix", SEM, "opaque", "foo/ opaque leaves foobar/, foo.txt and foo-1 alone", "occystrap directory.py uses startswith() and hides siblings too")
def _(c):
    a = [d("foo"), f("foo/x"), d("foobar"), f("foobar/y"), f("foo.txt"), d("foo-1"), f("foo-1/z")]
    b = [d("foo"), opq("foo")]
    c.layers(a, b).tree(b[0], *a[2:])

@P("opaque-over-file", SEM, "opaque", "the directory with the marker replaces a lower file", SPEC)
def _(c):
    a = [f("x"), f("keep")]
    b = [d("x"), opq("x"), f("x/in")]
    c.layers(a, b).tree(a[1], b[0], b[2])

@P("opaque-with-whiteouts", SEM, "opaque", "plain whiteouts beside the marker, before and after", "umoci UpperWhiteout")
def _(c):
    a = [d("d"), f("d/A", "old\n"), f("d/B", "old\n"), f("d/C", "old\n")]
    b = [d("d"), wh("d/B"), f("d/A", "new\n"), f("d/B", "new\n"), opq("d"), wh("d/A"), wh("d/C")]
    c.layers(a, b).tree(b[0], b[2], b[3])

@P("opaque-only-lower-three-layers", SEM, "opaque", "a marker hides layers below; the layer above it adds again", SPEC)
def _(c):
    a = [d("d"), f("d/1")]
    b = [d("d"), opq("d"), f("d/2")]
    e = [d("d"), f("d/1", "again\n")]
    c.layers(a, b, e).tree(e[0], b[2], e[1])

# ---- replacing one type by another
@P("replace-types", SEM, "replace", "file->dir, dir->file, file->symlink, symlink->dir, across layers", SPEC + " Changeset over existing files")
def _(c):
    a = [f("f2d"), d("d2f"), f("d2f/in"), d("d2f/s"), f("d2f/s/in"), f("f2l", "text\n"), d("tgt"), f("tgt/t"), s("l2d", "tgt")]
    b = [d("f2d"), f("f2d/now"), f("d2f", "file\n"), s("f2l", "tgt/t"), d("l2d"), f("l2d/now")]
    c.layers(a, b).tree(a[6], a[7], *b)

@P("replace-file-through-symlink", SEM, "replace", "a file over a symlink replaces the link; the old target is not written", "libarchive test_write_disk_symlink; zip-slip #41")
def _(c):
    a = [f("real", "keep\n"), s("name", "real")]
    b = [f("name", "new\n")]
    c.layers(a, b).tree(a[0], b[0])

@P("replace-fifo-by-file", SEM, "replace", "a lower FIFO is replaced by a file without opening the FIFO", "O_WRONLY open of a FIFO blocks for ever")
def _(c):
    a = [d("run"), fifo("run/p"), fifo("q")]
    b = [d("run"), f("run/p", "data\n"), f("q", b"")]
    c.layers(a, b).tree(*b).hint(timeout_s=20)

@P("replace-breaks-hardlink", SEM, "hardlink", "a new version of one name leaves the other names as they were", "CVE-less but common: O_TRUNC into a shared inode; umoci 'clobber'")
def _(c):
    a = [f("one", "shared\n"), h("two", "one"), h("three", "one")]
    b = [f("two", "new\n", mode=0o600)]
    c.layers(a, b).tree(hl("one", a[0]), hl("three", a[0]), b[0])

# ---- hard links
@P("hardlink-basic", SEM, "hardlink", "hard links to a file and to a symlink", "umoci TestUnpackHardlink")
def _(c):
    e = [f("reg", "data\n"), h("hard", "reg"), s("sym", "reg"), h("hardsym", "sym")]
    c.layers(e).tree(e[0], hl("hard", e[0]), e[2], hl("hardsym", e[2]))

@P("hardlink-to-lower", SEM, "hardlink-layers", "a link whose target is in a lower layer", SPEC + " Hardlinks ('may fail'); containerd, moby, umoci link")
def _(c):
    a = [d("d"), f("d/base", "lower\n")]
    b = [d("e"), h("e/link", "d/base")]
    c.layers(a, b).tree(a[0], hl("d/base", a[1]), b[0], hl("e/link", a[1]))

@P("hardlink-header-attrs", SEM, "hardlink", "attributes in the link's own header do not change the shared inode", "umoci applies none; GNU tar neither", "containerd, moby and containers/storage do apply them")
def _(c):
    e = [f("t", "data\n", mode=0o640, uid=10, gid=20), h("l", "t", mode=0o777, uid=77, gid=77, mtime=1555555555)]
    c.layers(e).tree(e[0], hl("l", e[0]))
    x = at("t", e[0], mode="0777", uid=77, gid=77, mtime=1555555555, hardlink="g0")
    y = at("l", e[0], mode="0777", uid=77, gid=77, mtime=1555555555, hardlink="g0")
    c.or_tree(x, y)

@P("hardlink-target-via-symlink-dir", SEM, "hardlink", "the directory of the target is a symlink, resolved inside the root", "containerd TestBreakouts HardlinkRelative")
def _(c):
    e = [d("oetc", mode=0o770), f("oetc/passwd", "inside\n"), d("breakouts"), s("breakouts/d1", UP + "oetc"), h("breakouts/mypasswd", "breakouts/d1/passwd")]
    e[4].mtime = e[1].mtime
    c.layers(e).tree(e[0], e[1], e[2], e[3], hl("breakouts/mypasswd", e[1]))

@P("hardlink-size-without-data", SEM, "tar-parse", "a hard link header with a size has no data after it", "Go archive/tar isHeaderOnly; libarchive guesses", "a parser that skips 'data' loses the next entry")
def _(c):
    t = f("t", "0123456789\n")
    e = [t, h("l", "t", hdr={"size": b"00000000013\0"}), f("next", "seen\n")]
    c.layers(e).tree(t, hl("l", t), e[2])

# ---- symlinked parents
@P("parent-symlink-usrmerge", SEM, "parent-symlink", "a file below a symlinked directory lands in the target", "usrmerge images; umoci, containerd, moby resolve in the root", "overlay snapshotters make a directory lib/ that hides the link instead")
def _(c):
    a = [d("usr"), d("usr/lib"), f("usr/lib/libc.so"), s("lib", "usr/lib")]
    b = [f("lib/libx.so", mode=0o755)]
    c.layers(a, b).tree(a[0], at("usr/lib", a[1], drop=("mtime", "mtime_nsec")), a[2], a[3], at("usr/lib/libx.so", b[0]))

@P("parent-symlink-dangling", SEM, "parent-symlink", "the symlinked parent points nowhere yet: the target is made inside the root", "containerd fs.RootPath + mkparent; umoci SecureJoin + MkdirAll")
def _(c):
    a = [s("data", "/occyvar/lib/data")]
    b = [f("data/file")]
    c.layers(a, b).tree(a[0], imp("occyvar"), imp("occyvar/lib"), imp("occyvar/lib/data"), at("occyvar/lib/data/file", b[0])).or_error()

@P("dir-over-symlink-to-dir", SEM, "replace", "a directory entry over a symlink to a directory replaces the link (usrmerge hazard)", SPEC + " Changeset over existing files (not both directories)", "umoci --keep-dirlinks is the opt-out")
def _(c):
    a = [d("usr"), d("usr/bin"), f("usr/bin/sh"), s("bin", "usr/bin")]
    b = [d("bin"), f("bin/extra")]
    c.layers(a, b).tree(a[0], a[1], a[2], b[0], b[1])

@P("parent-is-lower-file", SEM, "parent-nondir", "an entry lies below what a lower layer has as a file", "umoci #546 (0.6: replaces it); overlay does the same", "umoci 0.4.7, containerd, moby fail with ENOTDIR")
def _(c):
    a = [f("nondir"), f("other")]
    b = [f("nondir/foo/bar")]
    c.layers(a, b).tree(a[1], imp("nondir"), imp("nondir/foo"), b[0]).or_error()

# ---- duplicates
@P("duplicate-entries", SEM, "duplicate", "one path several times in a layer: the last stands", SPEC + " (MUST NOT include duplicates); all peers: last wins")
def _(c):
    e = [f("x", "first\n"), f("x", "second\n"), d("d", mode=0o700), f("d/c"), d("d", mode=0o755, uid=4), f("y", "1\n"), h("yl", "y"), f("y", "2\n")]
    c.layers(e).tree(e[1], e[4], e[3], e[7], hl("yl", e[5])).or_error()

# ---- layers as such
@P("layer-empty-between", SEM, "layers", "an empty tar (1024 zero bytes, gzip) between two layers changes nothing", "docker's a3ed95caeb02 empty layer")
def _(c):
    a, b = [f("a"), d("d")], [f("b")]
    c.layer(a).layer([]).layer(b).tree(*(a + b))

@P("layer-repeated", SEM, "layers", "the same layer is listed twice: it is applied twice", "occystrap 72ec4f5 'Handle duplicate layer paths'; moby diffID chains")
def _(c):
    a = [f("a", "one\n"), f("b", "one\n")]
    b = [f("a", "two\n"), wh("b"), f("c", "two\n")]
    c.layer(a, comp="gzip").layer(b, comp="gzip").again(0).tree(a[0], a[1], b[2])

@P("layers-127", SEM, "layers", "127 layers, each changes one file and adds one", "docker's limit of 127 layers")
def _(c):
    last, keep = None, []
    for i in range(127):
        last = f("counter", "%d\n" % i); n = f("f%03d" % i, "layer %d\n" % i, mtime=EPOCH + i)
        keep.append(n); c.layer([last, n], comp="gzip" if i % 2 else "none")
    c.tree(last, *keep)

# ---- names
@P("names-hostile-bytes", SEM, "names", "newline, tab, ESC, invalid UTF-8 in names: kept as bytes on disk", "terminal escape injection; lists must escape them", "listings and JSON must not pass them raw")
def _(c):
    e = [f("new\nline"), f("tab\tname"), f("esc\x1b[2J\x1b[31mred"), Ent("file", U(b"latin1-\xe9\xff"), b"bytes\n"), f("quote\"back\\slash"), f("{\"json\":1}"), f("\u202egnp.exe")]
    c.layers(e).tree(*e)

@P("names-long", SEM, "names", "100-byte name, ustar prefix, PAX path, 255-byte component", "POSIX ustar limits; containerd TestPrefixHeaderReadable")
def _(c):
    p1 = "n" * 100; dd = "p" * 120; p3 = "q" * 255; deep = "/".join(["r" * 60] * 6)
    e = [f(p1), d(dd), f(dd + "/" + "t" * 30), f(p3, "255\n")] + [d("/".join(["r" * 60] * i)) for i in range(1, 7)] + [f(deep + "/end"), s("longlink", "v" * 300)]
    c.layers(e).tree(*e)

@P("name-nul-in-ustar", SEM, "tar-parse", "a ustar name ends at its first NUL", "parser differential", "what lies behind the NUL is not part of the name")
def _(c):
    e = [f("good", hdr={"name": b"good\0/../../../tmp/evil"}), s("lnk", "good", hdr={"link": b"good\0/etc/shadow"})]
    c.layers(e).tree(*e)

# ---- xattrs
@P("xattrs-user-and-capability", SEM, "xattr", "user.* on files and directories, security.capability after chown", "umoci unpack [setcap]", "chown drops capabilities: set them last")
def _(c):
    cap = struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0)
    e = [f("cap", mode=0o755, uid=1000, gid=1000, xattrs={"security.capability": cap}), f("bin", xattrs={"user.raw": b"a\0b\n=c", "user.two": b"2"}), d("dir", xattrs={"user.d": b"dir"})]
    c.layers(e).tree(*e)

@P("xattrs-replaced", SEM, "xattr", "a new version of a path does not inherit xattrs of the old one", SPEC + " (attributes MUST be replaced)", "containerd and moby keep old xattrs on directories")
def _(c):
    a = [f("f", xattrs={"user.old": b"1"}), d("d", xattrs={"user.old": b"1", "user.same": b"1"})]
    b = [f("f", "new\n"), d("d", xattrs={"user.same": b"2"})]
    c.layers(a, b).tree(*b)

@P("xattr-trusted-overlay", ATT, "xattr-trust", "trusted.overlay.* in a layer must not reach the disk", "containerd refuses trusted.*; umoci changelog 0.4.7", "used as overlay lower it would hide or redirect files")
def _(c):
    e = [d("x", xattrs={"trusted.overlay.opaque": b"y", "user.ok": b"1"}), f("y", "data\n", xattrs={"trusted.overlay.metacopy": b"", "trusted.overlay.redirect": b"/etc/shadow"})]
    k = {"user.ok": base64.b64encode(b"1").decode()}
    c.layers(e).tree(at("x", e[0], xattrs=k), at("y", e[1], xattrs={})).or_error()

@P("xattr-too-big", ATT, "xattr", "an xattr of 65537 bytes", "XATTR_SIZE_MAX; containerd and moby fail", "refuse, or go on without it and say so")
def _(c):
    e = [f("a"), f("big", "data\n", xattrs={"user.big": b"B" * 65537})]
    c.layers(e).error().or_tree(e[0], at("big", e[1], xattrs={}))

# ---- tar format
@P("eoa-missing", SEM, "tar-parse", "the archive ends after the last entry without zero blocks", "Go archive/tar: clean EOF; GNU tar too")
def _(c):
    e = [f("a"), f("b", "x" * 512)]
    c.layer(e, eoa=b"").tree(*e)

@P("eoa-then-entries", ATT, "tar-parse", "entries behind the end-of-archive blocks are not part of the layer", "Go archive/tar stops; umoci drains for the diff_id", "they must be hashed for the diff_id and otherwise ignored")
def _(c):
    e = [f("a")]
    c.layer(e, eoa=EOA + f("hidden").tar() + s("occy-etc", CANARY).tar() + EOA).tree(*e)

@P("pax-global-comment", SEM, "tar-parse", "a PAX global header (git archive's comment) is no entry", "containers/storage TestTypeXGlobalHeaderDoesNotFail")
def _(c):
    e = [f("a"), d("b")]
    c.layers([paxhdr([("comment", "0123456789abcdef" * 2)], b"g", b"pax_global_header")] + e).tree(*e)

@P("pax-overrides", SEM, "tar-parse", "PAX path, linkpath and size win over the ustar fields", "POSIX pax")
def _(c):
    data = b"real data\n"
    x = f("real/name", data)
    e = [paxhdr([("path", "real/name"), ("size", len(data))]) + ustar(b"decoy", size=0, mtime=x.mtime) + pad(data),
         paxhdr([("linkpath", "real/name")]) + ustar(b"lnk", b"2", mode=0o777, mtime=x.mtime, link=b"decoy")]
    c.layers(e).tree(x, imp("real"), Ent("symlink", "lnk", link="real/name", mtime=x.mtime))

@P("v7-header", SEM, "tar-parse", "a header of the old V7 form (no ustar magic)", "Unix V7 tar")
def _(c):
    e = [f("old", "v7\n"), f("next")]
    blob = ustar(b"old", b"\0", size=3, mtime=e[0].mtime, magic=b"") + pad(b"v7\n")
    c.layers([blob, e[1]]).tree(*e)

@P("sparse-pax-1.0", SEM, "sparse", "a GNU sparse file (PAX 1.0): expanded, or refused - never wrong bytes or the name GNUSparseFile.0/x", SPEC + " ('SHOULD NOT be used'); CVE-2025-58183 for the map's size")
def _(c):
    body = b"3\n0\n5\n1000\n5\n4096\n0\n".ljust(512, b"\0") + b"HELLO" + b"WORLD"
    data = bytearray(4096); data[0:5] = b"HELLO"; data[1000:1005] = b"WORLD"
    x = f("sparse", bytes(data)); y = f("after")
    e = [paxhdr([("GNU.sparse.major", 1), ("GNU.sparse.minor", 0), ("GNU.sparse.name", "sparse"), ("GNU.sparse.realsize", 4096)])
         + ustar(b"GNUSparseFile.0/sparse", size=len(body), mtime=x.mtime) + pad(body), y]
    c.layers(e).tree(x, y).or_error()

@P("tar-bad-checksum", ATT, "tar-malformed", "a header whose checksum is wrong", "Go ErrHeader")
def _(c):
    c.layers([f("a"), ustar(b"b", badsum=True), f("c")]).error()

@P("tar-truncated-in-file", ATT, "tar-malformed", "the tar ends inside a file's data", "Go io.ErrUnexpectedEOF")
def _(c):
    c.layer([f("a"), f("b", "z" * 5000)], mangle=lambda t: t[:3000]).error()

@P("tar-size-huge", ATT, "tar-malformed", "a file of 2^60 bytes by PAX size, with no data behind it", "never allocate or ftruncate by a declared size", "must fail at the end of input, having written nothing big")
def _(c):
    c.layers([f("a"), paxhdr([("size", 1 << 60)]) + ustar(b"big")]).error().hint(timeout_s=20, max_rss_kib=65536)

@P("tar-pax-record-lies", ATT, "tar-malformed", "a PAX record longer than its block says", "Go parsePAXRecord")
def _(c):
    c.layers([f("a"), paxhdr(b"999 path=evil\n") + ustar(b"b")]).error()

@P("tar-pax-2mib", ATT, "tar-malformed", "a PAX header of 2 MiB", "CVE-2022-2879: Go limits it to 1 MiB", "bounded memory; accepting it (name too long later) is a failure too")
def _(c):
    c.layers([f("a"), paxhdr([("comment", "c" * (2 << 20))]) + f("b").tar()]).error().or_any().hint(max_rss_kib=65536)

@P("tar-unknown-type", ATT, "tar-malformed", "typeflag 'V' (volume label) in a layer", "Go peers: unhandled tar header type", "refused by name of the type; skipping it is also taken")
def _(c):
    e = [f("a"), ustar(b"LABEL", b"V"), f("b")]
    c.layers(e).error().or_tree(e[0], e[2])

# ---- compression
@P("gzip-members", SEM, "compress", "a gzip stream of several members is one stream", "RFC 1952 2.2; pigz, estargz write such layers")
def _(c):
    e = [f("a", "m" * 3000), f("b"), d("c")]
    c.layer(e, comp="gzip", store=lambda t: gz(t[:700]) + gz(b"") + gz(t[700:2048]) + gz(t[2048:])).tree(*e)

@P("gzip-truncated", ATT, "compress", "the gzip stream stops in the middle", "upstream killed; diff_id can not match")
def _(c):
    c.layer([f("a", os_data(9000)), f("b")], comp="gzip", store=lambda t: gz(t)[:-300]).error()

@P("gzip-crc-wrong", ATT, "compress", "the gzip trailer's CRC is wrong though the tar is whole", "RFC 1952")
def _(c):
    c.layer([f("a"), f("b")], comp="gzip", store=lambda t: gz(t)[:-8] + b"\0\1\2\3" + gz(t)[-4:]).error()

@P("gzip-bomb-file", ATT, "bomb", "a file of 1 GiB of zeros in 1 MiB of gzip", "CVE-2017-14992 class", "with the limit of hints.max_unpacked: refuse; without: 1 GiB file in small memory")
def _(c):
    n = 1 << 30
    def gen():
        yield f("small").tar(); yield ustar(b"zeros", size=n); yield from zeros(n); yield EOA
    c.layer(Chunks(gen), comp="gzip").error().or_any().hint(max_unpacked=64 << 20, max_rss_kib=65536, timeout_s=120)

@P("zstd-plain", SEM, "compress", "a zstd layer", "image-spec 1.1 media type +zstd")
def _(c):
    a, b = [f("a", "z" * 4000)], [f("b"), wh("nope")]
    c.layer(a, comp="zstd").layer(b, comp="zstd").tree(a[0], b[0])

@P("zstd-window-2gib", ATT, "compress", "a zstd frame that asks for a window of 2 GiB", "zstd --long=31; decoders cap at 2^27 by default", "refuse: memory for the window must be bounded (128 MiB)")
def _(c):
    # frame header by hand: magic, descriptor 0x00, window byte 0xa8 (2^31), one raw last block with the tar
    def store(t):
        out, i = b"\x28\xb5\x2f\xfd\x00" + bytes([(31 - 10) << 3]), 0
        while i < len(t):
            part = t[i:i + 65536]; i += len(part)
            out += (len(part) << 3 | (1 if i >= len(t) else 0)).to_bytes(3, "little") + part
        return out
    c.layer([f("a")], comp="zstd", store=store).error().hint(max_rss_kib=262144)

# ---- attacks on paths
@P("dotdot-name", ATT, "path", "a file named ../victim/x and one climbing to the canary", "go-archive TestApplyLayerInvalidFilenames", "peers refuse (moby) or clamp into the root (containerd, umoci)")
def _(c):
    c.layers([f("ok"), f("a", name="../victim/dotdot"), f("b", name=UP + CANARY[1:] + "/pwned")]).error().or_any()

@P("dotdot-inside", ATT, "path", "a/../../x and a/.. as names", "containerd WhiteoutRelativePath", "names with a .. component are refused even where they stay inside")
def _(c):
    c.layers([d("a"), f("x", name="a/../../x")]).error().or_any()

@P("absolute-name", SEM, "path", "an absolute name is relative to the root", "all peers strip the leading slash", "must land in ROOT" + "/tmp/occy-canary/pwned")
def _(c):
    p = CANARY[1:]
    e = [f(p + "/pwned", name="/" + p + "/pwned"), d("abs", name="/abs/"), s("abs/l", "/etc", name="/abs/l"), f("abs/f", name="/abs/f"), h("hl", "/abs/f", name="/hl")]
    c.layers(e).tree(e[0], *way(p), e[1], e[2], e[3], hl("hl", e[3]))

@P("symlink-abs-then-write", ATT, "symlink", "a symlink to an absolute host directory, then a file through it (one layer)", "go-archive TestApplyLayerInvalidSymlink; crazy-max/undock #460", "resolved inside the root: never in the host directory")
def _(c):
    e = [s("l", CANARY), f("l/pwned")]
    c.layers(e).tree(e[0], *way(CANARY[1:]), at(CANARY[1:] + "/pwned", e[1])).or_error()

@P("symlink-to-file-overwrite", ATT, "symlink", "a symlink to a host file, then a file of the same name", "zip-slip #41", "the link is replaced; the host file is not written")
def _(c):
    a = [s("hello", CANARY + "/hello")]
    b = [f("hello", "overwritten\n")]
    c.layers(a, b).tree(b[0])

@P("symlink-owner-mode-time", ATT, "symlink", "a symlink entry with owner, mode and time: none of it may reach the host file it names", "CVE-2021-32760 class; lchown/utimensat without NOFOLLOW")
def _(c):
    e = [s("l", CANARY + "/hello", uid=4242, gid=4242, mode=0o777, mtime=1234567890), s("m", CANARY + "/dir", uid=1, gid=1, mtime=1234567890)]
    c.layers(e).tree(*e)

@P("hardlink-to-symlink-chmod", ATT, "hardlink", "a hard link to a symlink to a host file, with mode bits", "CVE-2021-32760; containerd TestBreakouts HardlinkSymlinkChmod")
def _(c):
    e = [s("ep", CANARY + "/perm400", mode=0o777), h("sketchy", "ep", mode=0o4777, uid=0, gid=0)]
    c.layers(e).tree(e[0], hl("sketchy", e[0])).or_error()
    c.or_tree(*[at(n, e[0], mtime=e[1].mtime, hardlink="g0") for n in ("ep", "sketchy")])

@P("symlink-swap-cached-parent", ATT, "symlink-swap", "a directory used as parent is replaced by a symlink, then written below again", "CVE-2025-47290; containerd SymlinkOverridePath", "a cached directory descriptor or 'already resolved' parent must not outlive the entry")
def _(c):
    p = CANARY[1:]
    e = [d("foo"), d("foo/sub"), f("foo/sub/one", "1\n"), s("foo", "/" + p), f("foo/sub/two", "2\n"), d("foo"), d("foo/sub"), f("foo/sub/three", "3\n")]
    c.layers(e).tree(e[5], e[6], e[7], *way(p), imp(p + "/sub"), at(p + "/sub/two", e[4])).or_error()

@P("deferred-dir-attrs-swap", ATT, "symlink-swap", "a directory entry with mode and time, later replaced by a symlink to a host directory", "attributes of directories are set at the end by path in moby <= 20.10", "the deferred chmod/utimes must not follow the link")
def _(c):
    e = [d("d", mode=0o777, uid=4242, gid=4242, mtime=1234567890), f("x"), s("d", CANARY)]
    c.layers(e).tree(e[1], e[2]).or_error()

@P("root-symlink", ATT, "root", "an entry that makes the root itself a symlink, then a layer through it", "CVE-2021-29136 (umoci <= 0.4.6)", "any entry for the root that is not a directory is refused; containerd and moby skip it")
def _(c):
    e = [f("a")]
    c.layers(e + [s(".", CANARY, name=".")], [f("pwned")]).error().or_any()

@P("hardlink-outside", ATT, "hardlink", "a hard link whose target climbs out to the canary", "go-archive TestApplyLayerInvalidHardlink", "not linked: the canary's link count stays 1")
def _(c):
    c.layers([f("a"), h("stolen", UP + CANARY[1:] + "/hello")]).error()

@P("hardlink-outside-then-write", ATT, "hardlink", "hard link to the host file, then a file of that name", "go-archive 'loophole-victim'")
def _(c):
    c.layers([h("stolen", "/" + CANARY[1:] + "/../.." + CANARY + "/hello"), f("stolen", "overwritten\n")]).error()

@P("hardlink-self", ATT, "hardlink", "a hard link to itself", "containerd: removed first, then ENOENT")
def _(c):
    c.layers([f("x", "keep\n")], [h("x", "x")]).error().or_any()

@P("hardlink-forward", ATT, "hardlink", "a hard link before its target in the same layer", "umoci has it noted: 'delay link creation'; all peers fail", "refuse; linking it at the end is also taken")
def _(c):
    e = [h("l", "t"), f("t", "data\n")]
    c.layers(e).error().or_tree(e[1], hl("l", e[1]))

@P("whiteout-dotdot", ATT, "whiteout-name", "the marker .wh... in a subdirectory (removes the parent)", "containerd TestBreakouts WhiteoutParent (errInvalidArchive)")
def _(c):
    c.layers([d("etc"), f("etc/passwd")], [f("etc/.wh...", b"")]).error()

@P("whiteout-dot-root", ATT, "whiteout-name", "the marker .wh.. in the root (removes the root)", "containerd TestBreakouts WhiteoutRoot")
def _(c):
    c.layers([d("etc"), f("etc/passwd")], [f(".wh..", b"")]).error()

@P("whiteout-through-symlink-outside", ATT, "whiteout-symlink", "a whiteout below a symlink to a host directory", "boxlite GHSA-vgfc-2cjj-9qwc class", "must not delete the host's file")
def _(c):
    a = [s("l", CANARY)]
    c.layers(a, [wh("l/hello"), wh("l/dir")]).tree(*a).or_error().or_tree(a[0], *way(CANARY[1:]))

@P("whiteout-tree-with-symlinks", ATT, "whiteout-symlink", "a whited-out tree holds symlinks to host directories", "rm -r that follows links")
def _(c):
    a = [d("d"), s("d/l", CANARY), d("d/e"), s("d/e/m", CANARY + "/dir"), s("d/n", UP + CANARY[1:]), f("keep")]
    c.layers(a, [wh("d")]).tree(a[5])

@P("wh-prefix-directory", ATT, "whiteout-name", "a directory component that begins with .wh.", SPEC + " (no such name can exist); containerd WhiteoutDirectoryName makes it", "refuse; hiding it is fine too, showing it is not recommended")
def _(c):
    a = [d("etc"), f("etc/passwd")]
    c.layers(a, [f(".wh.etc/somefile")]).error().or_any()

@P("aufs-metadata", SEM, "aufs", ".wh..wh.aufs, .wh..wh.orph/, .wh..wh.plnk/ in the root of an old Docker layer are skipped", "moby diff.go 'Skip AUFS metadata dirs'")
def _(c):
    e = [f(".wh..wh.aufs", b"", mode=0o444), d(".wh..wh.orph", mode=0o700), d(".wh..wh.plnk", mode=0o700), f("real")]
    c.layers(e).tree(e[3])

# ---- devices, ids
@P("device-char", SEM, "device", "character device 1:3 and a FIFO", "umoci unpack [mknod]", "made when root, else skipped with a word on stderr")
def _(c):
    e = [d("dev"), chr_("dev/null", 1, 3, mode=0o666), chr_("dev/tty", 5, 0, mode=0o620, gid=5), fifo("dev/p")]
    c.layers(e).tree(*e).or_tree(e[0], e[3])

@P("device-overlay-whiteout", ATT, "device", "character device 0:0 (an overlayfs whiteout) in a layer", "overlayfs.rst whiteouts", "refuse or drop: it would hide files when the tree is an overlay lower")
def _(c):
    a = [d("d"), f("d/x")]
    b = [chr_("d/y", 0, 0)]
    c.layers(a, b).error().or_tree(*a).or_any()

@P("uid-minus-one", ATT, "ids", "uid 4294967295: chown(2) takes it as 'leave it'", "lchown(-1)", "refuse: the file would stay root's, here with setuid")
def _(c):
    c.layers([f("su", mode=0o4755, uid=4294967295, gid=0)]).error()

# ---- loops, depth, cost
@P("symlink-loop-parent", ATT, "symlink", "a file below a loop of symlinks", "umoci/containerd: ELOOP")
def _(c):
    c.layers([s("a", "b"), s("b", "a"), f("a/x")]).error().hint(timeout_s=20)

@P("deep-tree-whiteout", SEM, "depth", "a tree 1500 directories deep is whited out", "recursive removal runs out of descriptors or stack", "RLIMIT_NOFILE 1024 must be enough")
def _(c):
    a = [f("top"), f("/".join(["d"] * 1500) + "/leaf")]
    c.layers(a, [wh("d")]).tree(a[0]).hint(timeout_s=240)

@P("deep-path-over-PATH_MAX", SEM, "depth", "directories nested to a path of 6000 bytes", "Go peers: ENAMETOOLONG", "made whole by *at() calls, or refused; never cut short")
def _(c):
    e = []
    for i in range(1, 31): e.append(d("/".join(["n%02d" % j + "x" * 197 for j in range(i)])))
    e.append(f(e[-1].path + "/leaf"))
    c.layers(e).tree(*e).or_error()

@P("name-component-256", ATT, "names", "a component of 256 bytes", "NAME_MAX: ENAMETOOLONG")
def _(c):
    c.layers([f("a"), f("b" * 256)]).error()

@P("opaque-superlinear", ATT, "cost", "4000 files and 4000 opaque markers in one directory", "containerd GHSA-rp3h-jf77-q9p4", "time must not grow with files x markers")
def _(c):
    a = [d("d")] + [f("d/o%04d" % i, b"") for i in range(4000)]
    b = [d("d")] + [x for i in range(4000) for x in (f("d/n%04d" % i, b""), opq("d"))]
    c.layers(a, b).tree(b[0], *[x for x in b[1:] if x.path != "d/.wh..wh..opq"]).or_error().hint(timeout_s=15)

@P("passwd-symlink-host", ATT, "bundle", "etc/passwd is a symlink to a host file and etc/group a FIFO", "CVE-2024-9676, CVE-2019-14271", "for occy-ocibundle: looking up a user must not follow it out, nor open the FIFO and hang")
def _(c):
    e = [d("etc"), s("etc/passwd", CANARY + "/hello"), fifo("etc/group"), f("sh", mode=0o755)]
    c.layers(e).tree(*e).hint(timeout_s=20)

# ---- more public shapes
@P("names-slashes", SEM, "names", "absolute and doubled slashes, a trailing slash on a link", "go-archive path.Clean")
def _(c):
    e = [d("p", name="//p//"), f("p/q", name="/p///q"), s("p/l", "q", name="p/./l"), h("p/h", "//p/./q", name="/./p/h"), d("p/r/s", name="p//r//s//"), d("p/r", name="./p/r")]
    c.layers(e).tree(e[0], e[1], e[2], hl("p/h", e[1]), e[4], e[5])

@P("dir-attrs-third-layer", SEM, "mode", "three layers change a directory's owner, mode and xattrs in turn; children stay", SPEC)
def _(c):
    a = [d("srv", mode=0o755, uid=0), f("srv/a"), d("srv/d", mode=0o700)]
    b = [d("srv", mode=0o2770, uid=33, gid=33, xattrs={"user.v": b"b"}), f("srv/b")]
    e = [d("srv", mode=0o1750, uid=44, gid=33, mtime=1180000000), d("srv/d", mode=0o500)]
    c.layers(a, b, e).tree(e[0], a[1], e[1], b[1])

@P("whiteout-kinds", SEM, "whiteout", "whiteouts of a FIFO, a dangling link, a hidden file, a file named ..., an empty directory", SPEC + " Whiteouts")
def _(c):
    a = [d("w"), fifo("w/pipe"), s("w/dang", "nowhere"), f("w/.hidden"), f("w/..."), d("w/mt"), f("w/..data"), f("w/keep"), f(".top")]
    b = [d("w"), wh("w/pipe"), wh("w/dang"), wh("w/.hidden"), wh("w/..."), wh("w/mt"), wh("w/..data"), wh(".top")]
    c.layers(a, b).tree(b[0], a[7])

@P("opaque-nested-markers", SEM, "opaque", "markers at two levels, the inner before the outer", SPEC)
def _(c):
    a = [d("n"), f("n/1"), d("n/i"), f("n/i/2"), d("n/i/j"), f("n/i/j/3"), d("n/k"), f("n/k/4")]
    b = [d("n"), d("n/i"), opq("n/i"), f("n/i/new"), opq("n"), d("n/k")]
    c.layers(a, b).tree(b[0], b[1], b[3], b[5])

@P("opaque-then-upper-whiteout", SEM, "opaque", "opaque in layer 2, its new child whited out in layer 3, made again in layer 4", SPEC)
def _(c):
    a = [d("d"), f("d/a")]; b = [d("d"), f("d/b"), opq("d")]; e = [d("d"), wh("d/b"), wh("d/a")]; g = [d("d"), f("d/a", "back\n")]
    c.layers(a, b, e, g).tree(g[0], g[1])

@P("link-dir-fifo-size-without-data", SEM, "tar-parse", "a symlink, a directory and a FIFO with a size field: no data follows", "Go isHeaderOnly")
def _(c):
    sz = {"size": b"00000002000\0"}
    e = [d("d", hdr=sz), f("d/in"), s("l", "d", hdr=sz), f("m"), fifo("p", hdr=sz), f("n")]
    c.layers(e).tree(*e)

@P("eoa-single-block", SEM, "tar-parse", "one zero block and then the end of the file", "Go: io.EOF; GNU tar warns 'A lone zero block'")
def _(c):
    e = [f("a"), d("b")]
    c.layer(e, eoa=b"\0" * 512).tree(*e)

@P("type-nul-directory", SEM, "tar-parse", "typeflag NUL with a trailing slash is a directory; without, a file", "Go TypeRegA; POSIX")
def _(c):
    e = [d("dir", typ=b"\0"), f("dir/f", "x\n", typ=b"\0"), f("g", typ=b"\0")]
    c.layers(e).tree(*e)

@P("tar-octal-garbage", ATT, "tar-malformed", "letters in the size field", "Go ErrHeader")
def _(c):
    c.layers([f("a"), ustar(b"b", raw={"size": b"0000zz00012\0"}) + pad(b"x" * 10)]).error()

@P("tar-truncated-header", ATT, "tar-malformed", "the tar ends inside a header block", "Go io.ErrUnexpectedEOF")
def _(c):
    c.layer([f("a"), f("b")], mangle=lambda t: t[:1024 + 200]).error()

@P("gzip-double", ATT, "compress", "gzip within gzip", "polyglots; nested bombs", "one level is undone; the inner stream is no tar")
def _(c):
    c.layer([f("a")], comp="gzip", store=lambda t: gz(gz(t))).error()

@P("zstd-truncated", ATT, "compress", "a zstd frame cut short", "RFC 8878")
def _(c):
    c.layer([f("a", os_data(9000))], comp="zstd", store=lambda t: zstd(t)[:-200]).error()

@P("whiteout-empty-name", ATT, "whiteout-name", "the marker .wh. with nothing behind it", SPEC + " ('SHOULD return an error'); umoci 0.4.7 took it for opaque")
def _(c):
    c.layers([d("etc"), f("etc/passwd")], [f("etc/.wh.", b"")]).error()

@P("symlink-target-5000", ATT, "names", "a symlink whose target is 5000 bytes", "PATH_MAX")
def _(c):
    c.layers([f("a"), s("l", "t/" * 2500)]).error()

@P("tar-gnulong-1mib", ATT, "tar-malformed", "a GNU long name of 1 MiB", "Go limits special files to 1 MiB; ENAMETOOLONG")
def _(c):
    c.layers([f("a"), gnulong(b"L", b"n" * (1 << 20)) + ustar(b"b")]).error().hint(max_rss_kib=65536)

@P("symlink-loop-hardlink", ATT, "symlink", "a hard link's target and a whiteout below a loop of links", "ELOOP")
def _(c):
    c.layers([s("a", "./b/c"), s("b", "a"), f("t")], [h("h", "a/x")]).error().hint(timeout_s=20)

# ---- shapes beside those: other orders, other ways to the same place
@P("opaque-root", SEM, "opaque", "the marker in the root empties it of lower things; new ones stay, the marker last", SPEC)
def _(c):
    a = [d("a"), f("a/x"), f("b"), s("l", "a")]
    b = [f("a/y"), f("n"), opq()]
    c.layers(a, b).tree(at("a", a[0], drop=("mtime", "mtime_nsec")), *b[:2])

@P("opaque-first-over-replaced-symlink", SEM, "opaque-order", "a marker comes before the directory that replaces a lower link: the link's target keeps its content", SPEC)
def _(c):
    a = [d("t"), f("t/keep"), s("x", "t")]
    b = [opq("x"), d("x"), f("x/in")]
    c.layers(a, b).tree(a[0], a[1], b[1], b[2])

@P("whiteout-first-below-replaced-symlink", SEM, "whiteout-symlink", "a plain marker before the directory that replaces a lower link", SPEC)
def _(c):
    a = [d("t"), f("t/keep"), s("x", "t")]
    b = [wh("x/keep"), d("x"), f("x/in")]
    c.layers(a, b).tree(a[0], a[1], b[1], b[2])

@P("opaque-below-symlink-that-stays", SEM, "whiteout-symlink", "a marker below a lower link acts in its target, and spares what the layer brought there under its own name", SPEC)
def _(c):
    a = [d("t"), f("t/old"), s("x", "/t")]
    b = [f("t/new"), opq("x")]
    c.layers(a, b).tree(at("t", a[0], drop=("mtime", "mtime_nsec")), b[0], a[2])

@P("whiteout-spares-new-through-symlink", SEM, "whiteout-symlink", "the new file came through a link, the marker names it by its real path", SPEC)
def _(c):
    a = [d("usr"), d("usr/lib"), f("usr/lib/f", "old\n"), s("lib", "usr/lib")]
    b = [f("lib/f", "new\n"), wh("usr/lib/f")]
    c.layers(a, b).tree(a[0], at("usr/lib", a[1], drop=("mtime", "mtime_nsec")), at("usr/lib/f", b[0]), a[3])

@P("opaque-last-implied-parents", SEM, "opaque-order", "the marker after new things whose directories no entry describes: those stay with what they had", SPEC)
def _(c):
    a = [d("a", mode=0o750), d("a/b", mode=0o711, uid=3), f("a/b/old"), d("a/c"), f("a/c/old"), f("a/old")]
    b = [f("a/b/new"), opq("a")]
    c.layers(a, b).tree(a[0], a[1], b[0])

@P("whiteout-last-of-implied-directory", SEM, "whiteout-same-layer", "something new below a directory, then the whiteout of that directory: only the new is left, in a new directory", SPEC)
def _(c):
    a = [d("a", mode=0o700, uid=9, xattrs={"user.old": b"1"}), f("a/old"), d("a/s"), f("a/s/old")]
    b = [f("a/new"), wh("a")]
    c.layers(a, b).tree(imp("a", xattrs={}), b[0])

@P("whiteout-of-directory-with-entry-last", SEM, "whiteout-same-layer", "the directory's new entry first, its whiteout last", SPEC)
def _(c):
    a = [d("a", mode=0o700, uid=9), f("a/old"), d("a/s"), f("a/s/old")]
    b = [d("a", mode=0o755), d("a/s", mode=0o711), f("a/s/new"), wh("a")]
    c.layers(a, b).tree(*b[:3])

@P("whiteout-below-lower-file", SEM, "whiteout", "markers below what is a file: nothing happens", SPEC)
def _(c):
    a = [f("x"), f("y")]
    b = [wh("x/in"), opq("x"), wh("nothing/at/all")]
    c.layers(a, b).tree(*a)

@P("replace-directory-by-others", SEM, "replace", "full directories become a link, a FIFO and a file; a FIFO becomes a directory", SPEC)
def _(c):
    a = [d("l"), f("l/x"), d("l/y"), f("l/y/z"), d("p"), f("p/x"), d("f"), f("f/x"), fifo("q")]
    b = [s("l", "nowhere"), fifo("p"), f("f"), d("q"), f("q/x")]
    c.layers(a, b).tree(*b)

@P("parent-is-lower-file-twice", SEM, "parent-nondir", "two entries below what was a file, with links on the way", "as parent-is-lower-file")
def _(c):
    a = [d("usr"), f("usr/n"), s("u", "usr")]
    b = [f("u/n/one"), f("usr/n/two")]
    c.layers(a, b).tree(at("usr", a[0], drop=("mtime", "mtime_nsec")), imp("usr/n"), at("usr/n/one", b[0]), b[1], a[2]).or_error()

@P("parent-is-same-layer-file", ATT, "parent-nondir", "an entry below a file of the same layer", "no builder writes it")
def _(c):
    c.layers([f("x"), f("x/y")]).error()

@P("parent-is-link-to-file", ATT, "parent-nondir", "an entry below a link to a lower file: the file is not removed for it", "ENOTDIR in all peers")
def _(c):
    c.layers([d("e"), f("e/passwd"), s("l", "e/passwd")], [f("l/x")]).error()

@P("parent-link-to-root", SEM, "parent-symlink", "links to / and above it are links to the root", "RESOLVE_IN_ROOT")
def _(c):
    e = [s("abs", "/"), s("up", "../../.."), d("d"), s("d/dot", "././."), s("d/back", "../d/./")]
    x = [f("abs/one"), f("up/two"), f("d/dot/three"), f("d/back/four")]
    c.layers(e, x).tree(e[0], e[1], at("d", e[2], drop=("mtime", "mtime_nsec")), e[3], e[4], at("one", x[0]), at("two", x[1]), at("d/three", x[2]), at("d/four", x[3]))

@P("parent-chain-of-30-links", SEM, "parent-symlink", "a chain of 30 links as parent", "the kernel follows 40")
def _(c):
    e = [d("real")] + [s("l%02d" % i, "l%02d" % (i + 1)) for i in range(29)] + [s("l29", "real")]
    x = f("l00/x")
    c.layers(e + [x]).tree(*(e + [at("real/x", x)]))

@P("parent-chain-of-60-links", ATT, "symlink", "a chain of 60 links as parent", "ELOOP")
def _(c):
    c.layers([d("real")] + [s("l%02d" % i, "l%02d" % (i + 1)) for i in range(59)] + [s("l59", "real"), f("l00/x")]).error()

@P("whiteout-below-loop", ATT, "symlink", "a whiteout below a loop of links", "ELOOP")
def _(c):
    c.layers([s("a", "b"), s("b", "a")], [wh("a/x")]).error()

@P("hardlink-to-directory", ATT, "hardlink", "a hard link to a directory", "EPERM in all peers")
def _(c):
    c.layers([d("d"), h("l", "d")]).error()

@P("hardlink-to-root", ATT, "hardlink", "a hard link to the root", "EPERM in all peers")
def _(c):
    c.layers([f("a"), h("l", "/")]).error()

@P("hardlink-to-removed", ATT, "hardlink", "a hard link to what a whiteout has removed before", "ENOENT in all peers")
def _(c):
    c.layers([f("a"), f("b")], [wh("a"), h("l", "a")]).error()

@P("hardlink-over-lower", SEM, "hardlink", "a hard link replaces a lower file and a lower directory", SPEC)
def _(c):
    a = [f("t"), f("x"), d("y"), f("y/z")]
    b = [h("x", "t"), h("y", "t")]
    c.layers(a, b).tree(hl("t", a[0]), hl("x", a[0]), hl("y", a[0]))

@P("hardlink-twice", SEM, "hardlink", "the same link twice", "the last of equals")
def _(c):
    a = [f("t"), h("l", "t"), h("l", "t")]
    c.layers(a).tree(hl("t", a[0]), hl("l", a[0])).or_error()

@P("hardlink-target-dotdot", ATT, "hardlink", "a .. in a target that stays inside", "as dotdot-inside")
def _(c):
    c.layers([d("d"), f("t"), h("l", "d/../t")]).error().or_any()

@P("root-entries", SEM, "root", "entries for the root in two layers: the last one's attributes, whatever its name", SPEC)
def _(c):
    a = [d(".", name="./", mode=0o700, uid=7, xattrs={"user.a": b"1"}), f("x")]
    b = [d(".", name="/", mode=0o751, gid=8, mtime=1234567890, nsec=5), f("y")]
    c.layers(a, b).tree(b[0], a[1], b[1])

@P("root-file-empty-name", ATT, "root", "a file without a name", "as root-symlink")
def _(c):
    c.layers([f("a"), f("r", name="")]).error()

@P("root-hardlink", ATT, "root", "a hard link in the place of the root", "as root-symlink")
def _(c):
    c.layers([f("a"), h("r", "a", name="./.")]).error()

@P("device-number-too-large", ATT, "device", "a major number of 4096 would become another device", "containerd 0205398ac")
def _(c):
    c.layers([chr_("x", 1, 1, hdr={"maj": b256(4096, 8)})]).error()

@P("device-block-zero", ATT, "device", "a block device 0:0", "as device-overlay-whiteout")
def _(c):
    c.layers([blk("x", 0, 0)]).error()

@P("gid-minus-one-pax", ATT, "ids", "gid 4294967295 in a PAX header", "as uid-minus-one")
def _(c):
    c.layers([paxhdr([("gid", 4294967295)]) + ustar(b"a")]).error()

@P("uid-beyond-32-bits", ATT, "ids", "uid 2^32 would become root", "truncation")
def _(c):
    c.layers([paxhdr([("uid", 1 << 32)]) + ustar(b"a", uid=5)]).error()

@P("mtime-odd", SEM, "mtime", "before 1970, with fractions on either side, far ahead, and finer than a nanosecond", "POSIX pax")
def _(c):
    e = [f("old", mtime=-5), f("far", mtime=9999999999)]
    x = [(b"half", "-1.5", -2, 500000000), (b"near", "-0.25", -1, 750000000), (b"fine", "7.1234567899", 7, 123456789), (b"dot", "8.", 8, 0)]
    c.layers(e + [paxhdr([("mtime", t)]) + ustar(n) for n, t, _, _ in x]).tree(*(e + [f(U(n), b"", mtime=sec, nsec=ns) for n, _, sec, ns in x]))

@P("sparse-pax-0.0-and-0.1", SEM, "sparse", "GNU sparse files in the older PAX forms, with a hole at the end", "GNU tar")
def _(c):
    data = bytearray(9000); data[100:105] = b"HELLO"; data[5000:5003] = b"END"
    x = f("one", bytes(data)); y = f("two", bytes(data)); z = f("after")
    one = [("GNU.sparse.size", 9000), ("GNU.sparse.numblocks", 2), ("GNU.sparse.offset", 100), ("GNU.sparse.numbytes", 5), ("GNU.sparse.offset", 5000), ("GNU.sparse.numbytes", 3)]
    two = [("GNU.sparse.name", "two"), ("GNU.sparse.size", 9000), ("GNU.sparse.numblocks", 2), ("GNU.sparse.map", "100,5,5000,3")]
    e = [paxhdr(one) + ustar(b"one", size=8, mtime=x.mtime) + pad(b"HELLOEND"), paxhdr(two) + ustar(b"GNUSparseFile.0/two", size=8, mtime=y.mtime) + pad(b"HELLOEND"), z]
    c.layers(e).tree(x, y, z).or_error()

def sparse(name, recs, body):
    return paxhdr(recs) + ustar(name, size=len(body)) + pad(body)

@P("sparse-map-overlaps", ATT, "sparse", "segments that overlap", "Go validateSparseEntries")
def _(c):
    c.layers([sparse(b"x", [("GNU.sparse.size", 100), ("GNU.sparse.map", "0,6,5,4")], b"0123456789")]).error()

@P("sparse-map-beyond-size", ATT, "sparse", "a segment beyond the file's end, and one that overflows", "Go validateSparseEntries")
def _(c):
    c.layers([sparse(b"x", [("GNU.sparse.size", 100), ("GNU.sparse.map", "9223372036854775800,10")], b"0123456789")]).error()

@P("sparse-map-huge", ATT, "sparse", "a map of 2^40 segments", "CVE-2025-58183")
def _(c):
    c.layers([sparse(b"x", [("GNU.sparse.major", 1), ("GNU.sparse.minor", 0), ("GNU.sparse.realsize", 100)], b"1099511627776\n" + b"0\n0\n" * 2000)]).error().hint(max_rss_kib=65536)

@P("sparse-size-huge", ATT, "sparse", "a file of 2^60 bytes that is all hole", "no file system holds it")
def _(c):
    c.layers([sparse(b"x", [("GNU.sparse.size", 1 << 60), ("GNU.sparse.map", "0,1")], b"x")]).error()

@P("sparse-old-gnu", ATT, "sparse", "the old GNU format, typeflag S", "refused by all peers")
def _(c):
    c.layers([f("a"), ustar(b"x", b"S", size=5, magic=b"ustar  \0") + pad(b"HELLO")]).error()

@P("gnu-long-names", SEM, "names", "GNU's long name and long link, with and without their NUL, before PAX ones", "GNU tar")
def _(c):
    p1 = "a" * 90 + "/" + "b" * 90; p2 = "c" * 90 + "/" + "d" * 90
    x, y = f(p1), Ent("symlink", "l", link=p2)
    e = [gnulong(b"L", B(p1)) + ustar(b"short", size=len(x.data), mtime=x.mtime, magic=b"ustar  \0") + pad(x.data),
         gnulong(b"K", B(p2), nul=False) + ustar(b"l", b"2", mode=0o777, mtime=y.mtime, link=b"short", magic=b"ustar  \0")]
    c.layers(e).tree(x, imp("a" * 90), y)

@P("go-gnu-with-prefix", SEM, "tar-parse", "GNU's magic and yet a prefix, as Go wrote before 1.8", "Go archive/tar reader")
def _(c):
    x = f("pre/fix/name")
    c.layers([ustar(b"name", size=len(x.data), mtime=x.mtime, prefix=b"pre/fix", magic=b"ustar  \0") + pad(x.data)]).tree(x, imp("pre"), imp("pre/fix"))

@P("pax-then-end", ATT, "tar-malformed", "a PAX header with no entry behind it", "T24")
def _(c):
    c.layers([f("a"), paxhdr([("path", "b")])]).error()

@P("pax-nul-in-path", ATT, "tar-malformed", "a NUL in a PAX path", "Go validPAXRecord")
def _(c):
    c.layers([paxhdr([("path", b"good\0/evil")]) + ustar(b"a")]).error()

@P("pax-size-negative", ATT, "tar-malformed", "a size of -1 in a PAX header", "Go ErrHeader")
def _(c):
    c.layers([paxhdr([("size", "-1")]) + ustar(b"a")]).error()

@P("tar-size-negative", ATT, "tar-malformed", "a negative base-256 size", "Go ErrHeader")
def _(c):
    c.layers([ustar(b"a", raw={"size": b256(-512, 12)})]).error()

@P("tar-size-overflows", ATT, "tar-malformed", "a base-256 size that overflows 63 bits", "Go ErrHeader")
def _(c):
    c.layers([ustar(b"a", raw={"size": b"\x80\0\0\0" + b"\xff" * 8})]).error()

@P("pax-global-path", ATT, "tar-parse", "a path for all entries in a global header", "ignored as Go does, or refused")
def _(c):
    e = [f("a"), f("b")]
    c.layers([paxhdr([("path", "everything"), ("uid", 7)], b"g")] + e).tree(*e).or_error()

@P("xattr-libarchive", SEM, "xattr", "LIBARCHIVE.xattr with an escaped name and base64 without padding", "bsdtar")
def _(c):
    x = f("a", b"", xattrs={"user.one two": b"v\0w"})
    c.layers([paxhdr([("LIBARCHIVE.xattr.user.one%20two", "dgB3")]) + ustar(b"a", mtime=x.mtime)]).tree(x)

@P("xattr-bad-capability", ATT, "xattr", "a security.capability that is none", "EINVAL")
def _(c):
    c.layers([f("a", xattrs={"security.capability": b"xyz"})]).error().or_any()

@P("xattr-on-symlink-and-fifo", SEM, "xattr", "user.* on a link and a FIFO: the kernel has none there", "containerd ignores EPERM")
def _(c):
    e = [s("l", "t", xattrs={"user.x": b"1"}), fifo("p", xattrs={"user.x": b"1"})]
    c.layers(e).tree(at("l", e[0], xattrs={}), at("p", e[1], xattrs={}))

@P("setgid-directory-inherits-nothing", SEM, "mode", "what is made in a setgid directory has the owner and mode of its own entry, and none where no entry is", SPEC)
def _(c):
    a = [d("g", mode=0o2777, gid=50)]
    b = [d("g/d", mode=0o755), f("g/f"), fifo("g/p"), s("g/l", "f"), f("g/i/x")]
    c.layers(a, b).tree(a[0], *b[:4], imp("g/i"), b[4])

@P("swap-directories-by-name", SEM, "duplicate", "a directory becomes a file and again a directory within one layer", "the last wins")
def _(c):
    e = [d("a", mode=0o700, uid=5), f("a/x"), f("a", "file\n"), d("a", mode=0o711), f("a/y")]
    c.layers(e).tree(e[3], e[4]).or_error()

@P("wide-and-deep-replace", SEM, "depth", "a tree with wide directories at each of 40 levels becomes a file", "removal must not run over what it has seen")
def _(c):
    a = []
    for i in range(40):
        p = "/".join(["w"] * (i + 1)); a += [d(p)] + [f("%s/f%d" % (p, j), b"") for j in range(30)] + [d("%s/e%d" % (p, j), mode=0o000) for j in range(5)]
    c.layers(a, [f("w", "flat\n")]).tree(f("w", "flat\n", mtime=EPOCH + 2 * Ent.count))

@P("deep-32000", SEM, "depth", "one name of 64 KiB that is 32 000 directories deep, whited out by the next layer", "cost must not be depth squared")
def _(c):
    a = [f("top"), f("/".join(["d"] * 32000) + "/leaf")]
    c.layers(a, [wh("d")]).tree(a[0]).hint(timeout_s=240)

@P("name-of-70000", ATT, "names", "a name of more than 64 KiB", "a limit")
def _(c):
    c.layers([f("/".join(["d"] * 35000))]).error()

@P("many-links-between", SEM, "cost", "2000 files through a link to a deep directory, in turns with another", "parents must not be walked for each")
def _(c):
    deep = "/".join(["x"] * 200)
    a = [imp(deep[:2 * i + 1]) for i in range(200)]
    e = [f(deep + "/first"), s("l", deep), d("o")]
    m = [f(("l/f%d" if i % 2 else "o/f%d") % i, b"") for i in range(2000)]
    c.layers(e, m).tree(*(a + [e[0], e[1], at("o", e[2], drop=("mtime", "mtime_nsec"))] + [at(deep + "/" + U(B(x.path))[2:] if i % 2 else x.path, x) for i, x in enumerate(m)])).hint(timeout_s=30)

@P("lone-zero-block", ATT, "tar-malformed", "one block of zeros, then more entries", "Go ErrHeader")
def _(c):
    c.layers([f("a"), b"\0" * 512, f("b")]).error()

@P("zeros-after-the-end", ATT, "bomb", "128 MiB of zeros behind the archive", "CVE-2017-14992: counted by the limit, not kept")
def _(c):
    def gen():
        yield f("a").tar(); yield EOA; yield from zeros(128 << 20)
    c.layer(Chunks(gen), comp="gzip").error().hint(max_unpacked=64 << 20, max_rss_kib=65536)

@P("too-many-entries", ATT, "bomb", "more entries than are allowed", "a limit")
def _(c):
    c.layers([f("f%d" % i, b"") for i in range(101)]).error().hint(max_entries=100)

@P("whiteout-names-that-are-none", SEM, "whiteout-name", ".wh is a file; .wh.x below a hidden directory is a marker", SPEC)
def _(c):
    a = [d(".h"), f(".h/x"), f(".h/.wh"), f(".wh")]
    b = [wh(".h/x"), f(".whx")]
    c.layers(a, b).tree(at(".h", a[0], drop=("mtime", "mtime_nsec")), a[2], a[3], b[1])

@P("whiteout-opaque-as-directory", ATT, "whiteout-name", "an opaque marker used as a directory", SPEC)
def _(c):
    c.layers([d("a"), f("a/x")], [f("a/.wh..wh..opq/x")]).error()


def main():
    global CANARY
    ap = argparse.ArgumentParser()
    ap.add_argument("-o", "--outdir", default=".")
    ap.add_argument("--canary", default=CANARY)
    ap.add_argument("--list", action="store_true")
    a = ap.parse_args()
    CANARY = a.canary
    if a.list:
        for x in CASES: print(*x[:4], sep="\t")
        return
    done, skipped = write_set(a.outdir)
    kinds = [x["kind"] for x in done]
    print("%d cases (%d semantics, %d attack)%s" % (len(done), kinds.count("semantics"), kinds.count("attack"),
          "; left out for want of zstd: " + ", ".join(skipped) if skipped else ""))

if __name__ == "__main__":
    main()
