"""What the answers of a server and of the ambassador may differ in, and why. All else is compared byte by byte.

A command whose answer may differ goes behind a mark, an ECHO that says how its answer is compared; so it is found again
wherever it comes, in what EXEC returns too. Errors are compared as they are, whatever the mark says."""

import itertools

MARK = b"compared: "
UNSUBSCRIBED = ((b"$", b"unsubscribe"), (b"$", b"punsubscribe"), (b"$", b"sunsubscribe"))

# How: the reason, and whose answers.
COMPARED = {
    "shape": {
        "random": ("hrandfield", "srandmember", "zrandmember", "acl|genpass"),
        "its times and ids are the server's": ("xpending", "xinfo|stream", "xinfo|groups", "xinfo|consumers", "slowlog|len"),
        "what a server allocates depends on how its input came in pieces": ("memory|usage",),
        "a stream's has times, a table's the order of its hashes": ("dump", "function|dump"),
        "the ambassador numbers its clients itself": ("client|id",),
        "how much its replicas have, and where they are": ("role",),
    },
    "sign": {"time goes on": ("ttl", "pttl", "expiretime", "pexpiretime", "object|idletime", "lastsave")},
    "sorted": {
        "hash tables have an order of their own": (
            "keys", "smembers", "sdiff", "sinter", "sunion", "sscan", "hgetall", "hkeys", "hvals", "hscan", "zscan", "spop",
            "pubsub|channels", "pubsub|shardchannels", "function|list", "config|get", "acl|cat"),
    },
    "anything": {
        "random": ("randomkey", "lolwut"),
        "time": ("time",),
        "it has the id that the ambassador gave its client": ("hello",),
        "the ambassador's own: of itself, and of its one client": ("info", "client|info", "client|list"),
        "it knows the commands that it takes, and no filters": ("command", "command|count", "command|docs", "command|info",
                                                                "command|list"),
        "of what is too large to be kept the arguments are not repeated": ("none, and large",),
        "one more than the server of Debian 12 has": ("client|setinfo",),
    },
}
HOW = {command: how for how, reasons in COMPARED.items() for commands in reasons.values() for command in commands}
# Where nobody can tell what the answer would be, an error is one, too.
ERRORS_TOO = {"anything"}

# Not among the others: all clients would notice (CONFIG SET), it takes long (MEMORY PURGE).
NOT_SENT = {"config|set", "memory|purge"}
# Refused in transactions, which wait in the ambassador, since it answers them itself (docs/how-to/redis.md).
NOT_IN_TRANSACTIONS = {
    "select", "hello", "auth", "info", "asking", "readonly", "readwrite", "client", "command", "cluster", "subscribe",
    "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe", "sunsubscribe"}


def compared(command):
    return HOW.get(command)


def is_message(one):
    """Of a subscription: it comes when it comes, between replies."""
    kind, value = one
    return (kind in (b">", b"*") and isinstance(value, list) and len(value) > 2
            and value[0] in ((b"$", b"message"), (b"$", b"pmessage"), (b"$", b"smessage")))


def is_of_sentinels(message):
    """They tell each other of themselves, by a channel of the servers that they watch."""
    return (b"$", b"__sentinel__:hello") in message[1]


def shape(one):
    kind, value = one
    if isinstance(value, list):
        return kind, [shape(each) for each in value]
    return kind, value is None


def in_order(one):
    kind, value = one
    return (kind, sorted(map(in_order, value), key=repr)) if isinstance(value, list) else one


def sign(one):
    kind, value = one
    return (kind, value if value.startswith(b"-") else b"time") if kind == b":" else one


def anything(_):
    return "anything"


WAYS = {"shape": shape, "sorted": in_order, "sign": sign, "anything": anything}


def names_in_order(replies):
    """UNSUBSCRIBE of all channels takes them in the order of a hash table, one answer for each."""
    out = list(replies)
    taken = [at for at, (_, value) in enumerate(out) if isinstance(value, list) and len(value) == 3 and value[0] in UNSUBSCRIBED]
    for run in (list(numbers) for _, numbers in itertools.groupby(taken, key=lambda at: at - taken.index(at))):
        names = sorted((out[at][1][1] for at in run), key=repr)
        for at, name in zip(run, names):
            kind, (word, _, count) = out[at]
            out[at] = (kind, [word, name, count])
    return out


def patterns_in_order(messages):
    """What fits several patterns of a client comes once for each, in the order of a hash table."""
    def event(message):
        kind, *_, channel, text = message[1]
        return kind, channel, text
    return [message for (kind, *_), same in itertools.groupby(messages, key=event)
            for message in (sorted(same, key=repr) if kind == (b"$", b"pmessage") else same)]


def comparable(replies):
    """Trees of replies, or of the elements of one: without what may differ."""
    out, how = [], None
    for kind, value in replies:
        one = (kind, value)
        if how in ERRORS_TOO or (how and kind not in (b"-", b"+")):
            one = WAYS[how](one)
        elif isinstance(value, list):
            one = (kind, comparable(value))
        out.append(one)
        marked = kind == b"$" and value is not None and value.startswith(MARK)
        how = value[len(MARK):].decode() if marked else None
    return out
