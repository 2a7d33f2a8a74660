"""The blocks of a listener that belong to one protocol."""
from .parts import choice, duration, label, number, obj, own_port, quantity, rule, text

HASHES = ["one_at_a_time", "md5", "crc16", "crc32", "crc32a", "fnv1_64", "fnv1a_64", "fnv1_32", "fnv1a_32", "hsieh",
          "murmur", "jenkins"]
MAX_LAG = "Replicas that are further behind the primary are not read from, 100ms to 168h. Default: 10s."

READER_RULES = [
    rule("self.readPreference == 'Primary' || !(self.mode in ['Sharded', 'Failover', 'Spread'])",
         "readPreference other than Primary needs mode Replicated, Sentinel or Cluster: give one, or use readPreference Primary",
         path=".readPreference"),
    rule("!has(self.maxLag) || self.readPreference != 'Primary' && self.mode != 'Cluster'",
         "maxLag is of replicas, and nobody reads from them: give mode Replicated or Sentinel and a readPreference "
         "other than Primary, or remove maxLag", path=".maxLag"),
]

SENTINEL_RULES = [
    rule("self.mode != 'Sentinel' || has(self.sentinel)",
         "mode Sentinel asks for a master by its name: give sentinel with masterName, or another mode", path=".sentinel"),
    rule("self.mode == 'Sentinel' || !has(self.sentinel)", "sentinel is for mode Sentinel: give that, or remove sentinel",
         path=".sentinel"),
]


CACHE_RULES = [
    rule("!has(self.clientCache) || self.mode != 'Cluster'",
         "clientCache can't be with mode Cluster, whose keys move from server to server: remove it, or give another mode",
         path=".clientCache"),
    rule("!has(self.clientCache) || self.readPreference == 'Primary'",
         "clientCache can't be with a readPreference other than Primary, as replicas do not see all at once: remove it, or "
         "use Primary", path=".clientCache"),
]


def redis():
    return obj("What concerns protocol Redis.", {
        "mode": choice("Sharded: keys over all backends as twemproxy does. Failover: every client uses the first "
                       "healthy backend, in order. Spread: any healthy backend. Replicated: one of the backends is the "
                       "primary of the others, whichever says so; it takes writes, and readPreference says who answers "
                       "reads. Sentinel: the same with the servers that Redis Sentinels tell of, which are what "
                       "upstreams name. Cluster: keys lie where the nodes of a Redis Cluster say, of which "
                       "upstreams name some.",
                       ["Sharded", "Failover", "Spread", "Replicated", "Sentinel", "Cluster"], default="Sharded"),
        "hash": choice("Hash of a key, named as twemproxy names it.", HASHES, default="fnv1a_64"),
        "distribution": choice("How hashes are spread over backends.", ["ketama", "modula", "random"],
                               default="ketama"),
        "hashTag": text("Two characters such as {}: only what stands between them in a key is hashed. Default: none, "
                        "the whole key.", 2),
        "readPreference": choice("Who answers reads in modes Replicated, Sentinel and Cluster. Primary: the primary alone. "
                                 "PreferReplica: a replica, or the primary while no replica is fit. Replica: a replica alone, or an "
                                 "error after timeouts.queue. Nearest: of all that are fit, who answers the soonest. "
                                 "What a replica gives may be older than what the client wrote itself.",
                                 ["Primary", "PreferReplica", "Replica", "Nearest"], default="Primary"),
        "maxLag": duration(MAX_LAG),
        "sentinel": obj("What mode Sentinel needs. tls and credentials are for the Sentinels and the servers alike.", {
            "masterName": text("Name of the master as the Sentinels know it.", 253, 1, r"^[A-Za-z0-9._-]+$")},
                        ["masterName"]),
        "ejection": obj("Takes a failing backend off the ring, mode Sharded alone. Default: never, because a store "
                        "must not lose its place.", {
            "failures": number("Connection failures in a row until it is ejected.", 1, 1000, default=2),
            "retryAfter": duration("Time until it is tried again.", default="30s")}),
        "slowLog": obj("Commands that took long, by their name and key, for `ambassador-proxy slowlog`.", {
            "threshold": duration("Commands whose reply takes as long as this, or longer, 0s to 1h; 0s: all.",
                                  default="10ms"),
            "size": number("So many of the last ones are kept, per thread of the proxy; 0: none.", 0, 1024,
                           default=128)}),
        "hotKeys": obj("Keys that are asked for most, for `ambassador-proxy hotkeys`.", {
            "oneIn": number("Of so many commands one is looked at, for its keys; 1: all are.", 1, 1000000, default=64),
            "size": number("So many keys are told; 0: no command is looked at.", 0, 128, default=32)}),
        "bigKeys": obj("Keys of the largest messages, for `ambassador-proxy bigkeys`.", {
            "threshold": number("Keys of messages of so many bytes, or more, are big.", 1024, 536870912,
                                default=16384),
            "size": number("So many of the largest are kept, per thread of the proxy; 0: none.", 0, 128,
                           default=32)}),
        "rateLimit": obj("How often each client may ask. One that asks more often is not refused: its requests are "
                         "read later. Default: no limit.", {
            "requestsPerSecond": number("So many commands of one connection are read in a second, in the long run.",
                                        1, 1000000),
            "burst": number("So many are read at once after a pause. Default: as requestsPerSecond.", 1, 1000000)},
                         ["requestsPerSecond"]),
        "clientCache": obj("Keeps replies to reads of clients that speak RESP3 in the proxy, and answers with them until the "
                           "server says that the key has changed. Needs Redis 7 or Valkey. Not in mode Cluster, nor where "
                           "replicas are read.", {
            "maxMemory": quantity("The most memory for what is kept, 1Mi to 1Ti: a part of what the container has. "
                                  "Default: 16Mi.")}),
        "mirror": obj("Another listener of this policy gets a copy of what clients ask of this one, and its replies are "
                      "dropped. Nobody waits for it: what it does not take in time is dropped, too.", {
            "listener": label("Name of the Redis listener that gets the copies, whose upstreams lead to the servers of the "
                              "mirror. It has no mirror and no clientAuth of its own."),
            "commands": choice("Writes: commands that write, and scripts. All: reads too.", ["Writes", "All"],
                               default="Writes")}, ["listener"]),
    }, rules=READER_RULES + SENTINEL_RULES + CACHE_RULES)


