"""Every option of the sandbox, as it arrives at the server."""

import pytest
from sandbox.plans import film_plan, launch
from sandbox.server import e2b_server
from sandbox.server.proxy import forwarding_proxy

from osiris_sql.launchers.e2b.options import VARIABLES, read_options
from osiris_sql.types.diagnostic import OsirisError


def asked(server, root, environ, **options):
    """Build with some options set, and return what the creation of the sandbox asked for."""
    assert launch(film_plan(root), root, {**environ, **options}).exit_code == 0
    assert server.sandboxes.running() == []
    return server.sandboxes.every[-1].asked


def test_template_lease_and_our_own_metadata(server, root, environ):
    found = asked(server, root, environ, OSIRIS_E2B_TEMPLATE="base", OSIRIS_E2B_LEASE="77")
    assert (found["templateID"], found["timeout"]) == ("base", 77)
    assert found["envVars"] == {}
    assert set(found["metadata"]) == {"osiris_run_id", "project", "plan_sha12", "origin"}
    assert found["allow_internet_access"] is True


def test_the_persons_metadata_is_added_and_can_not_hide_ours(server, root, environ):
    found = asked(server, root, environ, OSIRIS_E2B_METADATA="team=data & ops, cost=7,project=mine")
    assert found["metadata"]["team"] == "data & ops"
    assert found["metadata"]["cost"] == "7"
    assert found["metadata"]["project"] == "test"


def test_the_sandbox_reaches_only_what_it_may(server, root, environ):
    limits = {"OSIRIS_E2B_ALLOW_OUT": "203.0.113.7/32, db.example.com", "OSIRIS_E2B_INTERNET": "false"}
    found = asked(server, root, environ, **limits)
    assert found["allow_internet_access"] is False
    assert found["network"]["allowOut"] == ["203.0.113.7/32", "db.example.com"]
    assert found["network"]["denyOut"] == ["0.0.0.0/0"]


def test_a_proxy_of_its_own_takes_every_call(server, root, environ):
    with forwarding_proxy() as (url, seen):
        asked(server, root, environ, OSIRIS_E2B_PROXY=url)
    assert any(call.startswith("POST http") and call.endswith("/v2/sandboxes") for call in seen)
    assert any("/process.Process/Start" in call for call in seen)
    assert len(seen) == len(server.transcript.calls)


def test_the_api_and_the_sandboxes_may_have_addresses_of_their_own(server, root, environ, tmp_path_factory):
    with e2b_server(tmp_path_factory.mktemp("other")) as other:
        # The API makes it in one place, the address of sandboxes leads to another, where nobody knows it.
        with pytest.raises(OsirisError) as failed:
            launch(film_plan(root), root, {**environ, "E2B_SANDBOX_URL": other.url})
        assert failed.value.diagnostics[0].rule == "e2b-lost"
        assert not any(call.startswith("POST /v2/sandboxes") for call in other.transcript.calls)
        assert other.transcript.calls
    assert server.sandboxes.running() == []


def test_a_domain_of_its_own_is_where_the_api_is_looked_for(root, environ):
    """Over a proxy, which is told the host: nobody of this name need exist."""
    with forwarding_proxy() as (url, seen), pytest.raises(OsirisError):
        alone = {"E2B_API_KEY": environ["E2B_API_KEY"], "E2B_DOMAIN": "e2b.invalid", "OSIRIS_E2B_PROXY": url}
        launch(film_plan(root), root, alone)
    assert set(seen) == {"CONNECT api.e2b.invalid:443"}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OSIRIS_E2B_LEASE", "soon"),
        ("OSIRIS_E2B_INTERNET", "perhaps"),
        ("OSIRIS_E2B_METADATA", "no pair"),
        ("OSIRIS_E2B_METADATA", "=value"),
    ],
)
def test_a_value_that_does_not_fit_names_its_variable(environ, variable, value):
    with pytest.raises(OsirisError) as failed:
        read_options({**environ, variable: value})
    [diagnostic] = failed.value.diagnostics
    assert diagnostic.rule == "bad-option"
    assert variable in diagnostic.message


def test_every_variable_is_documented(request):
    page = (request.config.rootpath / "docs" / "e2b.md").read_text()
    assert [name for name in VARIABLES.values() if f"`{name}`" not in page] == []
