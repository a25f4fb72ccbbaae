#!/usr/bin/env python3
"""run_race.py - occy-expand while somebody swaps its directories for links.

usage: run_race.py [--walk] [--seconds N] BINDIR RACER

Unpacks the same image again and again, while RACER exchanges directories of
the tree that is being made, and of what lies beside it, for links to a canary.
Whatever becomes of the tree: the canary must stay as it is, and no program may
die. Prints TAP.
"""
import argparse
import collections
import os
import shutil
import subprocess
import sys
import tempfile
import time

import check_tree
import make_layers
import run_cases


def image(corpus, canary):
    """Two layers that write, link, replace and remove below the same names."""
    make_layers.CANARY = canary
    case = make_layers.Case("race", "attack", "race", "", "")
    d, f, h, s = make_layers.d, make_layers.f, make_layers.h, make_layers.s
    low, up = [], []
    for i in range(6):
        top = "d%d" % i
        for path in (top, top + "/sub", top + "/sub/deep"):
            low.append(d(path, mode=0o777))
            low += [f("%s/f%d" % (path, j), mode=0o4755, uid=5) for j in range(150)]
        # Names that are the canary's own: written, owned, removed if it goes wrong.
        low += [f(top + "/sub/hello"), f(top + "/sub/dir/inner"), s(top + "/up", "../.."), h(top + "/h", top + "/f0")]
        up += [d(top + "/sub", mode=0o700, uid=7), f(top + "/sub/hello", mode=0o600, uid=9),
               make_layers.wh(top + "/sub/dir"), make_layers.wh(top + "/sub/perm400"),
               make_layers.opq(top + "/sub/deep"), f(top + "/up/" + top + "/sub/new")]
    case.layers(low, up)
    side = {"layers": [], "digests": [], "sizes": [], "media_types": [], "diff_ids": []}
    for name, blob, media, diff_id in case.files:
        run_cases.write(os.path.join(corpus, name), blob)
        side["layers"].append(name)
        side["digests"].append(run_cases.digest(blob))
        side["sizes"].append(len(blob))
        side["media_types"].append(media)
        side["diff_ids"].append("sha256:" + diff_id)
    return side


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--walk", action="store_true")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("bindir")
    parser.add_argument("racer")
    opt = parser.parse_args()
    top = tempfile.mkdtemp(prefix="occy-race-")
    canary, box = os.path.join(top, "canary"), os.path.join(top, "box")
    env = dict(os.environ)
    if opt.walk:
        env["OCCY_NO_OPENAT2"] = "1"
    os.mkdir(box)
    os.mkdir(os.path.join(top, "blobs"))
    try:
        data = run_cases.stream(image(top, canary), top, os.path.join(top, "blobs"))
        check_tree.make_canary(canary)
        racer = subprocess.Popen([opt.racer, box, str(opt.seconds), canary])
        end = time.monotonic() + opt.seconds
        statuses = collections.Counter()
        while time.monotonic() < end:
            ran = subprocess.run([os.path.join(opt.bindir, "occy-expand"), "-q", "--replace", "--merged",
                                  os.path.join(box, "root")],
                                 input=data, env=env, check=False, timeout=60,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            statuses[ran.returncode] += 1
        racer.wait()
        out = check_tree.check_canary(canary)
        if any(not 0 <= status < 126 for status in statuses):
            out.append("killed by a signal")
        print("1..1\n%s 1 - runs by status: %s" % ("not ok" if out else "ok", dict(statuses)))
        for line in out:
            print("# " + line)
        return 1 if out else 0
    finally:
        shutil.rmtree(top, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
