#!/usr/bin/env python3
"""What is kept: rows of decisions, certificates, lists and the log cannot be changed or taken away, on both engines; and with
PostgreSQL an instance works as a role that owns nothing and may not even try. usage: kept.py ANTIN tests/lib/postgres.py"""
import http.client, json, os, re, shutil, signal, sqlite3, subprocess, sys, tempfile, time
from pathlib import Path

ANTIN, LIB = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve().parent
SQL = LIB.parent.parent / "sql"
sys.path.insert(0, str(LIB))
import postgres  # noqa: E402
passed = failed = 0

# table: the columns that may change ("" = none); and may rows be taken away?
KEPT = {"audit_event": "", "audit_node": "", "audit_checkpoint": "", "decision_matter": "", "decision_vote": "", "decision_seal": "", "certificate_act": "",
        "crl_issued": "", "trust_list": "", "device_event": "", "custody": "", "request_event": "", "certificate": "status revoked_at reason ground",
        "revocation": "is_current", "authority": "ocsp_certificate ocsp_key base_url crl_partitions status", "officer": "until",
        "enrol_approval": "state opened_at opened_by key_digest used_at serial failures", "subscriber_certificate": "device object_id", "device_record_item": "", "notice": ""}
RULES = ("store_migration", "device_transition", "custody_step", "request_transition")  # the serving role reads them alone


