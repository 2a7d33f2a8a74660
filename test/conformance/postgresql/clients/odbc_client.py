"""psqlODBC by pyodbc: says what it got, line by line. odbc_client.py PORT NAME"""
import sys
import threading
import time

import pyodbc

PORT, NAME = sys.argv[1:]
TABLE = f"odbc_{NAME}"
WHERE = (f"Driver={{PostgreSQL Unicode}};Server=127.0.0.1;Port={PORT};Database=shop;Uid=app;sslmode=disable;"
         "BoolsAsChar=0;MaxVarcharSize=4000;")
pyodbc.pooling = False


def told(what, value):
    print(f"{what}: {value}", flush=True)


def connect(more="", **options):
    return pyodbc.connect(WHERE + more, **options)


def scenario(name, more):
    connection = connect(more)
    cursor = connection.cursor()
    cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
    cursor.execute(f"CREATE TABLE {TABLE} (id int, word varchar(100))")
    connection.commit()
    for number in range(20):
        cursor.execute(f"INSERT INTO {TABLE} VALUES (?, ?)", number, f"ü {number}")
    connection.commit()
    cursor.executemany(f"INSERT INTO {TABLE} VALUES (?, ?)", [(number, "batch") for number in range(100, 400)])
    connection.commit()
    told(f"{name} rows", [list(row) for row in cursor.execute(f"SELECT count(*), sum(id) FROM {TABLE}").fetchall()])
    for number in range(5):
        told(f"{name} prepared", list(cursor.execute(f"SELECT word FROM {TABLE} WHERE id = ?", number).fetchone()))
    cursor.execute(f"SELECT id FROM {TABLE} ORDER BY id")
    told(f"{name} fetched", sum(row[0] for row in iter(cursor.fetchone, None)))
    connection.rollback()
    try:
        cursor.execute("SELECT 1/0")
    except pyodbc.Error as error:
        told(f"{name} error", error.args[0])
    connection.rollback()
    cursor.execute(f"DELETE FROM {TABLE}")
    connection.rollback()
    told(f"{name} rolled back", list(cursor.execute(f"SELECT count(*) FROM {TABLE}").fetchone()))
    told(f"{name} columns", [row.column_name for row in cursor.columns(table=TABLE)])
    connection.close()


def cancelled():
    connection, watch = connect(autocommit=True), connect(autocommit=True)
    cursor = connection.cursor()

    def cancel():
        runs = f"SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%asleep {TABLE}%' AND wait_event = 'PgSleep'"
        while watch.execute(runs).fetchone()[0] != 1:
            time.sleep(0.01)
        cursor.cancel()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    try:
        cursor.execute(f"SELECT pg_sleep(600) /* asleep {TABLE} */")
    except pyodbc.Error as error:
        told("cancelled", "canceling statement due to user request" in str(error))
    canceller.join()
    told("after it", list(connection.execute("SELECT 1").fetchone()))
    connection.close()
    watch.close()


def reconnected():
    for number in range(10):
        connection = connect(autocommit=True)
        told("again", list(connection.execute("SELECT ?::int", number).fetchone()))
        connection.close()


scenario("server's prepare", "UseServerSidePrepare=1;")
scenario("own prepare", "UseServerSidePrepare=0;")
scenario("declare and fetch", "UseDeclareFetch=1;Fetch=7;")
scenario("whole transaction at an error", "Protocol=7.4-0;")
scenario("savepoints", "Protocol=7.4-2;")
cancelled()
reconnected()
