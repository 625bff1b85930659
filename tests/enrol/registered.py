#!/usr/bin/env python3
"""From the register to the machine: an agency asks for certificates for its software, an officer approves, `request execute` opens what was
approved, and the machines fetch them with openssl cmp and curl (EST), renew and are revoked by a request like any other subscriber.
Usage: registered.py BUILD [DATABASE-URL]"""
import base64, json, os, re, subprocess, sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "serve"))
from lib import Service, run, said

build, database = Path(sys.argv[1]).resolve(), sys.argv[2] if len(sys.argv) > 2 else None
passed = failed = 0


def check(what, condition, detail=""):
    global passed, failed
    passed, failed = passed + bool(condition), failed + (not condition)
    if not condition:
        print(f"FAILED {what} {detail}")


s = Service(build, init=("--name", "Tổ chức chứng thực MẪU", "--regulation", "tay-ninh-2025", "--hierarchy", "state", *(("--database", database) if database else ())))


def office(*words, who="system", want=0):
    done = s.office(*words, "--dir", s.dir, "--as", who, "--json", check=False)
    if done.returncode != want:
        raise SystemExit(f"{' '.join(map(str, words))}: exit {done.returncode} {said(done)[-900:]}")
    return json.loads(done.stdout.decode().splitlines()[-1]) if done.stdout.strip() else {}


def refused(code, *words, who):
    done = s.office(*words, "--dir", s.dir, "--as", who, check=False)
    check(f"{words[:2]} is refused with {code}", done.returncode and code in said(done), said(done)[-300:])


def people():
    """An officer of the authority, the agency that manages, its head; their certificates come from elsewhere or on paper."""
    with open(s.dir / "antin.yaml", "a") as file:
        file.write("request:\n  bodies:\n    cuc: G11.07.05\n    so-khcn: H53.6\n    trung-tam: H53.6.1\n    nguoi-quan-ly-thue-bao: H53.6\n")
    agency = lambda name, code, *more: office("agency", "add", "--name", name, "--code", code, "--province", "Tây Ninh", "--email", f"{code.lower()}@mau.gov.vn", "--hierarchy", "state", "--address", "Số 1", *more)
    agency("Cục Chứng thực số (MẪU)", "G11.07.05")
    agency("ỦY BAN NHÂN DÂN TỈNH (MẪU)", "H53", "--regulation", "tay-ninh-2025")
    for name, code in (("Sở Khoa học và Công nghệ (MẪU)", "H53.6"), ("Trung tâm (MẪU)", "H53.6.1"), ("SỞ TÀI CHÍNH, KẾ HOẠCH (MẪU)", "H53.99")):
        agency(name, code, "--superior", "H53", "--tax-code", "1400000001", "--budget-code", "1000001")
    person = lambda name, code, n: office("person", "add", "--name", name, "--agency", code, "--email", f"nguoi{n}@mau.gov.vn", "--identity", f"00108000000{n}", "--identity-issued", "2016-05-04",
                                          "--identity-place", "Cục Cảnh sát", "--born", "1980-02-03", "--phone", f"091200000{n}")["number"]
    cuc, head = person("Lê Cục Mẫu", "G11.07.05", 1), person("Trần Văn Mẫu", "H53.99", 2)
    for who, code, title in ((cuc, "G11.07.05", "Cục trưởng"), (head, "H53.99", "Giám đốc")):
        office("person", "post", who, "--agency", code, "--title", title, "--head", "--since", "2025-01-01")
    office("person", "role", cuc, "--role", "cuc", "--agency", "G11.07.05", "--since", "2025-01-01")
    office("person", "role", head, "--role", "qltt", "--agency", "H53.99", "--since", "2025-01-01", who=cuc)
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", s.base / "cuc.key", "-out", s.base / "cuc.crt", "-days", "30", "-subj", "/C=VN/O=MAU/CN=cuc",
        "-addext", "keyUsage=critical,digitalSignature")
    os.chmod(s.base / "cuc.key", 0o600)
    office("ca", "officer", "add", cuc, "--cert", s.base / "cuc.crt", "--role", "cuc")
    return cuc, head


