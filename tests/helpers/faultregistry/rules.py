"""Faults, and the rules that say which requests they befall."""

import re
import threading

from common import die

# name: (phase, default kinds, help).  Phases: pre (before the credential
# check), route (after it), body (only on a GET that will carry content).
FAULTS = {
    "delay":        ("pre", "any", "seconds=1: wait before anything is answered"),
    "close":        ("pre", "blob+manifest", "mode=fin|rst: drop the connection without one byte of answer"),
    "status":       ("pre", "blob+manifest+cdn", "code=503 [retry_after=SECONDS|date:SECONDS] [body=TEXT] [type=TEXT]: answer this"),
    "rate_limit":   ("pre", "blob+manifest", "after=1 [code=429]: 429 with Retry-After and a TOOMANYREQUESTS body"),
    "html200":      ("pre", "any", "a 200 with an HTML page for everything (captive portal)"),
    "link":         ("pre", "tags", "value=TEXT: this Link in place of the page's own; HOST and LAST in it are this host "
                     "and the page's last tag"),
    "tags":         ("pre", "tags", "value=JSON: of this value is the list's member tags"),
    "header_flood": ("pre", "blob+manifest", "n=200 size=500: many large response headers"),
    "warning":      ("pre", "any", "text=...: add Warning: 299 - \"text\""),
    "rl_headers":   ("pre", "manifest", "limit=100 [window=21600]: RateLimit-Limit and a falling RateLimit-Remaining"),
    "auth401":      ("pre", "blob+manifest", "[error=invalid_token]: 401 and a challenge whatever was sent (401 loop)"),
    "access":       ("pre", "any", "auth=… challenge=… token_requests=… token_ttl=… and so on: in place of the "
                     "options of these names"),
    "forbid":       ("pre", "blob+manifest", "403 DENIED"),
    "head_405":     ("pre", "manifest+blob", "405 to HEAD"),
    "redirect":     ("route", "blob", "to=cdn|cdn-name|cdn-token|loop|file|ftp|chain|up|none|bad|URL [code=307] [n=5]: "
                     "cdn same host other port, cdn-name host name localhost, loop to itself, chain n hops then the real answer, "
                     "up a relative Location, none no Location, bad an unparsable one; cdn with [uses=N] [ttl=SECONDS]; "
                     "the address says for=REPOSITORY"),
    "strict_accept": ("route", "manifest", "404 unless the manifest's media type is named in Accept"),
    "content_type": ("route", "manifest", "value=text/plain (empty: no header)"),
    "digest_header": ("route", "manifest+blob+cdn", "value=wrong|none|TEXT: Docker-Content-Digest"),
    "etag":         ("route", "blob+cdn", "mode=change|weak|none"),
    "encoding":     ("route", "blob+manifest+cdn", "mode=real|lie [name=gzip]: Content-Encoding, body really encoded or only said to be"),
    "no_length":    ("route", "blob+manifest+cdn", "mode=chunked|close: no Content-Length"),
    "content_length": ("route", "blob+manifest+cdn", "delta=-1 | value=N: a wrong Content-Length"),
    "ignore_range": ("body", "blob+cdn", "answer 200 with the whole content to a Range request"),
    "range":        ("body", "blob+cdn", "mode=416|shift|nocr|short|rest|star|total [by=1]: 416, a Content-Range that starts elsewhere, none, ends early, "
                     "goes on to the end, */total, another total"),
    "truncate":     ("body", "blob+cdn", "at=N: right Content-Length, N bytes, then close"),
    "reset":        ("body", "blob+cdn", "at=N: N bytes, then a TCP reset"),
    "corrupt":      ("body", "blob+cdn", "at=N: flip the byte at this offset of the content"),
    "endless":      ("body", "blob+manifest+cdn", "[cap=268435456] [mode=chunked|length]: never-ending body (up to cap)"),
    "drip":         ("body", "blob+cdn", "bytes=1 every=1: slow drip"),
    "stall":        ("body", "blob+cdn", "at=N seconds=60: N bytes, then silence, then the rest"),
}


SELECT = ("kind", "method", "path", "digest", "min_size", "ranged", "first", "skip", "times", "per")


class Rule:
    def __init__(self, spec):
        spec = dict(spec)
        self.name = spec.pop("fault", None)
        if self.name not in FAULTS:
            die("no such fault: %r (see --list-faults)" % self.name)
        self.phase, kinds, _ = FAULTS[self.name]
        self.kinds = set(str(spec.get("kind", kinds)).split("+"))
        self.sel = {k: spec.pop(k) for k in SELECT if k in spec}
        self.args = spec
        self.path = re.compile(self.sel["path"]) if "path" in self.sel else None
        self.counts = {}
        self.lock = threading.Lock()

    @classmethod
    def parse(cls, text):
        name, _, rest = text.partition(":")
        spec = {"fault": name}
        for item in filter(None, rest.split(",")):
            key, eq, value = item.partition("=")
            if not eq:
                die("--fault %s: %r is not key=value" % (text, item))
            if re.match(r"^-?\d+$", value):
                value = int(value)
            elif re.match(r"^-?\d+\.\d+$", value):
                value = float(value)
            elif value in ("true", "false"):
                value = value == "true"
            spec[key] = value
        return cls(spec)

    def hits(self, req):
        s = self.sel
        if "any" not in self.kinds and req.kind not in self.kinds:
            return False
        if "method" in s and req.command != s["method"]:
            return False
        if self.path and not self.path.search(req.path + ("?" + req.public_form() if req.body else "")):
            return False
        if "digest" in s and not (req.digest or "").startswith(s["digest"]):
            return False
        if "min_size" in s and (req.content is None or req.content.size < s["min_size"]):
            return False
        if "ranged" in s and bool(req.headers.get("Range")) != bool(s["ranged"]):
            return False
        if "first" in s and not (req.headers.get("Range") or "").startswith("bytes=%d-" % s["first"]):
            return False
        key = "" if s.get("per") == "all" else req.path.split("?")[0]
        with self.lock:
            n = self.counts[key] = self.counts.get(key, 0) + 1
        skip = s.get("skip", 0)
        return n > skip and ("times" not in s or n <= skip + s["times"])
