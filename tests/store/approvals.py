#!/usr/bin/env python3
"""What several persons decide is kept by the tables: one list of attempts, made with SQL alone, on SQLite, on PostgreSQL as the owner of the tables
and as the role that serves (sql/serving-role.sql). usage: approvals.py ANTIN tests/lib/postgres.py"""
import json, os, re, shutil, sqlite3, subprocess, sys, tempfile
from pathlib import Path

ANTIN, LIB = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve().parent
SQL = LIB.parent.parent / "sql"
sys.path.insert(0, str(LIB))
import postgres  # noqa: E402
passed = failed = 0


def check(name, good, more=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"FAILED {name}: {str(more)[-400:]}")


# ---- the words of an attempt ----
def of(name): return f"(SELECT id FROM decision_matter WHERE object = '{name}')"


def matter(name, act="certificate.issue", needed=2, proposer="binh"):
    return f"INSERT INTO decision_matter (act, object, facts, needed, proposer, opened_at) VALUES ('{act}', '{name}', {{x:{name}}}, {needed}, '{proposer}', 0)"


def vote(name, person, seat, role="quan-tri", verdict="approve", needed=2, proposer="binh", before=None, token=None):
    before = seat - 1 if before is None and seat and seat > 1 else before
    null = lambda value: "NULL" if not value else value
    return (f"INSERT INTO decision_vote (matter, person, role, verdict, seat, before_seat, needed, proposer, reason, at_utc, statement, signature, certificate, certificate_hash) VALUES "
            f"({of(name)}, '{person}', '{role}', '{verdict}', {null(seat)}, {null(before)}, {needed}, '{proposer}', '', 0, {{x:s}}, {{x:c}}, {{x:{token or person}}}, {{x:{token or person}}})")


def seal(name, last=2): return f"INSERT INTO decision_seal (matter, last_seat, sealed_at) VALUES ({of(name)}, {last}, 0)"


COLUMNS = "authority, partition, der, subject, subject_folded, agency_folded, email_folded, not_before, not_after, subscriber, device, status, ground, request_digest, renewals, issued_at"


def certificate(name=None, kind="new", profile="ca-nhan"):
    first = "(SELECT MIN(id) FROM certificate WHERE profile = 'ca-nhan')"
    return (f"INSERT INTO certificate ({COLUMNS}, serial, profile, kind, predecessor, request_key, matter) SELECT {COLUMNS}, {{x:serial}}, '{profile}', '{kind}', "
            f"{'NULL' if kind == 'new' else first}, 'tay', {of(name) if name else 'NULL'} FROM certificate WHERE id = {first}")


def act(what, name=None):
    return f"INSERT INTO certificate_act (request_key, certificate, act, ground, at_utc, matter) VALUES ('tay', (SELECT MIN(id) FROM certificate WHERE profile = 'ca-nhan'), '{what}', '', 0, {of(name) if name else 'NULL'})"


def officer(person, token): return f"INSERT INTO officer (person, role, certificate, certificate_hash, since) VALUES ('{person}', 'quan-tri', {{x:{token}}}, {{x:{token}}}, 0)"
def rule(what, more=""): return f"UPDATE approval_rule SET {what} WHERE act = 'certificate.issue'{more}"


# What lies there before: decided by two, by one of two so far, by one who was enough, by those whom a regulation names; about the rules, by two and by one.
BEFORE = [matter("hai"), vote("hai", "an", 1), vote("hai", "chi", 2), seal("hai"), matter("do-dang"), vote("do-dang", "an", 1),
          matter("mot", needed=1), vote("mot", "an", 1, needed=1), seal("mot", 1), matter("ho-so", act="request.approve", needed=1), vote("ho-so", "an", 1, needed=1), seal("ho-so", 1),
          matter("luat", act="approval.rules"), vote("luat", "an", 1), vote("luat", "chi", 2), seal("luat"),
          matter("luat-mot", act="approval.rules", needed=1), vote("luat-mot", "an", 1, needed=1), seal("luat-mot", 1), officer("an", "an"), officer("chi", "chi")]
RULES = [f"INSERT INTO approval_rule (act, needed, since) VALUES ('{name}', 2, 0) ON CONFLICT (act) DO UPDATE SET needed = 2" for name in
         ("certificate.issue", "certificate.renew", "certificate.change", "certificate.release")]

