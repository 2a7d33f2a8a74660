"""Databases behind localhost: drivers that know one connection string each, Secrets, pools."""
import json
import pathlib
import subprocess

import pytest

import kube
import objects
from objects import AMBASSADOR
from test_following import Load

EXAMPLE = kube.ROOT / "manifests/examples/postgresql"
NAMESPACES = kube.ROOT / "manifests/examples/environments/namespaces.yaml"
ENVIRONMENTS = ["development", "staging", "production"]
URL = "postgresql://localhost:5432/shop"


def application(name="app", **more):
    """A Pod with the programs orders-jdbc and orders-odbc."""
    container = {"name": "shop", "image": "ambassador-test/sql-client:1", "securityContext": objects.RESTRICTED}
    return objects.pod(name, containers=[container], **more)


def query(own, pod, sql):
    """What a database answers to its owner, who comes by its own Unix socket."""
    return own.exec(pod, "psql", "--username=shop", "--dbname=shop", "-Atqc", sql, container="postgres").strip()


class Work(Load):
    """orders-jdbc at work in a Pod; `.so_far()` and `.end()` give its counts."""

    def __init__(self, own, pod="app"):
        self.process = own.start("exec", pod, "--stdin", "--container", "shop", "--", "orders-jdbc", "work")
        self.process.stdout.readline()

    def wait_for_more(self, orders=50, seconds=30):
        at = self.so_far()["orders"]
        kube.wait("orders are placed", lambda: self.so_far()["orders"] > at + orders, seconds)


# Three environments.

@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Certificate and key of all three databases, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    names = ",".join(f"DNS:*.pg-{environment}.data.svc.cluster.local" for environment in ENVIRONMENTS)
    return self_signed(folder, f"subjectAltName={names}")


def self_signed(folder, extension):
    certificate, key = folder / "tls.crt", folder / "tls.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=databases",
                    "-addext", extension, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return {"tls.crt": certificate.read_text(), "tls.key": key.read_text()}


def password_of(environment):
    return f"only-{environment}-knows"


@pytest.fixture(scope="module")
def shops(cluster, operator, certificate):
    """Kube bound to each environment's namespace, and to the databases' as "data"."""
    names = ["data", *(f"shop-{environment}" for environment in ENVIRONMENTS)]
    cluster("delete", "namespace", *names, "--ignore-not-found")  # another test's may still be on their way out
    cluster.apply(EXAMPLE / "databases.yaml", NAMESPACES)
    own = {"data": cluster.within("data")} | {e: cluster.within(f"shop-{e}") for e in ENVIRONMENTS}
    own["data"].apply(objects.secret("pg-tls", **certificate))
    for environment in ENVIRONMENTS:
        password = password_of(environment)
        own["data"].apply(objects.secret(f"pg-{environment}", password=password))
        own[environment].apply(objects.secret("shop-db", username="shop", password=password,
                                              **{"ca.crt": certificate["tls.crt"]}))
    for environment in ENVIRONMENTS:
        own["data"].wait_rollout(f"statefulset/pg-{environment}", 90)
        shop = own[environment]
        kube.wait("its service account", lambda: shop.run("get", "serviceaccount", "default").returncode == 0)
        shop.apply(EXAMPLE / "shop.yaml", application("shop"))
        shop.wait_ready("shop")
    yield own
    for name in names:
        cluster("delete", "namespace", name, "--wait=false")


@pytest.mark.parametrize("program", ["orders-jdbc", "orders-odbc"])
def test_one_program_with_one_string_reaches_the_database_of_its_environment(shops, program):
    for environment in ENVIRONMENTS:
        said = json.loads(shops[environment].exec("shop", program, "place", f"{program} in {environment}"))
        assert said["user"] == "shop", "who the program says it is does not count"
    held = {environment: query(shops["data"], f"pg-{environment}-0",
                               f"select what from orders where what like '{program}%'")
            for environment in ENVIRONMENTS}
    assert held == {environment: f"{program} in {environment}" for environment in ENVIRONMENTS}


def test_what_crosses_the_network_is_encrypted(shops):
    with Work(shops["production"], "shop") as work:
        work.wait_for_more()
        encrypted = query(shops["data"], "pg-production-0", "select distinct ssl from pg_stat_ssl join pg_stat_activity "
                          "using (pid) where usename = 'shop' and client_addr is not null")
    assert encrypted == "t"


def test_the_application_never_sees_the_password(shops):
    pod = shops["production"].get("pod", "shop")
    assert password_of("production") not in json.dumps(pod)
    assert shops["production"].run("exec", "shop", "--", "ls", "/etc/ambassador-secrets").returncode != 0