def decide(number, cuc, head):
    office("request", "paper", number, s.base / "quet.pdf", who=head)  # printed, signed by hand, scanned
    office("request", "sign", number, "--paper", s.base / "quet.pdf", who=head)
    office("request", "send", number, who=head)
    office("request", "accept", number, who=cuc)
    office("request", "approve", number, "--key", s.base / "cuc.key", "--cert", s.base / "cuc.crt", who=cuc)
    return office("request", "execute", number, who=cuc)


def asked(cuc, head):
    """Two programs in one request; what is no machine may not ask so."""
    add = lambda label, name, email: office("subscriber", "add", "--kind", "device-service-software", "--agency", "H53.99", "--label", label, "--name", name, "--email", email, "--manager", head, who=head)["number"]
    numbers = [add("cổng dịch vụ", "Cổng dịch vụ, một cửa MẪU", "cong@mau.gov.vn"), add("máy chủ ký", "may-chu-ky-mau", "maychu@mau.gov.vn")]
    person = office("subscriber", "add", "--person", head, who=head)["number"]
    refused("AN_E_REQUEST_SELF_ENROL", "request", "new", "--subject", person, "--device-kind", "self-enrol", who=head)
    refused("AN_E_", "request", "new", "--subject", numbers[0], "--device-kind", "khong-co", who=head)
    number = office("request", "new", *[w for n in numbers for w in ("--subject", n)], "--device-kind", "self-enrol", "--number", "01/ĐN-MẪU", who=head)["id"]
    done = decide(str(number), cuc, head)
    check("carried out", done["carried_out"] == 2 and done["failed"] == 0, done)
    again = s.office("request", "execute", str(number), "--dir", s.dir, "--as", cuc, "--json", check=False)
    check("once", len(office_lines("enrol", "list")) == 2 and again.returncode, said(again))
    return number, numbers


def office_lines(*words):
    return [json.loads(line) for line in s.office(*words, "--dir", s.dir, "--json").stdout.decode().splitlines()]


def told(number, cuc, head):
    """The agency is told the references and never a secret; who hands a secret over is named in the log."""
    listed = {row["item"]: row for row in office_lines("enrol", "list")}
    secrets = {}
    for place in (1, 2):
        shown = office("enrol", "show", f"request:{number}/item:{place}", who=f"{cuc}/can-bo-cap-chung-thu")
        secrets[place] = (shown["reference"], shown["secret"])
        check("the same", listed[f"request:{number}/item:{place}"]["reference"] == shown["reference"])
    refused("AN_E_CA_ROLE", "enrol", "show", f"request:{number}/item:1", who=f"{head}/qltt")
    notices = s.office("notice", "list", "--dir", s.dir, "--as", head, "--json").stdout.decode()
    shown = "".join(s.office("notice", "show", str(n["id"]), "--dir", s.dir, "--as", head, "--json").stdout.decode() for n in json.loads(notices.splitlines()[-1])["notices"])
    check("references are told", all(reference in shown for reference, _ in secrets.values()), shown[-600:])
    log = s.office("audit", "list", "--dir", s.dir, "--limit", "1000", "--json").stdout.decode()
    check("the telling is logged", log.count("enrolment.tell") >= 2 and cuc in log)
    check("no secret anywhere", not any(secret in text for _, secret in secrets.values() for text in (shown, log)))
    state = office("request", "show", str(number), who=cuc)
    check("nothing to hand over", state["state"] == "notified" and all(i["state"] == "done" and not i["result"] for i in state["items"]), state)
    return secrets


def cmp(*words, ok=True):
    done = run("openssl", "cmp", "-config", "", "-batch", "-server", f"127.0.0.1:{s.port}", "-path", "/cmp", "-recipient", "/C=VN/CN=x", "-total_timeout", "60", *words, check=False)
    check(f"openssl cmp {words[1]}", (done.returncode == 0) == ok, said(done)[-500:])
    return said(done)


