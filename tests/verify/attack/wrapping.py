"""Signature wrapping, universal forgery, and games with /ByteRange and /Contents."""
import hashlib, re
from forge.pdf import base, stream
from .structure import EVIL
from .world import *


def swap_value(p, old, new):
    """In place: old and new of one length, anywhere (the signature dictionary is outside of nothing but /Contents)."""
    assert len(old) == len(new), (old, new)
    return p.data.replace(old, new)


def forgeries(world):
    """Universal signature forgery: what stands in /ByteRange and /Contents is not what it must be, in a later revision."""
    p = world.signed()
    body = p.body[p.value_number]
    value = re.search(rb"/Contents <[0-9a-f]+>", body)[0]
    span = re.search(rb"/ByteRange \[[^]]*\]", body)[0]
    numbers = [int(n) for n in re.findall(rb"\d+", span)]
    a, b, c, d = numbers
    odd = {"missing": b"", "null": b"/ByteRange null", "empty": b"/ByteRange []", "zero": b"/ByteRange [0 0 0 0]", "name": b"/ByteRange /x",
           "one number": b"/ByteRange [0]", "three": b"/ByteRange [0 %d %d]" % (b, c), "five": b"/ByteRange [0 %d %d %d 0]" % (b, c, d),
           "six": b"/ByteRange [0 %d %d %d %d 0]" % (b, c, d, c + d), "negative": b"/ByteRange [0 -1 %d %d]" % (c, d),
           "negative start": b"/ByteRange [-1 %d %d %d]" % (b, c, d), "huge": b"/ByteRange [0 %d %d 99999999999999999999]" % (b, c),
           "wraps 64 bits": b"/ByteRange [0 %d %d 18446744073709551615]" % (b, c), "real": b"/ByteRange [0.0 %d.0 %d.0 %d.0]" % (b, c, d),
           "reference": b"/ByteRange 60 0 R", "references inside": b"/ByteRange [61 0 R 62 0 R 63 0 R 64 0 R]", "string": b"/ByteRange (0 1 2 3)",
           "swapped": b"/ByteRange [%d %d 0 %d]" % (c, d, b), "overlap": b"/ByteRange [0 %d %d %d]" % (c, b, d), "past the end": b"/ByteRange [0 %d %d %d]" % (b, c, d + 99999)}
    extra = {60: f"[0 {b} {c} {d}]", 61: "0", 62: str(b), 63: str(c), 64: str(d)}
    for name, text in odd.items():
        yield f"/ByteRange {name} in a later revision", p.copy().append({**extra, p.value_number: body.replace(span, text)}).data
    wrong = {"missing": b"", "null": b"/Contents null", "empty": b"/Contents <>", "empty string": b"/Contents ()", "zero": b"/Contents <00>",
             "zeros": b"/Contents <" + b"00" * 6000 + b">", "number": b"/Contents 0", "array": b"/Contents []", "reference": b"/Contents 65 0 R",
             "sequence of nothing": b"/Contents <3000>", "literal string": b"/Contents (" + re.sub(rb"([\\()\r\n])", lambda m: b"\\%03o" % m[1][0], bytes.fromhex(value[11:-1].decode())) + b")"}
    for name, text in wrong.items():
        yield f"/Contents {name} in a later revision", p.copy().append({65: value[10:], p.value_number: body.replace(value, text)}).data
    yield "signature dictionary copied to a later revision", p.copy().append({p.value_number: body, 4: EVIL}).data
    yield "/V repointed to a copy", p.copy().append({60: body, p.field_number: p.edit(p.field_number, f"/V {p.value_number} 0 R", "/V 60 0 R"), 4: EVIL}).data
    yield "/V null", p.copy().append({p.field_number: p.edit(p.field_number, f"/V {p.value_number} 0 R", "/V null")}).data
    yield "/SubFilter changed later", p.copy().append({p.value_number: body.replace(b"ETSI.CAdES.detached", b"adbe.x509.rsa_sha1")}).data
    yield "signature made a document time-stamp", p.copy().append({p.value_number: body.replace(b"/Type /Sig", b"/Type /DocTimeStamp")}).data


def made_wrong(world):
    """The range and the value are wrong from the beginning, and the signature fits them."""
    def ranged(edit):
        return base().sign(world.signer(), byte_range=edit).data

    yield "numbers as reals", ranged(lambda n: "[%d. %d. %d. %d.]" % tuple(n)), NO_ACCEPT
    yield "numbers with signs", ranged(lambda n: "[+0 %d %d %d]" % tuple(n[1:])), NO_ACCEPT | LAWFUL
    yield "leading zeros", ranged(lambda n: "[0 %06d %06d %06d]" % tuple(n[1:])), NO_ACCEPT | LAWFUL
    yield "one byte short", ranged(lambda n: "[0 %d %d %d]" % (n[1], n[2], n[3] - 1)), NO_ACCEPT
    yield "gap wider by one", ranged(lambda n: "[0 %d %d %d]" % (n[1] - 1, n[2], n[3])), NO_ACCEPT
    yield "a fifth number", ranged(lambda n: "[0 %d %d %d 0]" % tuple(n[1:])), NO_ACCEPT

    def hashed_as(cut):
        """Signs exactly the ranges that it writes."""
        box = {}

        def ranges(n):
            box["n"] = cut(n)
            return "[" + " ".join(map(str, box["n"])) + "]"
        p = base()
        q = p.copy().sign(lambda d: b"\0", byte_range=ranges)
        blank = q.data
        covered = b"".join(blank[a:a + l] for a, l in zip(box["n"][::2], box["n"][1::2]))
        cms = world.cms(covered)
        return blank[:q.hole[0] + 1] + cms.hex().encode().ljust(q.hole[1] - q.hole[0] - 2, b"0") + blank[q.hole[1] - 1:]

    yield "starts at byte 1", hashed_as(lambda n: [1, n[1] - 1, n[2], n[3]]), REFUSED
    yield "end left unsigned", hashed_as(lambda n: [0, n[1], n[2], n[3] - 300]), REFUSED
    yield "nothing signed", hashed_as(lambda n: [0, 0, 0, 0]), REFUSED
    yield "only the beginning signed", hashed_as(lambda n: [0, n[1], n[2], 0]), REFUSED
    yield "gap wider than the value", hashed_as(lambda n: [0, n[1] - 60, n[2], n[3]]), REFUSED
    yield "gap wider after the value", hashed_as(lambda n: [0, n[1], n[2] + 8, n[3] - 8]), REFUSED
    yield "two gaps", hashed_as(lambda n: [0, 500, 900, n[1] - 900, n[2], n[3]]), REFUSED
    yield "second range overlaps the first", hashed_as(lambda n: [0, n[1], n[1] - 100, n[3]]), REFUSED
    yield "ranges swapped", hashed_as(lambda n: [n[2], n[3], 0, n[1]]), REFUSED
    yield "value inside the range without its brackets", hashed_as(lambda n: [0, n[1] + 1, n[2] - 1, n[3] + 1]), NO_ACCEPT


