"""libpq's own functions, by psycopg's wrappers and by ctypes: says what it got, line by line. libpq_client.py PORT NAME"""
import ctypes
import ctypes.util
import os
import select
import sys
import tempfile

from psycopg import pq

PORT, NAME = sys.argv[1:]
TABLE = f"libpq_{NAME}"
WHERE = f"host=127.0.0.1 port={PORT} user=app dbname=shop connect_timeout=60"
libpq = ctypes.CDLL(ctypes.util.find_library("pq"))
libpq.lo_creat.restype = ctypes.c_uint


def told(what, value):
    print(f"{what}: {value}", flush=True)


def connect(more="sslmode=disable"):
    connection = pq.PGconn.connect(f"{WHERE} {more}".encode())
    assert connection.status == pq.ConnStatus.OK, connection.error_message.decode()
    return connection


def shown(result):
    if result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.SINGLE_TUPLE):
        return [[result.get_value(row, column) for column in range(result.nfields)] for row in range(result.ntuples)]
    return pq.ExecStatus(result.status).name, result.error_field(pq.DiagnosticField.SQLSTATE)


def encryption():
    """The listener declines, and who insists is not served."""
    for mode in ("disable", "allow", "prefer"):
        connection = connect(f"sslmode={mode}")
        told(mode, connection.ssl_in_use)
        connection.finish()
    refused = pq.PGconn.connect(f"{WHERE} sslmode=require".encode())
    told("require", refused.error_message.decode().strip().rsplit(": ", 1)[-1])
    refused.finish()


def statements(connection):
    told("simple", shown(connection.exec_(f"DROP TABLE IF EXISTS {TABLE}; CREATE TABLE {TABLE} (n int, t text); SELECT 1".encode())))
    told("parameters", shown(connection.exec_params(b"SELECT $1::int + 1, $2::text", [b"1", None])))
    told("prepared", pq.ExecStatus(connection.prepare(b"one", f"INSERT INTO {TABLE} VALUES ($1, $2) RETURNING n".encode()).status).name)
    for number in range(5):
        told("executed", shown(connection.exec_prepared(b"one", [str(number).encode(), b"x"])))
    described = connection.describe_prepared(b"one")
    told("described", (described.nparams, [described.param_type(i) for i in range(2)], described.fname(0)))
    told("prepared twice", shown(connection.prepare(b"one", b"SELECT 1")))
    told("still there", shown(connection.exec_prepared(b"one", [b"9", None])))
    told("unnamed", (pq.ExecStatus(connection.prepare(b"", b"SELECT $1::int").status).name, shown(connection.exec_prepared(b"", [b"4"])),
                     shown(connection.exec_prepared(b"", [b"5"]))))
    told("given up", shown(connection.exec_(b"DEALLOCATE one")))
    told("not there", shown(connection.exec_prepared(b"one", [b"1", None])))
    told("syntax", shown(connection.exec_(b"SELEC")))


def results(connection):
    while result := connection.get_result():
        yield result


def wait(connection):
    while connection.is_busy():
        select.select([connection.socket], [], [], 60)
        connection.consume_input()


def rows_one_by_one(connection):
    connection.send_query(b"SELECT generate_series(1, 1000)")
    connection.set_single_row_mode()
    told("row by row", sum(int(result.get_value(0, 0)) for result in results(connection) if result.ntuples))


def pipelined(connection):
    connection.enter_pipeline_mode()
    for number in range(20):
        connection.send_query_params(b"SELECT $1::int", [str(number).encode()])
    connection.pipeline_sync()
    connection.send_prepare(b"piped", b"SELECT $1::int * 2")
    connection.send_query_prepared(b"piped", [b"21"])
    connection.send_query_params(b"SELECT 1/0", [])
    connection.send_query_prepared(b"piped", [b"22"])
    connection.pipeline_sync()
    connection.send_query_prepared(b"piped", [b"23"])
    connection.pipeline_sync()
    connection.flush()
    got, syncs = [], 0
    while syncs < 3:
        wait(connection)
        result = connection.get_result()
        if result is None:
            continue
        syncs += result.status == pq.ExecStatus.PIPELINE_SYNC
        got.append(shown(result))
    connection.exit_pipeline_mode()
    told("pipelined", got)


def copied(connection):
    connection.exec_(f"COPY {TABLE} FROM STDIN".encode())
    for number in range(100):
        connection.put_copy_data(f"{number}\tcopied\n".encode())
    connection.put_copy_end()
    told("copied in", [result.command_tuples for result in results(connection)])
    connection.exec_(f"COPY {TABLE} FROM STDIN".encode())
    connection.put_copy_end(b"not now")
    told("copy given up", [shown(result) for result in results(connection)])
    connection.exec_(f"COPY (SELECT n FROM {TABLE} ORDER BY n, t) TO STDOUT".encode())
    size, rows = 1, 0
    while size > 0:
        size, _ = connection.get_copy_data(0)
        rows += size > 0
    told("copied out", (rows, [shown(result) for result in results(connection)]))


def cancelled(connection):
    cancel = connection.get_cancel()
    watch = connect()
    connection.send_query(f"SELECT pg_sleep(600) /* asleep {TABLE} */".encode())
    runs = f"SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%asleep {TABLE}%' AND wait_event = 'PgSleep'"
    while shown(watch.exec_(runs.encode())) != [[b"1"]]:
        pass
    cancel.cancel()
    told("cancelled", [shown(result) for result in results(connection)])
    told("after it", shown(connection.exec_(b"SELECT 1")))
    watch.finish()


def large_objects(connection):
    """By calls of functions, which are messages of their own."""
    pointer = ctypes.c_void_p(connection.pgconn_ptr) if isinstance(connection.pgconn_ptr, int) else connection.pgconn_ptr
    connection.exec_(b"BEGIN")
    number = libpq.lo_creat(pointer, 0x60000)
    assert number
    opened = libpq.lo_open(pointer, ctypes.c_uint(number), 0x60000)
    data = os.urandom(100000)
    told("written", libpq.lo_write(pointer, opened, data, ctypes.c_size_t(len(data))))
    libpq.lo_lseek(pointer, opened, 0, 0)
    buffer = ctypes.create_string_buffer(len(data))
    told("read", (libpq.lo_read(pointer, opened, buffer, ctypes.c_size_t(len(data))), buffer.raw == data))
    told("closed", libpq.lo_close(pointer, opened))
    connection.exec_(b"COMMIT")
    connection.exec_(b"BEGIN")
    with tempfile.NamedTemporaryFile() as file:
        told("exported", libpq.lo_export(pointer, ctypes.c_uint(number), file.name.encode()))
        told("as it was", open(file.name, "rb").read() == data)
    told("gone", libpq.lo_unlink(pointer, ctypes.c_uint(number)))
    told("not there", libpq.lo_unlink(pointer, ctypes.c_uint(number)))
    connection.exec_(b"ROLLBACK")


def reset(connection):
    for _ in range(5):
        connection.reset()
        told("reset", (pq.ConnStatus(connection.status).name, shown(connection.exec_(b"SELECT 1"))))
    told("parameters", [connection.parameter_status(name) for name in (b"client_encoding", b"DateStyle", b"session_authorization")])


encryption()
one = connect()
for part in (statements, rows_one_by_one, pipelined, copied, cancelled, large_objects, reset):
    part(one)
one.finish()
