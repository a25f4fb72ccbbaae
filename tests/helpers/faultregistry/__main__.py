#!/usr/bin/env python3
"""faultregistry - an OCI image layout served as a (mis)behaving registry.

Serves one OCI image layout directory over the registry v2 pull API and breaks
on request, so that a registry client can be tested against real faults:

    python3 faultregistry LAYOUT --port 0 --fault truncate:at=1000,times=2

Start-up prints two lines on standard output and flushes them:
    PORT
    {"port":..,"cdn_port":..,"scheme":"http","host":"127.0.0.1","pid":..}
Nothing else is written there (unless --log -).  Every request becomes one JSON
line in --log FILE.  Secrets are never logged, only the kind of credential.

Listens on loopback only.  Stops on SIGTERM or SIGINT (exit 0) and by itself
after --max-seconds (exit 124).  Python 3 standard library only; HTTP/1.1 only
(put nghttpx in front of it for HTTP/2).

Any repository name is accepted unless --repo is given.  Tags come from the
layout's org.opencontainers.image.ref.name annotations; "_index" is the
layout's index.json itself.  Virtual tags (see --list-tags) make hostile
manifests out of the layout's first image: fr-deep-50, fr-huge-9000000, ...

Faults are rules.  On the command line:
    --fault NAME[:key=value[,key=value...]]        (repeatable)
in a file (--rules FILE): a JSON array of objects
    {"fault":"truncate","at":1000,"path":"/blobs/sha256:ab","times":2}
Keys that select requests, for every fault:
    kind=blob+cdn  blob, manifest, tags, referrers, ping, token, cdn, any
    method=GET     request method
    path=REGEX     searched in the request path (with query)
    digest=PREFIX  of the blob or manifest digest asked for
    min_size=N     only content of at least N bytes
    ranged=true    only requests with (false: without) a Range header
    first=N        only those whose range begins with that byte
    skip=N times=N let N matching requests pass, then act on the next N
                   (times absent: for ever); counted for each path by itself,
                   or over all paths with per=all
All rules that match are applied together.  --list-faults shows their names.
"""

import argparse
import ipaddress
import json
import os
import signal
import ssl
import sys
import threading

import hostile
from common import die
from demo import make_demo
from handler import CdnHandler, Handler
from layout import Layout
from rules import FAULTS, Rule
from server import Server
from state import STATE


def options():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a = ap.add_argument
    a("layout", nargs="?", help="OCI image layout directory")
    a("--host", default="127.0.0.1", help="loopback address to listen on")
    a("--port", type=int, default=0, help="0: any free port")
    a("--cdn-port", type=int, default=0, help="second port, for redirected blobs")
    a("--cdn-ttl", type=float, default=3600, help="seconds for which a redirect's address works")
    a("--cdn-uses", type=int, default=0, help="requests for which it works (0: any number)")
    a("--repo", action="append", help="the only repository name served (repeatable)")
    a("--cert", help="PEM certificate chain: serve TLS on both ports")
    a("--key", help="PEM private key")
    a("--client-ca", help="PEM: ask for a client certificate signed by this")
    a("--auth", choices=("none", "anon", "token", "basic", "mixed"), default="none",
      help="anon: bearer token for anybody; token: for --user; basic; mixed: both are offered")
    a("--user", default="user")
    a("--password", default="secret")
    a("--identity-token", default="", help="refresh token accepted by POST /token")
    a("--token-post", action="store_true", help="OAuth2: POST /token works (else 404)")
    a("--identity-next", default="", help="POST answers with this refresh token, and from then on takes no other")
    a("--registry-token", default="", help="bearer token accepted by the registry itself")
    a("--token-empty", action="store_true", help="with --auth token: give nobody a token without rights, not a 401")
    a("--token-requests", type=int, default=0, metavar="N", help="a token dies after N good requests")
    a("--token-ttl", type=float, default=3600, help="seconds after which a token dies")
    a("--token-expires-in", type=int, default=300, help="what expires_in says (-1: leave it out)")
    a("--token-field", choices=("token", "access_token", "both"), default="both")
    a("--token-issued-at", action="store_true", help="say issued_at")
    a("--clock-skew", type=float, default=0, help="seconds by which issued_at is wrong")
    a("--challenge", default="plain", choices=("plain", "lines", "comma", "tricky", "noscope", "norealm",
                                               "relative", "query", "http", "name", "bare", "noservice", "unquoted"),
      help="form of WWW-Authenticate (name: a realm on localhost; http: a plain http realm from a TLS registry; bare: none but on /v2/)")
    a("--more-scope", default="", help="stands before the scope that a challenge asks for")
    a("--realm", default="", help="in challenges, in place of the token service here")
    a("--tunnel", type=int, default=0, metavar="PORT",
      help="as a proxy, lead every CONNECT to this port; else they are refused; plain http is answered "
           "by itself")
    a("--proxy-login", default="", metavar="USER:PASSWORD", help="what it wants to see as a proxy")
    a("--cdn-auth", choices=("none", "anon", "basic"), default="none", help="what the second port asks for")
    a("--redirect-blobs", action="store_true", help="same as --fault redirect:to=cdn")
    a("--page-size", type=int, default=0, help="most tags in one tags/list answer")
    a("--no-referrers", action="store_true", help="404 for the referrers API")
    a("--fault", action="append", default=[], help="NAME[:key=value,...]")
    a("--rules", help="JSON file with an array of rules")
    a("--log", help="request log, JSON lines (-: standard output)")
    a("--max-seconds", type=float, default=600, help="stop after this long whatever happens")
    a("--list-faults", action="store_true")
    a("--list-tags", action="store_true", help="the virtual tags")
    a("--make-demo", metavar="DIR", help="write a demo layout there and exit")
    a("--demo-size", type=int, default=1 << 20, help="bytes in its larger layers")
    return ap.parse_args()


