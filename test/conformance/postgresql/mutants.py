"""SQL made of other SQL, to find where words and grammar part: tokens left out, taken from elsewhere, put in."""
import random
import re

TOKEN = re.compile(rb"""\s+|--[^\n]*|/\*.*?\*/|[eEnNbBxX]?'(?:[^'\\]|''|\\.)*'|\$(\w*)\$.*?\$\1\$|"(?:[^"]|"")*"|"""
                   rb"""[A-Za-z_\x80-\xff][\w$\x80-\xff]*|\d+(?:\.\d*)?|::|.""", re.S)
PUT_IN = [
    b"nextval('s')", b"nextval", b"\"nextval\"", b"pg_catalog.nextval('s')", b".nextval", b"f(1)", b"s.f(1)", b"f", b"s.",
    b"FOR UPDATE", b"FOR NO KEY UPDATE OF t", b"FOR SHARE", b"INTO t", b"INTO TEMP t", b"OPERATOR(s.+)", b"OPERATOR(pg_catalog.+)",
    b"USING OPERATOR(s.<)", b"DISTINCT ON (a)", b"DISTINCT", b"AS", b"AS f(a, b)", b"f(a, b)", b"::", b"::f(1)", b"(", b")", b",",
    b"(DELETE FROM t RETURNING *)", b"WITH x AS (SELECT 1)", b"WITH x(a) AS (INSERT INTO t VALUES (1) RETURNING a)",
    b"WITH x AS (SELECT 1) (SELECT 1)", b"NOT MATERIALIZED", b"JOIN", b"join(1)", b"LEFT JOIN (SELECT 1) f(x) ON true",
    b"over(1)", b"by(1)", b"filter(1)", b"rollup(1)", b"sets(1)", b"materialized(1)", b"recursive(1)", b"zone f(1)", b"ORDER BY f(1)",
    b"LIMIT f(1)", b"ROWS f(1) PRECEDING", b"TABLESAMPLE f(1)", b"TREAT(a AS f)", b"/* ' */", b"-- '\n", b"/* /* */ \" */",
    b"E'\\''", b"E'a'\n'\\''", b"$a$'$a$", b"U&\"f\"(1)", b"U&\"!0066\" UESCAPE '!'", b"\"a\"\"lower\"(1)", b"lower", b"lower(a)",
    b".U&\"nextv\\0061l\"", b"FROM U&\"pg_st\\0061t_activity\"", b"E'a'\n'\\'', nextval('s') --'\n", b"E'a'\n'\\'' FOR UPDATE --'\n",
    b"XMLTABLE('x' PASSING f(1) COLUMNS a int PATH f(1))", b"; DELETE FROM t", b"; SELECT 1", b"txid_current()",
    b"pg_stat_activity", b"FROM", b"SELECT", b"UPDATE", b"EXPLAIN ANALYZE", b"pg_advisory_lock(1)", b"::regclass", b"COLLATE",
]


def tokens(text):
    return [match.group() for match in TOKEN.finditer(text)]


def mutants(texts, count, seed):
    """`count` texts; most of them are no SQL."""
    chance = random.Random(seed)
    whole = [tokens(text) for text in texts]
    for _ in range(count):
        made = list(chance.choice(whole))
        for _ in range(chance.choice((1, 1, 2, 3))):
            at = chance.randrange(len(made) + 1)
            kind = chance.randrange(6)
            if kind <= 1:
                made.insert(at, b" " + chance.choice(PUT_IN) + b" ")
            elif kind == 2:
                made[at:at + 1] = [chance.choice(PUT_IN)]
            elif kind == 3:
                del made[at:at + 1]
            elif kind == 4:
                other = chance.choice(whole)
                start = chance.randrange(len(other))
                made[at:at] = [b" "] + other[start:start + chance.randrange(1, 12)] + [b" "]
            else:
                other = chance.choice(whole)
                made[at:] = [b" "] + other[chance.randrange(len(other)):]
        text = b"".join(made)
        if b"\0" not in text:
            yield text
