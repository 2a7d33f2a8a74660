"""Random programs of Redis clients, made of a seed: what each client says, turn by turn. A turn is one pipeline."""
import dataclasses
import hashlib
import random

import differences
import resp

CLIENTS = 3
TAGS = [b"{a}", b"{b}", b"{c}", b"{d}", b"{e}", b"{f}"]
LETTERS = {"string": b"s", "bitmap": b"s", "list": b"l", "set": b"t", "sorted-set": b"z", "geo": b"z", "hash": b"h", "stream": b"x",
           "hyperloglog": b"p"}
STRANGE_KEYS = [b"", b"\0\xff\r\n", b"a key with blanks", b"$5\r\nhello\r\n", b"x" * 300, b"{", b"{}s0", b"\xc3\xbc"]
# SORT compares up to a NUL, so that nothing may begin with one beside the empty text: a hash table would tell their order.
VALUES = [b"", b"one", b"two words", b"7", b"-12", b"3.25", b"\1\0\xff", b"line\r\nend", b"*2\r\n$3\r\nGET\r\n", b"{a}s0", b"x" * 70,
          b"\xc3\xbc", b"nan"]
FIELDS = [b"f", b"g", b"", b"7", b"\2\0f\r\n", b"y" * 70]
NUMBERS = ["0", "1", "2", "3", "-1", "-2", "5", "100", "2147483648", "-2147483649", "9223372036854775807", "-9223372036854775808",
           "9223372036854775808", "abc", "1.5", "", "+1", " 1", "007", "-0"]
NO_DATABASES = [b"16", b"99"]  # what is pipelined behind such a SELECT gets its error (docs/how-to/redis.md)
SMALL = ["0", "1", "2", "3", "-1", "-3", "7", "abc", ""]  # where a large one would make the answer large
FLOATS = ["0", "1", "-1.5", "3.0e3", "inf", "-inf", "nan", "abc", "", "1e400", "0.1", "17179869184"]
TIMES = ["100000", "20000000", "0", "-1", "abc", "9223372036854775807", "9223372036854775"]  # nothing expires meanwhile
MOMENTS = ["4102444800", "4102444800000", "1", "0", "-5", "abc"]
WAITS = ["0.01", "0.02", "0.001", "-1", "abc", "", "inf"]  # seconds; never for ever
STREAM_IDS = ["1-1", "2-1", "3-1", "3-2", "5-*", "7", "0", "0-0", "-", "+", "$", ">", "(1-1", "abc", "1-1-1", "18446744073709551615-1"]
RANGES = ["-", "+", "[a", "(b", "[one", "(", "abc", "0", "-1", "(1", "inf", "-inf", "(3.25", "[", "2"]
SCRIPTS = [
    b"return {KEYS, ARGV}", b"return 3.99", b"return false", b"return true", b"return nil", b"return {1, nil, 3}", b"syntax error here",
    b"return redis.error_reply('MINE of a script')", b"return redis.error_reply('without a code')", b"return {err = 'ERR own'}",
    b"return redis.status_reply('fine')", b"return redis.call('no such')", b"return redis.pcall('no such')", b"error('raised')",
    b"return redis.call('set', KEYS[1], ARGV[1])", b"return redis.call('get', KEYS[1])", b"return redis.call('lrange', KEYS[1], 0, -1)",
    b"redis.setresp(3); return redis.call('hmget', KEYS[1], 'f', 'g')", b"redis.setresp(3); return {double = 3.25}",
    b"redis.setresp(3); return {map = {a = 1}}", b"redis.setresp(3); return {set = {a = true}}", b"redis.setresp(3); return true",
    b"redis.setresp(3); return {big_number = '123456789012345678901234567890'}",
    b"redis.setresp(3); return {verbatim_string = {format = 'txt', string = 'a\\r\\nb'}}",
    b"redis.setresp(3); return redis.call('zrange', KEYS[1], 0, -1, 'withscores')", b"return string.rep('x', 100000)",
    b"return redis.call('xrange', KEYS[1], '-', '+')", b"return {{}, {{}}, ''}", b"#!lua\nreturn 1", b"#!lua flags=no-writes\nreturn 2",
    b"local t = {} for i = 1, 300 do t[i] = i end return t", b"return #ARGV", b"return redis.call('echo', ARGV[1])",
    *(b"local t = {} for i = 1, %d do t = {t} end return t" % depth for depth in (3, 60, 1000)),
]
# Where keys are parted a script is where it ran; these are loaded at all servers, and come by their hash alone.
LOADED = [b"return 'loaded'", b"return {KEYS[1], 'loaded'}", b"return redis.call('type', KEYS[1])"]
LIBRARIES = [b"#!lua name=one\nredis.register_function('first', function(keys, args) return {keys, args} end)",
             b"#!lua name=two\nredis.register_function{function_name='second', callback=function(keys) return "
             b"redis.call('type', keys[1]) end, flags={'no-writes'}}", b"#!lua name=broken\nredis.register_function(",
             b"no library", b"#!lua name=one\nredis.register_function('third', function() return 3 end)"]
