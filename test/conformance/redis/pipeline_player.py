"""Plays a program of random_pipeline.py over one port and keeps what the clients hear."""
import dataclasses
import itertools
import random
import sys
import time

import differences
import random_pipeline
import resp

# Of all databases that the programs use, whatever it takes; as text, since tables have orders of their own.
CONTENTS = b"""
local found = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local kind, value = redis.call('TYPE', key).ok, {}
  if kind == 'string' then value = {redis.call('GET', key)}
  elseif kind == 'list' then value = redis.call('LRANGE', key, 0, -1)
  elseif kind == 'set' then value = redis.call('SMEMBERS', key) table.sort(value)
  elseif kind == 'zset' then value = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  elseif kind == 'hash' then
    local all = redis.call('HGETALL', key)
    for i = 1, #all, 2 do value[#value + 1] = all[i] .. '=' .. all[i + 1] end
    table.sort(value)
  elseif kind == 'stream' then value = redis.call('XRANGE', key, '-', '+') end
  found[#found + 1] = {key, kind, redis.call('TTL', key) < 0, value}
end
return found
"""
sys.setrecursionlimit(20000)  # scripts' answers are nested deeply


class Servers:
    """Those behind a port, as their administrator sees them."""

    def __init__(self, backing, databases):
        """`databases`: how many the programs use."""
        self.connections = [resp.Connection(server.port) for server in backing.primaries]
        self.databases, self.sentinels = databases, backing.sentinels

    def empty(self):
        for one in self.connections:
            self.wait(one, f"pubsub_channels:{min(1, self.sentinels)}", "pubsub_patterns:0", "pubsubshard_channels:0",
                      "blocked_clients:0")
            for words in (["FLUSHALL"], ["SCRIPT", "FLUSH"], ["FUNCTION", "FLUSH"], ["SELECT", 0]):
                one.ask(*words)

    def wait(self, one, *fields):
        """Nobody of the last program is left."""
        end = time.monotonic() + resp.BOUND
        while True:
            told = one.ask("INFO", "everything").decode().split("\r\n")
            if all(field in told for field in fields if field.split(":")[0] in " ".join(told)):
                return
            assert time.monotonic() < end, f"not {fields}"
            time.sleep(0.002)

    def blocked(self):
        return any(b"blocked_clients:0\r" not in one.ask("INFO", "clients") for one in self.connections)

    def contents(self):
        found = []
        for number, one in itertools.product(range(self.databases), self.connections):
            one.ask("SELECT", number)
            found += [(number, *key) for key in one.ask("EVAL", CONTENTS, 0)]
        return sorted(found, key=repr)


@dataclasses.dataclass
class Heard:
    turns: list = dataclasses.field(default_factory=list)  # (turn, client, what was said, trees of replies)
    messages: list = dataclasses.field(default_factory=list)  # of each client
    contents: list = dataclasses.field(default_factory=list)


class Client:
    def __init__(self, port):
        self.port, self.messages = port, []
        self.connection = resp.Connection(port)
        self.waits = 0  # replies of what was left waiting

    def say(self, said, chance, token):
        """A turn; the replies up to the one with the token."""
        data = b"".join(one.data for one in said) + resp.request("PING", token)
        self.connection.send(pieces(data, chance))
        least = sum(one.replies for one in said) + 1 + self.waits
        self.waits = 0
        found = []
        while True:
            try:
                _, one = self.connection.reply()
            except resp.Closed:
                found.append((b"closed", b""))
                self.again()
                return found
            except TimeoutError:
                found.append((b"nothing more", b"in time"))
                return found
            if differences.is_message(one):
                self.take(one)
                continue
            found.append(one)
            if one == (b"$", token) or one == (b"*", [(b"$", b"pong"), (b"$", token)]):
                return found[:-1]
            if one == (b"+", b"QUEUED") and len(found) >= least:  # the token is, too
                return found

    def last(self, said, chance):
        """What ends the connection: nothing may be behind it, or the answer might be lost on the way."""
        self.connection.send(pieces(said.data, chance))
        found = []
        while True:
            try:
                found.append(self.connection.reply()[1])
            except resp.Closed:
                break
            except TimeoutError:
                found.append((b"nothing more", b"in time"))
                break
        self.again()
        return [one for one in found if not differences.is_message(one)]

    def again(self):
        self.connection.end()
        self.connection = resp.Connection(self.port)

    def block(self, said, servers):
        """Until a server has it, or it is answered at once."""
        self.connection.send([said.data])
        self.waits += 1
        end = time.monotonic() + resp.BOUND
        while not self.connection.read(0.001) and not servers.blocked():
            assert time.monotonic() < end, f"{said} is not blocked"

    def scan(self, said):
        """[all that it found, in an order], after an error that. Not in a transaction: it would ask several servers."""
        self.ask("DISCARD")
        found, cursor = [], b"0"
        while True:
            options = said.data.split(b" ") if said.data else []
            kind, value = self.ask("SCAN", cursor, *options)
            if kind != b"*":
                return [(kind, value)]
            cursor = value[0][1]
            found += value[1][1]
            if cursor == b"0":
                return [(b"*", sorted(set(found)))]

    def ask(self, *words):
        self.connection.send([resp.request(*words)])
        while True:
            one = self.connection.reply()[1]
            if not differences.is_message(one):
                return one
            self.take(one)

    def hear(self, messages):
        """As many as there have to be."""
        while len(self.messages) < messages:
            try:
                one = self.connection.reply(5)[1]
            except (TimeoutError, resp.Closed):
                break
            if differences.is_message(one):
                self.take(one)

    def take(self, message):
        if not differences.is_of_sentinels(message):
            self.messages.append(message)


