"""The blocks of a listener that belong to one protocol."""
from .parts import choice, duration, number, obj, quantity, text
from .upstream import mirror

HASHES = ["one_at_a_time", "md5", "crc16", "crc32", "crc32a", "fnv1_64", "fnv1a_64", "fnv1_32", "fnv1a_32", "hsieh",
          "murmur", "jenkins"]


def redis(cluster):
    return obj("What concerns protocol Redis.", {
        "mode": choice("Sharded: keys over all backends as twemproxy does. Failover: every client uses the first "
                       "healthy backend, in order. Spread: any healthy backend. Replicated, Sentinel and Cluster are "
                       "not in this version.",
                       ["Sharded", "Failover", "Spread", "Replicated", "Sentinel", "Cluster"], default="Sharded"),
        "hash": choice("Hash of a key, named as twemproxy names it.", HASHES, default="fnv1a_64"),
        "distribution": choice("How hashes are spread over backends.", ["ketama", "modula", "random"],
                               default="ketama"),
        "hashTag": text("Two characters such as {}: only what stands between them in a key is hashed. Default: none, "
                        "the whole key.", 2),
        "readPreference": choice("Who answers reads in mode Replicated; other than Primary is not in this version.",
                                 ["Primary", "PreferReplica", "Replica", "Nearest"], default="Primary"),
        "maxLag": duration("Not in this version. Replicas further behind are not read from. Default: no limit."),
        "sentinel": obj("Not in this version. What mode Sentinel needs.", {
            "masterName": text("Name of the master as the Sentinels know it.", 253, 1)}, ["masterName"]),
        "ejection": obj("Takes a failing backend off the ring, mode Sharded alone. Default: never, because a store "
                        "must not lose its place.", {
            "failures": number("Connection failures in a row until it is ejected.", 1, 1000, default=2),
            "retryAfter": duration("Time until it is tried again.", default="30s")}),
        "clientCache": obj("Not in this version. Keeps replies in the proxy, invalidated by the server.", {
            "maxMemory": quantity("The most memory for cached replies, in bytes. Default: 16Mi.")}),
        "mirror": mirror(cluster),
    })


def split():
    return {
        "readWriteSplit": choice("Which reads go to replicas; other than Disabled is not in this version.",
                                 ["Disabled", "ReadOnlyTransactions", "Statements"], default="Disabled"),
        "readPort": number("Not in this version. A second port, for reads alone. Default: none.", 1024, 65535),
        "maxLag": duration("Not in this version. Replicas further behind are not read from. Default: no limit."),
        "causalReads": choice("A client reads what it wrote itself, also from replicas; Enabled is not in this "
                              "version.", ["Enabled", "Disabled"], default="Disabled"),
    }


def sql(name, carried=""):
    return obj(f"{carried}What concerns protocol {name}.", {
        "authentication": choice("Proxy: the ambassador logs in with `credentials`. Passthrough: the client logs in "
                                 "at the server. Default: Proxy where there are credentials, else Passthrough.",
                                 ["Proxy", "Passthrough"]),
        "pooling": choice("A server connection belongs to a client for its session, or for one transaction; "
                          "Transaction needs authentication Proxy.",
                          ["Session", "Transaction"], default="Session"),
        **split(),
    })
