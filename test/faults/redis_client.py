"""A client of the load (load.py): writes go to the ends of lists, so that what comes twice is there twice."""
import resp

from load import Refused

LISTS = 16  # so that they lie on all shards


def key(id):
    return f"written:{id % LISTS}"


class Client:
    def __init__(self, port):
        try:
            self.connection = resp.Connection(port)
        except OSError as error:
            raise Refused("", str(error)) from None
        self.alive = True

    def ask(self, *commands):
        """The reply to the last of them."""
        try:
            self.connection.send([b"".join(resp.request(*words) for words in commands)])
            for _ in commands:
                kind, value = self.connection.reply()[1]
        except (OSError, resp.Closed) as error:
            self.alive = False
            raise Refused("", f"{type(error).__name__} {error}") from None
        if kind == b"-":
            code, _, text = value.decode().partition(" ")
            raise Refused(code, text)
        return value

    def write(self, id):
        self.ask(("RPUSH", key(id), id))

    def transaction(self, ids):
        self.ask(("MULTI",), *(("RPUSH", key(ids[0]), id) for id in ids), ("EXEC",))

    def read(self):
        self.ask(("LLEN", key(id(self))))

    def close(self):
        self.connection.end()


def store(*servers):
    """{id: how often it is there}, of the servers themselves."""
    counts = {}
    for server in servers:
        for number in range(LISTS):
            for one in server.ask("LRANGE", key(number), 0, -1):
                counts[int(one)] = counts.get(int(one), 0) + 1
    return counts
