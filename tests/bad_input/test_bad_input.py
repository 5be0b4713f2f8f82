"""What goes wrong while it runs: each has a place, a reason, a fix and its exit code; nothing is half
written, no traceback is shown, and the next build works.

Mistakes in files that are found before anything runs have tables of their own: tests/project,
tests/compile/test_errors.py and test_data_tests_mistakes.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest
from servers.tcp_proxy import tcp_proxy

OSIRIS = str(Path(sys.executable).with_name("osiris-sql"))
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith(("SHOP_", "APP_"))}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project that `init` writes, built once."""
    folder = tmp_path_factory.mktemp("bad_input")
    osiris(folder, "init", "shop")
    assert osiris(folder / "shop", "build").returncode == 0
    return folder / "shop"


@pytest.fixture
def shop(built: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    return Path(shutil.copytree(built, tmp_path / "shop"))


def osiris(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(
        [OSIRIS, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**CLEAN, **environ},
    )
    assert "Traceback" not in ended.stderr + ended.stdout
    assert "bug in osiris-sql" not in ended.stderr + ended.stdout
    return ended


def said(ended: subprocess.CompletedProcess[str]) -> str:
    return " ".join((ended.stdout + ended.stderr).split())


def published(project: Path) -> list[tuple]:
    with duckdb.connect(str(project / "out" / "app.duckdb"), read_only=True) as app:
        return app.execute("FROM customer_sales ORDER BY ALL").fetchall()


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def mysql_project(project: Path) -> None:
    """Let the shop's rows come from MySQL."""
    edit(
        project / "sources.yml",
        "shop: { type: files, path: data/shop }",
        'shop: { type: mysql, host: "${SHOP_HOST}", port: "${SHOP_PORT}", database: badshop,'
        ' user: "${SHOP_USER}", password: "${SHOP_PASSWORD}" }',
    )


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("108,2,2026-03-01,shipped,49.90,extra", ["data/shop/orders.csv", "9"]),
        ("108,2,2026-03-01", ["data/shop/orders.csv", "9"]),
        ("108,two,2026-03-01,shipped,49.90", ["data/shop/orders.csv:9", "customer_id", "two"]),
        ("108,2,2026-03-01 10:00,shipped,49.90", ["data/shop/orders.csv:9", "ordered_on"]),
        ("108,2,2026-03-01,shipped,49.999", ["data/shop/orders.csv:9", "amount", "49.999"]),
    ],
)
def test_a_row_that_does_not_fit_names_its_file_and_line(shop, row, words):
    before = published(shop)
    orders = shop / "data" / "shop" / "orders.csv"
    good = orders.read_text()
    orders.write_text(f"{good}{row}\n")
    ended = osiris(shop, "build")
    assert ended.returncode == 1
    assert [word for word in words if word not in said(ended)] == []
    assert published(shop) == before
    orders.write_text(f"{good}108,2,2026-03-01,shipped,49.90\n")
    assert osiris(shop, "build").returncode == 0
    assert published(shop) != before


def test_a_data_test_that_fails_publishes_nothing(shop):
    before = published(shop)
    edit(shop / "data" / "shop" / "orders.csv", "102,2", "101,2")
    ended = osiris(shop, "build")
    assert ended.returncode == 1
    assert "unique_shop_orders_id" in said(ended)
    assert "sources.yml:" in said(ended)
    assert published(shop) == before
    assert osiris(shop, "build").returncode == 1, "a failed test is not forgotten"


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("select id as customer_id, nam, country from {{ source('shop', 'customers') }}", "unknown-column"),
        ("select 1 as customer_id from {{ ref('nowhere') }}", "unknown-relation"),
        ("select {{ shout('x') }} as customer_id", "unknown-name"),
        ("select {{ var('none') }} as customer_id", "unknown-var"),
        ("select 1 as customer_id from {{ ref('customer_sales') }}", "cycle"),
        ("select 1 as customer_id {% if %}", "template-syntax"),
        ("selec 1 as customer_id", "not-a-select"),
        ("select 1 as customer_id frm x", "syntax-error"),
        ("", "empty"),
        ("select 1 as customer_id; select 2", "two-statements"),
        ("delete from x", "not-a-select"),
    ],
)
def test_a_wrong_model_is_found_before_anything_runs(shop, sql, rule):
    before = published(shop)
    path = shop / "models" / "staging" / "stg_customers.sql"
    good = path.read_text()
    path.write_text(sql)
    ended = osiris(shop, "build")
    assert ended.returncode == 2
    assert f"[{rule}" in said(ended)
    assert "models/staging/stg_customers.sql" in said(ended)
    assert published(shop) == before
    path.write_text(good)
    assert osiris(shop, "build").returncode == 0


def test_missing_variables_are_named_with_their_place_before_anything_else(shop):
    mysql_project(shop)
    ended = osiris(shop, "build", SHOP_HOST="127.0.0.1", SHOP_PORT="1")
    assert ended.returncode == 2
    assert "SHOP_USER" in said(ended)
    assert "SHOP_PASSWORD" in said(ended)
    assert "sources.yml:4" in said(ended)


