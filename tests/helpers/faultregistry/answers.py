"""Writing answers, right ones and those that a fault has spoilt."""

import gzip
import re
import secrets
import socket
import struct
import time
from email.utils import formatdate
from http.client import responses

from common import dumps
from layout import Content
from state import STATE


class Drop(Exception):
    """Unwind and let the connection go."""


class Done(Exception):
    """Unwind: the answer is out, the connection stays."""


class Answers:
    """The part of a handler that writes to the client."""

    def error(self, code, name, text, head=()):
        body = dumps({"errors": [{"code": name, "message": text, "detail": None}]})
        self.send(code, list(head) + [("Content-Type", "application/json")], body)

    def content_reply(self, c, mtype, ranges=True):
        if self.command == "GET":
            self.apply("body")
        p, head, status, start, end = self.plan, [], 200, 0, c.size
        etag = '"%s"' % c.digest
        mode = p.get("etag", {}).get("mode") if "etag" in p else None
        if mode == "change":
            etag = '"%s"' % secrets.token_hex(8)
        elif mode == "weak":
            etag = "W/" + etag
        if "encoding" in p:
            a = p["encoding"]
            head.append(("Content-Encoding", a.get("name", "gzip")))
            if a.get("mode", "real") == "real":
                c = Content(c.digest, gzip.compress(c.read(), 6, mtime=0), None, c.mtype)
                end = c.size
        want = self.headers.get("Range")
        if ranges:
            head.append(("Accept-Ranges", "bytes"))
            if want and self.headers.get("If-Range") not in (None, etag):
                want = None
            m = re.match(r"^bytes=(\d*)-(\d*)$", want or "")
            if m and m.group(0) != "bytes=-" and "ignore_range" not in p:
                a, b = m.groups()
                if a:
                    start, end = int(a), min(int(b) + 1 if b else c.size, c.size)
                else:
                    start, end = max(0, c.size - int(b)), c.size
                rmode = str(p["range"].get("mode", "416")) if "range" in p else ""
                if start >= c.size or (a and b and int(b) < int(a)) or rmode == "416":
                    return self.send(416, [("Content-Range", "bytes */%d" % c.size)], b"")
                status, shown = 206, start
                if rmode == "shift":
                    shown = start = max(0, start + int(p["range"].get("by", 1)))
                if rmode == "rest":
                    end = c.size
                if rmode == "short":
                    end = max(start + 1, start + (end - start) // 2)
                if rmode == "star":
                    head.append(("Content-Range", "bytes */%d" % c.size))
                elif rmode != "nocr":
                    total = c.size + (rmode == "total")
                    head.append(("Content-Range", "bytes %d-%d/%d" % (shown, end - 1, total)))
        if "content_type" in p:
            mtype = str(p["content_type"].get("value", "text/plain"))
        if mtype:
            head.append(("Content-Type", mtype))
        dig = str(p["digest_header"].get("value", "wrong")) if "digest_header" in p else c.digest
        if dig == "wrong":
            dig = "sha256:" + "00" * 32
        if dig != "none" and not self.is_cdn:
            head.append(("Docker-Content-Digest", dig))
        if mode != "none":
            head.append(("ETag", etag))
        self.send(status, head, c, start, end)

    def send(self, status, head, body, start=0, end=None):
        """Write an answer; body is bytes or a Content of which [start, end) goes out."""
        if isinstance(body, bytes):
            body, end = Content(None, body), len(body)
        p, length = self.plan, end - start
        chunked = until_close = False
        carries = self.content is not None and status in (200, 206)
        if carries and "no_length" in p:
            chunked = p["no_length"].get("mode", "chunked") == "chunked"
            until_close = not chunked
        said = length
        if carries and "content_length" in p:
            a = p["content_length"]
            said = int(a["value"]) if "value" in a else max(0, length + int(a.get("delta", -1)))
        endless = p.get("endless") if carries else None
        if endless is not None:
            chunked, until_close = endless.get("mode", "chunked") == "chunked", False
        self.status = status
        lines = ["HTTP/1.1 %d %s" % (status, responses.get(status, "Unknown")),
                 "Date: " + formatdate(usegmt=True), "Docker-Distribution-API-Version: registry/2.0"]
        lines += ["%s: %s" % kv for kv in list(head) + self.extra]
        if chunked:
            lines.append("Transfer-Encoding: chunked")
        elif not until_close:
            lines.append("Content-Length: %d" % said)
        if until_close or self.close_connection:
            self.close_connection = True
            lines.append("Connection: close")
        self.wfile.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        if self.command == "HEAD":
            return
        if not carries:
            for part in body.chunks(start, end):
                self.put(part)
            return
        self.stream(body, start, end, chunked, endless)
        if said != length or endless is not None:
            raise Drop

    def put(self, part, chunked=False):
        if chunked:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        else:
            self.wfile.write(part)
        self.sent += len(part)

    def stream(self, body, start, end, chunked, endless):
        p = self.plan
        cut = int(p["truncate"].get("at", 0)) if "truncate" in p else None
        rst = int(p["reset"].get("at", 0)) if "reset" in p else None
        stall = int(p["stall"].get("at", 0)) if "stall" in p else None
        bad = int(p["corrupt"].get("at", 0)) if "corrupt" in p else None
        drip = p.get("drip")
        step = int(drip.get("bytes", 1)) if drip else 65536
        at = start
        for part in body.chunks(start, end, max(1, step)):
            if bad is not None and at <= bad < at + len(part):
                flip = bytearray(part)
                flip[bad - at] ^= 0x01
                part = bytes(flip)
            at += len(part)
            for limit, what in ((cut, "cut"), (rst, "rst"), (stall, "stall")):
                if limit is not None and self.sent + len(part) > limit:
                    keep = max(0, limit - self.sent)
                    if keep:
                        self.put(part[:keep], chunked)
                    if what == "cut":
                        raise Drop
                    if what == "rst":
                        time.sleep(0.05)        # let what was sent arrive first
                        self.reset()
                        raise Drop
                    STATE.stop.wait(float(p["stall"].get("seconds", 60)))
                    part, stall = part[keep:], None
            if part:
                self.put(part, chunked)
            if drip and STATE.stop.wait(float(drip.get("every", 1))):
                raise Drop
        if endless is not None:
            cap, junk = int(endless.get("cap", 256 << 20)), b"\xaa" * 65536
            while self.sent < cap and not STATE.stop.is_set():
                self.put(junk, chunked)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def reset(self):
        """Make the coming close a TCP reset."""
        with STATE.lock:
            STATE.rst.add(id(self.request))
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