def test_a_server_that_the_ca_does_not_vouch_for_is_not_logged_in_at(shops, tmp_path):
    staging = shops["staging"]
    policy, = objects.load(EXAMPLE / "shop.yaml")
    policy["metadata"]["name"] = "wary"
    policy["spec"]["listeners"][0]["tls"]["ca"]["secretRef"] = {"name": "wary", "key": "ca.crt"}
    other = self_signed(tmp_path, "subjectAltName=DNS:elsewhere")
    staging.apply(objects.secret("wary", **{"ca.crt": other["tls.crt"]}), policy,
                  application("wary", annotations={"ambassador.dev/policy": "wary"}))
    staging.wait_ready("wary")
    done = staging.run("exec", "wary", "--container", "shop", "--", "orders-jdbc", "place", "to a stranger")
    assert done.returncode != 0
    assert "certificate" in staging("logs", "wary", "--container", AMBASSADOR)


# One environment: what changes while clients are at work.

def start(own, **listener):
    """A database, a policy and a Pod that uses it, all ready."""
    own.apply(*objects.postgres_set(), database_policy(**listener))
    own.wait_rollout("statefulset/pg", 90)
    own.wait_policy("shop-data")
    own.apply(application())
    own.wait_ready("app")


def database_policy(**listener):
    return objects.policy("shop-data", listeners=[objects.database_listener(**listener)])


