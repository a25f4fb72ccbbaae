#!/usr/bin/env python3
"""run_cases.py - occy-expand against every layer set of make_layers.py.

usage: run_cases.py [options] BINDIR [CASE...]

Each case runs in a sandbox of its own: the root to be made, a sibling that
attacks aim at, a canary for absolute paths. The tree must be exactly what is
expected, the sandbox must hold nothing else, and what lies outside must be as
it was. Prints TAP.

  --user        as an ordinary user: without owners, devices, capabilities, and
                without setuid bits on what then belongs to somebody else
  --walk        without openat2(2)
  --umask MODE  (default 022; it must not matter)
  --nofile N    limit of open files (default 1024)
  --any-memory  do not look at how much it needs (sanitizers need more)
  --layers      each layer by itself as well, fed from the same stream
"""
import argparse
import collections
import copy
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile

import check_tree

HERE = os.path.dirname(os.path.abspath(__file__))
USER = 65534


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, 0o644)
    return path


def stream(side, corpus, blobs):
    """The stream of an image of this case, and its config in BLOBS."""
    config = json.dumps({"architecture": "amd64", "os": "linux",
                         "rootfs": {"type": "layers", "diff_ids": side["diff_ids"]}}).encode()
    records = [
        {"type": "stream", "occy": 1},
        {"type": "image", "names": ["case:t"], "layers": len(side["layers"])},
        {"type": "config", "digest": digest(config), "size": len(config),
         "file": write(os.path.join(blobs, "config"), config)},
    ]
    for i, name in enumerate(side["layers"]):
        records.append({"type": "layer", "index": i, "digest": side["digests"][i],
                        "size": side["sizes"][i], "mediaType": side["media_types"][i],
                        "diff_id": side["diff_ids"][i], "file": os.path.join(corpus, name)})
    records.append({"type": "end", "images": 1, "records": len(records) - 1})
    return "".join(json.dumps(r) + "\n" for r in records).encode()


def for_user(want):
    """What an ordinary user can have of an expected result."""
    want = copy.deepcopy(want)
    for entry in want.get("tree", {}).values():
        mine = entry.get("uid") == USER and entry.get("gid") == USER
        if entry["type"] != "dir" and "mode" in entry and not mine:
            entry["mode"] = "%04o" % (int(entry["mode"], 8) & 0o1777)
        entry.get("xattrs", {}).pop("security.capability", None)
    return want


Ran = collections.namedtuple("Ran", "returncode stdout stderr maxrss")