def fetched(number, secrets, cuc):
    """One by CMP, one by EST; each certificate is that of its subscriber, and the key is the machine's own."""
    (reference, secret), (other, other_secret) = secrets[1], secrets[2]
    (s.base / "bi-mat").write_text(secret + "\n")
    for name in ("cmp", "cmp-sau", "la"):
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", s.base / f"{name}.key")
    ir = ["-cmd", "ir", "-ref", reference, "-secret", f"file:{s.base / 'bi-mat'}", "-trusted", s.base / "goc.pem", "-untrusted", s.base / "nha-nuoc.pem"]
    cmp(*ir, "-newkey", s.base / "cmp.key", "-subject", "/C=VN/CN=ke-khac", "-certout", s.base / "khac.pem", ok=False)
    cmp(*ir, "-newkey", s.base / "cmp.key", "-certout", s.base / "cmp.pem")
    cmp(*ir, "-newkey", s.base / "la.key", "-certout", s.base / "la.pem", ok=False)
    status, _ = s.enrol(other, secret)
    check("the other's secret", status == 401)
    status, body = s.enrol(other, other_secret)
    check("est", status == 200, body)
    text = run("openssl", "pkcs7", "-inform", "DER", "-print_certs", input=base64.b64decode(body)).stdout.decode()
    (s.base / "est.pem").write_text(re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", text, re.S).group(0))
    for name, key, cn in (("cmp", "cmp.key", "Cổng dịch vụ, một cửa MẪU"), ("est", "any.key", "may-chu-ky-mau")):
        pem = s.base / f"{name}.pem"
        check(name, "OK" in said(run("openssl", "verify", "-x509_strict", "-CAfile", s.base / "goc.pem", "-untrusted", s.base / "nha-nuoc.pem", pem, check=False)))
        check(f"{name}: its own key", run("openssl", "x509", "-in", pem, "-noout", "-pubkey").stdout == run("openssl", "pkey", "-in", s.base / key, "-pubout").stdout)
        subject = run("openssl", "x509", "-in", pem, "-noout", "-subject", "-nameopt", "utf8,sep_comma_plus,sname").stdout.decode()
        check(f"{name}: its name", cn in subject and "OU=SỞ TÀI CHÍNH" in subject, subject)
    serials = [serial(s.base / f"{name}.pem") for name in ("cmp", "est")]
    state = office("request", "show", str(number), who=cuc)
    check("the request shows what came of it", [i["result"].lower() for i in state["items"]] == serials, state["items"])
    return serials


def serial(pem):
    return run("openssl", "x509", "-in", pem, "-noout", "-serial").stdout.decode().strip().split("=")[1].lower()


def followed(numbers, serials, cuc, head):
    """It renews with a key of its own making and belongs to the same subscriber, who revokes it by a request."""
    own = ["-cert", s.base / "cmp.pem", "-key", s.base / "cmp.key", "-trusted", s.base / "goc.pem", "-untrusted", s.base / "nha-nuoc.pem"]
    cmp("-cmd", "kur", *own, "-newkey", s.base / "cmp-sau.key", "-certout", s.base / "cmp-sau.pem", "-extracerts", s.base / "nha-nuoc.pem")
    after = serial(s.base / "cmp-sau.pem")
    check("another certificate", after != serials[0])
    drafted = office("request", "revoke", "--subject", numbers[0], "--ground", "ngung-hoat-dong", "--number", "02/ĐN-MẪU", who=head)
    item = office("request", "show", str(drafted["id"]), who=head)["items"][0]
    check("the newest is the one that is meant", item["certificate"].lower() == after, item)
    decide(str(drafted["id"]), cuc, head)
    shown = json.loads(s.office("ca", "show", after, "--dir", s.dir, "--json").stdout)
    check("revoked", shown["status"] == "revoked", shown)
    told = json.loads(s.office("doctor", s.dir, "--deep", "--json", check=False).stdout)
    check("the doctor finds nothing", all(c["health"] != "bad" for c in told["checks"]), [c for c in told["checks"] if c["health"] == "bad"])


try:
    cuc, head = people()
    number, numbers = asked(cuc, head)
    secrets = told(number, cuc, head)
    s.start()
    serials = fetched(number, secrets, cuc)
    followed(numbers, serials, cuc, head)
finally:
    s.stop()
    if not failed:
        s.remove()
print(f"{passed} passed, {failed} failed, 0 skipped")
sys.exit(1 if failed or not passed else 0)