ATTEMPTS = [  # what is tried, whether it may stand, the statements of one transaction
    ("issuing on what two decided", True, certificate("hai")),
    ("issuing on nothing", False, certificate()),
    ("issuing on what is not decided yet", False, certificate("do-dang")),
    ("issuing on what one decided", False, certificate("mot")),
    ("issuing on an approved request", True, certificate("ho-so")),
    ("renewing on nothing", False, certificate(kind="renewed")),
    ("renewing on what two decided", True, certificate("hai", kind="renewed")),
    ("changing on what one decided", False, certificate("mot", kind="changed")),
    ("the instance's own signer", True, certificate(profile="nhat-ky")),
    ("releasing on nothing", False, act("certificate.release")),
    ("releasing on what one decided", False, act("certificate.release", "mot")),
    ("releasing on what two decided", True, act("certificate.release", "hai")),
    ("revoking waits for nobody", True, act("certificate.revoke")),
    ("a second voice, then the seal", True, vote("do-dang", "chi", 2), seal("do-dang")),
    ("the seal without the second voice", False, seal("do-dang")),
    ("a seal on the first seat", False, seal("do-dang", 1)),
    ("a second seal", False, seal("hai")),
    ("who asked approves", False, vote("do-dang", "binh", 2)),
    ("who asked approves, another is said to have asked", False, vote("do-dang", "binh", 2, proposer="ai-do")),
    ("the same person once more", False, vote("do-dang", "an", 2, token="khac")),
    ("the same person in another role", False, vote("do-dang", "an", 2, role="nguoi-chung-kien", token="khac")),
    ("another person with the same token", False, vote("do-dang", "dung", 2, token="an")),
    ("the first seat twice", False, vote("do-dang", "chi", 1)),
    ("the third seat of two", False, vote("do-dang", "chi", 2), vote("do-dang", "dung", 3)),
    ("the second seat before the first", False, matter("moi"), vote("moi", "an", 2)),
    ("the second seat on no seat", False, matter("moi"), vote("moi", "an", 2, before=0)),
    ("a smaller number than the matter's", False, vote("do-dang", "chi", 2, needed=1), seal("do-dang", 1)),
    ("an approval without a seat", False, vote("do-dang", "chi", None)),
    ("a refusal with a seat", False, vote("do-dang", "chi", 2, verdict="refuse")),
    ("a refusal, then the seal", False, vote("do-dang", "chi", None, verdict="refuse"), seal("do-dang")),
    ("neither yes nor no", False, vote("do-dang", "chi", None, verdict="maybe")),
    ("a matter for nobody", False, matter("moi", needed=0)),
    ("the same matter with another number", False, matter("hai", needed=1)),
    ("fewer afterwards", False, "UPDATE decision_matter SET needed = 1 WHERE object = 'do-dang'"),
    ("another who asked", False, "UPDATE decision_matter SET proposer = 'ai-do' WHERE object = 'do-dang'"),
    ("a voice taken back", False, f"DELETE FROM decision_vote WHERE matter = {of('hai')}"),
    ("a voice changed", False, f"UPDATE decision_vote SET verdict = 'refuse', seat = NULL, before_seat = NULL WHERE matter = {of('hai')} AND person = 'chi'"),
    ("a seal broken", False, f"DELETE FROM decision_seal WHERE matter = {of('hai')}"),
    ("less approval by hand", False, rule("needed = 1")),
    ("none at all", False, "UPDATE approval_rule SET needed = 0"),
    ("less, by a decision of one", False, rule(f"needed = 1, matter = {of('luat-mot')}")),
    ("less, by a decision about something else", False, rule(f"needed = 1, matter = {of('hai')}")),
    ("less, by a decision of two", True, rule(f"needed = 1, matter = {of('luat')}")),
    ("less twice by one decision", False, rule(f"needed = 1, matter = {of('luat')}"), rule("needed = 0")),
    ("more", True, rule("needed = 3")),
    ("another act", False, rule("act = 'x'")),
    ("a rule taken away", False, "DELETE FROM approval_rule"),
    ("more than sixteen", False, rule("needed = 17")),
    ("an officer in a second role", False, officer("an", "moi")),
    ("two officers with one token", False, officer("dung", "an")),
    ("a third officer", True, officer("dung", "dung")),
    ("an officer who comes back", True, "UPDATE officer SET until = 1 WHERE person = 'an'", officer("an", "moi")),
    ("an officer who never was", False, "DELETE FROM officer"),
    ("the certificate moved to another matter", False, certificate("hai"), f"UPDATE certificate SET matter = {of('mot')} WHERE request_key = 'tay'"),
]