def main():
    o = STATE.opt = options()
    if o.list_faults or o.list_tags:
        table = {k: "[%s; %s] %s" % v for k, v in FAULTS.items()} if o.list_faults else hostile.listing()
        for k, v in table.items():
            print("%-16s %s" % (k, v))
        return 0
    if o.make_demo:
        make_demo(o.make_demo, o.demo_size)
        return 0
    if not o.layout:
        die("which layout directory?")
    if o.host != "localhost" and not ipaddress.ip_address(o.host).is_loopback:
        die("--host must be a loopback address")
    STATE.layout = Layout(o.layout)
    rules = [Rule.parse(t) for t in o.fault]
    if o.rules:
        try:
            with open(o.rules, encoding="utf-8") as f:
                rules += [Rule(r) for r in json.load(f)]
        except (OSError, ValueError) as e:
            die("%s: %s" % (o.rules, e))
    if o.redirect_blobs:
        rules.insert(0, Rule({"fault": "redirect", "to": "cdn"}))
    STATE.rules = rules
    tls = None
    if o.cert:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(o.cert, o.key)
        tls.set_alpn_protocols(["h2", "http/1.1"])  # h2: which it cannot, for who prefers it
        if o.client_ca:
            tls.verify_mode = ssl.CERT_REQUIRED
            tls.load_verify_locations(o.client_ca)
    STATE.scheme = "https" if tls else "http"
    if o.log:
        STATE.logf = sys.stdout if o.log == "-" else open(o.log, "a", encoding="utf-8")
    reg = Server((o.host, o.port), Handler, tls)
    cdn = Server((o.host, o.cdn_port), CdnHandler, tls)
    STATE.port, STATE.cdn_port = reg.server_address[1], cdn.server_address[1]
    signal.signal(signal.SIGTERM, lambda *_: STATE.stop.set())
    signal.signal(signal.SIGINT, lambda *_: STATE.stop.set())
    for s in (reg, cdn):
        threading.Thread(target=s.serve_forever, args=(0.1,), daemon=True).start()
    print(STATE.port)
    print(json.dumps({"port": STATE.port, "cdn_port": STATE.cdn_port, "scheme": STATE.scheme,
                      "host": o.host, "pid": os.getpid()}), flush=True)
    ended = STATE.stop.wait(o.max_seconds)
    STATE.stop.set()
    for s in (reg, cdn):
        s.shutdown()
        s.server_close()
    STATE.log({"event": "exit", "why": "signal" if ended else "max-seconds", "requests": STATE.requests,
               "conns": STATE.conns, "peak_conns": STATE.peak, "leaks": STATE.leaks})
    sys.stdout.flush()
    os._exit(0 if ended else 124)


if __name__ == "__main__":
    sys.exit(main())