def split():
    return {
        "readWriteSplit": choice("Which reads of this port's clients go to replicas. ReadOnlyTransactions: those in "
                                 "transactions begun as READ ONLY. Statements: single reads too, told by their text; "
                                 "what is in doubt goes to the primary. Needs pooling Transaction.",
                                 ["Disabled", "ReadOnlyTransactions", "Statements"], default="Disabled"),
        "readPort": own_port("A second port on localhost, whose clients get replicas, which refuse writes, and the "
                             "primary only while no replica will do. It has a pool of the same size, and is "
                             "<policy>.<listener>-read in metrics and logs. Needs pooling Transaction. Default: none."),
        "maxLag": duration(MAX_LAG),
        "causalReads": choice("With readWriteSplit. Enabled: a client's reads go only to replicas that have what it "
                              "wrote itself, else to the primary.", ["Enabled", "Disabled"], default="Enabled"),
    }


SPLIT_RULES = [
    rule("self.readWriteSplit == 'Disabled' || self.pooling == 'Transaction'",
         "readWriteSplit needs pooling Transaction: give it, or use readWriteSplit Disabled", path=".readWriteSplit"),
    rule("!has(self.readPort) || self.pooling == 'Transaction'",
         "readPort needs pooling Transaction: give it, or remove readPort", path=".readPort"),
    rule("!has(self.maxLag) || has(self.readPort) || self.readWriteSplit != 'Disabled'",
         "maxLag is of replicas, and nobody reads from them: give readPort or readWriteSplit, or remove maxLag",
         path=".maxLag"),
]


def sql(name, carried=""):
    return obj(f"{carried}What concerns protocol {name}.", {
        "authentication": choice("Proxy: the ambassador logs in with `credentials`. Passthrough: the client logs in "
                                 "at the server. Default: Proxy where there are credentials, else Passthrough.",
                                 ["Proxy", "Passthrough"]),
        "pooling": choice("A server connection belongs to a client for its session, or for one transaction; "
                          "Transaction needs authentication Proxy.",
                          ["Session", "Transaction"], default="Session"),
        **split(),
    }, rules=SPLIT_RULES)