# ---- the engines ----
class Lite:
    name = "sqlite"

    def __init__(self, path):
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA foreign_keys = ON")

    @staticmethod
    def words(statement): return re.sub(r"\{x:([^}]*)\}", lambda m: f"X'{m.group(1).encode().hex()}'", statement)

    def keep(self, statements):
        for statement in statements:
            self.db.execute(self.words(statement))

    def outcome(self, statements):
        self.db.execute("BEGIN")
        try:
            for statement in statements:
                self.db.execute(self.words(statement))
            return "done"
        except sqlite3.IntegrityError as why:
            return f"refused {why}"
        finally:
            self.db.execute("ROLLBACK")


class Server:
    def __init__(self, server, database, role): self.server, self.database, self.role, self.name = server, database, role, f"postgresql as {role}"

    @staticmethod
    def words(statement): return re.sub(r"\{x:([^}]*)\}", lambda m: f"'\\x{m.group(1).encode().hex()}'::bytea", statement)

    def psql(self, text):
        return self.server.run(self.server.bin / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=sqlstate", "-h", self.server.dir, "-p", self.server.port, "-U", self.role, "-d", self.database,
                               "-c", text, check=False)

    def keep(self, statements):
        for statement in statements:
            done = self.psql(self.words(statement))
            check(f"{self.name}: {statement[:60]}", done.returncode == 0, done.stderr)

    def outcome(self, statements):
        done = self.psql("BEGIN; " + "; ".join(self.words(statement) for statement in statements) + "; ROLLBACK")
        found = re.search(r"ERROR:\s+(\w{5})", done.stderr)
        if found is None:
            return "done" if done.returncode == 0 else done.stderr
        return f"refused {found.group(1)}" if found.group(1)[:2] == "23" or found.group(1) == "42501" else done.stderr


def attempt_all(engine):
    for what, may, *statements in ATTEMPTS:
        got = engine.outcome(statements)
        check(f"{engine.name}: {what}", got == "done" if may else got.startswith("refused"), got)


def antin(*args):
    done = subprocess.run([ANTIN, *map(str, args)], capture_output=True, text=True, timeout=300)
    check(" ".join(map(str, args[:2])), done.returncode == 0, done.stdout[-300:] + done.stderr[-500:])
    return done.stdout


def fill(d, *database):
    """An instance with one certificate, from before anybody asked for approval."""
    antin("init", d, "--quiet", *database)
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", d.parent / "k.pem", "-subj", "/CN=x", "-out", d.parent / "k.csr"], check=True, capture_output=True)
    antin("ca", "issue", "--dir", d, "--profile", "ca-nhan", "--csr", d.parent / "k.csr", "--subject", "C=VN, O=Cơ quan mẫu, CN=Người mẫu", "--email", "mau@mau.gov.vn")


def main():
    base = Path(tempfile.mkdtemp(prefix="antin-approvals-"))
    os.chmod(base, 0o755)
    try:
        fill(base / "lite")
        lite = Lite(base / "lite" / "store.db")
        lite.keep(BEFORE + RULES)
        attempt_all(lite)
        if postgres.bin_dir() is None:
            print(f"{passed} passed, {failed} failed, 1 skipped")
            return postgres.SKIP if not failed else 1
        with postgres.Postgres() as server:
            fill(base / "pg", "--database", server.url("duyet"))
            server.sql("CREATE ROLE antin_serve LOGIN")
            done = server.run(server.bin / "psql", "-X", "-q", "-h", server.dir, "-p", server.port, "-U", server.user, "-d", "duyet", "-v", "role=antin_serve", "-f", "-", check=False,
                              input=(SQL / "serving-role.sql").read_text())
            check("serving-role.sql", done.returncode == 0, done.stderr)
            owner, role = Server(server, "duyet", server.user), Server(server, "duyet", "antin_serve")
            owner.keep(BEFORE + RULES)
            attempt_all(owner)
            attempt_all(role)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed > 0


sys.exit(main())