# What may change, and when: a dossier, its item, a record of custody, a device and an approval for enrolment as they stand, a statement, and whether
# it is let through. {d} dossier's state, {i} item's, {r} record's, {b} an octet string of one octet.
ROWS = """
INSERT INTO request (id, request_key, kind, regulation, agency, addressee, subject_kind, device_kind, form, form_citation, number, state, round, urgent, content, digest,
    reason, created_at, created_by) VALUES (9001, 'kept', 4, 'r', 'H1.1', 'cuc', 'person', 'pki-token', 'f', 'f', '1', {d}, 1, 0, 'c', {b}, '', 1, 'CB1');
INSERT INTO request_item (request, place, state, subject, name, folded, email, certificate, device, ground, facts, reason, result)
    VALUES (9001, 1, {i}, 'TB1', 'A', 'a', 'a@b.vn', '0a', 'D1', 'that-lac', {b}, '', '');
INSERT INTO request_execution (request, place, step, owner, owner_until, device, attempts, error, started_at, finished_at) VALUES (9001, 1, 6, '', 0, 'D1', 1, '', 1, {f});
INSERT INTO device (id, kind, number, model, uri, carrier, phone, account, state, event, link, holder_kind, holder, place, note)
    VALUES (9001, 'pki-token', 'KEPT', '', '', '', '', '', 'chua-dung', 1, 0, 'cuc', 0, '', '');
INSERT INTO device_event (device, seq, state_from, state_to, at, actor, reason) VALUES (9001, 1, '', 'chua-dung', 1, '', '');
INSERT INTO device_record (id, number, form, medium, state, at, place, giver_kind, giver, taker_kind, taker, giver_signed, taker_signed, way, reason, step, pdf, made_by)
    VALUES (9001, 'KEPT', 'f', 'electronic', 'draft', 1, '', 'cuc', 0, 'agency', 1, 1, 1, '', '', 'device.handover', {b}, '');
INSERT INTO device_record_item (record, device) VALUES (9001, 9001);
UPDATE device_record SET state = 'half-signed' WHERE id = 9001 AND '{r}' <> 'draft';
UPDATE device_record SET state = 'signed' WHERE id = 9001 AND '{r}' = 'signed';
INSERT INTO enrol_approval (id, reference, salt, item, profile, authority, subject, email, subscriber, agency, months, state, created_at, created_by, expires_at, key_digest,
    serial, failures) VALUES (9001, 'kept', {b}, 'kept', 'p', '', 's', '', '', '', 0, {e}, 1, '', 9, {b}, {s}, 0);
"""
USUAL = {"d": 1, "i": 0, "r": "draft", "f": "NULL", "e": 1, "s": "NULL"}
LINK = "INSERT INTO custody (device, seq, giver_kind, giver, taker_kind, taker, at, way, record, record_state) VALUES (9001, 1, 'cuc', 0, 'agency', {t}, 1, '', 9001, 'signed')"
WHEN = (
    ({"d": 1}, "UPDATE request SET content = 'x', digest = {b}, number = '2', document = NULL, signed_at = NULL, signed_by = NULL, addressee = 'x' WHERE id = 9001", True),
    ({"d": 2}, "UPDATE request SET document = {b}, signed_at = 1, signed_by = '0a' WHERE id = 9001", True),
    ({"d": 4}, "UPDATE request SET addressee = 'x' WHERE id = 9001", True), ({"d": 5}, "UPDATE request SET addressee = 'x' WHERE id = 9001", False),
    *(({"d": d}, f"UPDATE request SET {c} WHERE id = 9001", False) for d in (4, 5, 6, 8, 9, 12, 14) for c in ("content = 'x'", "digest = {b}", "document = {b}", "signed_by = 'x'", "number = '2'")),
    *(({}, f"UPDATE request SET {c} = {c} WHERE id = 9001", False) for c in ("kind", "agency", "regulation", "subject_kind", "device_kind", "form", "created_by", "request_key")),
    *(({"d": a}, f"UPDATE request SET state = {b} WHERE id = 9001", may) for a, b, may in ((5, 8, True), (8, 9, True), (8, 7, True), (1, 8, False), (8, 1, False), (9, 8, False), (7, 8, False),
      (14, 5, False), (11, 9, False), (8, 5, False), (4, 8, False), (5, 1, False))),
    ({}, "DELETE FROM request WHERE id = 9001", False),
    ({}, "DELETE FROM request_item WHERE request = 9001", True), *(({"d": d}, "DELETE FROM request_item WHERE request = 9001", False) for d in (2, 4, 8, 9)),
    *(({"d": 9, "i": 1}, f"UPDATE request_item SET {c} = {c} WHERE request = 9001", False) for c in ("subject", "name", "email", "certificate", "ground", "facts", "place")),
    ({"d": 8}, "UPDATE request_item SET matter = 7 WHERE request = 9001", True),
    ({"d": 8}, "UPDATE request_item SET matter = 7 WHERE request = 9001; UPDATE request_item SET matter = 8 WHERE request = 9001", False),
    ({"d": 8}, "UPDATE request_item SET state = 1, decided_at = 1, decided_by = 'x', reason = '' WHERE request = 9001", True),
    ({"d": 8, "i": 2}, "UPDATE request_item SET state = 1 WHERE request = 9001", False), ({"d": 9, "i": 1}, "UPDATE request_item SET state = 0 WHERE request = 9001", False),
    ({"d": 11, "i": 3}, "UPDATE request_item SET state = 1 WHERE request = 9001", False), ({"d": 8}, "UPDATE request_item SET state = 3 WHERE request = 9001", False),
    ({"d": 9, "i": 1}, "UPDATE request_item SET decided_by = 'x' WHERE request = 9001", False),
    ({"d": 9, "i": 1}, "UPDATE request_item SET state = 3, result = '0b', device = 'D2' WHERE request = 9001", True),
    ({"d": 11, "i": 3}, "UPDATE request_item SET result = '0b' WHERE request = 9001", False), ({"d": 8}, "UPDATE request_item SET device = 'D2' WHERE request = 9001", False),
    ({"d": 9, "i": 1}, "UPDATE request_execution SET step = 3 WHERE request = 9001", True), ({"d": 9, "f": 5}, "UPDATE request_execution SET finished_at = NULL, step = 0 WHERE request = 9001", False),
    ({}, "DELETE FROM request_execution WHERE request = 9001", False),
    ({}, "UPDATE device SET place = 'x', subscriber = NULL WHERE id = 9001", True), ({}, "UPDATE device SET number = 'x' WHERE id = 9001", False), ({}, "DELETE FROM device WHERE id = 9001", False),
    ({}, "UPDATE device SET state = 'dang-dung' WHERE id = 9001", False), ({}, "UPDATE device SET holder_kind = 'person', holder = 5 WHERE id = 9001", False),
    ({"r": "signed"}, LINK.format(t=1), True), ({"r": "signed"}, LINK.format(t=2), False), ({"r": "half-signed"}, LINK.format(t=1), False),
    ({"r": "signed"}, "INSERT INTO device_record_item (record, device) VALUES (9001, 1)", False), ({"r": "signed"}, "UPDATE device_record SET pdf = {b} WHERE id = 9001", False),
    ({}, "UPDATE device_record SET pdf = {b} WHERE id = 9001", False), ({}, "UPDATE device_record SET state = 'half-signed', pdf = {b} WHERE id = 9001", True),
    ({}, "UPDATE device_record SET state = 'signed' WHERE id = 9001", False), ({"r": "signed"}, "UPDATE device_record SET state = 'void' WHERE id = 9001", False),
    *(({}, f"UPDATE device_record SET {c} = {c} WHERE id = 9001", False) for c in ("giver", "taker", "giver_signer", "taker_signer", "form", "step", "at", "number")),
    ({}, "DELETE FROM device_record WHERE id = 9001", False),
    ({"e": 2, "s": "{b}"}, "UPDATE enrol_approval SET state = 1, key_digest = NULL, used_at = NULL WHERE id = 9001", False), ({"e": 2}, "UPDATE enrol_approval SET state = 1 WHERE id = 9001", True),
    ({"e": 2, "s": "{b}"}, "UPDATE enrol_approval SET serial = NULL WHERE id = 9001", False), ({"e": 3}, "UPDATE enrol_approval SET state = 1 WHERE id = 9001", False),
)


