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
        "enrol_approval": "state opened_at opened_by key_digest used_at serial failures"}
RULES = ("store_migration", "device_transition", "custody_step")  # the serving role reads them alone


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
