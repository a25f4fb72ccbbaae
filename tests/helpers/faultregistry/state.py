"""What all connections share: counters, tokens, signed addresses, the log."""

import json
import secrets
import threading
import time


class State:
    def __init__(self):
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.seq = self.conns = self.now = self.peak = self.leaks = self.requests = 0
        self.tokens = {}
        self.remaining = {}
        self.rotated = set()
        self.signed = {}
        self.rst = set()
        self.ids = {}
        self.port = self.cdn_port = 0
        self.logf = None

    def host(self):
        return "[%s]" % self.opt.host if ":" in self.opt.host else self.opt.host

    def base(self):
        return "%s://%s:%d" % (self.scheme, self.host(), self.port)

    def cdn_base(self, host=None):
        return "%s://%s:%d" % (self.scheme, host or self.host(), self.cdn_port)

    def log(self, rec):
        with self.lock:
            self.seq += 1
            rec = dict({"t": round(time.time(), 4), "n": self.seq}, **rec)
            if self.logf:
                self.logf.write(json.dumps(rec, separators=(",", ":")) + "\n")
                self.logf.flush()

    def sign(self, digest, name, options):
        """A one-host, short-lived address for a blob on the second port."""
        sig = secrets.token_hex(8)
        with self.lock:
            self.signed[sig] = [digest, time.time() + float(options.get("ttl", self.opt.cdn_ttl)),
                                int(options.get("uses", self.opt.cdn_uses))]
        return "/blob/%s?sig=%s&for=%s" % (digest.replace(":", "/"), sig, name)

    def new_token(self, user, scopes, ttl, requests, is_cdn):
        tok = "frt." + secrets.token_hex(24)
        with self.lock:
            self.tokens[tok] = {"user": user, "scopes": scopes, "until": time.time() + ttl,
                                "left": requests or None, "is_cdn": is_cdn}
        return tok


STATE = State()