def pieces(data, chance):
    """As a network may cut them."""
    kind = chance.random()
    if kind < 0.5 or len(data) < 2:
        return [data]
    if kind < 0.6 and len(data) < 2000:
        return [data[at:at + 1] for at in range(len(data))]
    cuts = sorted({0, len(data), *(chance.randrange(1, len(data)) for _ in range(chance.choice([1, 2, 5])))})
    return [data[a:b] for a, b in itertools.pairwise(cuts)]


def play(port, servers, program, seed, messages=None):
    """`messages`: how many each client has to get in the end."""
    servers.empty()
    heard, clients = Heard(), [Client(port) for _ in range(random_pipeline.CLIENTS)]
    try:
        for turn, said in itertools.groupby(program, key=lambda one: one.turn):
            said = list(said)
            client, chance = clients[said[0].client], random.Random(f"{seed} {turn}")
            kind = said[0].kind
            if kind == "block":
                client.block(said[0], servers)
                replies = []
            elif kind == "scan":
                replies = client.scan(said[0])
            elif kind == "last":
                replies = client.last(said[0], chance)
            else:
                replies = client.say(said, chance, b"end of turn %d" % turn)
            heard.turns.append((turn, said[0].client, said, replies))
            if replies and replies[-1][0] == b"nothing more":
                break
        for number, client in enumerate(clients):
            replies = client.say([], random.Random(0), b"end of all")
            heard.turns.append((-1, number, [], replies))
        for number, client in enumerate(clients):
            if messages:
                client.hear(messages[number])
            heard.messages.append(client.messages)
        heard.contents = servers.contents()
    finally:
        for client in clients:
            client.connection.end()
    return heard


def difference(expected, got, parted):
    """In words; "" if there is none."""
    for (turn, client, said, right), (_, _, _, other) in zip(expected.turns, got.turns):
        right, other = (differences.comparable(differences.names_in_order(one)) for one in (right, other))
        if right != other:
            same = next((at for at, (a, b) in enumerate(zip(right, other)) if a != b), min(len(right), len(other)))
            return (f"turn {turn} of client {client}:\n" + "".join(f"  {one!r}\n" for one in said)
                    + f"after {same} equal answers the server says\n  {right[same:same + 3]!r:.1500}\nthe proxy\n  "
                    f"{other[same:same + 3]!r:.1500}")
    for number, pair in enumerate(zip(expected.messages, got.messages)):
        right, other = map(differences.patterns_in_order, pair)
        if parted:  # of several servers, each in its order
            right, other = sorted(right, key=repr), sorted(other, key=repr)
        if right != other:
            return f"client {number} has these messages\n  {right!r:.1500}\nand by the proxy\n  {other!r:.1500}"
    for right, other in itertools.zip_longest(expected.contents, got.contents):
        if right != other:
            return f"in the end there is\n  {right!r:.1500}\nand by the proxy\n  {other!r:.1500}"
    return ""