BROKEN = [b"*abc\r\n", b"*1\r\n+x\r\n", b"*2\r\n$abc\r\n", b"*1\r\n$-5\r\n", b"*1\r\n$999999999999\r\n", b'get "unbalanced\r\n',
          b"get 'x'y\r\n", b"*3\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n", b"*1\r\n$3x\r\n", b"x" * 70000]


@dataclasses.dataclass(frozen=True)
class Ground:
    """What a mode can't hide of servers, so that programs have to leave it out."""
    parted: bool = False  # each server has some of the keys: what has several keys has one tag; all keys are of no transaction
    # As a node of a Redis Cluster each refuses databases, and what SORT has of other keys. A pattern is at one of them, which
    # hears after the answer what is published at others, and does not count there: patterns fit no channel.
    clustered: bool = False


def digest(script):
    return hashlib.sha1(script).hexdigest()


@dataclasses.dataclass
class Said:
    """One command (or what is none), and in which turn of whom."""
    turn: int
    client: int
    data: bytes
    replies: int = 1  # at least
    kind: str = "say"  # "block": it is left waiting; "scan": until the cursor is 0 again; "last": the connection ends with it

    def __repr__(self):
        return f"turn {self.turn}, client {self.client}, {self.kind}: {self.data[:300]!r}" + "..." * (len(self.data) > 300)


