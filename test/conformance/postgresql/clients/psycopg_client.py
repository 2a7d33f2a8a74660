"""psycopg 3: says what it got, line by line. psycopg_client.py PORT NAME"""
import asyncio
import sys
import threading
import time

import psycopg
from psycopg import sql

PORT, NAME = sys.argv[1:]
TABLE = f"psycopg_{NAME}"
WHERE = f"host=127.0.0.1 port={PORT} user=app dbname=shop connect_timeout=60 sslmode=disable"


def told(what, value):
    print(f"{what}: {value}", flush=True)


def connect(**more):
    return psycopg.connect(WHERE, **more)


def transactions():
    with connect(autocommit=True) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {TABLE}")
        connection.execute(f"CREATE TABLE {TABLE} (id int PRIMARY KEY, word text)")
        with connection.transaction():
            connection.execute(f"INSERT INTO {TABLE} VALUES (1, 'kept')")
            try:
                with connection.transaction():
                    connection.execute(f"INSERT INTO {TABLE} VALUES (1, 'twice')")
            except psycopg.errors.UniqueViolation as error:
                told("within a savepoint", error.sqlstate)
        told("kept", connection.execute(f"SELECT * FROM {TABLE}").fetchall())


def prepared():
    with connect(autocommit=True, prepare_threshold=0) as connection:
        for number in range(30):
            row = connection.execute("SELECT %s::int + %s", (number, 1)).fetchone()
            assert row == (number + 1,)
        told("prepared binary", connection.execute("SELECT %s::int8, %s::text", (1 << 40, "ü"), binary=True).fetchone())
        connection.execute("DEALLOCATE ALL")
        told("after DEALLOCATE ALL", connection.execute("SELECT %s::int", (5,), prepare=True).fetchone())
    with connect(autocommit=True, prepare_threshold=0) as connection:
        connection.prepared_max = 2  # others are given up, by DEALLOCATE of their names
        for number in list(range(8)) * 2:
            row = connection.execute(f"SELECT %s::int + {number}", (1,)).fetchone()
            assert row == (1 + number,)
        told("few prepared", "all answered")
        with connection.transaction():
            for number in range(6):
                connection.execute(f"SELECT %s::int - {number}", (1,))
        told("few prepared in a transaction", connection.info.transaction_status.name)


def batches():
    with connect(autocommit=True) as connection:
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {TABLE} VALUES (%s, %s) RETURNING id", [(n, f"word {n}") for n in range(2, 200)],
                               returning=True)
            told("executemany", cursor.rowcount)
        with connection.pipeline() as pipeline:
            cursors = [connection.execute("SELECT %s::int", (n,)) for n in range(50)]
            pipeline.sync()
            told("pipelined", sum(cursor.fetchone()[0] for cursor in cursors))
        try:  # whoever is told first: that depends on what has come until then
            with connection.pipeline():
                connection.execute("SELECT 1")
                connection.execute("SELECT 1/0 WHERE %s", (True,))
                connection.execute("SELECT 2")
        except (psycopg.errors.DivisionByZero, psycopg.errors.PipelineAborted):
            told("pipelined error", "told")
        told("after the pipeline", connection.execute("SELECT 3").fetchone())


def copies():
    with connect() as connection, connection.cursor() as cursor:
        with cursor.copy(f"COPY {TABLE} FROM STDIN") as copy:
            for number in range(1000, 3000):
                copy.write_row((number, "copied " * 20))
        told("copied in", cursor.rowcount)
        with cursor.copy(f"COPY (SELECT id FROM {TABLE} ORDER BY id) TO STDOUT") as copy:
            told("copied out", sum(int(row[0]) for row in copy.rows()))
        with cursor.copy(f"COPY (SELECT id, word FROM {TABLE} WHERE id < 4 ORDER BY id) TO STDOUT (FORMAT binary)") as copy:
            copy.set_types(["int4", "text"])
            told("copied out binary", list(copy.rows()))
        connection.commit()
        try:
            with cursor.copy(f"COPY {TABLE} FROM STDIN") as copy:
                copy.write(b"no number\tx\n")
        except psycopg.errors.InvalidTextRepresentation as error:
            told("wrong row", error.sqlstate)
        connection.rollback()
        try:
            with cursor.copy(f"COPY {TABLE} FROM STDIN") as copy:
                raise KeyError("given up")
        except (KeyError, psycopg.errors.QueryCanceled):  # older versions tell of the one, newer of the other
            connection.rollback()
        told("copy given up", cursor.execute(f"SELECT count(*) FROM {TABLE}").fetchone())


