"""What can be said to a Redis server: its commands with their arguments, as COMMAND DOCS has them, and where the ambassador
routes each of them."""
import dataclasses
import pathlib
import re


ROOT = pathlib.Path(__file__).resolve().parents[3]
TABLE = ROOT / "proxy" / "redis" / "command_data.cpp"  # generated of proxy/redis/commands
ROW = re.compile(r'\.name = "([^"]+)", \.arity = (-?\d+), \.route = Route::(\w+)(?:, \.first = (\d+))?')


@dataclasses.dataclass
class Argument:
    name: str
    kind: str
    token: str | None
    flags: set
    parts: list  # of a block or a choice


@dataclasses.dataclass
class Command:
    name: str  # with its subcommand: "xinfo|stream"
    group: str
    arity: int
    route: str
    first: int  # the position of the first key, where that is all that the route needs
    arguments: list

    @property
    def words(self):
        return self.name.upper().split("|")


def mapping(flat):
    return {key.decode(): value for key, value in zip(flat[::2], flat[1::2])}


def arguments(docs):
    found = []
    for one in map(mapping, docs):
        token = one.get("token")
        flags = {flag.decode() for flag in one.get("flags", ())}
        found.append(Argument(one["name"].decode(), one["type"].decode(), token.decode() if token is not None else None, flags,
                              arguments(one.get("arguments", ()))))
    return found


def commands(server):
    """All that the ambassador does not refuse, of what the server at that connection has."""
    routes = {name: (int(arity), route, int(first or 0)) for name, arity, route, first in ROW.findall(TABLE.read_text())}
    assert len(routes) > 300, f"{TABLE} is not as it was"
    found = {}

    def take(name, docs, group):
        if name not in routes or routes[name][1] in ("refused", "container"):
            return
        arity, route, first = routes[name]
        found[name] = Command(name, group, arity, route, first, arguments(docs.get("arguments", ())))

    for name, docs in mapping(server.ask("COMMAND", "DOCS")).items():
        docs = mapping(docs)
        group = docs["group"].decode()
        take(name, docs, group)
        for sub, about in mapping(docs.get("subcommands", ())).items():
            take(sub, mapping(about), group)
    assert len(found) > 250
    return found


def payloads(server):
    """What DUMP says of some values, and FUNCTION DUMP of a library: to be restored."""
    made = {"string": ("SET", "dumped", "value"), "list": ("RPUSH", "dumped", "a", "b"), "zset": ("ZADD", "dumped", 1, "a"),
            "hash": ("HSET", "dumped", "f", "v"), "set": ("SADD", "dumped", 1, 2)}
    found = []
    for words in made.values():
        server.ask(*words)
        found.append(server.ask("DUMP", "dumped"))
        server.ask("DEL", "dumped")
    return found
