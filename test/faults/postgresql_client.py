"""psycopg2 as a client of the load (load.py): writes go into the table `written`, which has no key, so that what comes
twice is there twice."""
import psycopg2

from load import Refused
from postgresql_server import DATABASE

TABLE = ("CREATE TABLE written (id bigint NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());"
         "GRANT ALL ON written TO app")
CONNECT_SECONDS = 30  # the proxy has to answer sooner
READ = "SELECT count(*) FROM pg_class"
LONG_READ = "SELECT count(*) FROM generate_series(1, 100000)"  # some are on their way whenever a server stops


class Client:
    def __init__(self, port, reads=READ):
        self.reads = reads
        try:
            self.connection = psycopg2.connect(host="127.0.0.1", port=port, user="anybody", dbname=DATABASE,
                                               connect_timeout=CONNECT_SECONDS)
        except psycopg2.Error as error:
            raise refused(error) from None
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()

    def run(self, text, values=()):
        try:
            self.cursor.execute(text, values)
        except psycopg2.Error as error:
            raise refused(error) from None

    def write(self, id):
        self.run("INSERT INTO written (id) VALUES (%s)", (id,))

    def transaction(self, ids):
        try:
            self.run("BEGIN")
            for id in ids:
                self.write(id)
            self.run("COMMIT")
        except Refused:
            if self.alive and self.connection.info.transaction_status != psycopg2.extensions.TRANSACTION_STATUS_IDLE:
                try:
                    self.run("ROLLBACK")
                except Refused:
                    self.close()  # one error was told already
            raise

    def read(self):
        self.run(self.reads)
        self.cursor.fetchone()

    @property
    def alive(self):
        return self.connection.closed == 0

    def close(self):
        self.connection.close()


def refused(error):
    return Refused(error.pgcode or "", " ".join(str(error).split())[:200])


def store(server):
    """{id: how often it is there}, of `server` itself."""
    return dict(server.sql("SELECT id, count(*) FROM written GROUP BY id", DATABASE))
