#!/usr/bin/env python3
"""antin ca from outside: an instance made, certificates issued and judged by openssl and gnutls, decisions checked offline.
usage: office.py ANTIN [PART…]; ends with its counts."""
import hashlib, json, os, re, shutil, subprocess, sys, tempfile
from pathlib import Path

ANTIN = Path(sys.argv[1]).resolve()
PARTS = sys.argv[2:]
W = Path(tempfile.mkdtemp(prefix="antin-office-"))
D = W / "instance"
SUBJECT = "C=VN, L=Tỉnh Mẫu, O=ỦY BAN NHÂN DÂN TỈNH MẪU, OU=Sở Mẫu, CN=%s"
passed = failed = 0


def run(*args, ok=True, cwd=W, env=None):
    done = subprocess.run([str(a) for a in args], cwd=cwd, capture_output=True, text=True, env=env)
    if ok is not None and (done.returncode == 0) != ok:
        raise AssertionError(f"{' '.join(map(str, args))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def ca(*args, ok=True, at=None):
    command = args[0].split()
    return run(ANTIN, "ca", *command, *args[1:], *([] if at is False else ["--dir", at or D]), ok=ok)


def lines(*args, **kw):
    return [json.loads(line) for line in ca(*args, "--json", **kw).stdout.splitlines()]


def refused(code, *args, **kw):
    done = ca(*args, ok=False, **kw)
    assert code in done.stderr, f"{args}: wanted {code}: {done.stderr}"


def check(what, condition):
    assert condition, what


def sha(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def pem(name, at=None):
    out = W / f"{name}.pem"
    run("openssl", "x509", "-inform", "DER", "-in", (at or D) / f"public/crt/{name}.crt", "-out", out)
    return out


def csr(name, kind="ec"):
    key = ["-newkey", "rsa:2048"] if kind == "rsa" else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    run("openssl", "req", "-new", *key, "-nodes", "-keyout", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
    return W / f"{name}.csr"


def issue(name, *more, profile="ca-nhan"):
    out = W / f"{name}.crt"
    made = lines("issue", "--profile", profile, "--csr", csr(name), "--subject", SUBJECT % name, "--email", "mau@mau.gov.vn", "-o", out, *more)[0]
    return made["serial"], out


def setup():
    run(ANTIN, "init", D, "--name", "Tổ chức MẪU", "--hierarchy", "both")
    approval(D, acts="none")  # the parts below look at acts one by one; acts_need_approval has its own instance
    for name in ("goc", "nha-nuoc", "dang", "nha-nuoc-ocsp", "tsa"):
        pem(name)


def approval(at, acts="issue renew change release sign roll officer", since="officers"):
    path = at / "antin.yaml"
    text = re.sub(r'^  acts: .*$', f'  acts: "{acts}"', path.read_text(), flags=re.M)
    path.write_text(re.sub(r"^  since: .*$", f"  since: {since}", text, flags=re.M))


# ---- parts ----
def authorities_hold():
    for leaf, chain in (("nha-nuoc", []), ("dang", []), ("nha-nuoc-ocsp", ["-untrusted", "nha-nuoc.pem"]), ("tsa", ["-untrusted", "nha-nuoc.pem"])):
        check(leaf, "OK" in run("openssl", "verify", "-x509_strict", "-CAfile", "goc.pem", *chain, f"{leaf}.pem").stdout)
    check("lint", ca("lint", "goc.pem", "nha-nuoc.pem", "dang.pem", "tsa.pem", "--strict", at=False).returncode == 0)
    check("twice", run(ANTIN, "init", D, ok=False).returncode != 0)


def every_profile_is_issued():
    for profile in ("ca-nhan", "co-quan", "co-quan-thu-hai", "thiet-bi", "sim-pki", "tap-trung"):
        serial, out = issue(f"Mẫu {profile}".replace(" ", "-"), "--authority", "nha-nuoc", profile=profile)
        check(profile, "OK" in run("openssl", "verify", "-x509_strict", "-CAfile", "goc.pem", "-untrusted", "nha-nuoc.pem", out).stdout)
        text = "".join(p.read_text() for p in (out, W / "nha-nuoc.pem", W / "goc.pem"))
        (W / "chain.pem").write_text(text)
        check(profile, "trusted" in run("certtool", "--verify", "--load-ca-certificate", "goc.pem", "--infile", "chain.pem").stdout)
        run(ANTIN, "cert", "verify", out, "--trust", "goc.pem", "--untrusted", "nha-nuoc.pem", "--revocation", "none")
        check("lint", ca("lint", out, "--profile", profile, "--issuer", "nha-nuoc.pem", at=False).returncode == 0)


def refusals_say_why():
    base = ["issue", "--authority", "nha-nuoc", "--csr", csr("refused"), "--subject", SUBJECT % "X", "--email", "x@mau.gov.vn"]
    refused("AN_E_PROFILE_UNKNOWN", *base, "--profile", "x")
    for missing in (["--csr", W / "refused.csr", "--subject", SUBJECT % "X"], ["--csr", W / "refused.csr", "--profile", "ca-nhan"], ["--profile", "ca-nhan", "--subject", SUBJECT % "X"],
                    ["--generate", "--profile", "ca-nhan", "--subject", SUBJECT % "X"]):
        refused("AN_E_CLI_REQUIRED", "issue", *missing)
    done = ca("revoke", "12ab", "--ground", "that-lac", ok=False)
    check(done.stderr, "AN_E_CA_CERTIFICATE" in done.stderr and "12ab\n" in done.stderr)
    refused("AN_E_CERTIFY_PROFILE", *base, "--profile", "tsa")
    refused("AN_E_CA_EMAIL_PUBLIC", *base[:-1], "x@yahoo.com", "--profile", "ca-nhan")
    refused("AN_E_CA_NAME", *base[:-3], "CN=X, C=VN", *base[-2:], "--profile", "ca-nhan")
    refused("AN_E_CA_ROLE", *base, "--profile", "ca-nhan", "--as", "vt-01/van-thu")
    refused("AN_E_CA_VALIDITY", *base, "--profile", "ca-nhan", "--not-after", "2099-01-01")
    text = bytearray(subprocess.run(["openssl", "req", "-in", W / "refused.csr", "-outform", "DER"], capture_output=True).stdout)
    text[-3] ^= 1  # the signature: proof of possession
    (W / "bad.csr").write_bytes(text)
    refused("AN_E_CSR_SIGNATURE", *base[:3], "--csr", W / "bad.csr", *base[5:], "--profile", "ca-nhan")


def generated_in_a_token():
    token = (D / "tokens/uri").read_text().strip()
    env = dict(os.environ, SOFTHSM2_CONF=str(D / "softhsm2.conf"))
    args = [ANTIN, "ca", "issue", "--dir", D, "--profile", "ca-nhan", "--authority", "nha-nuoc", "--generate", "--token", token, "--pin-file", D / "pins/token.pin", "--subject", SUBJECT % "Trong Thiết Bị",
            "--email", "tb@mau.gov.vn", "-o", W / "token.crt"]
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, env=env)
    check(done.stderr, done.returncode == 0)
    run("openssl", "verify", "-x509_strict", "-CAfile", "goc.pem", "-untrusted", "nha-nuoc.pem", "token.crt")


def life_of_a_certificate():
    serial, out = issue("Đời", "--authority", "nha-nuoc", "--request-key", "life-1")
    again = lines("issue", "--profile", "ca-nhan", "--csr", W / "Đời.csr", "--subject", SUBJECT % "Đời", "--email", "mau@mau.gov.vn", "--request-key", "life-1", "--authority", "nha-nuoc")[0]
    check("idempotent", again["serial"] == serial and again["repeated"])
    ca("hold", serial)
    check("hold", lines("show", serial)[0]["status"] == "hold")
    ca("release", serial)
    changed = lines("change", serial, "--email", "khac@mau.gov.vn", "-o", W / "changed.crt")[0]
    check("superseded", lines("show", serial)[0]["revoked"]["reason"] == "superseded")
    ends = [run("openssl", "x509", "-in", p, "-noout", "-enddate").stdout for p in (out, W / "changed.crt")]
    check("end kept", ends[0] == ends[1])
    renewed = lines("renew", changed["serial"], "-o", W / "renewed.crt")[0]
    check("same key", run("openssl", "x509", "-in", W / "renewed.crt", "-noout", "-pubkey").stdout == run("openssl", "x509", "-in", out, "-noout", "-pubkey").stdout)
    refused("AN_E_CERTIFY_RENEW", "renew", renewed["serial"])
    ca("revoke", renewed["serial"], "--ground", "that-lac")
    check("lost", lines("show", renewed["serial"])[0]["revoked"]["reason"] == "keyCompromise")
    refused("AN_E_CERTIFY_STATUS", "revoke", renewed["serial"], "--ground", "that-lac")
    refused("AN_E_CA_GROUND", "revoke", changed["serial"], "--ground", "x")
    check("search", any(row["serial"] == serial for row in lines("search", "doi")))
    check("search by agency", len(lines("search", "uy ban nhan dan", "--by", "agency")) > 2)
    check("search by e-mail", [r["serial"] for r in lines("search", "khac@", "--by", "email")].count(changed["serial"]) == 1)


def a_list_is_renewed_once():
    serials = [issue(f"danh-sach-{i}", "--authority", "nha-nuoc")[0] for i in range(5)]
    (W / "list.txt").write_text("# sample\n" + "\n".join(serials) + "\n")
    first = lines("renew", "--list", W / "list.txt")
    again = lines("renew", "--list", W / "list.txt")
    check("all", len(first) == 5 and not any(r["repeated"] for r in first))
    check("once", {r["serial"] for r in first} == {r["serial"] for r in again} and all(r["repeated"] for r in again))


def officer(name, role, *more, at=None):
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.crt", "-days", "30",
        "-subj", f"/C=VN/O=MAU/CN={name}", "-addext", "keyUsage=critical,digitalSignature")
    os.chmod(W / f"{name}.key", 0o600)
    return ca("officer add", name, "--cert", W / f"{name}.crt", "--role", role, *more, at=at, ok=None)


def vote(matter, name, role="quan-tri", *more, **kw):
    return ca("matter vote", str(matter), "--as", f"{name}/{role}", "--key", W / f"{name}.key", "--cert", W / f"{name}.crt", *more, **kw)


def votes_of(text):
    parts = re.split(r"-----BEGIN STATEMENT-----\n", text)[1:]
    for part in parts:
        statement, rest = part.split("-----END STATEMENT-----\n", 1)
        cms = re.search(r"-----BEGIN CMS-----.*?-----END CMS-----\n", rest, re.S).group(0)
        cert = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", rest, re.S).group(0)
        yield statement, cms, cert


def check_offline(text, names, facts):
    """What an outsider does: openssl alone, from the export."""
    seen = set()
    for statement, cms, cert in votes_of(text):
        (W / "statement").write_bytes(statement.encode())
        (W / "vote.cms").write_text(cms)
        (W / "vote.crt").write_text(cert)
        done = run("openssl", "cms", "-verify", "-binary", "-inform", "PEM", "-in", "vote.cms", "-content", "statement", "-certfile", "vote.crt", "-CAfile", "vote.crt", "-purpose", "any", "-out", "said")
        check("statement", f"facts: {facts}" in (W / "said").read_text())
        seen.add(re.search(r"^person: (.*)$", statement, re.M).group(1))
        (W / "statement").write_bytes(statement.replace("approve", "refuse ").encode())
        run("openssl", "cms", "-verify", "-binary", "-inform", "PEM", "-in", "vote.cms", "-content", "statement", "-certfile", "vote.crt", "-CAfile", "vote.crt", "-purpose", "any", "-out", "said", ok=False)
    check("who", seen == set(names))


def decisions_by_persons():
    for name, role in (("an", "quan-tri"), ("binh", "quan-tri"), ("chi", "nguoi-chung-kien")):
        done = officer(name, role)
        check(done.stderr, done.returncode == 0)
    asked = csr("decided")
    run("openssl", "req", "-in", asked, "-outform", "DER", "-out", "decided.der")
    facts = hashlib.sha256(f"csr: {sha(W / 'decided.der')}\nprofile: ca-nhan\nsubject: {SUBJECT % 'Quyết'}\nemail: q@mau.gov.vn\n".encode()).hexdigest()
    matter = lines("matter open", "certificate.issue", "viec-7", "--facts", facts, "--needed", "2", "--as", "binh")[0]["matter"]
    rest = ["--authority", "nha-nuoc", "--profile", "ca-nhan", "--csr", asked, "--email", "q@mau.gov.vn"]
    base = ["issue", *rest, "--subject", SUBJECT % "Quyết", "--request-key", "viec-7", "--matter", str(matter)]
    refused("AN_E_DECISION_OPEN", *base)
    check("self", "AN_E_DECISION_SELF" in vote(matter, "binh", ok=False).stderr)
    _, plain = issue("Người Ngoài", "--authority", "nha-nuoc")  # a good certificate of ours, of nobody who decides
    os.chmod(plain.with_suffix(".key"), 0o600)
    for person, role, code in (("ai-do", "quan-tri", "AN_E_DECISION_SIGNER"), ("an", "quan-tri", "AN_E_DECISION_SIGNER"), ("CB000001", "cuc", "AN_E_CA_ROLE")):
        done = ca("matter vote", str(matter), "--as", f"{person}/{role}", "--key", plain.with_suffix(".key"), "--cert", plain, ok=False)
        check(f"anybody's certificate as {person}", code in done.stderr)
    check("another role", "AN_E_DECISION_SIGNER" in vote(matter, "chi", "quan-tri", ok=False).stderr)
    vote(matter, "an")
    vote(matter, "an")  # the same again changes nothing
    refused("AN_E_DECISION_OPEN", *base)
    vote(matter, "chi", "nguoi-chung-kien")
    check("twice", "AN_E_DECISION_TWICE" in vote(matter, "an", "quan-tri", "--refuse", ok=False).stderr)
    # What was decided is what is done: not for another name, not under another key, not another act.
    for what in (["issue", *rest, "--subject", SUBJECT % "Khác", "--request-key", "viec-7"], ["issue", *rest, "--subject", SUBJECT % "Quyết", "--request-key", "viec-8"],
                 ["issue", *rest, "--subject", SUBJECT % "Quyết"], ["revoke", issue("Không Can", "--authority", "nha-nuoc")[0], "--ground", "that-lac"]):
        refused("AN_E_DECISION_MATTER", *what, "--matter", str(matter))
    made = lines(*base)[0]
    ca("approvals", made["serial"], "--export", W / "approvals.txt")
    check_offline((W / "approvals.txt").read_text(), ["an", "chi"], facts)
    # The tables themselves refuse what the program refuses.
    db = D / "store.db"
    copy = "INSERT INTO decision_vote SELECT matter, %s, role, verdict, %s, %s, needed, proposer, reason, at_utc, statement, signature, certificate, X'%s' FROM decision_vote WHERE person = 'an'"
    for person, seat, before, tag in (("'binh'", "3", "2", "01"), ("'dung'", "3", "2", "02"), ("'an'", "NULL", "NULL", "03"), ("'dung'", "2", "1", "04")):
        done = run("sqlite3", db, "PRAGMA foreign_keys=ON; " + copy % (person, seat, before, tag), ok=False)
        check(person, "constraint" in done.stderr.lower())
    done = run("sqlite3", db, "PRAGMA foreign_keys=ON; INSERT INTO decision_matter (act, object, facts, needed, proposer, opened_at) VALUES ('a', 'b', X'00', 2, 'p', 0); "
               "INSERT INTO decision_seal VALUES (last_insert_rowid(), 2, 0)", ok=False)
    check("seal", "constraint" in done.stderr.lower())


def ends_are_told():
    """Days before a service's own certificate ends, the doctor says whose; afterwards it is a fault."""
    end = min(int(run("date", "-d", run("openssl", "x509", "-in", f"{n}.pem", "-noout", "-enddate").stdout.strip().split("=")[1], "+%s").stdout) for n in ("nha-nuoc-ocsp", "tsa", "nha-nuoc"))
    for days, health, step in ((400, "good", ""), (80, "warning", "< 90"), (45, "warning", "< 60"), (20, "warning", "< 30"), (-1, "bad", "")):
        told = json.loads(run(ANTIN, "doctor", D, "--json", ok=None, env=dict(os.environ, SOURCE_DATE_EPOCH=str(end - days * 86400))).stdout)
        found = next(c for c in told["checks"] if c["check"] == "signers")
        check(found, found["health"] == health and step in found["detail"])


def own_signers_are_renewed():
    """New certificates for the same keys; what was signed with the earlier ones is still believed, here and outside."""
    at = W / "gia-han"
    run(ANTIN, "init", at, "--name", "Gia hạn MẪU")
    serial = lambda: run("openssl", "x509", "-inform", "DER", "-in", at / "public/crt/nha-nuoc-ocsp.crt", "-noout", "-serial").stdout
    key = lambda: run("openssl", "x509", "-inform", "DER", "-in", at / "public/crt/nha-nuoc-ocsp.crt", "-noout", "-pubkey").stdout
    before, of_key = serial(), key()
    run(ANTIN, "audit", "checkpoint", "--dir", at)
    for name in ("nhat-ky", "dang-ky", "nha-nuoc-ocsp"):
        told = lines("authority renew", name, at=at)[0]
        check(told, told["name"] == name)
    check("the responder", serial() != before and key() == of_key)
    issued = {c["subject"]: 0 for c in lines("list", at=at)}
    check(issued, len(issued) == 2 and len(lines("list", at=at)) == 4)
    refused("AN_E_CERTIFY_AUTHORITY", "authority renew", "khong-co", at=at)
    lines("issue", "--profile", "ca-nhan", "--csr", csr("sau"), "--subject", SUBJECT % "sau", "--email", "mau@mau.gov.vn", at=at)
    run(ANTIN, "audit", "checkpoint", "--dir", at)
    run(ANTIN, "audit", "export", W / "gia-han.jsonl", "--dir", at)
    told = run(Path(ANTIN).parent / "antin-audit-verify", W / "gia-han.jsonl").stdout
    check(told, "3 mốc đã xác nhận, 0 điểm sai" in told and run(ANTIN, "audit", "verify", "--dir", at).returncode == 0)
    told = json.loads(run(ANTIN, "doctor", at, "--deep", "--json", ok=None).stdout)
    check(told, all(c["health"] != "bad" for c in told["checks"]))


def acts_need_approval():
    """The first start needs nobody; with two officers every act that gives needs both, whatever program or hand does it."""
    at = W / "duyet"
    run(ANTIN, "init", at, "--name", "Phê duyệt MẪU")
    base = lambda name: ["--profile", "ca-nhan", "--csr", csr(name), "--subject", SUBJECT % name, "--email", "mau@mau.gov.vn"]
    first = lines("issue", *base("dau"), at=at)[0]["serial"]
    for name in ("dung", "giang"):
        check(name, officer(name, "quan-tri", at=at).returncode == 0)
    asked = base("sau")
    refused("AN_E_CERTIFY_APPROVAL", "issue", *asked, at=at)
    refused("AN_E_CERTIFY_APPROVAL", "renew", first, at=at)
    refused("AN_E_CERTIFY_APPROVAL", "change", first, "--email", "khac@mau.gov.vn", at=at)
    refused("AN_E_CERTIFY_APPROVAL", "authority roll", "nha-nuoc", at=at)
    check("a third officer", "AN_E_CERTIFY_APPROVAL" in officer("hanh", "quan-tri", at=at).stderr)
    check("an officer's end", "AN_E_CERTIFY_APPROVAL" in ca("officer end", "dung", at=at, ok=False).stderr)
    done = run(ANTIN, "enrol", "allow", "muc:1", "--dir", at, "--subject", "C=VN, O=MẪU, CN=may", ok=False)
    check("enrolment", "AN_E_CERTIFY_APPROVAL" in done.stderr)
    # the tables themselves, under a hand with a database console
    sql = lambda text, ok: run("sqlite3", at / "store.db", "PRAGMA foreign_keys=ON; " + text, ok=ok)
    columns = "authority, serial, partition, der, profile, subject, subject_folded, agency_folded, email_folded, not_before, not_after, subscriber, device, status, ground, request_digest, kind, renewals, issued_at"
    copy = f"INSERT INTO certificate ({columns}, request_key) SELECT {columns.replace('serial,', chr(120) + chr(39) + '0a0b' + chr(39) + ',', 1)}, 'tay' FROM certificate WHERE kind = 'new' AND profile = 'ca-nhan' LIMIT 1"
    done = sql(copy, False)
    check(done.stderr, "needs approval" in done.stderr)
    check("lower", "needs approval" in sql("UPDATE approval_rule SET needed = 0", False).stderr)
    check("delete", "stays" in sql("DELETE FROM approval_rule", False).stderr)
    # a configuration that asks for less changes nothing by itself
    approval(at, acts="none")
    rules = lines("approval", at=at)[0]
    check("still in force", rules["acts"]["certificate.issue"] == {"wanted": 0, "needed": 2})
    refused("AN_E_CERTIFY_APPROVAL", "issue", *asked, at=at)
    check("told", "không việc nào" in run(ANTIN, "config", "check", at).stdout)
    # by approval: one officer's voice is not enough, two are
    run("openssl", "req", "-in", W / "sau.csr", "-outform", "DER", "-out", "sau.der")
    facts = hashlib.sha256(f"csr: {sha(W / 'sau.der')}\nprofile: ca-nhan\nsubject: {SUBJECT % 'sau'}\nemail: mau@mau.gov.vn\n".encode()).hexdigest()
    for needed, outcome in ((1, "AN_E_CERTIFY_APPROVAL"), (2, None)):
        matter = lines("matter open", "certificate.issue", f"viec-{needed}", "--facts", facts, "--needed", str(needed), at=at)[0]["matter"]
        for name in ("dung", "giang")[:needed]:
            vote(matter, name, at=at)
        what = ["issue", *asked, "--request-key", f"viec-{needed}", "--matter", str(matter)]
        refused(outcome, *what, at=at) if outcome else check("issued", lines(*what, at=at)[0]["serial"])
    ca("revoke", first, "--ground", "that-lac", at=at)  # taking out of use waits for nobody
    matter = lines("matter open", "approval.rules", "approval.rules", "--facts", rules["facts"], "--needed", "2", at=at)[0]["matter"]
    refused("AN_E_DECISION_OPEN", "approval", "--matter", str(matter), at=at)
    for name in ("dung", "giang"):
        vote(matter, name, at=at)
    check("lowered", lines("approval", "--matter", str(matter), at=at)[0]["acts"]["certificate.issue"]["needed"] == 0)
    lines("issue", *base("sau-nua"), at=at)
    # asked for from the start
    approval(at, acts="hold", since="always")
    refused("AN_E_CERTIFY_APPROVAL", "hold", lines("list", at=at)[0]["serial"], "--as", "th-01/can-bo-thu-hoi", at=at)
    approval(at, acts="issue bay")
    check("unknown act", "AN_E_CONFIG_VALUE" in run(ANTIN, "config", "check", at, ok=False).stderr)


def a_root_that_stays_offline():
    root, online = W / "root", W / "online"
    run(ANTIN, "init", root, "--name", "Gốc MẪU")
    run(ANTIN, "init", online, "--name", "Nơi cấp MẪU")
    ca("authority request", "bo-mau", "--common-name", "CA của Bộ Mẫu", "-o", W / "bo.csr", at=online)
    run("openssl", "req", "-in", "bo.csr", "-verify", "-noout")
    ca("authority sign", "goc", "--csr", W / "bo.csr", "-o", W / "bo.pem", at=root)
    pem("goc", root).rename(W / "other-root.pem")
    run("openssl", "verify", "-x509_strict", "-CAfile", "other-root.pem", "bo.pem")
    refused("AN_E_CA_ISSUER", "authority install", "bo-mau", "--cert", W / "bo.pem", "--root", pem("goc", online), at=online)  # not the root that signed it
    ca("authority install", "bo-mau", "--cert", W / "bo.pem", "--root", W / "other-root.pem", at=online)
    listed = {row["name"]: row for row in lines("authority list", at=online)}
    check("installed", listed["bo-mau"]["active"] and listed["bo-mau"]["ocsp"])
    ca("issue", "--profile", "ca-nhan", "--csr", csr("o-bo"), "--subject", SUBJECT % "Ở Bộ", "--email", "o@mau.gov.vn", "--authority", "bo-mau", "-o", W / "o-bo.crt", at=online)
    run("openssl", "verify", "-x509_strict", "-CAfile", "other-root.pem", "-untrusted", "bo.pem", "o-bo.crt")


def a_root_rolls_over():
    before = pem("goc").read_text()
    (W / "old.pem").write_text(before)
    check("name", lines("authority roll", "goc")[0]["name"] == "goc-2")
    new = pem("goc-2")
    for name in ("goc-new-with-old", "goc-old-with-new"):
        pem(name)
    check("new with old", "OK" in run("openssl", "verify", "-x509_strict", "-CAfile", "old.pem", "goc-new-with-old.pem").stdout)
    check("old with new", "OK" in run("openssl", "verify", "-x509_strict", "-CAfile", new, "goc-old-with-new.pem").stdout)
    # who trusts the new root alone still reaches a certificate of the old one
    check("path", "OK" in run("openssl", "verify", "-partial_chain", "-CAfile", new, "-untrusted", "goc-old-with-new.pem", "nha-nuoc.pem").stdout)
    states = {row["name"]: row["active"] for row in lines("authority list")}
    check("retired", states["goc-2"] and not states["goc"])
    check("issuing rolls", lines("authority roll", "nha-nuoc")[0]["name"] == "nha-nuoc-2")
    serial, out = issue("sau-khi-thay", "--authority", "nha-nuoc")
    run("openssl", "verify", "-x509_strict", "-CAfile", "goc-2.pem" if "goc-2" in run("openssl", "x509", "-in", pem("nha-nuoc-2"), "-noout", "-ext", "authorityInfoAccess").stdout else "old.pem",
        "-untrusted", pem("nha-nuoc-2"), out)


def a_ceremony_is_told_and_signed():
    script = W / "le.yaml"
    script.write_text("id: le-mau\nvi: Lễ tạo khóa MẪU\nen: Sample ceremony\nneeded: 2\nsteps:\n  - {say: Đọc kịch bản trước những người có mặt}\n"
                      f"  - {{request: don-vi-mau, file: {W}/don-vi.csr, say: Tạo khóa và yêu cầu cho đơn vị mẫu}}\n  - {{say: Niêm phong thiết bị}}\n")
    refused("AN_E_DECISION_MATTER", "ceremony run", script, "-o", W / "bien-ban.txt", "--as", "binh")
    matter = lines("ceremony open", script, "--as", "binh")[0]["matter"]
    refused("AN_E_DECISION_OPEN", "ceremony run", script, "-o", W / "bien-ban.txt", "--as", "binh")
    vote(matter, "an")
    vote(matter, "chi", "nguoi-chung-kien")
    after = lines("ceremony run", script, "-o", W / "bien-ban.txt", "--as", "binh")[0]["matter"]
    told = (W / "bien-ban.txt").read_text()
    der = subprocess.run(["openssl", "req", "-in", W / "don-vi.csr", "-outform", "DER"], capture_output=True).stdout
    check("told", hashlib.sha256(der).hexdigest() in told and sha(script) in told and "Niêm phong" in told)
    close = ["ceremony close", script, "-o", W / "bien-ban.txt", "--as", "binh"]
    sign = lambda name, role, **kw: ca("ceremony sign", script, "-o", W / "bien-ban.txt", "--as", f"{name}/{role}", "--key", W / f"{name}.key", "--cert", W / f"{name}.crt", **kw)
    refused("AN_E_DECISION_OPEN", *close)
    # text and page name each other: the page shows what the text says, the text ends with the page's hash
    page = W / "bien-ban.pdf"
    first = page.read_bytes()
    check("page named", told.endswith(f"\npaper: {len(first)} byte, sha256 {hashlib.sha256(first).hexdigest()}\n"))
    shown = re.sub(r"\s", "", run("pdftotext", page, "-").stdout)
    for wanted in (sha(script), hashlib.sha256(der).hexdigest(), "Niêmphongthiếtbị", "an(quan-tri)", "chi(nguoi-chung-kien)", "binh(quan-tri)"):
        check(wanted, wanted in shown)
    sign("an", "quan-tri")
    sign("an", "quan-tri")  # the same again signs nothing twice
    check("who asked", "AN_E_DECISION_SELF" in sign("binh", "quan-tri", ok=False).stderr)
    refused("AN_E_DECISION_OPEN", *close)
    vote(after, "chi", "nguoi-chung-kien")  # the text alone is not enough
    check("the page too", "AN_E_CEREMONY_PAPER" in ca(*close, ok=False).stderr)
    page.write_bytes(first.replace(b"/Producer", b"/producer", 1))
    check("another page", "AN_E_CEREMONY_PAPER" in sign("chi", "nguoi-chung-kien", ok=False).stderr)
    page.write_bytes(first)
    for name, role in (("an", "quan-tri"), ("chi", "nguoi-chung-kien")):
        sign(name, role)
    facts = sha(W / "bien-ban.txt")
    check("paths", lines(*close)[0] == {"transcript": str(W / "bien-ban.txt.signed"), "paper": str(page)})
    whole = (W / "bien-ban.txt.signed").read_text()
    check("transcript first", whole.startswith(told))
    check_offline(whole.split("# act: ceremony.transcript")[1], ["an", "chi"], facts)
    the_page_is_signed(page, first, ["an", "chi"])
    page.write_bytes(page.read_bytes() + b"%")
    check("more behind it", "AN_E_CEREMONY_PAPER" in ca(*close, ok=False).stderr)


def the_page_is_signed(page, first, names):
    """Both signatures hold for this program and for poppler, over the page as it was laid out."""
    trusted = W / "nguoi-ky.pem"
    trusted.write_text("".join((W / f"{name}.crt").read_text() for name in names))
    told = json.loads(run(ANTIN, "verify", page, "--trust", trusted, "--revocation", "none", "--json").stdout)
    check(told, told["indication"] == "TOTAL-PASSED" and len(told["signatures"]) == len(names))
    poppler = run("pdfsig", "-nocert", page).stdout
    check(poppler, poppler.count("Signature is Valid.") == len(names) and all(f"Common Name: {name}" in poppler for name in names))
    check("what was laid out", page.read_bytes().startswith(first))


ALL = [authorities_hold, ends_are_told, own_signers_are_renewed, every_profile_is_issued, refusals_say_why, generated_in_a_token, life_of_a_certificate, a_list_is_renewed_once, decisions_by_persons, acts_need_approval,
       a_ceremony_is_told_and_signed, a_root_that_stays_offline, a_root_rolls_over]
try:
    setup()
    for part in ALL:
        if PARTS and part.__name__ not in PARTS:
            continue
        try:
            part()
            passed += 1
            print("ok", part.__name__, flush=True)
        except AssertionError as why:
            failed += 1
            print("FAILED", part.__name__, why, flush=True)
finally:
    shutil.rmtree(W, ignore_errors=True)
print(f"{passed} passed, {failed} failed, 0 skipped")
sys.exit(1 if failed or not passed else 0)