def values(world):
    """Games with the hexadecimal string."""
    def hexed(edit):
        return base().sign(world.signer(), contents=lambda cms, room: edit(cms, 2 * room)).data

    yield "upper case", hexed(lambda c, n: c.hex().upper().encode().ljust(n, b"0")), LAWFUL
    yield "padding is not zero", hexed(lambda c, n: c.hex().encode().ljust(n, b"1")), NO_ACCEPT | LAWFUL
    yield "padding holds another document", hexed(lambda c, n: (c.hex() + b"%PDF-1.7 1 0 obj".hex()).encode().ljust(n, b"0")), NO_ACCEPT | LAWFUL
    yield "white space in the value", hexed(lambda c, n: (c.hex()[:100] + "\n" + c.hex()[100:]).encode().ljust(n, b"0")), REFUSED | LAWFUL
    yield "object hidden in the padding by '>'", hexed(lambda c, n: (c.hex().encode() + b"> /X (").ljust(n - 1, b"0") + b")"), REFUSED
    yield "comment in the value", hexed(lambda c, n: (c.hex().encode() + b"%x\n").ljust(n, b"0")), REFUSED
    yield "letter that is no digit", hexed(lambda c, n: (c.hex().encode() + b"zz").ljust(n, b"0")), REFUSED
    yield "second /Contents after the first", base().sign(world.signer(), after_contents=b" /Contents <3000> ").data, REFUSED
    yield "second /ByteRange", base().sign(world.signer(), after_contents=b" /ByteRange [0 1 2 3] ").data, REFUSED
    yield "value cut short", hexed(lambda c, n: c[:-40].hex().encode().ljust(n, b"0")), REFUSED
    yield "two CMS objects", hexed(lambda c, n: (c + c).hex().encode().ljust(n, b"0")) if False else base().sign(lambda d: world.cms(d) * 2).data, NO_ACCEPT | LAWFUL


def wrapped(world):
    """The signed bytes are moved aside and something else stands where they were."""
    p = world.signed()
    a, (gap, after) = p.data, p.hole
    span = re.search(rb"/ByteRange \[[^]]*\]", a)[0]
    rest = a[after:]

    def moved(shift, fill, text=b"[0 %d %d %d]"):
        new = b"/ByteRange " + text % (gap, after + shift, len(rest))
        head = a[:gap].replace(span, new.ljust(len(span)))
        return head + a[gap:after] + fill.ljust(shift, b" ") + rest

    evil = b"\n4 0 obj\n" + EVIL + b"\nendobj\n"
    yield "SWA: second part moved back, object in the gap", moved(2000, evil)
    table = evil + b"xref\n4 1\n%010d 00000 n \ntrailer\n<< /Size 30 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (after + 1, p.start(), after + len(evil))
    yield "SWA: cross-reference in the gap", moved(3000, table)
    yield "SWA: gap closed by a second /Contents", moved(2000, b" /Contents <00> /ByteRange [0 1 2 3] >>\nendobj\n" + evil)
    tail = p.copy().append({4: EVIL})
    yield "SWA: appended revision and old range", tail.data
    yield "SWA: range covers the appended revision only by its last part", tail.data.replace(span, (b"/ByteRange [0 %d %d %d]" % (gap, after, len(tail.data) - after)).ljust(len(span)))
    q = p.copy().sign(world.signer(cert=world.second), field="Hai")
    yield "two fields share one value", q.copy().append({q.field_number: q.edit(q.field_number, f"/V {q.value_number} 0 R", f"/V {p.value_number} 0 R")}).data
    yield "second signature covers the first's gap differently", re.sub(rb"/ByteRange \[0 (\d+)", lambda m: m[0] if int(m[1]) == gap else b"/ByteRange [0 %d" % (int(m[1]) - 1), q.data)
    again = q.copy()
    yield "value of the first replaced by the second's", again.data[:p.hole[0]] + again.data[q.hole[0]:q.hole[1]] + again.data[p.hole[1]:]


def cases(world, full):
    for name, data in forgeries(world):
        yield Case("USF: " + name, data, REFUSED)
    for name, data, words in made_wrong(world):
        yield Case("range: " + name, data, words)
    for name, data, words in values(world):
        yield Case("value: " + name, data, words)
    for name, data in wrapped(world):
        yield Case(name, data, REFUSED)