def tried(row, blob):
    """The statements of a row of the table: what stands, and what is tried."""
    filled = {k: str(v).replace("{b}", blob) for k, v in {**USUAL, **row[0]}.items()}
    return ROWS.format(b=blob, **filled), row[1].replace("{b}", blob)


def check(name, good, more=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"FAILED {name}: {more}")


def antin(*args, status=0):
    done = subprocess.run([ANTIN, *map(str, args)], capture_output=True, text=True, timeout=300)
    check(" ".join(map(str, args[:3])), done.returncode == status, f"exit {done.returncode}: {done.stdout[-300:]}{done.stderr[-500:]}")
    return done.stdout


def refused(db, statement):
    try:
        db.execute(statement)
        return False
    except sqlite3.IntegrityError:
        return True


def sqlite_rows(path):
    """A row of anything in each table, then every column of it changed, and the row taken away."""
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; BEGIN")
    db.execute("INSERT INTO device_record VALUES (70001, 'x', 'x', 'x', 'x', 1, 'x', 'x', 70001, 'x', 70001, 1, 1, 1, 1, 'x', 'x', 'x', NULL, NULL, 'x')")
    db.execute("INSERT INTO device_record_item VALUES (70001, 70001)")  # a link of custody rests on it
    for table, free in KEPT.items():
        columns = db.execute(f"PRAGMA table_info({table})").fetchall()
        check(f"{table} is there", columns)
        values = {"INTEGER": 70001, "TEXT": "x", "BLOB": b"x"}
        db.execute(f"INSERT OR IGNORE INTO {table} ({','.join(c[1] for c in columns)}) VALUES ({','.join('?' * len(columns))})", [values[c[2]] for c in columns])
        for column in columns:
            may = column[1] in free.split()
            got = refused(db, f"UPDATE {table} SET {column[1]} = {column[1]}")
            check(f"sqlite: {table}.{column[1]}", got == (not may), "refused" if got else "changed")
        check(f"sqlite: {table}: delete", refused(db, f"DELETE FROM {table}"))
    db.execute("UPDATE certificate SET status = 1")
    check("sqlite: what is revoked stays revoked", refused(db, "UPDATE certificate SET status = 0"))
    db.execute("ROLLBACK")
    for row in WHEN:
        stands, act = tried(row, "x'01'")
        db.executescript(f"BEGIN; {stands}")
        check(f"sqlite: {row[0]} {act}", any(refused(db, one) for one in act.split("; ")) != row[2], "changed" if not row[2] else "refused")
        if db.in_transaction:
            db.execute("ROLLBACK")
    db.close()


def outcome(server, database, role, statement):
    done = server.run(server.bin / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=sqlstate", "-h", server.dir, "-p", server.port, "-U", role, "-d", database,
                      "-c", f"BEGIN; {statement}; ROLLBACK", check=False)
    found = re.search(r"ERROR:\s+(\w{5})", done.stderr)
    return found.group(1) if found else "done" if done.returncode == 0 else done.stderr


