#!/usr/bin/env python3
"""An exported audit log judged from outside: by antin-audit-verify, by the definitions written out here, and by openssl."""
import base64, hashlib, json, os, subprocess, sys, tempfile
from pathlib import Path

TEST_AUDIT, VERIFY = sys.argv[1:3]
FIELDS = ("action", "actor", "role", "object", "outcome", "citation", "detail")
passed = failed = 0


def check(name, good, more=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"FAILED {name} {more}")


def sha(data):
    return hashlib.sha256(data).digest()


def leaf(event):
    entry = b"\x01" + event["at"].to_bytes(8, "big")
    for field in FIELDS:
        text = event[field].encode()
        entry += len(text).to_bytes(4, "big") + text
    return sha(b"\0" + entry)


def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha(b"")
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha(b"\1" + root(leaves[:k]) + root(leaves[k:]))


def verify(path, *more):
    done = subprocess.run([VERIFY, "--lang", "en", *map(str, more), str(path)], capture_output=True, text=True)
    return done.returncode, done.stdout


def main():
    with tempfile.TemporaryDirectory(prefix="antin-outside-") as d:
        d = Path(d)
        for name in ("key", "other"):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", d / f"{name}.pem",
                            "-out", d / f"{name}.crt", "-days", "30", "-subj", f"/C=VN/CN=Nhat ky mau {name}"], check=True, capture_output=True)
            os.chmod(d / f"{name}.pem", 0o600)
        subprocess.run([TEST_AUDIT, "--make", d / "log", d / "key.pem", d / "key.crt"], check=True)
        lines = (d / "log").read_text().splitlines()
        rows = [json.loads(line) for line in lines]
        head, checkpoints, events = rows[0], [r for r in rows if "checkpoint" in r], [r for r in rows if "seq" in r]

        leaves = [leaf(e) for e in events]
        chain = bytes(32)
        for event, hashed in zip(events, leaves):
            chain = sha(b"\2" + chain + hashed)
            check(f"chain {event['seq']}", chain.hex() == event["chain"])
        check("root", root(leaves).hex() == head["root"] and head["size"] == len(events) and head["chain"] == chain.hex())
        check("checkpoints", len(checkpoints) == 2)
        for c in checkpoints:
            statement = base64.b64decode(c["statement"])
            check("signed root", f"root: {root(leaves[:c['checkpoint']]).hex()}\n" in statement.decode())
            (d / "statement").write_bytes(statement)
            (d / "signature").write_bytes(base64.b64decode(c["signature"]))
            done = subprocess.run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", d / "signature", "-content", d / "statement",
                                   "-CAfile", d / "key.crt", "-purpose", "any", "-out", d / "null"], capture_output=True, text=True)
            check("openssl cms", done.returncode == 0, done.stderr)

        check("clean", verify(d / "log")[0] == 0, verify(d / "log")[1])
        check("clean, signer named", verify(d / "log", "--signer", d / "key.crt")[0] == 0)
        check("another signer", verify(d / "log", "--signer", d / "other.crt")[0] == 1)
        earlier = dict(head, size=100, root=root(leaves[:100]).hex())
        (d / "earlier").write_text(json.dumps(earlier) + "\n")
        check("earlier export", verify(d / "log", "--earlier", d / "earlier")[0] == 0)
        (d / "earlier").write_text(json.dumps(dict(earlier, root=root(leaves[:101]).hex())) + "\n")
        check("another past", verify(d / "log", "--earlier", d / "earlier")[0] == 1)
        (d / "earlier").write_text(json.dumps(dict(earlier, size=100000)) + "\n")
        check("a longer past", verify(d / "log", "--earlier", d / "earlier")[0] == 1)

        first = 1 + len(checkpoints)  # the line of event 1

        def changed(name, make, place):
            text = list(lines)
            make(text)
            (d / "bad").write_text("\n".join(text) + "\n")
            status, out = verify(d / "bad")
            check(name, status == 1 and out.startswith(place), f"status {status}: {out[:200]}")

        def replace(at, old, new):
            def make(text):
                assert old in text[at]
                text[at] = text[at].replace(old, new, 1)
            return make

        def remake_from(at):
            """Whoever changes an event and makes everything after it anew: only what was signed or exported stands against him."""
            def make(text):
                rows = [json.loads(t) for t in text]
                rows[at]["actor"] = "mau-99"
                chain = bytes.fromhex(rows[at - 1]["chain"])
                for row in rows[at:]:
                    chain = sha(b"\2" + chain + leaf(row))
                    row["chain"] = chain.hex()
                rows[0]["root"] = root([leaf(r) for r in rows[first:]]).hex()
                rows[0]["chain"] = chain.hex()
                text[:] = [json.dumps(r, ensure_ascii=False) for r in rows]
            return make
        changed("text", replace(first + 20, "mau-01", "mau-02"), "21: ")
        changed("hash", replace(first + 30, events[30]["chain"][:8], "00000000"), "31: ")
        changed("row gone", lambda t: t.pop(first + 50), "51: ")
        changed("rows exchanged", lambda t: t.insert(first + 60, t.pop(first + 61)), "61: ")
        changed("cut off", lambda t: t.__delitem__(slice(len(t) - 5, len(t))), f"{len(events) - 4}–{len(events)}: ")
        changed("checkpoint", replace(1, json.dumps(checkpoints[0]["statement"])[1:9], "AAAAAAAA"), f"{checkpoints[0]['checkpoint']}: ")
        changed("made anew", remake_from(first + 100), f"1–{checkpoints[0]['checkpoint']}: ")
        unknown = base64.b64encode(base64.b64decode(checkpoints[0]["signature"]).replace(bytes.fromhex("0609608648016503040201"), bytes.fromhex("060960864801650304027f"))).decode()
        changed("a digest that nobody knows", replace(1, json.dumps(checkpoints[0]["signature"])[1:-1], unknown), f"{checkpoints[0]['checkpoint']}: ")
        status, out = verify(d / "log", "--signer", d / "key.crt")
        check("says how far it is signed", f"signed up to {checkpoints[-1]['checkpoint']}, " in out and "not compared" not in out, out)
        check("says that the signer was not compared", "not compared" in verify(d / "log")[1])
        (d / "bad").write_text("\n".join([lines[0]] + lines[first:]) + "\n")
        check("checkpoints taken out", verify(d / "bad", "--signer", d / "key.crt")[0] == 1 and "nothing here is signed" in verify(d / "bad")[1])
        (d / "bad").write_text("\n".join(lines[:first] + [lines[first] + "\0what only a reader sees"] + lines[first + 1:]) + "\n")
        check("text behind a NUL", verify(d / "bad")[0] == 65)
        (d / "bad").write_text("\n".join(lines[:first]) + "\n" + '{"seq": 1, "action": "' + "x" * (3 << 20))
        check("a line without an end", verify(d / "bad")[0] == 65)
        for name, at, place in (("a note beside an event", first + 7, "8: "), ("a note beside a checkpoint", 1, f"{checkpoints[0]['checkpoint']}: "), ("a note in the first line", 0, "0: ")):
            changed(name, lambda t: t.__setitem__(at, t[at][:-1] + ', "note": "approved by everybody"}'), place)
        changed("the last hash of the first line", replace(0, head["chain"][:8], "00000000"), f"{len(events)}: ")
        changed("a word taken away that was empty", lambda t: t.__setitem__(first + 7, json.dumps({k: v for k, v in events[7].items() if k != "citation"}, ensure_ascii=False)), "8: ")

        def dated_back(text, back):
            """A second between events, but the tenth is dated so far before the ninth; hashes as they should be."""
            rows = [json.loads(t) for t in text]
            for second, row in enumerate(rows[first:]):
                row["at"] = 1_700_000_000 + second
            rows[first + 9]["at"] -= back
            chain = bytes(32)
            for row in rows[first:]:
                chain = sha(b"\2" + chain + leaf(row))
                row["chain"] = chain.hex()
            rows[0].update(root=root([leaf(r) for r in rows[first:]]).hex(), chain=chain.hex())
            return "\n".join(json.dumps(r, ensure_ascii=False) for r in [rows[0]] + rows[first:]) + "\n"
        for back, told in ((600, True), (200, False), (0, False)):
            (d / "back").write_text(dated_back(lines, back))
            status, out = verify(d / "back")
            check(f"an event dated back by {back} s", status == 0 and ("1 times the clock went back, first at 10" in out) == told and ("went back" in out) == told, out)
        (d / "bad").write_text("")
        check("empty file", verify(d / "bad")[0] == 65)
        (d / "bad").write_text("{}\n")
        check("no export", verify(d / "bad")[0] == 65)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed > 0


sys.exit(main())
