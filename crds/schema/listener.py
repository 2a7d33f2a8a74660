"""spec.listeners."""
from .parts import choice, duration, keyed, label, number, obj, own_port, rule, secret_ref, text
from .protocols import redis, sql
from .upstream import upstreams

VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"


def variable(description):
    return text(description, 128, 1, VARIABLE)


def env():
    return obj("Names of environment variables set in the application's containers; one that a container sets itself "
               "stays. URLs carry no user and no password. Default: none.", {
        "url": variable("Gets the URL, as in redis://127.0.0.1:6380 or "
                        "postgresql://127.0.0.1:5432/shop?sslmode=disable."),
        "jdbcUrl": variable("Gets the JDBC URL (PostgreSQL and MySQL), as in "
                            "jdbc:postgresql://127.0.0.1:5432/shop?sslmode=disable."),
        "host": variable("Gets the host, 127.0.0.1."),
        "port": variable("Gets the port."),
        "readUrl": variable("Gets the URL of postgresql.readPort."),
        "readJdbcUrl": variable("Gets the JDBC URL of postgresql.readPort."),
        "readPort": variable("Gets postgresql.readPort; the host is that of `host`."),
    })


def timeouts():
    return obj("Time-outs of the listener.", {
        "connect": duration("The longest that connecting to one backend takes, 10ms to 5m.", default="1s"),
        "queue": duration("The longest that a request waits for a backend before it gets an error, 0s to 10m.",
                          default="5s"),
        "idle": duration("A client without traffic is closed after this, to 168h; 0s: never.", default="1h"),
    })


def tls():
    return obj("TLS towards the backends, for protocols PostgreSQL and Redis. Default: none.", {
        "mode": choice("Require encrypts, whoever answers. VerifyCA also checks that the certificate is of a trusted "
                       "CA, VerifyFull also that it is for the backend's name or address.",
                       ["Disabled", "Require", "VerifyCA", "VerifyFull"], default="VerifyFull"),
        "ca": obj("Certificates that are trusted, for VerifyCA and VerifyFull. Default: the system's roots.", {
            "secretRef": secret_ref("The Secret and key that hold them, in PEM form.", with_key=True)},
            ["secretRef"]),
    }, rules=[rule("!has(self.ca) || self.mode in ['VerifyCA', 'VerifyFull']",
                   "ca is not looked at in modes Disabled and Require: use VerifyFull or VerifyCA, or remove ca",
                   path=".ca")])


def client_auth():
    return obj("How clients authenticate to the ambassador. For protocol PostgreSQL with authentication Proxy, and for "
               "Redis; of TCP not in this version (other than None).", {
        "mode": choice("None: whoever reaches loopback is trusted. Password: clients log in; PostgreSQL's by "
                       "SCRAM-SHA-256, Redis' by AUTH or HELLO.",
                       ["None", "Password"], default="None"),
        "secretRef": secret_ref("Keys username and password, for Password. For Redis username may be missing (the default "
                                "user); for PostgreSQL the password may be a verifier, as it keeps it "
                                "(SCRAM-SHA-256$...)."),
    }, rules=[rule("self.mode != 'Password' || has(self.secretRef)",
                   "mode Password needs secretRef: name the Secret with username and password")])


def pool():
    return obj("Limits on connections.", {
        "maxServerConnections": number("For protocol PostgreSQL. Connections to the servers, of each Pod. Default: 10.",
                                       1, 10000),
        "maxClients": number("Clients per Pod.", 1, 100000, default=10000),
    })


def only_for(block, protocols):
    listed = ", ".join(f"'{one}'" for one in protocols)
    return rule(f"!has(self.{block}) || self.protocol in [{listed}]",
                f"{block} is for protocol {' and '.join(protocols)}: remove it",
                f"'{block} does not apply to protocol ' + self.protocol + ' of listener ' + self.name + ': remove it'",
                path="." + block)


