"""The listening ends, and how their connections close."""

import socket
import socketserver
import ssl
import sys

from answers import Drop
from state import STATE


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, addr, handler, tls):
        self.address_family = socket.AF_INET6 if ":" in addr[0] else socket.AF_INET
        super().__init__(addr, handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def shutdown_request(self, request):
        with STATE.lock:
            rst = id(request) in STATE.rst
            STATE.rst.discard(id(request))
            STATE.ids.pop(id(request), None)
            STATE.now -= 1
        if not rst:
            try:
                if isinstance(request, ssl.SSLSocket):
                    request.settimeout(0.3)
                    request = request.unwrap()
                request.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        self.close_request(request)

    def process_request(self, request, client_address):
        with STATE.lock:
            STATE.conns += 1
            STATE.ids[id(request)] = STATE.conns
            STATE.now += 1
            STATE.peak = max(STATE.peak, STATE.now)
        super().process_request(request, client_address)

    def handle_error(self, request, client_address):
        e = sys.exc_info()[1]
        if not isinstance(e, (OSError, ssl.SSLError, Drop)):
            super().handle_error(request, client_address)
