"""Who may: challenges, basic authentication, tokens."""

import base64
import secrets
import time
import urllib.parse

from common import dumps
from state import STATE


class Credentials:
    """The part of a handler that asks for credentials and judges them."""

    def option(self, name):
        """An option, unless a rule says otherwise for this request."""
        return self.plan.get("access", {}).get(name, getattr(STATE.opt, name))

    def challenge(self, error=None, scope=None):
        scope = scope or ("repository:%s:pull" % self.name if self.name else None)
        auth, style = self.option("cdn_auth" if self.is_cdn else "auth"), self.option("challenge")
        here = STATE.cdn_base() if self.is_cdn else STATE.base()
        realm = "/token" if style == "relative" else self.option("realm") or here + "/token"
        if style == "query":
            realm += "?account=none&x=1"
        elif style == "name":
            realm = realm.replace("127.0.0.1", "localhost")
        elif style == "http":
            realm = realm.replace("https:", "http:")
        out = []
        if auth in ("anon", "token", "mixed"):
            par = ['realm="%s"' % realm, 'service="faultregistry"']
            if style == "noservice":
                par.pop()
            scope = " ".join(filter(None, [self.option("more_scope"), scope]))
            if scope and style != "noscope":
                par.append('scope="%s"' % scope)
            if error:
                par.append('error="%s"' % error)
            if style == "norealm":
                par = par[1:]
            if style == "tricky":
                bearer = 'bEaReR  error_description="say \\"hi\\", realm=no" ,  SERVICE = "faultregistry" , ' \
                         'x=1, Scope="%s" ,realm="%s"' % (scope or "", realm)
            elif style == "unquoted":
                bearer = "bearer " + ",".join(par).replace('"', "")
            else:
                bearer = "Bearer " + ",".join(par)
            out.append(bearer)
        if auth in ("basic", "mixed"):
            out.append('Basic realm="a realm, with \\"quotes\\", and commas"')
        if style == "lines":
            heads = [("WWW-Authenticate", v) for v in ["Negotiate"] + out]
        elif style == "comma":
            heads = [("WWW-Authenticate", ", ".join(["Negotiate", 'Digest realm="d, e", nonce="n=="'] + out))]
        elif style == "bare" and self.kind != "ping":
            heads = []
        else:
            heads = [("WWW-Authenticate", v) for v in out]
        if self.auth != "none":
            self.auth_ok = False
        self.error(401, "UNAUTHORIZED", "authentication required", heads)

    def basic_user(self):
        """The user of a right Basic header, "" for none, None for a wrong one."""
        head = self.headers.get("Authorization", "")
        if not head:
            return ""
        try:
            kind, _, value = head.partition(" ")
            user, _, word = base64.b64decode(value.strip(), validate=True).decode().partition(":")
        except ValueError:
            return None
        o = STATE.opt
        good = kind.lower() == "basic" and secrets.compare_digest(user, o.user) and \
            secrets.compare_digest(word, o.password)
        return user if good else None

    def allowed(self):
        """Check the credential; answer 401 and return False if it will not do."""
        if self.option("auth") == "none":
            return True
        if self.auth == "basic" and self.option("auth") in ("basic", "mixed") and self.basic_user():
            self.auth_ok = True
            return True
        if self.auth == "bearer" and self.option("auth") != "basic":
            tok = self.headers["Authorization"].partition(" ")[2].strip()
            if self.option("registry_token") and tok == self.option("registry_token"):
                self.auth_ok = True
                return True
            with STATE.lock:
                t = STATE.tokens.get(tok)
                gone = not t or t["until"] < time.time() or t["left"] == 0
                if t and not gone and t["left"] is not None:
                    t["left"] -= 1
            if t and t["is_cdn"]:
                self.leak = True
            if gone:
                self.challenge(error="invalid_token")
                return False
            if self.name and not any(s.split(":")[:2] == ["repository", self.name] and
                                     "pull" in s.split(":")[-1].split(",") for s in t["scopes"]):
                self.challenge(error="insufficient_scope")
                return False
            self.auth_ok = True
            return True
        self.challenge()
        return False

    def known_at_cdn(self):
        """No credential of the registry's may come here; of the tokens given here one is asked for with cdn_auth."""
        wanted = self.option("cdn_auth") != "none"
        if self.auth == "none" and wanted:
            self.challenge()
        elif self.auth == "bearer" and wanted:
            t = STATE.tokens.get(self.headers["Authorization"].partition(" ")[2].strip())
            self.leak = not t or not t["is_cdn"]
            self.auth_ok = not self.leak and t["until"] > time.time()
            if not self.leak and not self.auth_ok:
                self.challenge(error="invalid_token")
        else:
            self.leak = self.auth != "none"
            return not self.leak
        return self.auth_ok

    def form(self):
        """What was posted, one value each."""
        form = urllib.parse.parse_qs(self.body.decode("latin-1"), keep_blank_values=True)
        return {k: v[0] for k, v in form.items()}

    def do_token(self):
        o = STATE.opt
        if self.is_cdn:
            self.leak = self.auth != "none"
        else:
            self.apply("route")
            if self.redirected():
                return
        if self.option("cdn_auth" if self.is_cdn else "auth") not in ("anon", "token", "mixed"):
            return self.error(404, "UNKNOWN", "no token service")
        user, scopes = self.basic_user(), " ".join(self.query.get("scope", [])).split()
        refresh = None
        if self.command == "POST":
            if not self.option("token_post"):
                return self.error(404, "UNKNOWN", "no OAuth2 here")
            one = self.form()
            scopes = one.get("scope", "").split()
            if one.get("grant_type") == "refresh_token":
                known, following = self.option("identity_token"), self.option("identity_next")
                with STATE.lock:
                    if known in STATE.rotated:
                        known = following
                    user = o.user if known and one.get("refresh_token") == known else None
                    if user and following:
                        STATE.rotated.add(known)
                        refresh = following
            elif one.get("grant_type") == "password":
                user = o.user if (one.get("username"), one.get("password")) == (o.user, o.password) else None
            else:
                user = None
            if "service" not in one or "client_id" not in one:
                return self.error(400, "UNKNOWN", "service and client_id are required")
            if one.get("access_type") == "offline":
                refresh = self.option("identity_token")
        elif self.command != "GET":
            return self.error(405, "UNSUPPORTED", "GET or POST")
        if user is None:
            self.auth_ok = False
            return self.error(401, "UNAUTHORIZED", "incorrect username or password")
        if user:
            self.auth_ok = True
        elif self.option("auth") == "token" and not self.is_cdn:
            if not self.option("token_empty"):
                return self.error(401, "UNAUTHORIZED", "authentication required")
            scopes = []
        tok = STATE.new_token(user, scopes, self.option("token_ttl"), self.option("token_requests"),
                              self.is_cdn and any(":far/" in scope for scope in scopes))
        doc = {}
        if self.option("token_field") in ("token", "both"):
            doc["token"] = tok
        if self.option("token_field") in ("access_token", "both"):
            doc["access_token"] = tok
        if self.option("token_expires_in") >= 0:
            doc["expires_in"] = self.option("token_expires_in")
        if self.option("token_issued_at"):
            now = time.time() + self.option("clock_skew")
            doc["issued_at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        if refresh:
            doc["refresh_token"] = refresh
        self.send(200, [("Content-Type", "application/json")], dumps(doc))