def notifications():
    with connect(autocommit=True) as hears, connect(autocommit=True) as says:
        hears.execute(f"LISTEN {TABLE}")
        says.execute(f"NOTIFY {TABLE}, 'first'")
        with says.transaction():
            says.execute("SELECT pg_notify(%s, 'second')", (TABLE,))
        got = []
        for one in hears.notifies():
            got.append((one.channel, one.payload))
            if len(got) == 2:
                break
        told("notified", got)
        hears.execute("UNLISTEN *")


def cancelled():
    with connect(autocommit=True) as connection, connect(autocommit=True) as watch:
        def cancel():
            runs = f"SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%%asleep {TABLE}%%' AND wait_event = 'PgSleep')"
            while not watch.execute(runs).fetchone()[0]:
                time.sleep(0.01)
            connection.cancel()

        canceller = threading.Thread(target=cancel)
        canceller.start()
        try:
            connection.execute(f"SELECT pg_sleep(600) /* asleep {TABLE} */")
        except psycopg.errors.QueryCanceled as error:
            told("cancelled", error.sqlstate)
        canceller.join()
        told("after it", connection.execute("SELECT 1").fetchone())


def cursors():
    with connect() as connection:
        with connection.cursor(name="some") as cursor:
            cursor.itersize = 100
            cursor.execute(f"SELECT id FROM {TABLE} ORDER BY id")
            told("by a cursor", sum(row[0] for row in cursor))
        with connection.cursor(name="scrolls", scrollable=True) as cursor:
            cursor.execute(f"SELECT id FROM {TABLE} ORDER BY id")
            cursor.scroll(10)
            told("scrolled", cursor.fetchmany(3))
            cursor.scroll(0, mode="absolute")
            told("scrolled back", cursor.fetchone())
        with connection.cursor(name="held", withhold=True) as cursor:
            cursor.execute("SELECT generate_series(1, 10)")
            connection.commit()
            told("held", cursor.fetchall())


def large_objects():
    with connect() as connection:
        number = connection.execute("SELECT lo_from_bytea(0, %s)", (b"large " * 50000,)).fetchone()[0]
        told("large object", len(connection.execute("SELECT lo_get(%s)", (number,)).fetchone()[0]))
        connection.execute("SELECT lo_put(%s, 6, %s)", (number, b"LARGE"))
        told("part of it", connection.execute("SELECT lo_get(%s, 0, 18)", (number,)).fetchone())
        connection.execute("SELECT lo_unlink(%s)", (number,))


def settings():
    with connect(autocommit=True, options="-c extra_float_digits=0", application_name="reports") as connection:
        told("wished", connection.execute("SELECT current_setting('extra_float_digits'), current_setting('application_name')").fetchone())
        connection.execute("SET TIME ZONE 'Asia/Tokyo'")
        for _ in range(3):
            told("time", connection.execute("SELECT timestamptz '2024-01-15 12:00+00'::text").fetchone())
            told("known to the client", connection.info.timezone.key)


def reconnected():
    for number in range(20):
        with connect(autocommit=True) as connection:
            told("again", connection.execute(sql.SQL("SELECT {}").format(number)).fetchone())
    lost = connect(autocommit=True)
    try:
        lost.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    except psycopg.OperationalError:
        told("lost", "told so")
    lost.close()
    with connect(autocommit=True) as connection:
        told("after the loss", connection.execute("SELECT 1").fetchone())


async def many_at_once():
    async def one(number):
        async with await psycopg.AsyncConnection.connect(WHERE, autocommit=True) as connection:
            async with connection.transaction():
                cursor = await connection.execute("SELECT %s::int * 2", (number,))
                return (await cursor.fetchone())[0]

    told("at once", sum(await asyncio.gather(*[one(number) for number in range(12)])))


for part in (transactions, prepared, batches, copies, notifications, cancelled, cursors, large_objects, settings, reconnected):
    part()
asyncio.run(many_at_once())
