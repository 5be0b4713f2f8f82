"""Where a connection's server is, and what each address family says of it."""

import socket

import pytest

from osiris_sql.run.reach import find_address, reach


@pytest.mark.parametrize(
    ("type_", "options", "address"),
    [
        ("mysql", {"host": "db", "port": "3307"}, ("db", 3307)),
        ("mysql", {"host": "db"}, ("db", 3306)),
        (
            "supabase",
            {"dsn": "postgresql://u:p%40@db.abc.supabase.co:6543/postgres"},
            ("db.abc.supabase.co", 6543),
        ),
        ("supabase", {"dsn": "postgresql://u@[::1]/postgres"}, ("::1", 5432)),
        ("supabase", {"dsn": "host=10.0.0.1 port=5433 user=u"}, ("10.0.0.1", 5433)),
        ("supabase", {"dsn": "user=u dbname=x"}, None),
        ("supabase", {"url": "https://abc.supabase.co"}, ("abc.supabase.co", 443)),
        ("files", {"path": "data"}, None),
    ],
)
def test_the_address_is_found_in_the_options(type_, options, address):
    assert find_address(type_, options) == address


def test_each_family_is_tried_apart():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = reach("127.0.0.1", port)
    assert found == {"ipv4": "127.0.0.1 takes connections", "ipv6": "no address"}
    assert reach("127.0.0.1", port)["ipv4"] == "127.0.0.1: Connection refused"
    assert reach("nowhere.invalid", 1) == {"ipv4": "no address", "ipv6": "no address"}
