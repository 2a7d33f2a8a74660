"""What PostgreSQL's own parser (libpg_query, of version 15) makes of SQL text: whether it is a read."""
import ctypes
import json


class _Error(ctypes.Structure):
    _fields_ = [("message", ctypes.c_char_p), ("funcname", ctypes.c_char_p), ("filename", ctypes.c_char_p),
                ("lineno", ctypes.c_int), ("cursorpos", ctypes.c_int), ("context", ctypes.c_char_p)]


class _Parsed(ctypes.Structure):
    _fields_ = [("tree", ctypes.c_char_p), ("stderr", ctypes.c_char_p), ("error", ctypes.POINTER(_Error))]


class _Statement(ctypes.Structure):
    _fields_ = [("location", ctypes.c_int), ("length", ctypes.c_int)]


class _Split(ctypes.Structure):
    _fields_ = [("statements", ctypes.POINTER(ctypes.POINTER(_Statement))), ("count", ctypes.c_int),
                ("stderr", ctypes.c_char_p), ("error", ctypes.POINTER(_Error))]


_library = ctypes.CDLL("libpg_query.so")
_library.pg_query_parse.restype = _Parsed
_library.pg_query_parse.argtypes = [ctypes.c_char_p]
_library.pg_query_free_parse_result.argtypes = [_Parsed]
_library.pg_query_split_with_scanner.restype = _Split
_library.pg_query_split_with_scanner.argtypes = [ctypes.c_char_p]
_library.pg_query_free_split_result.argtypes = [_Split]

WRITES = {"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "intoClause", "lockingClause"}


def parse(sql: bytes):
    """The parse tree, or None where SQL is none."""
    result = _library.pg_query_parse(sql)
    tree = None if result.error else json.loads(result.tree)
    _library.pg_query_free_parse_result(result)
    return tree


def split(sql: bytes):
    """The statements of a script, comments and all."""
    result = _library.pg_query_split_with_scanner(sql)
    found = [sql[s.location:s.location + s.length]
             for s in (result.statements[i].contents for i in range(0 if result.error else result.count))]
    _library.pg_query_free_split_result(result)
    return found


class Oracle:
    """`rows`: what names.sql gives, (kind, name)."""

    def __init__(self, rows):
        self.functions = {name for kind, name in rows if kind == "function"}
        self.attributes = {name for kind, name in rows if kind == "attribute"}
        self.catalogs = {name for kind, name in rows if kind == "catalog"}

    def why_no_read(self, tree):
        """None: every statement is a read. Else the first reason that was found why it is not surely one."""
        if not tree["stmts"]:
            return "nothing"
        for statement in tree["stmts"]:
            kind = next(iter(statement["stmt"]))
            if kind != "SelectStmt":
                return kind
            why = self._why(statement["stmt"])
            if why:
                return why
        return None

    def _why(self, node):
        if isinstance(node, list):
            return next(filter(None, map(self._why, node)), None)
        if not isinstance(node, dict):
            return None
        for key, value in node.items():
            if key in WRITES:
                return key
            why = self._of(key, value) or self._why(value)
            if why:
                return why
        return None

    def _of(self, key, value):
        if key == "FuncCall":
            return self._call(names(value["funcname"]))
        if key == "RangeVar":
            return self._relation(value)
        if key in ("A_Expr", "SubLink", "SortBy"):
            operator = names(value.get("name", value.get("operName", value.get("useOp", []))))
            if len(operator) > 1 and operator[0] != "pg_catalog":
                return "operator " + ".".join(operator)
        if key == "ColumnRef":
            return self._attribute(names(value["fields"])[1:])
        if key == "A_Indirection":
            return self._attribute(names(value["indirection"]))
        return None

    def _call(self, name):
        if name[-1] in self.functions and (len(name) == 1 or name[:-1] == ["pg_catalog"]):
            return None
        return "function " + ".".join(name)

    def _attribute(self, fields):
        called = [field for field in fields if field in self.attributes]
        return "attribute " + called[0] if called else None

    def _relation(self, value):
        """What tells of the server, or is the session's own."""
        for name in (value.get("schemaname", ""), value["relname"]):
            if name.startswith("pg_") and name != "pg_catalog" and name not in self.catalogs | self.functions:
                return "relation " + name
        return None


def names(nodes):
    return [node["String"].get("sval", "") for node in nodes if "String" in node]


def strings(node):
    """All string constants in a tree: bodies of functions are SQL too."""
    if isinstance(node, list):
        for item in node:
            yield from strings(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("sval", "str") and isinstance(value, str):
                yield value
            else:
                yield from strings(value)