def login(block):
    """Passthrough (also by default, without credentials) has no login of its own to pool or to split with."""
    effective = (f"(has(self.{block}.authentication) ? self.{block}.authentication == 'Passthrough' "
                 ": !has(self.credentials))")
    return [
        rule(f"!has(self.{block}) || !has(self.{block}.authentication) || self.{block}.authentication != 'Proxy' || "
             "has(self.credentials)",
             f"{block}.authentication Proxy needs credentials to log in with: give credentials.secretRef, or use "
             "Passthrough", path="." + block),
        rule(f"!has(self.{block}) || self.{block}.pooling != 'Transaction' || !{effective}",
             f"{block}.pooling Transaction needs {block}.authentication Proxy and credentials: give both, or use "
             "pooling Session", path="." + block),
        rule(f"!has(self.{block}) || self.{block}.readWriteSplit == 'Disabled' || !{effective}",
             f"{block}.readWriteSplit needs {block}.authentication Proxy and credentials: give both, or use Disabled",
             path="." + block),
    ]


def readers(*blocks):
    """The second port, and the variables that tell of it."""
    given = [f"has(self.{block}) && has(self.{block}.readPort)" for block in blocks]
    named = " && ".join(f"!has(self.env.{name})" for name in ("readUrl", "readJdbcUrl", "readPort"))
    return [*(rule(f"!({one}) || self.{block}.readPort != self.port",
                   f"{block}.readPort is the listener's own port: give readers another one", path="." + block)
              for one, block in zip(given, blocks)),
            rule(f"!has(self.env) || ({named}) || " + " || ".join(f"({one})" for one in given),
                 f"env.readUrl, env.readJdbcUrl and env.readPort are for readPort of {' or '.join(blocks)}: give it, or "
                 "remove them", path=".env")]


def listener(cluster):
    return obj("What an application finds on localhost.", {
        "name": label("Name of the listener, unique in the policy: in metrics, sockets and logs it is "
                      "<policy>.<listener>."),
        "protocol": choice("What is spoken there. MySQL is not in this version.",
                           ["Redis", "PostgreSQL", "MySQL", "TCP"]),
        "port": own_port("Port on 127.0.0.1, and on ::1 where the Pod has it; 1024 to 65535, other than 19900 and "
                         "19901."),
        "unixSocket": choice("Also listen on /run/ambassador/<policy>/<listener>.sock, in a folder that is shared with "
                             "the application's containers. PostgreSQL: that is a folder, for PGHOST, and holds "
                             ".s.PGSQL.<port>.", ["Enabled", "Disabled"], default="Disabled"),
        "env": env(),
        "upstreams": upstreams(cluster),
        "timeouts": timeouts(),
        "weights": {"type": "object", "description": "Weight by backend, as in redis-st-0: 2; 1 to 1000. Default: 1 "
                                                     "each.",
                    "maxProperties": 128, "additionalProperties": {"type": "integer", "format": "int32", "minimum": 1,
                                                                   "maximum": 1000}},
        "listenerTLS": obj("TLS towards the application, for clients that ask for it. For protocols PostgreSQL and Redis; "
                           "of TCP not in this version. Default: none.", {
            "secretRef": secret_ref("Keys tls.crt and tls.key (PEM).")}, ["secretRef"]),
        "clientAuth": client_auth(),
        "credentials": obj("What the ambassador logs in with at the backends, for protocols PostgreSQL and Redis. "
                           "Mounted in the ambassador alone. Default: none.", {
            "secretRef": secret_ref("Keys username and password, for PostgreSQL's authentication Proxy and for Redis, "
                                    "where username may be missing (the default user); tls.crt and tls.key (PEM), "
                                    "shown to the backends where they are there and tls is not Disabled.")},
            ["secretRef"]),
        "tls": tls(),
        "database": text("What the server is asked for when the client names none; at most 63 bytes. Default: the "
                         "user's name.", 63, 1),
        "pool": pool(),
        "redis": redis(),
        "postgresql": sql("PostgreSQL"),
        "mysql": sql("MySQL", "Not in this version. "),
    }, ["name", "protocol", "port", "upstreams"], [
        only_for("redis", ["Redis"]), only_for("postgresql", ["PostgreSQL"]), only_for("mysql", ["MySQL"]),
        only_for("database", ["PostgreSQL", "MySQL"]),
        rule("!has(self.env) || !has(self.env.jdbcUrl) || self.protocol in ['PostgreSQL', 'MySQL']",
             "env.jdbcUrl is for PostgreSQL and MySQL: use env.url", path=".env"),
        *login("postgresql"), *login("mysql"), *readers("postgresql", "mysql"),
    ])


def listeners(cluster):
    """Two with one port are refused by the webhook: a CEL message that names the port is beyond the API server's budget."""
    return keyed("What the ambassador offers; 1 to 16.", listener(cluster), ["name"], 16, 1)