class Sandbox:
    def __init__(self, top, opt):
        self.top = top
        self.opt = opt
        for name in ("blobs", "box", "box/victim"):
            os.mkdir(os.path.join(top, name))
            os.chmod(os.path.join(top, name), 0o755)
        write(os.path.join(top, "box/victim/hello"), b"victim\n")
        if opt.user:
            os.chown(os.path.join(top, "box"), USER, USER)
        self.victim = check_tree.snapshot(os.path.join(top, "box/victim"))

    def become(self):
        os.umask(self.opt.umask)
        resource.setrlimit(resource.RLIMIT_NOFILE, (self.opt.nofile, self.opt.nofile))
        if self.opt.user:
            os.setgroups([])
            os.setresgid(USER, USER, USER)
            os.setresuid(USER, USER, USER)

    def run(self, data, hints):
        command = [os.path.join(self.opt.bindir, "occy-expand"), "--merged", "root"]
        if self.opt.layers:
            command += ["--layers", "layers"]
        for hint in ("max_unpacked", "max_entries"):
            if hint in hints:
                command += ["--" + hint.replace("_", "-"), str(hints[hint])]
        env = dict(os.environ)
        if self.opt.walk:
            env["OCCY_NO_OPENAT2"] = "1"
        seconds = str(hints.get("timeout_s", 120))
        files = [open(os.path.join(self.top, n), "w+b") for n in ("in", "out", "err")]
        files[0].write(data)
        files[0].seek(0)
        process = subprocess.Popen(["timeout", "-k", "1", seconds] + command, env=env,
                                   cwd=os.path.join(self.top, "box"), stdin=files[0],
                                   stdout=files[1], stderr=files[2], preexec_fn=self.become)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        for file in files:
            file.seek(0)
        _, stdout, stderr = [file.read() for file in files]
        for file in files:
            file.close()
        return Ran(process.returncode, stdout, stderr, usage.ru_maxrss)

    def differences(self, side, ran):
        box = os.path.join(self.top, "box")
        options = {"no_owner": self.opt.user, "no_mtime": False, "no_xattr": False,
                   "no_dev": self.opt.user, "allow_partial": False}
        want = for_user(side["expect"]) if self.opt.user else side["expect"]
        out = check_tree.judge(want, os.path.join(box, "root"), ran.returncode, options)
        # A single layer without markers is the same tree by itself.
        if self.opt.layers and ran.returncode == 0 and len(side["layers"]) == 1 and side["class"] != "aufs":
            layer = os.path.join(box, "layers", side["digests"][0][7:], "layer")
            options.pop("_cache", None)
            out += ["layer: " + line for line in check_tree.judge(want, layer, 0, options)]
        out += check_tree.compare(self.victim, os.path.join(box, "victim"), "VICTIM")
        names = {"victim"}
        if not side["expect"].get("error"):
            names.add("root")
        if self.opt.layers:
            names.add("layers")
        left = set(os.listdir(box)) - names
        if left:
            out.append("left     %s" % ", ".join(sorted(left)))
        limit = side["hints"].get("max_rss_kib", 1 << 40)
        if ran.maxrss > limit and not self.opt.any_memory:
            out.append("memory   is %d KiB, not %d" % (ran.maxrss, limit))
        if (b'"type":"end"' in ran.stdout) != (ran.returncode == 0):
            out.append("stream   end record and status %d" % ran.returncode)
        if side["expect"].get("error") and ran.returncode != 8:
            out.append("status   is %d, not 8" % ran.returncode)
        if side["expect"].get("error") and ran.stderr.count(b"\n") != 1:
            out.append("stderr   is not one line")
        return out


def run_case(name, corpus, canary, opt):
    with open(os.path.join(corpus, name + ".json"), encoding="utf-8") as file:
        side = json.load(file)
    check_tree.make_canary(canary)
    with tempfile.TemporaryDirectory(dir=opt.top) as top:
        os.chmod(top, 0o755)
        box = Sandbox(top, opt)
        ran = box.run(stream(side, corpus, os.path.join(top, "blobs")), side["hints"])
        out = box.differences(side, ran) + check_tree.check_canary(canary)
        # What is left may be deeper than Python's own remover goes.
        subprocess.run(["rm", "-rf", os.path.join(top, "box")], check=True)
        return out, ran.stderr


def parse():
    parser = argparse.ArgumentParser(description="occy-expand against every layer set")
    parser.add_argument("--user", action="store_true")
    parser.add_argument("--walk", action="store_true")
    parser.add_argument("--any-memory", action="store_true")
    parser.add_argument("--layers", action="store_true")
    parser.add_argument("--umask", type=lambda text: int(text, 8), default=0o022)
    parser.add_argument("--nofile", type=int, default=1024)
    parser.add_argument("bindir")
    parser.add_argument("cases", nargs="*")
    return parser.parse_args()


def main():
    opt = parse()
    opt.top = tempfile.mkdtemp(prefix="occy-cases-")
    os.chmod(opt.top, 0o755)
    # An ordinary user may not be able to reach the folder of the build.
    shutil.copy2(os.path.join(opt.bindir, "occy-expand"), opt.top)
    opt.bindir = opt.top
    corpus = os.path.join(opt.top, "corpus")
    canary = os.path.join(opt.top, "canary")
    try:
        subprocess.run([sys.executable, "-B", os.path.join(HERE, "make_layers.py"),
                        "-o", corpus, "--canary", canary], check=True, stdout=subprocess.DEVNULL)
        names = opt.cases or sorted(n[:-5] for n in os.listdir(corpus) if n.endswith(".json"))
        print("1..%d" % len(names))
        failed = 0
        for number, name in enumerate(names, 1):
            out, said = run_case(name, corpus, canary, opt)
            failed += bool(out)
            print("%s %d - %s" % ("not ok" if out else "ok", number, name), flush=True)
            for line in out + ([said.decode(errors="replace").rstrip()] if out else []):
                print("# " + line.replace("\n", "\n# "))
        return 1 if failed else 0
    finally:
        shutil.rmtree(opt.top, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