class Maker:
    """One program."""

    # What changes a client is in some programs only, or little would be left to the rest.
    FAMILIES = ("databases", "transactions", "watching", "channels", "blocked", "large", "broken", "scripts")

    def __init__(self, commands, payloads, seed, ground):
        self.chance = random.Random(seed)
        self.commands, self.payloads, self.ground = commands, payloads, ground
        self.families = {one for one in self.FAMILIES if self.chance.random() < 0.35}
        if "watching" in self.families:
            self.families.add("transactions")
        if self.families & {"watching", "channels"}:
            self.families.discard("databases")
        if self.families & {"databases", "channels"}:  # nobody would wake up who is blocked
            self.families.discard("blocked")
        self.queueing = set()  # clients that have begun a transaction, perhaps
        self.listening = set()  # clients that have subscribed, perhaps
        self.tag = None  # of all keys of what is being made
        self.own_tag = self.chance.choice(TAGS)  # of transactions
        self.said, self.turn = [], 0
        self.by_group = {}
        for command in commands.values():
            if self.is_plain(command):
                self.by_group.setdefault(command.group, []).append(command)

    def is_plain(self, command):
        name = command.name
        taken = {"hello", "select", "reset", "quit", "scan", "multi", "exec", "discard", "watch", "unwatch", "publish", "spublish",
                 "auth", "echo"}
        if self.ground.clustered and name == "move":
            return False
        return name not in taken and name not in differences.NOT_SENT and not name.endswith("subscribe")

    def made(self, turns):
        self.begin()
        for _ in range(turns):
            self.turn += 1
            self.one_turn(self.chance.randrange(CLIENTS))
        return self.said

    # Turns. -------------------------------------------------------------------------------------------------

    def begin(self):
        for client in range(CLIENTS):
            self.turn += 1
            if self.chance.random() < 0.5:
                self.marked(client, "hello", "HELLO", 3)
            if self.families & {"watching", "channels"} and self.chance.random() < 0.2:
                self.say(client, "SELECT", self.database(2))
        for tag in self.chance.sample(TAGS, 2):
            self.say(0, "MSET", tag + b"s0", "value", tag + b"s1", "7")
            self.say(0, "RPUSH", tag + b"l0", *self.chance.choices(VALUES, k=4))
            self.say(0, "SADD", tag + b"t0", *self.chance.choices(VALUES, k=3))
            self.say(0, "ZADD", tag + b"z0", 1, "one", 2, "a", 2, "b")
            self.say(0, "HSET", tag + b"h0", "f", "7", "g", "")
            self.say(0, "XADD", tag + b"x0", "1-1", "f", "v")
            self.say(0, "XGROUP", "CREATE", tag + b"x0", "group", "0")

    def one_turn(self, client):
        kind = self.chance.random()
        if "blocked" in self.families and kind < 0.1 and not self.queueing:
            return self.blocked(client)
        if "broken" in self.families and kind < 0.04:
            self.queueing.discard(client)
            return self.said.append(Said(self.turn, client, self.chance.choice(BROKEN), 0, "last"))
        if "broken" in self.families and kind < 0.06:
            self.queueing.discard(client)
            return self.say(client, "QUIT", kind="last")
        if kind < 0.1 and client not in self.queueing:
            words = ["COUNT", self.chance.choice([1, 3, 1000])] if self.chance.random() < 0.7 else []
            if self.chance.random() < 0.3:
                words += ["TYPE", self.chance.choice(["string", "list", "zset"])]
            return self.say(client, *words, kind="scan")
        first = len(self.said)
        for _ in range(self.chance.choice([1, 2, 3, 5, 8, 13])):
            self.one(client)
            if any(number in self.said[-1].data for number in NO_DATABASES) and b"SELECT" in self.said[-1].data:
                break
        if client in self.queueing and any(b"SUBSCRIBE" in said.data for said in self.said[first:]):
            self.end_transaction(client)  # nobody can tell how many answers the turn has
        return None

    def blocked(self, client):
        """One that waits until another client has something for it."""
        tag = self.chance.choice(TAGS)
        kind, words, wake = self.chance.choice([
            (b"l9", lambda key: ("BLPOP", key, 20), lambda key: ("RPUSH", key, "woken", "more")),
            (b"l9", lambda key: ("BRPOP", tag + b"l8", key, 20), lambda key: ("LPUSH", key, "woken")),
            (b"l9", lambda key: ("BLMOVE", key, tag + b"l8", "LEFT", "RIGHT", 20), lambda key: ("RPUSH", key, "woken")),
            (b"l9", lambda key: ("BRPOPLPUSH", key, tag + b"l8", 20), lambda key: ("RPUSH", key, "woken")),
            (b"l9", lambda key: ("BLMPOP", 20, 2, tag + b"l8", key, "RIGHT", "COUNT", 2), lambda key: ("RPUSH", key, "a", "b", "c")),
            (b"z9", lambda key: ("BZPOPMIN", key, 20), lambda key: ("ZADD", key, "1.5", "woken")),
            (b"z9", lambda key: ("BZMPOP", 20, 1, key, "MAX"), lambda key: ("ZADD", key, "2", "woken", "3", "more")),
            (b"x9", lambda key: ("XREAD", "BLOCK", 20000, "STREAMS", key, "$"), lambda key: ("XADD", key, "9-1", "f", "woken")),
        ])
        self.say(client, "DEL", tag + kind, tag + b"l8")
        self.turn += 1
        self.say(client, *words(tag + kind), kind="block")
        self.turn += 1
        self.say((client + 1) % CLIENTS, *wake(tag + kind))
        self.turn += 1
        self.say(client, "ECHO", "not blocked any more")

    # Commands. ----------------------------------------------------------------------------------------------

    def say(self, client, *words, replies=1, kind="say"):
        typed = kind == "say" and self.chance.random() < 0.08 and sum(len(resp.encoded(word)) for word in words) < 2000
        data = b"" if kind == "scan" and not words else resp.inline(*words) if typed else resp.request(*words)
        self.said.append(Said(self.turn, client, data, replies, kind))

    def marked(self, client, command, *words):
        """With a mark of how the answer is compared, where it may differ."""
        how = differences.compared(command)
        if how:
            mark = resp.request("ECHO", differences.MARK + how.encode())
            self.said.append(Said(self.turn, client, mark + resp.request(*words), 2))
        else:
            self.say(client, *words)

    def one(self, client):
        self.tag = self.own_tag if client in self.queueing else None
        kind = self.chance.random()
        if "transactions" in self.families and kind < 0.15:
            return self.transaction(client)
        if "channels" in self.families and kind < 0.35:
            return self.channel(client)
        if "databases" in self.families and kind < 0.1:
            return self.connection(client)
        if "scripts" in self.families and kind < 0.3:
            return self.command(client, self.chance.choice(self.by_group["scripting"]))
        if "large" in self.families and kind < 0.1:
            return self.large(client)
        if kind > 0.97:
            return self.say(client, *self.strange())
        if kind > 0.95:
            return self.say(client, "ECHO", self.chance.choice(VALUES))
        return self.command(client, self.chance.choice(self.by_group[self.chance.choice(sorted(self.by_group))]))

    def end_transaction(self, client):
        self.queueing.discard(client)
        self.say(client, "EXEC" if self.chance.random() < 0.8 else "DISCARD")

    def transaction(self, client):
        if client in self.queueing:
            if self.chance.random() < 0.1:
                return self.say(client, *self.chance.choice([["MULTI"], ["WATCH", self.own_tag + b"s0"], ["UNWATCH"]]))
            return self.end_transaction(client)
        if "watching" in self.families and self.chance.random() < 0.5:
            self.tag = self.own_tag
            return self.say(client, "WATCH", *(self.key(None) for _ in range(self.chance.choice([1, 1, 3]))))
        if self.chance.random() < 0.1:
            return self.say(client, self.chance.choice(["EXEC", "DISCARD", "UNWATCH"]))
        self.queueing.add(client)
        return self.say(client, "MULTI")

    def channel(self, client):
        if client in self.queueing and client in self.listening:
            # Redis 7.0 writes the message of a channel that the client itself hears into EXEC's array, one element too many:
            # no client can read on, nor can the ambassador.
            return None
        names = [self.chance.choice(TAGS) + b"channel" for _ in range(self.chance.choice([1, 1, 2, 4]))]
        patterns = self.chance.choices([b"*", b"{a}*", b"{?}channel", b"none*"], k=self.chance.choice([1, 1, 2]))
        if self.ground.clustered:
            patterns = [b"none*"]
        kind = self.chance.random()
        if kind < 0.04 and client not in self.queueing:
            return self.say(client, "RESET")
        if kind < 0.5 or client in self.queueing:
            name = (self.tag or self.chance.choice(TAGS)) + b"channel"
            return self.say(client, self.chance.choice(["PUBLISH", "publish", "SPUBLISH"]), name, self.chance.choice(VALUES))
        word = self.chance.choice(["SUBSCRIBE", "SSUBSCRIBE", "PSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"])
        wanted = patterns if word.startswith("P") else names
        if "UN" in word and self.chance.random() < 0.15:
            return self.say(client, word)
        self.listening.add(client)
        # A server confirms each.
        return self.say(client, word, *wanted, replies=len(wanted))

    def connection(self, client):
        if client in self.queueing:
            return None
        command, *words = self.chance.choice([
            ["select", "SELECT", self.database(self.chance.choice([0, 1, 2, 3, 3, 99, -1, "abc", "1.0", 16]))],
            ["select", "SELECT", self.database(self.chance.choice([0, 1, 2, 3]))],
            ["hello", "HELLO", self.chance.choice([2, 3, 3, 4, "abc"])],
            ["hello", "HELLO", 3, "SETNAME", self.chance.choice(["name", "a name"])],
            ["hello", "HELLO", 2, "AUTH", self.chance.choice(["default", "nobody"]), "password"],
            ["hello", "HELLO", 3, "NOSUCH"],
            ["auth", "AUTH", "default", "x"], ["auth", "AUTH", "nobody", "x"], ["auth", "AUTH", "x"],
            ["reset", "RESET"]])
        return self.marked(client, command, *words)

    def database(self, wanted):
        return 0 if self.ground.clustered else wanted

    def large(self, client):
        if self.chance.random() < 0.05:
            return self.marked(client, "none, and large", "NOSUCH", b"x" * 70000)
        tag = self.tag or self.chance.choice(TAGS)
        size = self.chance.choice([5000, 16384, 66000, 70000, 300000, 1200000])
        big = self.chance.choice([b"v", b"\0", b"\r\n"]) * (size // 2)
        many = [(self.tag or self.chance.choice(TAGS)) + b"many%d" % number for number in range(self.chance.choice([50, 400, 1500]))]
        words = self.chance.choice([
            ["SET", tag + b"big", big], ["GET", tag + b"big"], ["APPEND", tag + b"big", big[:70000]], ["STRLEN", tag + b"big"],
            ["HSET", tag + b"bigs", "f", big, "g", "small"], ["HMGET", tag + b"bigs", "f", "g", "f"], ["RPUSH", tag + b"list", big, "small"],
            ["LRANGE", tag + b"list", 0, 5], ["LPOP", tag + b"list"], ["ECHO", big], ["MSET", tag + b"big", big, tag + b"s0", "small"],
            ["MGET", tag + b"big", *many], ["DEL", *many], ["EXISTS", *many], ["UNLINK", *many], ["TOUCH", *many],
            ["MSET", *(word for key in many for word in (key, b"value of " + key))], ["PING", big[:70000]], ["GETRANGE", tag + b"big", 5, -5],
            ["SET", big[:70000], "a long key"], ["GET", tag + b"big", big], [big[:20000], "x"]])
        return self.say(client, *words)

    def strange(self):
        """What is no command."""
        key = (self.tag or b"{b}") + b"s0"
        return self.chance.choice([
            ["NOSUCH"], ["nosuch", "with", "arguments\r\n", b"\0", "x" * 200], ["GET"], ["get", "a", "b"], [""], ["", "x"], ["PING", "a", "b"],
            ["OBJECT", "NOSUCH", "x"], ["OBJECT"], ["XGROUP", "nosuch\r\nx"], ["CLIENT", "NOSUCH"], [b"\xff\0get", "x"], ["SET", "k"],
            ["CONFIG", "NOSUCH", "x"], ["CLUSTER", "NOSUCH"], ["MSET", "a"], ["MSET", (self.tag or b"{a}") + b"s0", "1", key],
            ["G" * 200], ["get ", "x"], ["FUNCTION", "NOSUCH"], ["xinfo"], ["PING", "fine"], ["ping"], ["PiNg", ""]])

    def command(self, client, command):
        name = command.name
        if client in self.queueing and (name.split("|")[0] in differences.NOT_IN_TRANSACTIONS
                                        or (self.ground.parted and command.route in ("fan_out", "scan", "patterns"))):
            return None
        if self.ground.parted and self.tag is None and command.route not in ("one_key", "split"):
            self.tag = self.chance.choice(TAGS)
        words = command.words + self.arguments_of(command)
        if name in ("sscan", "hscan", "zscan"):  # from the beginning: other cursors are places in a hash table of this server
            words = words[:2] + [self.chance.choice(["0", "0", "0", "abc"]), "COUNT", "1000"]
        if name == "spop":  # all members or none: which of them is random
            words = words[:2] + self.chance.choice([["1000"], ["abc"], ["-1"], ["0"]])
        elif self.chance.random() < 0.08 and not name.startswith("b") and not name.startswith("xread"):
            words = self.spoiled(command, words)
        if self.chance.random() < 0.1:
            words[0] = words[0].lower() if self.chance.random() < 0.7 else words[0].title()
        return self.marked(client, name, *words)

    def spoiled(self, command, words):
        """One word is missing, or twice, or another."""
        first = len(command.words)
        if self.ground.parted:  # its keys stay its keys
            first = command.first + 1 if command.route == "one_key" else len(words)
        if first >= len(words):
            return words
        at = self.chance.randrange(first, len(words))
        another = self.chance.choice([one for one in VALUES if one != b"7"])  # 7 milliseconds would be over at once
        return words[:at] + self.chance.choice([[], [words[at]] * 2, [another], ["abc", words[at]]]) + words[at + 1:]

    # Arguments. ---------------------------------------------------------------------------------------------

    def arguments_of(self, command):
        self.count = None
        if command.name in ("sort", "sort_ro"):
            return self.sort(command)
        if command.name.startswith("command|getkeys"):
            return self.chance.choice([["GET", "k"], ["MSET", "a", "1", "b", "2"], ["EVAL", "x", "1", "k"], ["NOSUCH"], ["PING"]])
        if command.name == "copy":
            return [self.key(command), self.key(command)] + self.chance.choice([[], ["REPLACE"], ["DB", self.database(1)]])
        return [word for argument in command.arguments for word in self.expanded(command, argument)]

    def sort(self, command):
        tag = self.tag or self.own_tag
        self.tag = tag
        words = [self.key(command)]
        words += self.chance.choice([[], ["LIMIT", self.chance.choice(NUMBERS), self.chance.choice(NUMBERS)]])
        if not self.ground.clustered:
            words += self.chance.choice([[], ["BY", tag + b"s*"], ["BY", tag + b"w_*->f"]])
            words += self.chance.choice([[], ["GET", "#"], ["GET", tag + b"s*", "GET", "#"]])
        words += self.chance.choice([[], ["ASC"], ["DESC"]]) + self.chance.choice([[], ["ALPHA"]])
        return words + self.chance.choice([[], [], ["STORE", tag + b"l1"]]) if command.name == "sort" else words

    def expanded(self, command, argument):
        counted = self.count is not None and argument.name in ("key", "id", "weight")
        if "optional" in argument.flags and not counted and self.chance.random() < 0.6:
            return []
        times = 1
        if "multiple" in argument.flags:
            times = self.count if counted else self.chance.choice([1, 1, 2, 3])
        if argument.name == "streams":
            self.count = self.chance.choice([1, 1, 2])
        out = []
        for number in range(times):
            if argument.token is not None and argument.kind != "pure-token" and (number == 0 or "multiple_token" in argument.flags):
                out.append(argument.token)
            if argument.kind == "pure-token":
                out.append("5-*" if argument.token == "*" else argument.token)
            elif argument.kind == "oneof":
                out += self.expanded(command, self.chance.choice(argument.parts))
            elif argument.kind == "block":
                out += [word for part in argument.parts for word in self.expanded(command, part)]
            else:
                out.append(self.value(command, argument))
        return out

    def key(self, command):
        chance = self.chance.random()
        if chance < 0.06 and self.tag is None:
            return self.chance.choice(STRANGE_KEYS)
        letter = LETTERS.get(command.group) if command else None
        if letter is None or chance < 0.2:
            letter = self.chance.choice(sorted(set(LETTERS.values())))
        return (self.tag or self.chance.choice(TAGS)) + letter + b"%d" % self.chance.choice([0, 0, 1, 2])

    def value(self, command, argument):
        name, kind, of = argument.name, argument.kind, command.name
        if kind == "key":
            return self.key(command)
        if name == "numkeys":
            self.count = self.chance.choice([1, 1, 2, 3])  # keys
            if self.chance.random() < 0.1:
                return self.chance.choice(["0", "abc", "-1"] if self.ground.parted else NUMBERS)
            return self.count
        if (of.endswith("randmember") or of in ("hrandfield", "acl|genpass", "xautoclaim")) and kind == "integer":
            return self.chance.choice(SMALL)
        if of in ("setbit", "getbit", "bitfield", "bitfield_ro") and name == "offset":
            return self.chance.choice(["0", "1", "7", "100", "8589934592", "-1", "abc", "#1"])
        if of == "setrange" and name == "offset":
            return self.chance.choice(["0", "1", "5", "300", "-1", "abc", "9223372036854775807"])
        named = {
            "seconds": TIMES, "milliseconds": ["1", "5", "20", "-1", "abc"] if of.startswith("xread") else TIMES, "ttl": TIMES,
            "unix-time-seconds": MOMENTS, "unix-time-milliseconds": MOMENTS, "timeout": WAITS, "min-idle-time": ["0", "1000000000", "abc"],
            "db": ["0", "1", "2", "99", "abc"], "group": ["group", "group", "other"], "groupname": ["group", "other", "third"],
            "consumer": ["me", "you"], "consumername": ["me", "you"], "id": STREAM_IDS, "last-id": STREAM_IDS,
            "max_deleted_entry_id": STREAM_IDS, "script": SCRIPTS + LOADED * (of == "script|load"), "function-code": LIBRARIES,
            "function": ["first", "second", "third", "none"], "library-name": ["one", "two", "none"], "library-name-pattern": ["*", "o*"],
            
            "serialized-value": self.payloads + VALUES[:4], "encoding": ["u8", "i16", "u1", "i64", "u64", "abc"],
            "operation": ["AND", "OR", "XOR", "NOT", "abc"], "field": FIELDS, "member": FIELDS + VALUES[:5], "element": VALUES,
            "type": ["string", "list"], "parameter": ["maxmemory", "maxmemory-p*", "none", "list-max-*"], "categoryname": ["read", "none"],
            "command-name": ["get", "GET", "none"], "connection-name": ["name", "a name", ""], "section": ["server", "none"],
            "longitude": ["13.361389", "15.08", "0", "181", "abc"], "latitude": ["38.115556", "37.5", "0", "86", "abc"],
            "radius": ["0", "100", "1000", "-1", "abc"], "width": ["400", "abc"], "height": ["400", "-1"], "version": ["5", "6"],
            "member1": FIELDS, "member2": FIELDS, "shardchannel": [b"{a}channel"], "channel": [b"{a}channel"],
        }
        if name == "start" and of.startswith("x"):
            return self.chance.choice(STREAM_IDS)
        if name == "end" and of.startswith("x"):
            return self.chance.choice(STREAM_IDS)
        if name in ("start", "stop", "min", "max") and kind in ("string", "double") and command.group == "sorted-set":
            return self.chance.choice(RANGES)
        if name == "sha1":
            return digest(self.chance.choice(LOADED if self.ground.parted else LOADED + SCRIPTS)) if self.chance.random() < 0.9 else "abc"
        if name == "threshold":
            return self.chance.choice(["0", "1", "3", "2-1", "abc"])
        if name in named:
            return self.chance.choice(named[name])
        if kind == "pattern":
            return self.chance.choice([b"*", b"{a}*", b"{?}s0", b"none", b"", b"[a-c]*"])
        if kind == "double":
            return self.chance.choice(FLOATS)
        if kind in ("integer", "unix-time"):
            return self.chance.choice(NUMBERS)
        return self.chance.choice(VALUES)


def made(commands, payloads, seed, turns, ground):
    return Maker(commands, payloads, seed, ground).made(turns)