@pytest.mark.servers
def test_a_source_that_is_down_refuses_the_password_or_lacks_the_table(shop, mariadb):
    mysql_project(shop)
    mariadb.create_database("badshop")
    before = published(shop)
    good = {
        "SHOP_HOST": mariadb.host,
        "SHOP_PORT": str(mariadb.port),
        "SHOP_USER": "root",
        "SHOP_PASSWORD": mariadb.root_password,
    }
    down = osiris(shop, "build", **{**good, "SHOP_PORT": "1"})
    assert (down.returncode, "127.0.0.1" in said(down)) == (3, True)
    assert said(down).startswith("sources.yml:4:")
    wrong = osiris(shop, "build", **{**good, "SHOP_PASSWORD": "not-the-password"})
    assert (wrong.returncode, "Access denied" in said(wrong)) == (3, True)
    assert "not-the-password" not in said(wrong)
    lacking = osiris(shop, "build", **good)
    assert (lacking.returncode, "customers" in said(lacking)) == (1, True)
    assert published(shop) == before
    mariadb.execute(
        "CREATE TABLE customers (id BIGINT, name VARCHAR(40), country VARCHAR(2))",
        "CREATE TABLE orders (id BIGINT, customer_id BIGINT, ordered_on DATE, status VARCHAR(9),"
        " amount DECIMAL(10,2))",
        "INSERT INTO customers VALUES (1, 'Ada', 'GB'), (2, 'Bo', 'GB'), (3, 'Cy', 'GB'), (4, 'Di', 'GB')",
        "INSERT INTO orders VALUES (1, 1, '2026-01-01', 'shipped', 5)",
        database="badshop",
    )
    assert osiris(shop, "build", **good).returncode == 0
    assert [row[1] for row in published(shop)] == ["Ada", "Bo", "Cy", "Di"]


@pytest.mark.servers
def test_a_target_that_goes_down_in_the_middle_keeps_its_old_rows(shop, postgres):
    dsn = postgres.create_database("bad_target")
    edit(
        shop / "targets.yml",
        "{ type: duckdb, path: out/app.duckdb }",
        '{ type: supabase, dsn: "${APP_DSN}" }',
    )
    with tcp_proxy(postgres.port) as proxy:
        through = dsn.replace(f":{postgres.port}/", f":{proxy.port}/")
        assert osiris(shop, "build", APP_DSN=through).returncode == 0
        before = postgres.run_sql("SELECT * FROM customer_sales ORDER BY 1", "bad_target")
        edit(shop / "data" / "shop" / "orders.csv", "19.90", "29.90")
        reached = proxy.passed("up")
        proxy.heal()
        # Far enough to plan and to begin, not far enough to end; then it stays down.
        proxy.cut_after(reached // 2, "up")
        ended = osiris(shop, "build", APP_DSN=through)
        assert ended.returncode in (1, 3)
        assert "app" in said(ended)
        assert postgres.run_sql("SELECT * FROM customer_sales ORDER BY 1", "bad_target") == before
        proxy.heal()
        assert osiris(shop, "build", APP_DSN=through).returncode == 0
        assert postgres.run_sql("SELECT * FROM customer_sales ORDER BY 1", "bad_target") != before


def test_a_full_disk_leaves_the_old_rows(shop):
    """A limit on file sizes fails a write as a full disk does, with no need to be root."""
    before = published(shop)
    orders = shop / "data" / "shop" / "orders.csv"
    good = orders.read_text()
    many = "".join(f"{n},2,2026-03-01,shipped,{n % 97}.90\n" for n in range(1000, 300_000))
    orders.write_text(good + many)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_200_000, 1_200_000))

    ended = subprocess.run(
        [OSIRIS, "build"], cwd=shop, capture_output=True, text=True, check=False, env=CLEAN, preexec_fn=limit
    )
    # DuckDB 1.5 may abort its process when a write in the background fails; 2.0 raises an error.
    aborted = ended.returncode == -signal.SIGABRT and duckdb.__version__.startswith("1.")
    if not aborted:
        assert ended.returncode == 1
        assert "disk" in said(ended)
    assert "Traceback" not in ended.stderr + ended.stdout
    assert published(shop) == before
    assert osiris(shop, "build").returncode == 0
    assert published(shop) != before


SLOW = """
select customer_id, name, country
from (select id as customer_id, name, country from {{ source('shop', 'customers') }}) as c
where (select count(*) from range(100000) as a(x), range(100000) as b(y) where hash(x, y) = 1) < 1
"""


def start_slow_build(shop: Path) -> subprocess.Popen[str]:
    (shop / "models" / "staging" / "stg_customers.sql").write_text(SLOW)
    edit(shop / "osiris-sql.toml", 'materialized = "view"', 'materialized = "table"')
    building = subprocess.Popen(
        [OSIRIS, "build", "--json"],
        cwd=shop,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=CLEAN,
    )
    for line in building.stdout:
        if '"step_started"' in line and "materialize.stg_customers" in line:
            break
    time.sleep(0.5)
    return building


def test_a_second_build_says_who_holds_the_warehouse_and_plan_works_meanwhile(shop):
    with start_slow_build(shop) as building:
        second = osiris(shop, "build")
        assert second.returncode == 3
        assert f"process {building.pid}" in said(second)
        assert osiris(shop, "plan").returncode == 0
        building.send_signal(signal.SIGINT)
        building.communicate(timeout=20)


def test_ctrl_c_ends_with_130_within_seconds_and_the_next_build_works(shop):
    before = published(shop)
    path = shop / "models" / "staging" / "stg_customers.sql"
    good = path.read_text()
    with start_slow_build(shop) as building:
        pressed = time.monotonic()
        building.send_signal(signal.SIGINT)
        _, errors = building.communicate(timeout=20)
        assert building.returncode == 130
        assert time.monotonic() - pressed < 15, "a hang, not a measure"
        assert "Traceback" not in errors
    assert published(shop) == before
    path.write_text(good)
    assert osiris(shop, "build").returncode == 0