def postgres_rows(server, database):
    """The owner meets the triggers (23000), the serving role its rights (42501)."""
    for table, free in KEPT.items():
        columns = server.sql(f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'", database).split()
        check(f"{table} is there", columns)
        for column in columns:
            may = column in free.split()
            got = outcome(server, database, server.user, f'UPDATE {table} SET "{column}" = "{column}"')
            check(f"owner: {table}.{column}", got == ("done" if may else "23000"), got)
            got = outcome(server, database, "antin_serve", f'UPDATE {table} SET "{column}" = "{column}"')
            check(f"role: {table}.{column}", got == ("done" if may and column not in ("base_url", "crl_partitions") else "42501"), got)
        for act in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            check(f"owner: {act}", outcome(server, database, server.user, act) == "23000")
            check(f"role: {act}", outcome(server, database, "antin_serve", act) == "42501")
        for act in (f"ALTER TABLE {table} DISABLE TRIGGER ALL", f"DROP TABLE {table} CASCADE", f"DROP TRIGGER {table}_kept ON {table}"):
            check(f"role: {act}", outcome(server, database, "antin_serve", act) == "42501", outcome(server, database, "antin_serve", act))
    for row in WHEN:
        stands, act = tried(row, "'\\x01'::bytea")
        for role in (server.user, "antin_serve"):
            got = outcome(server, database, role, f"{stands}; {act}")
            check(f"{role}: {row[0]} {act}", got in (("done",) if row[2] else ("23000", "23503") if role == server.user else ("23000", "23503", "42501")), got)
    for table in RULES:
        for act in (f"INSERT INTO {table} DEFAULT VALUES", f"DELETE FROM {table}", f"UPDATE {table} SET {first_column(server, database, table)} = NULL"):
            check(f"role: {act}", outcome(server, database, "antin_serve", act) == "42501", outcome(server, database, "antin_serve", act))
    for act in ("SET session_replication_role = replica", "CREATE TABLE x (a int)", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "COPY audit_event TO PROGRAM 'cat'",
                "SELECT pg_read_file('/etc/passwd')", "ALTER ROLE antin_serve SUPERUSER", "SELECT lo_import('/etc/passwd')"):
        check(f"role: {act}", outcome(server, database, "antin_serve", act) == "42501", outcome(server, database, "antin_serve", act))


def first_column(server, database, table):
    return server.sql(f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position", database).split()[0]


def words(d):
    """What is written into an instance is read by others: no word of it moves their cursor, paints or turns a line round."""
    certificate = d / "public" / "crt" / "nha-nuoc.crt"
    for name, bad in {"escape": "x\033[2J", "line end": "x\ny", "carriage return": "x\ry", "C1": "x\x9b5n", "right to left": "x\u202egnp", "no width": "x\u200by", "isolate": "x\u2066y"}.items():
        for command in (("enrol", "allow", f"request:9/item:{bad}", "--subject", "C=VN, O=a, CN=b"), ("enrol", "allow", "request:9/item:9", "--subject", "C=VN, O=a, CN=b", "--as", bad),
                        ("enrol", "allow", "request:9/item:9", "--subject", f"C=VN, O=a, CN={bad}"), ("ca", "officer", "add", bad, "--cert", certificate, "--role", "cuc"),
                        ("audit", "list", "--object", bad), ("agency", "add", "--as", "system", "--name", bad)):
            done = subprocess.run([ANTIN, *map(str, command), "--dir", d], capture_output=True, text=True)
            check(f"{name}: {command[:3]}", done.returncode == 64 and bad not in done.stderr + done.stdout, f"{done.returncode} {done.stderr[:200]!r}")
    log = antin("audit", "list", "--dir", d)
    check("nothing of it stands in the log", not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u200b\u2066]", log), log[-300:])


def rolled_back(d):
    """Who has the database alone brings an old state back, or another log: the head that the machine kept, and exports, tell of it."""
    store, old, export, judge = d / "store.db", d.parent / "old.db", d.parent / "export", ANTIN.parent / "antin-audit-verify"

    def copy(source, target):
        for path in (target, Path(f"{target}-wal"), Path(f"{target}-shm")):
            path.unlink(missing_ok=True)
        one, other = sqlite3.connect(source), sqlite3.connect(target)
        one.backup(other)
        one.close()
        other.close()
        os.chmod(target, 0o600)

    faults = lambda status: [f["fault"] for f in json.loads(antin("audit", "verify", "--dir", d, "--json", status=status))["findings"]]
    antin("audit", "checkpoint", "--dir", d)
    check("nothing found", faults(0) == [])
    copy(store, old)
    antin("audit", "list", "--dir", d)
    antin("audit", "checkpoint", "--dir", d)
    antin("audit", "export", export, "--dir", d)
    kept, new = (d / "run" / "audit-head").read_text(), d.parent / "new.db"
    copy(store, new)
    copy(old, store)
    check("an old state: this machine", faults(1) == ["kept"])
    time.sleep(1.1)  # in the same second the same events would make the same log
    antin("audit", "list", "--dir", d)
    for _ in range(4):
        antin("audit", "list", "--dir", d)
    check("an old state that went on: this machine", faults(1) == ["kept"])
    again = d.parent / "export2"
    antin("audit", "export", again, "--dir", d)
    check("an old state: outsiders", subprocess.run([judge, "--earlier", export, again], capture_output=True).returncode == 1)
    check("doctor", "kept" in str(subprocess.run([ANTIN, "doctor", d, "--deep", "--json"], capture_output=True, text=True).stdout) or
          '"audit","health":"bad"' in subprocess.run([ANTIN, "doctor", d, "--deep", "--json"], capture_output=True, text=True).stdout)
    copy(new, store)
    check("the true one again", faults(0) == [])
    size, root = kept.split()
    (d / "run" / "audit-head").write_text(f"{size} {'1' if root[0] == '0' else '0'}{root[1:]}\n")
    check("another kept head", faults(1) == ["kept"])
    (d / "run" / "audit-head").write_text(kept)


def works_as_role(d):
    """What an instance does in a day, as the role that owns nothing."""
    out = json.loads(antin("enrol", "allow", "request:1/item:1", "--dir", d, "--subject", "C=VN, O=Cơ quan mẫu, CN=máy mẫu", "--secret-out", d.parent / "secret", "--json"))
    server = subprocess.Popen([str(ANTIN), "serve", "--dir", str(d), "--listen", "127.0.0.1:0", "--lang=en"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    port = int(server.stdout.readline().split()[-1])
    run = lambda *args: subprocess.run(args, capture_output=True, text=True, cwd=d.parent)
    run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "k.pem")
    for command in (["-cmd", "ir", "-ref", out["reference"], "-secret", "file:secret", "-newkey", "k.pem", "-certout", "c.pem"],
                    ["-cmd", "rr", "-cert", "c.pem", "-key", "k.pem", "-oldcert", "c.pem", "-revreason", "1", "-unprotected_errors", "-ignore_keyusage", "-trusted", "goc.pem", "-untrusted", "ca.pem"]):
        for name in ("goc", "nha-nuoc"):
            run("openssl", "x509", "-inform", "DER", "-in", str(d / "public" / "crt" / f"{name}.crt"), "-out", {"goc": "goc.pem", "nha-nuoc": "ca.pem"}[name])
        done = run("openssl", "cmp", "-config", "", "-batch", "-server", f"127.0.0.1:{port}", "-path", "/cmp", "-recipient", "/C=VN/CN=x", *command)
        check(f"as the role: {command[1]}", done.returncode == 0, done.stderr[-600:])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/healthz")
    check("as the role: healthz", connection.getresponse().status == 200)
    server.send_signal(signal.SIGTERM)
    server.wait(60)
    for command in (("ca", "crl"), ("ca", "expire"), ("audit", "checkpoint"), ("audit", "verify"), ("audit", "list")):
        antin(*command, "--dir", d)
    found = {c["check"]: c["health"] for c in json.loads(subprocess.run([ANTIN, "doctor", d, "--deep", "--json"], capture_output=True, text=True).stdout)["checks"]}
    check("as the role: doctor", all(found.get(what) == "good" for what in ("invariants", "audit", "database", "durability") if what in found) and "audit" in found, found)


def main():
    base = Path(tempfile.mkdtemp(prefix="antin-kept-"))
    os.chmod(base, 0o755)
    try:
        antin("init", base / "lite", "--quiet")
        words(base / "lite")
        rolled_back(base / "lite")
        sqlite_rows(base / "lite" / "store.db")
        if postgres.bin_dir() is None:
            print(f"{passed} passed, {failed} failed, 1 skipped")
            return postgres.SKIP if not failed else 1
        with postgres.Postgres() as server:
            url = server.url("kept")
            d = base / "pg"
            antin("init", d, "--quiet", "--database", url)
            server.sql("CREATE ROLE antin_serve LOGIN")
            done = server.run(server.bin / "psql", "-X", "-q", "-h", server.dir, "-p", server.port, "-U", server.user, "-d", "kept", "-v", "role=antin_serve", "-f", "-", check=False,
                              input=(SQL / "serving-role.sql").read_text())
            check("serving-role.sql", done.returncode == 0, done.stderr)
            text = (d / "antin.yaml").read_text()
            (d / "antin.yaml").write_text(text.replace(f"//{server.user}@", "//antin_serve@"))
            check("the role is named", "antin_serve@" in (d / "antin.yaml").read_text())
            antin("upgrade", d, "--database", url)
            works_as_role(d)
            postgres_rows(server, "kept")
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed > 0


sys.exit(main())