class Sleepers:
    """Clients in a Pod, each in a statement that lasts."""

    def __init__(self, own, count, seconds):
        sql = f"select pg_sleep({seconds})"
        self.processes = [own.in_pod("app", "psql", URL, "--no-psqlrc", "-qc", sql) for _ in range(count)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.communicate()


SERVER_CONNECTIONS = "from pg_stat_activity where client_addr is not null and usename = 'shop'"


def asleep(own):
    """Server connections on which a client sleeps."""
    return int(query(own, "pg-0", f"select count(*) {SERVER_CONNECTIONS} and state = 'active' and query like '%sleep%'"))


def refresh_secrets(own, pod):
    """A Pod that changes has its volumes renewed at once, not within the kubelet's minute."""
    own("annotate", "pod", pod, f"test/refreshed={kube.clock_now()}", "--overwrite")


def secret_file(own, pod, path):
    """A file of the ambassador's Secrets, read from the node: its container has no shell."""
    pid, = own.pids(pod, "ambassador-proxy")
    return pathlib.Path(f"/proc/{pid}/root/etc/ambassador-secrets/{path}").read_text()


def test_a_password_that_changes_is_used_by_new_connections_and_a_client_at_work_notices_nothing(restricted):
    start(restricted)
    with Work(restricted) as work:
        work.wait_for_more()
        query(restricted, "pg-0", "alter user shop password 'second'")
        restricted.apply(objects.secret("shop-db", username="shop", password="second"))
        refresh_secrets(restricted, "app")
        kube.wait("the ambassador's file is renewed",
                  lambda: secret_file(restricted, "app", "shop-data.db/password") == "second", 90)
        changed_at = query(restricted, "pg-0", "select now()")

        def logged_in_since():
            with Sleepers(restricted, 3, 1) as sleepers:
                for process in sleepers.processes:
                    kube.finish(process)
            return query(restricted, "pg-0", f"select count(*) {SERVER_CONNECTIONS} and backend_start > '{changed_at}'")
        kube.wait("the ambassador logs in with the new password", lambda: logged_in_since() != "0", 15)
        work.wait_for_more()
        seen = work.end()
    assert seen["errors"] == 0, seen


def test_a_larger_pool_reaches_an_ambassador_that_runs_and_clients_that_wait_get_on(namespace):
    start(namespace, pool={"maxServerConnections": 1}, timeouts={"queue": "2m"})
    before = container_ids(namespace)
    with Sleepers(namespace, 3, 60):
        kube.wait("three clients are connected", lambda: connected_clients(namespace) == 3)
        kube.wait("one is served", lambda: asleep(namespace) == 1)
        namespace.apply(database_policy(pool={"maxServerConnections": 3}, timeouts={"queue": "2m"}))
        kube.wait("all are served", lambda: asleep(namespace) == 3, 15)
    assert container_ids(namespace) == before


def connected_clients(own):
    """Connections to the listener, as the Pod's network has them."""
    listing = own.in_pod("app", "ss", "--no-header", "--tcp", "--numeric", "state", "established", "sport = :5432")
    return len(kube.finish(listing).splitlines())


def container_ids(own):
    status = own.get("pod", "app")["status"]
    return [s["containerID"] for s in status["initContainerStatuses"] + status["containerStatuses"]]


def test_a_database_that_comes_back_at_another_address_is_found(namespace):
    start(namespace)
    address = namespace.get("pod", "pg-0")["status"]["podIP"]
    with Work(namespace) as work:
        work.wait_for_more()
        namespace("delete", "pod", "pg-0")
        kube.wait("pg-0 is another Pod", lambda: namespace.get("pod", "pg-0")["status"]["podIP"] != address, 60)
        namespace.wait_ready("pg-0")
        work.wait_for_more()
        work.end()
    assert int(query(namespace, "pg-0", "select count(*) from orders")) > 0


# A primary and a replica.

def ask(own, url, *statements):
    """What psql in the shop's Pod prints; `url` may be a variable of its container."""
    commands = [word for statement in statements for word in ("-c", f"'{statement}'")]
    return own.exec("shop", "sh", "-c", f'psql "{url}" -XAtq {" ".join(commands)}', container="shop").strip()


def refused_to_write(own, url):
    """Nothing is written in any case."""
    try:
        ask(own, url, "insert into orders select null where false")
    except kube.Failed as problem:
        return "read-only transaction" in str(problem)
    return False


def test_readers_get_the_replica_and_a_client_reads_what_it_wrote(namespace):
    namespace.apply(objects.secret("shop-db", username="shop", password="first"), EXAMPLE / "pair.yaml",
                    EXAMPLE / "readers.yaml")
    namespace.wait_rollout("statefulset/pg", 120)
    namespace.wait_policy("shop-data")
    namespace.wait_ready("shop")
    readers = "$READ_DATABASE_URL"
    assert ask(namespace, URL, "select pg_is_in_recovery()") == "f"
    kube.wait("readers are at the replica", lambda: ask(namespace, readers, "select pg_is_in_recovery()") == "t")
    assert ask(namespace, readers, "select inet_server_addr()") == namespace.get("pod", "pg-1")["status"]["podIP"]
    ask(namespace, URL, "create table orders (what text)", "create view place as select pg_is_in_recovery() as replica")
    # Readers are at the primary while it is not known how far the replica is behind.
    kube.wait("the replica has the table",
              lambda: ask(namespace, readers, "select pg_is_in_recovery(), count(*) from orders") == "t|0")
    kube.wait("a write is refused", lambda: refused_to_write(namespace, readers))
    kube.wait("a read of the other port goes there too",
              lambda: ask(namespace, URL, "select replica from place") == "t")
    for count in range(1, 6):
        assert ask(namespace, URL, "insert into orders values (1)", "select count(*) from orders") == str(count)
    status = json.loads(namespace.exec("shop", "ambassador-proxy", "status", "-o", "json", container=AMBASSADOR))
    names = [listener["name"] for listener in status["listeners"]]
    assert names == ["shop-data.db", "shop-data.db-read"]
    roles = [{backend["role"] for backend in listener["backends"]} for listener in status["listeners"]]
    assert roles == [{"primary", "replica"}] * 2


def test_readers_go_on_while_their_replica_is_gone(namespace):
    namespace.apply(objects.secret("shop-db", username="shop", password="first"), EXAMPLE / "pair.yaml",
                    EXAMPLE / "readers.yaml")
    namespace.wait_rollout("statefulset/pg", 120)
    namespace.wait_ready("shop")
    readers = "$READ_DATABASE_URL"
    kube.wait("readers are at the replica", lambda: ask(namespace, readers, "select pg_is_in_recovery()") == "t")
    namespace("delete", "pod", "pg-1", "--wait=false")
    kube.wait("readers are at the primary", lambda: ask(namespace, readers, "select pg_is_in_recovery()") == "f")
    namespace.wait_rollout("statefulset/pg", 120)
    kube.wait("readers are back at the replica", lambda: ask(namespace, readers, "select pg_is_in_recovery()") == "t")


def test_a_pod_whose_secret_is_missing_waits_and_its_events_say_for_what(restricted):
    elsewhere = [{"hosts": [{"host": "127.0.0.1", "port": 5999}]}]
    restricted.apply(database_policy(upstreams=elsewhere))
    restricted.wait_policy("shop-data")
    restricted.apply(application())
    wait_until_told(restricted, 'secret "shop-db" not found')
    restricted.apply(objects.secret("shop-db", username="shop"))
    wait_until_told(restricted, "non-existent secret key: password")
    status = restricted.get("pod", "app")["status"]
    assert all("waiting" in s["state"] for s in status["initContainerStatuses"] + status["containerStatuses"])
    restricted.apply(objects.secret("shop-db", username="shop", password="first"))
    restricted.wait_ready("app", 150)  # the kubelet's pauses between two tries grow up to 122 s


def wait_until_told(own, words):
    def told():
        notes = [event["message"] for event in own.get("events", None, "--field-selector", "involvedObject.name=app")]
        if any(words in note for note in notes):
            return True
        raise kube.Failed(json.dumps(notes))
    kube.wait(f"an event of the Pod says {words!r}", told, 150)
