"""One connection: routes requests, applies the rules, answers."""

import base64
import re
import select
import socket
import ssl
import time
import urllib.parse
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler

from answers import Answers, Done, Drop
from common import MT_INDEX, dumps
from credentials import Credentials
from state import STATE


class Handler(Credentials, Answers, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120
    disable_nagle_algorithm = True
    is_cdn = False

    def setup(self):
        super().setup()
        with STATE.lock:
            self.conn_id = STATE.ids.get(id(self.request))

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.begin()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def do_CONNECT(self):
        """As a proxy that leads to one port whatever is asked for, or refuses."""
        if not self.proxy_allows():
            self.ask_for_proxy_login()
        elif STATE.opt.tunnel:
            STATE.log({"method": "CONNECT", "path": self.path, "headers": list(self.headers)})
            self.tunnel()
        else:
            self.begin()

    def proxy_allows(self):
        login = STATE.opt.proxy_login
        given = self.headers.get("Proxy-Authorization", "")
        return not login or given == "Basic " + base64.b64encode(login.encode()).decode()

    def ask_for_proxy_login(self):
        STATE.log({"method": self.command, "path": self.path, "status": 407, "headers": list(self.headers)})
        self.wfile.write(b'HTTP/1.1 407 Login\r\nProxy-Authenticate: Basic realm="proxy"\r\nContent-Length: 0\r\n\r\n')

    def tunnel(self):
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with socket.create_connection((STATE.opt.host, STATE.opt.tunnel)) as there:
            ends = {self.connection: there, there: self.connection}
            while not STATE.stop.is_set():
                for end in select.select(list(ends), [], [], 0.2)[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    while isinstance(end, ssl.SSLSocket) and end.pending():
                        data += end.recv(65536)
                    ends[end].sendall(data)

    # -- one request

    def begin(self):
        self.t0 = time.time()
        self.status = self.sent = 0
        self.kind, self.name, self.ref, self.digest, self.content = "other", "", "", None, None
        self.body = b""
        self.plan, self.extra, self.leak, self.auth_ok, self.note = {}, [], False, None, None
        auth = self.headers.get("Authorization")
        self.auth = "none" if auth is None else auth.split(" ")[0].lower()
        if self.auth not in ("none", "basic", "bearer"):
            self.auth = "other"
        if self.path.startswith("http://"):  # as a proxy for ourselves
            if not self.proxy_allows():
                self.ask_for_proxy_login()
                return
            self.note = "as a proxy for " + self.path.split("/")[2]
            self.path = "/" + self.path.split("/", 3)[3]
        try:
            length = int(self.headers.get("Content-Length") or 0)
            self.body = self.rfile.read(min(length, 65536)) if 0 < length <= 65536 else b""
            if length > 65536:
                self.close_connection = True
            if self.path.startswith("http://"):  # we are the proxy, and the host
                self.path = "/" + self.path.split("/", 3)[3]
            self.route()
        except Drop:
            self.close_connection = True
        except Done:
            pass
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError, TimeoutError) as e:
            self.close_connection = True
            self.note = "client went away (%s)" % type(e).__name__
        finally:
            with STATE.lock:
                STATE.requests += 1
                STATE.leaks += self.leak
            rec = {"srv": "cdn" if self.is_cdn else "reg", "conn": self.conn_id, "method": self.command,
                   "path": self.path, "kind": self.kind, "range": self.headers.get("Range"),
                   "auth": self.auth, "auth_ok": self.auth_ok, "status": self.status, "bytes": self.sent,
                   "ms": int((time.time() - self.t0) * 1000), "faults": sorted(self.plan),
                   "host": self.headers.get("Host"), "accept": self.headers.get_all("Accept"),
                   "ae": self.headers.get("Accept-Encoding"), "if_range": self.headers.get("If-Range"),
                   "ua": self.headers.get("User-Agent"), "headers": list(self.headers)}
            if self.body:
                rec["form"] = self.public_form()
            if self.leak:
                rec["leak"] = True
            if self.note:
                rec["note"] = self.note
            STATE.log({k: v for k, v in rec.items() if v not in (None, [], "")
                       or k in ("range", "status", "bytes")})

    def public_form(self):
        """The posted form without its secrets; also what rules see of it."""
        one = dict(self.form(), **{k: "*" for k in ("refresh_token", "password") if k in self.form()})
        return urllib.parse.urlencode(one, quote_via=urllib.parse.quote)

    def route(self):
        path = urllib.parse.unquote(self.path.split("?")[0])
        self.query = urllib.parse.parse_qs(self.path.partition("?")[2], keep_blank_values=True)
        m = re.match(r"^/v2/(.+?)/(manifests|blobs|tags|referrers)/([^/].*)$", path)
        if self.is_cdn and path != "/token":
            self.kind = "cdn"
            self.name = "far/" + self.query.get("for", [""])[0]
            self.digest = "/".join(path.split("/")[2:]).replace("/", ":", 1)
            self.content = STATE.layout.get(self.digest)
        elif path in ("/v2", "/v2/"):
            self.kind = "ping"
        elif path == "/token":
            self.kind = "token"
        elif m:
            self.name, what, self.ref = m.groups()
            self.kind = {"manifests": "manifest", "blobs": "blob"}.get(what, what)
            if self.kind == "manifest":
                self.content = STATE.layout.manifest(self.ref)
            elif self.kind == "blob":
                self.content = STATE.layout.get(self.ref)
                if self.content and self.content.digest in STATE.layout.hidden:
                    self.content = None
            self.digest = self.content.digest if self.content else (self.ref if ":" in self.ref else None)
        self.apply("pre")
        self.before()
        if self.command not in ("GET", "HEAD") and self.kind != "token":
            return self.error(405, "UNSUPPORTED", "this registry is read-only")
        getattr(self, "do_" + self.kind, self.do_unknown)()

    def apply(self, phase):
        for rule in STATE.rules:
            if rule.phase == phase and rule.hits(self):
                self.plan[rule.name] = rule.args

    def before(self):
        p = self.plan
        if "delay" in p:
            STATE.stop.wait(float(p["delay"].get("seconds", 1)))
        if "warning" in p:
            self.extra.append(("Warning", '299 - "%s"' % p["warning"].get("text", "something to know")))
        if "header_flood" in p:
            a = p["header_flood"]
            self.extra += [("X-Flood-%d" % i, "f" * int(a.get("size", 500))) for i in range(int(a.get("n", 200)))]
        if "rl_headers" in p:
            a = p["rl_headers"]
            with STATE.lock:
                left = STATE.remaining.get("rl", int(a.get("limit", 100)))
                if self.command == "GET":
                    left = STATE.remaining["rl"] = max(0, left - 1)
            window = a.get("window", 21600)
            self.extra += [("RateLimit-Limit", "%s;w=%s" % (a.get("limit", 100), window)),
                           ("RateLimit-Remaining", "%d;w=%s" % (left, window)),
                           ("Docker-RateLimit-Source", "127.0.0.1")]
        if "close" in p:
            if p["close"].get("mode") == "rst":
                self.reset()
            raise Drop
        if "html200" in p:
            self.send(200, [("Content-Type", "text/html; charset=utf-8")], b"<html><body>Please log in</body></html>")
            raise Done
        if "rate_limit" in p:
            a = p["rate_limit"]
            self.error(int(a.get("code", 429)), "TOOMANYREQUESTS", "slow down",
                       [("Retry-After", self.retry_after(a.get("after", 1)))])
            raise Done
        if "status" in p:
            a = p["status"]
            code = int(a.get("code", 503))
            head = [("Retry-After", self.retry_after(a["retry_after"]))] if "retry_after" in a else []
            if "body" in a:
                self.send(code, head + [("Content-Type", a.get("type", "text/plain"))], str(a["body"]).encode())
            else:
                self.error(code, "UNAVAILABLE" if code >= 500 else "UNKNOWN", "fault", head)
            raise Done
        if "forbid" in p:
            self.error(403, "DENIED", "requested access to the resource is denied")
            raise Done
        if "head_405" in p and self.command == "HEAD":
            self.error(405, "UNSUPPORTED", "no HEAD here")
            raise Done
        if "auth401" in p:
            self.challenge(error=p["auth401"].get("error", "invalid_token"))
            raise Done

    @staticmethod
    def retry_after(value):
        text = str(value)
        if text.startswith("date:"):
            return formatdate(time.time() + float(text[5:]), usegmt=True)
        return text

    # -- what is served

    def do_unknown(self):
        self.error(404, "NAME_UNKNOWN" if self.path.startswith("/v2/") else "UNKNOWN", "not found")

    def do_ping(self):
        if self.option("auth") == "none" or self.allowed():
            self.send(200, [("Content-Type", "application/json")], b"{}")

    def repo_ok(self):
        if not self.allowed():
            return False
        if STATE.opt.repo and self.name not in STATE.opt.repo:
            self.error(404, "NAME_UNKNOWN", "repository name not known to registry")
            return False
        return True

    def do_tags(self):
        if not self.repo_ok():
            return
        if self.ref != "list":
            return self.do_unknown()
        tags = sorted(STATE.layout.tags)
        last = self.query.get("last", [""])[0]
        rest = [t for t in tags if t > last]
        limit = STATE.opt.page_size or len(tags)
        if "n" in self.query:
            try:
                limit = min(limit, int(self.query["n"][0]))
            except ValueError:
                return self.error(400, "UNSUPPORTED", "n is no number")
        page, head = rest[:limit], [("Content-Type", "application/json")]
        if "tags" in self.plan:
            page, rest = self.plan["tags"]["value"], ""
        if "link" in self.plan:
            head.append(("Link", self.plan["link"]["value"].replace("HOST", self.headers.get("Host", ""))
                         .replace("LAST", page[-1] if page else "")))
        elif page and len(page) < len(rest):
            head.append(("Link", '</v2/%s/tags/list?n=%d&last=%s>; rel="next"' % (self.name, limit, page[-1])))
        self.send(200, head, dumps({"name": self.name, "tags": page}))

    def do_referrers(self):
        if not self.repo_ok():
            return
        if STATE.opt.no_referrers:
            return self.error(404, "UNKNOWN", "no referrers API")
        found, head = STATE.layout.referrers(self.ref), [("Content-Type", MT_INDEX)]
        want = self.query.get("artifactType", [None])[0]
        if want:
            found = [d for d in found if d.get("artifactType") == want]
            head.append(("OCI-Filters-Applied", "artifactType"))
        self.send(200, head, dumps({"schemaVersion": 2, "mediaType": MT_INDEX, "manifests": found}))

    def do_manifest(self):
        if not self.repo_ok():
            return
        self.apply("route")
        c = self.content
        if c is None:
            return self.error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        if self.redirected():
            return
        if "strict_accept" in self.plan:
            accept = ",".join(self.headers.get_all("Accept") or [])
            if c.mtype not in accept:
                return self.error(404, "MANIFEST_UNKNOWN", "manifest found, but accept header does not support it")
        self.content_reply(c, c.mtype, ranges=False)

    def do_blob(self):
        if not self.repo_ok():
            return
        self.apply("route")
        if self.content is None:
            return self.error(404, "BLOB_UNKNOWN", "blob unknown to registry")
        if not self.redirected():
            self.content_reply(self.content, "application/octet-stream")

    def do_cdn(self):
        """The second port: a store that must not see a registry credential."""
        def refuse(code, name, text):
            xml = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>%s</Code><Message>%s</Message></Error>'
            self.send(code, [("Content-Type", "application/xml")], (xml % (name, text)).encode())

        if not self.known_at_cdn():
            if not self.leak:
                return None
            return refuse(400, "InvalidArgument", "Only one auth mechanism allowed; only the X-Amz-Algorithm query "
                          "parameter, Signature query string parameter or the Authorization header should be specified")
        sig = self.query.get("sig", [None])[0]
        with STATE.lock:
            ent = STATE.signed.get(sig)
            if ent and ent[2]:
                ent[2] -= 1
                if ent[2] == 0:
                    ent[1] = 0
            elif ent and ent[1] == 0:
                ent = "spent"
        foreign = self.digest in STATE.layout.hidden
        if not foreign and (ent in (None, "spent") or ent[0] != self.digest):
            return refuse(403, "AccessDenied", "Request has expired" if ent == "spent" else "bad signature")
        if not foreign and ent[1] and ent[1] < time.time():
            return refuse(403, "AccessDenied", "Request has expired")
        if self.content is None:
            return refuse(404, "NoSuchKey", "not found")
        self.apply("route")
        self.content_reply(self.content, "application/octet-stream")

    def redirected(self):
        a = self.plan.get("redirect")
        if a is None:
            return False
        to = str(a.get("to", "cdn"))
        hop = int(self.query.get("hop", ["0"])[0]) if self.query.get("hop", ["0"])[0].isdigit() else 0
        plain = self.path.split("?")[0]
        head = [("Content-Type", "text/plain")]
        if to == "chain":
            if hop >= int(a.get("n", 5)):
                return False
            loc = "%s?hop=%d" % (plain, hop + 1)
        elif to == "loop":
            loc = "%s%s?hop=%d" % (STATE.base(), plain, hop + 1)
        elif to == "up":
            if hop:
                return False
            loc = "../blobs/%s?hop=1" % plain.rsplit("/", 1)[1]
        else:
            loc = {"cdn": lambda: STATE.cdn_base() + STATE.sign(self.digest, self.name, a),
                   "cdn-token": lambda: STATE.cdn_base() + self.path,
                   "cdn-name": lambda: STATE.cdn_base("localhost") + STATE.sign(self.digest, self.name, a),
                   "file": lambda: "file:///etc/hostname",
                   "ftp": lambda: "ftp://127.0.0.1:9/none",
                   "bad": lambda: "http://[::bad/",
                   "none": lambda: None}.get(to, lambda: to)()
        if loc is not None:
            head.append(("Location", loc))
        if self.digest:
            head.append(("Docker-Content-Digest", self.digest))
        self.send(int(a.get("code", 307)), head, b"moved\n")
        return True


class CdnHandler(Handler):
    is_cdn = True
