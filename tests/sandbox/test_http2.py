"""The same over TLS and HTTP/2, which is what the real service speaks."""

import json
import os

from sandbox.server.http2 import http2_front, make_certificate
from sandbox.test_film_project import build, copy_project, facts, published


def test_a_build_over_tls_and_http2_gives_the_same_facts(tmp_path, server, environ):
    certificate = make_certificate(tmp_path)
    here, there = copy_project(tmp_path / "here"), copy_project(tmp_path / "there")
    build(here, {})
    with http2_front(certificate, server.server_address) as url:
        secure = {"E2B_API_URL": url, "E2B_SANDBOX_URL": url, "SSL_CERT_FILE": str(certificate)}
        build(there, {**environ, **secure}, "--on", "e2b")
    assert json.loads(facts(there)) == json.loads(facts(here))
    assert published(there) == published(here)
    assert server.transcript.count("POST /process.Process/Start") > 2
    assert server.sandboxes.running() == []
    assert os.environ.get("SSL_CERT_FILE") != str(certificate)
