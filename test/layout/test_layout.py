"""The house keeps its shape: rooms include only what CMakeLists.txt lets them know, pure rooms touch no edge."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PURE = [
    "common/result", "common/text", "common/config", "proxy/session", "proxy/balance", "proxy/redis",
    "proxy/tcp", "proxy/postgresql", "operator/api", "operator/discovery", "operator/inject", "operator/status",
]
# What a pure room may not include: sockets, clocks, files, Asio, cpprest, threads.
EDGE = re.compile(
    r"<(boost/(asio|beast)|cpprest/|pplx/|sys/(socket|epoll|stat)|netinet/|arpa/|netdb|unistd|fcntl|fstream|filesystem|"
    r"thread|mutex|condition_variable|ares)")
CLOCK = re.compile(r"\b(system_clock|steady_clock|high_resolution_clock)::now\(|\btime\(nullptr\)|\bclock_gettime\(")
INCLUDE = re.compile(r'^\s*#include\s+(["<][^">]+[">])', re.M)
MAX_LINES = 600


def rooms():
    """{room: rooms it may include, itself and through others} as CMakeLists.txt says."""
    text = (ROOT / "CMakeLists.txt").read_text()
    direct = {}
    for call in re.findall(r"^room\(([^)]*)\)", text, re.M):
        words = call.split()
        depends = []
        if "DEPENDS" in words:
            rest = words[words.index("DEPENDS") + 1:]
            depends = rest[:rest.index("LIBRARIES")] if "LIBRARIES" in rest else rest
        direct[words[0]] = depends
    known = {}

    def reach(room):
        if room not in known:
            known[room] = {room}
            for other in direct[room]:
                known[room] |= reach(other)
        return known[room]

    for room in direct:
        reach(room)
    return known


def sources(room):
    folder = ROOT / room
    return [path for path in folder.glob("*") if path.suffix in (".cpp", ".hpp")]


def test_a_room_includes_only_rooms_that_it_may_know():
    wrong = []
    known = rooms()
    for room, allowed in known.items():
        for path in sources(room):
            for include in INCLUDE.findall(path.read_text()):
                folder = str(pathlib.Path(include.strip('"<>')).parent)
                if folder in known and folder not in allowed:
                    wrong.append(f"{path.relative_to(ROOT)} includes {include}: {room} does not depend on {folder}")
    assert not wrong, "\n".join(wrong)


def test_every_folder_with_code_is_a_room():
    known = rooms()
    folders = {str(path.parent.relative_to(ROOT)) for top in ("common", "operator", "proxy", "ctl")
               for path in (ROOT / top).rglob("*.cpp") if path.name != "main.cpp"}
    assert folders <= set(known)


def test_operator_and_proxy_know_nothing_of_each_other_and_protocols_neither():
    protocols = {"proxy/redis", "proxy/tcp", "proxy/postgresql", "proxy/mysql"}
    for room, allowed in rooms().items():
        top = room.split("/")[0]
        others = {"proxy": "operator", "operator": "proxy", "common": "operator proxy"}.get(top, "").split()
        assert not [other for other in allowed if other.split("/")[0] in others], room
        if room in protocols:
            assert not (allowed & protocols) - {room}, room


def test_pure_rooms_touch_no_socket_clock_or_file():
    wrong = []
    for room in PURE:
        for path in sources(room):
            text = path.read_text()
            wrong += [f"{path.relative_to(ROOT)}: {name}" for name in INCLUDE.findall(text) if EDGE.search(name)]
            wrong += [f"{path.relative_to(ROOT)}: reads a clock" for _ in CLOCK.findall(text)]
    assert not wrong, "\n".join(wrong)


def test_no_file_grows_past_what_one_can_hold_in_mind():
    long = [f"{path.relative_to(ROOT)}: {count} lines" for top in ("common", "operator", "proxy", "ctl")
            for path in (ROOT / top).rglob("*.[ch]pp")
            if (count := path.read_text().count("\n")) > MAX_LINES]
    assert not long, "\n".join(long)


def test_every_verb_of_run_is_told_by_help():
    text = (ROOT / "run").read_text()
    told = set(re.findall(r"^\./run (\w+)", text, re.M))
    assert {"setup", "build", "demo", "test", "cluster", "bench", "fmt", "lint"} <= told
