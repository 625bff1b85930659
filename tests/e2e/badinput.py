"""Bad input of every kind: one clear message in two languages, the right exit status, no output, nothing left, nothing leaked."""
import os
import resource
import shutil
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import oracles
import pdfs
from lib import PIN, SANITIZED, SOFTHSM, Instance, Suite, error_of, is_bilingual, key_uri, leftovers, run
from tsa import Server, closed_port

suite = Suite("badinput")
i = Instance()
out_dir = i.dir / "out"
out_dir.mkdir()
plain = i.file("in/plain.pdf", pdfs.simple())
out = out_dir / "out.pdf"
status = ["--crl", i.crls, "--offline"]
USAGE, DATA, NOINPUT, UNAVAILABLE, CANTCREAT, IO, REFUSED, CONFIG = 64, 65, 66, 69, 73, 74, 77, 78


def refused(what, ran, want, code=None, article=None, target=out):
    """A failure as it must be: status, code, two languages, the article, nothing written."""
    wanted = want if isinstance(want, tuple) else (want,)
    suite.check(ran.status in wanted, f"{what}: status {ran.status}, wanted {want}", ran)
    suite.check(is_bilingual(ran), f"{what}: message in Vietnamese and English", ran.err)
    if code:
        suite.check(error_of(ran) in (code if isinstance(code, tuple) else (code,)), f"{what}: {code}", ran.err)
    if article:
        suite.check("Căn cứ: " in ran.err and article in ran.err, f"{what}: article", ran.err)
    suite.check(target is None or not target.exists(), f"{what}: no output")
    suite.equal(leftovers(i.dir), [], f"{what}: no temporary file")
    if target is not None and target.is_file():
        target.unlink()


def sign(source, *more, who=None, **kwargs):
    return i.sign(source, out, who or i.person(), *status, *more, **kwargs)


# ---- files ----
def files():
    whole = pdfs.simple(pages=3)
    signed = i.dir / "in/signed.pdf"
    i.sign(plain, signed, i.person(), *status)
    fifo = i.dir / "in/fifo"
    os.mkfifo(fifo)
    loop = i.dir / "in/loop"
    loop.symlink_to(loop)
    empty_folder = i.dir / "in/empty-folder"
    empty_folder.mkdir()
    rows = [
        ("missing", i.dir / "in/khong-co.pdf", NOINPUT, "AN_E_FILE_OPEN"),
        ("empty", i.file("in/empty.pdf"), DATA, "AN_E_FILE_EMPTY"),
        ("an empty folder", empty_folder, NOINPUT, "AN_E_CLI_NO_FILES"),
        ("FIFO", fifo, NOINPUT, "AN_E_FILE_KIND"),
        ("device", "/dev/zero", NOINPUT, "AN_E_FILE_KIND"),
        ("link to itself", loop, NOINPUT, "AN_E_FILE_OPEN"),
        ("random bytes", i.file("in/random.pdf", os.urandom(5000)), DATA, None),
        ("zeros", i.file("in/zeros.pdf", bytes(5000)), DATA, None),
        ("cut to its head", i.file("in/cut.pdf", whole[:60]), DATA, None),
        ("signed and cut", i.file("in/cut-signed.pdf", signed.read_bytes()[:-400]), DATA, None),
        ("not a PDF but PNG", i.file("in/png.pdf", pdfs.ring(20)), DATA, None),
        ("no pages", i.file("in/no-pages.pdf", whole.replace(b"/Type /Pages", b"/Type /Nothing").replace(b"/Kids", b"/Kidz")), (0, DATA), None),
    ]
    for what, source, want, code in rows:
        ran = sign(source, timeout=20)
        if want == (0, DATA) and ran.status == 0:
            suite.check(out.exists(), f"{what}: signed")
            out.unlink()
        else:
            refused(what, ran, want, code)
    if os.geteuid() == 0:
        suite.skip("unreadable file: root reads everything")
    else:
        refused("unreadable", sign(i.file("in/unreadable.pdf", whole, 0)), NOINPUT, "AN_E_FILE_OPEN")


def claims():
    """Files that claim much: answered in time, signed so that others agree or refused."""
    whole = pdfs.simple()
    rows = {
        "xref of four milliards": whole.replace(b"xref\n0 6", b"xref\n0 4294967295"),
        "/Size of a trillion": whole.replace(b"/Size 6", b"/Size 999999999999"),
        "startxref beyond the file": whole.replace(b"startxref\n", b"startxref\n9"),
        "/Prev to itself": whole.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev " + whole[whole.rindex(b"startxref") + 10:].split(b"\n")[0]),
        "stream of four milliards": whole.replace(b"/Length ", b"/Length 4294967295 % "),
        "pages within themselves": whole.replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]"),
        "a million open brackets": whole.replace(b"/Type /Catalog", b"/Type /Catalog /X " + b"[" * 1000000),
        "a million open dictionaries": whole.replace(b"/Type /Catalog", b"/Type /Catalog /X " + b"<<" * 1000000),
        "parent of itself": whole.replace(b"/Type /Page /Parent 2 0 R", b"/Type /Page /Parent 4 0 R"),
        "a page of zero size": whole.replace(b"[0 0 595 842]", b"[0 0 0 0]"),
    }
    for what, data in rows.items():
        source = i.file("in/claims.pdf", data)
        started = time.monotonic()
        ran = sign(source, timeout=20)
        suite.check(time.monotonic() - started < (60 if SANITIZED else 8), f"{what}: in time")
        if ran.status == 0:
            suite.equal(oracles.pdfsig(out)[0], [True], f"{what}: signed, pdfsig")
            suite.check(out.read_bytes().startswith(data), f"{what}: only appended")
            out.unlink()
        else:
            refused(what, ran, (DATA, REFUSED))


def passwords():
    source = i.dir / "in/locked.pdf"
    run("qpdf", "--encrypt", "mo", "chu", "256", "--", plain, source)
    no_modify = i.dir / "in/no-modify.pdf"
    run("qpdf", "--encrypt", "", "chu", "128", "--use-aes=y", "--modify=none", "--", plain, no_modify)
    refused("password missing", sign(source), REFUSED, "AN_E_PDF_PASSWORD")
    refused("password wrong", sign(source, "--password-file", i.file("password", "sai\n")), REFUSED, "AN_E_PDF_PASSWORD")
    refused("password file missing", sign(source, "--password-file", i.dir / "khong-co"), NOINPUT, "AN_E_FILE_OPEN")
    refused("signing not permitted", sign(no_modify), REFUSED, "AN_E_PDF_PERMISSION")
    ran = i.verify(source)[0]
    refused("verify, password missing", ran, REFUSED, "AN_E_PDF_PASSWORD", target=None)


SIGNED_FIELD = "/Type /Annot /Subtype /Widget /FT /Sig /F 132 /P 4 0 R /Rect [0 0 0 0]"
VALUE = "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /ByteRange [0 10 20 10] /Contents <00> {} >>"


def forbidden_fields():
    """Hand-made files: certified, locked, with seed values. The refusal must name why."""
    def document(fields, values, catalog="", annotations="6 0 R"):
        first = 6
        return pdfs.simple(catalog_entries=f"/AcroForm << /Fields [{' '.join(f'{first + n} 0 R' for n in range(len(fields)))}] /SigFlags 3 >> {catalog}",
                           page_entries=f"/Annots [{' '.join(f'{first + n} 0 R' for n in range(len(fields)))}]", more=[*fields, *values])

    def transform(method, entries):
        return f"/Reference [<< /Type /SigRef /TransformMethod /{method} /TransformParams << /Type /TransformParams /V /1.2 {entries} >> >>]"

    signed = f"<< {SIGNED_FIELD} /T (Truoc) /V 8 0 R >>"
    empty = f"<< {SIGNED_FIELD} /T (Trong) >>"
    only = f"<< {SIGNED_FIELD} /T (Trong) %s >>"
    certified = document([signed, empty], [VALUE.format(transform("DocMDP", "/P 1"))], "/Perms << /DocMDP 8 0 R >>")
    rows = [
        ("certified, no changes", certified, [], "AN_E_PDF_DOCMDP"),
        ("certified, existing field", certified, ["--field", "Trong"], "AN_E_PDF_DOCMDP"),
        ("all fields locked", document([signed, empty], [VALUE.format(transform("FieldMDP", "/Action /All"))]), ["--field", "Trong"],
         "AN_E_PDF_FIELDMDP"),
        ("this field locked", document([signed, empty], [VALUE.format(transform("FieldMDP", "/Action /Include /Fields [(Trong)]"))]),
         ["--field", "Trong"], "AN_E_PDF_FIELDMDP"),
        ("all but another locked", document([signed, empty], [VALUE.format(transform("FieldMDP", "/Action /Exclude /Fields [(Khac)]"))]),
         ["--field", "Trong"], "AN_E_PDF_FIELDMDP"),
        ("field signed already", document([signed, empty], [VALUE.format("")]), ["--field", "Truoc"], "AN_E_PDF_FIELD_SIGNED"),
        ("read-only field", document([only % "/Ff 1"], []), ["--field", "Trong"], "AN_E_PDF_LOCKED"),
        ("text field", document(["<< /Type /Annot /Subtype /Widget /FT /Tx /T (Trong) /Rect [0 0 9 9] /P 4 0 R >>"], []), ["--field", "Trong"],
         "AN_E_PDF_FIELD_KIND"),
        ("seed value: sub-filter", document([only % "/SV << /Type /SV /Ff 2 /SubFilter [/adbe.pkcs7.sha1] >>"], []), ["--field", "Trong"],
         "AN_E_PDF_SEED_VALUE"),
        ("seed value: filter", document([only % "/SV << /Type /SV /Ff 1 /Filter /Khac.Loc >>"], []), ["--field", "Trong"], "AN_E_PDF_SEED_VALUE"),
        ("seed value: digest", document([only % "/SV << /Type /SV /Ff 64 /DigestMethod [(SHA512)] >>"], []), ["--field", "Trong"],
         "AN_E_PDF_SEED_VALUE"),
        ("seed value: certified at 2", document([only % "/SV << /Type /SV /MDP << /P 2 >> >>"], []), ["--field", "Trong"], "AN_E_PDF_SEED_VALUE"),
        ("seed value: a time-stamp", document([only % "/SV << /Type /SV /TimeStamp << /URL (http://127.0.0.1/) /Ff 1 >> >>"], []),
         ["--field", "Trong"], "AN_E_PDF_SEED_VALUE"),
    ]
    for what, data, more, code in rows:
        refused(what, sign(i.file("in/field.pdf", data), *more), REFUSED, code)
    refused("certify a signed file", sign(i.file("in/field.pdf", document([signed, empty], [VALUE.format("")])), "--certify", "2"), REFUSED,
            "AN_E_PDF_CERTIFY")
    # what the conditions allow must go through
    tsa = Server(i.dir / "tsa-sv", i.tsa, i.sub.cert)
    for what, data, more in [
        ("seed value met: time-stamp", document([only % "/SV << /Type /SV /TimeStamp << /URL (http://127.0.0.1/) /Ff 1 >> >>"], []), ["--tsa", tsa.url]),
        ("seed value met: digest", document([only % "/SV << /Type /SV /Ff 64 /DigestMethod [(SHA512)] >>"], []), ["--digest", "sha512"]),
        ("seed value met: sub-filter", document([only % "/SV << /Type /SV /Ff 2 /SubFilter [/ETSI.CAdES.detached] >>"], []), []),
        ("seed value only wished", document([only % "/SV << /Type /SV /SubFilter [/adbe.pkcs7.sha1] >>"], []), []),
        ("seed value met: certified", document([only % "/SV << /Type /SV /MDP << /P 2 >> >>"], []), ["--certify", "2"]),
        ("certified at 2 allows", document([signed, empty], [VALUE.format(transform("DocMDP", "/P 2"))], "/Perms << /DocMDP 8 0 R >>"), []),
    ]:
        ran = sign(i.file("in/field.pdf", data), "--field", "Trong", *more)
        suite.equal(ran.status, 0, what, ran)
        out.unlink(missing_ok=True)
    ours = i.dir / "in/certified-by-us.pdf"
    suite.equal(i.sign(plain, ours, i.person(), *status, "--certify", "1").status, 0, "certify at 1")
    refused("certified by us", sign(ours), REFUSED, "AN_E_PDF_DOCMDP")


# ---- certificates ----
def certificates():
    people = {
        "expired": i.sub.issue("person", "/CN=Hết Hạn", days=(-400, -2)),
        "not yet valid": i.sub.issue("person", "/CN=Chưa Tới", days=(2, 200)),
        "revoked": i.sub.issue("person", "/CN=Bị Thu Hồi"),
    }
    i.sub.revoke(people["revoked"])
    crl = i.file("revoked.crl", i.sub.crl().read_bytes())
    for what, who in people.items():
        ran = i.sign(plain, out, who, "--crl", crl, "--offline")
        refused(what, ran, REFUSED, "AN_E_SIGN_CERT", "Nghị định số 68/2024/NĐ-CP")
    stranger = i.other.issue("person", "/CN=Người Lạ")
    refused("unknown authority", i.sign(plain, out, stranger, *status), REFUSED, ("AN_E_SIGN_PATH", "AN_E_SIGN_CERT"), "Nghị định số 68/2024/NĐ-CP")
    bad_sub = i.once("bad sub", lambda: __import__("pki").Authority(i.dir / "badsub", "CA bị thu hồi", i.root))
    i.root.revoke(type("C", (), {"cert": bad_sub.cert}))
    root_crl = i.file("root-revoked.crl", i.root.crl().read_bytes())
    under = bad_sub.issue("person", "/CN=Dưới CA bị thu hồi")
    ran = i.antin("sign", plain, "-o", out, "--key", under.key, "--cert", under.cert, "--chain", bad_sub.cert, "--trust", i.root.cert, "--crl",
                  root_crl, "--offline")
    refused("authority revoked", ran, REFUSED, "AN_E_SIGN_PATH", "Nghị định số 68/2024/NĐ-CP")
    me, other = i.person(), i.person("RSA-2048")
    words = ["sign", plain, "-o", out, "--chain", i.sub.cert, "--trust", i.root.cert, *status]
    refused("key of somebody else", i.antin(*words, "--key", me.key, "--cert", other.cert), REFUSED, "AN_E_SIGN_KEY_MISMATCH",
            "Luật Giao dịch điện tử")
    refused("no certificate", i.antin(*words, "--key", me.key), NOINPUT, "AN_E_SIGN_NO_CERT")
    refused("certificate missing", i.antin(*words, "--key", me.key, "--cert", i.dir / "khong-co.pem"), NOINPUT, "AN_E_FILE_OPEN")
    refused("certificate is rubbish", i.antin(*words, "--key", me.key, "--cert", i.file("rac.pem", os.urandom(300))), DATA)
    refused("key missing", i.antin(*words, "--key", i.dir / "khong-co.key", "--cert", me.cert), NOINPUT, "AN_E_FILE_OPEN")
    refused("key is rubbish", i.antin(*words, "--key", i.file("rac.key", os.urandom(300), 0o600), "--cert", me.cert), DATA)
    refused("no key", i.antin(*words), USAGE)
    open_key = i.file("open.key", me.key.read_bytes(), 0o644)
    ran = i.antin(*words, "--key", open_key, "--cert", me.cert, "--json")
    suite.check(ran.status == 0 and "AN_N_KEY_FILE_MODE" in ran.out, "key that others may read: said", ran)
    out.unlink(missing_ok=True)
    refused("clock before the certificate", sign(plain, env={"SOURCE_DATE_EPOCH": 1000000000}), REFUSED,
            ("AN_E_SIGN_CERT", "AN_E_SIGN_PATH"), "Nghị định số 68/2024/NĐ-CP")
    if shutil.which("faketime") and not SANITIZED:
        ran = run("faketime", "2001-01-01", i.program, *i.sign_words(plain, out, me, *status), cwd=i.dir)
        refused("clock turned back", ran, REFUSED, ("AN_E_SIGN_CERT", "AN_E_SIGN_PATH"))
    else:
        suite.skip("faketime is not installed, or does not go with sanitizers")
    refused("state secret", sign(plain, "--secrecy", "mat"), REFUSED, "AN_E_SIGN_SECRET", "Đồng Tháp")


# ---- the command line ----
def command_line():
    twin = i.file("in2/plain.pdf", pdfs.simple())
    me = i.person()
    no_out = [str(w) for w in i.sign_words(plain, None, me, *status)]
    rows = [
        ("no output", no_out, USAGE, "AN_E_CLI_CONFLICT"),
        ("-o for two files", i.sign_words([plain, twin], out, me), USAGE, "AN_E_CLI_CONFLICT"),
        ("two inputs, one output", i.sign_words([plain, twin], None, me, "--out-dir", out_dir), USAGE, "AN_E_CLI_SAME_OUTPUT"),
        ("unknown option", i.sign_words(plain, out, me, "--khong-co"), USAGE, "AN_E_CLI_OPTION"),
        ("option without value", i.sign_words(plain, out, me, "--level"), USAGE, "AN_E_CLI_NO_VALUE"),
        ("unknown level", i.sign_words(plain, out, me, "--level", "B-X"), USAGE, "AN_E_CLI_VALUE"),
        ("unknown look", i.sign_words(plain, out, me, "--look", "khong-co"), USAGE, None),
        ("unknown command", ["ky"], USAGE, "AN_E_CLI_COMMAND"),
        ("nothing to sign", ["sign"], USAGE, "AN_E_CLI_ARGUMENTS"),
        ("B-T without a server", i.sign_words(plain, out, me, *status, "--level", "B-T"), USAGE, "AN_E_SIGN_NO_TSA"),
        ("--rect in words", i.sign_words(plain, out, me, "--rect", "goc,tren"), USAGE, "AN_E_CLI_VALUE"),
        ("--jobs in words", i.sign_words(plain, out, me, "--jobs", "nhieu"), USAGE, "AN_E_CLI_VALUE"),
        ("PIN on the command line", i.sign_words(plain, out, me, "--pin", "000000"), USAGE, "AN_E_CLI_OPTION"),
    ]
    for what, words, want, code in rows:
        refused(what, i.antin(*words), want, code)
    ran = i.antin("sign", plain, "-o", out, "--key", me.key, "--json", "--level", "B-X")
    suite.check(ran.lines() and {"code", "vi", "en", "citation", "detail"} <= set(ran.lines()[0].get("error", {})), "errors as JSON", ran)
    ran = i.antin("sign", plain, "-o", out, "--key", me.key, "--lang", "en", "--level", "B-X")
    suite.check("antin: the value of the option is not valid" in ran.err, "--lang en turns the message round", ran)


def outputs():
    folder = out_dir / "la-thu-muc"
    folder.mkdir()
    refused("output is a folder", i.sign(plain, folder, i.person(), *status), (CANTCREAT, IO), target=None)
    suite.equal(list(folder.iterdir()), [], "output is a folder: left alone")
    missing = out_dir / "khong-co" / "a.pdf"
    refused("output folder missing", i.sign(plain, missing, i.person(), *status), CANTCREAT, "AN_E_FILE_CREATE", target=missing)
    a_file = i.file("out/la-tep", "x")
    refused("--out-dir is a file", i.sign(plain, None, i.person(), *status, "--out-dir", a_file), (CANTCREAT, 71), target=None)
    suite.equal(a_file.read_text(), "x", "--out-dir is a file: left alone")
    a_file.unlink()
    old = i.file("out/cu.pdf", "the file that was there")
    i.sign(i.dir / "in/empty.pdf", old, i.person(), *status)
    suite.equal(old.read_text(), "the file that was there", "a failure leaves the earlier output alone")
    old.unlink()
    big = i.file("in/big.pdf", pdfs.simple(more=[b"<< /Length 300000 >>\nstream\n" + os.urandom(300000) + b"\nendstream"]))

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))

    words = [str(i.program), *map(str, i.sign_words(big, out, i.person(), *status))]
    done = subprocess.run(words, capture_output=True, text=True, preexec_fn=limit, cwd=i.dir, timeout=60)
    refused("file size limit", type("R", (), {"status": done.returncode, "err": done.stderr, "out": done.stdout}), (IO, CANTCREAT), "AN_E_FILE_WRITE")
    small = i.dir / "nho"
    small.mkdir()
    if os.geteuid() == 0 and run("mount", "-t", "tmpfs", "-o", "size=128k", "none", small).status == 0:
        try:
            target = small / "a.pdf"
            refused("disk full", i.sign(big, target, i.person(), *status), (IO, CANTCREAT), "AN_E_FILE_WRITE", target=target)
            suite.equal(list(small.iterdir()), [], "disk full: nothing left")
        finally:
            run("umount", small)
    else:
        suite.skip("a full disk needs the right to mount")


# ---- time-stamping servers ----
def time_stamps():
    me = i.person()

    def ask(row):
        """A server and a folder of its own: the waiting times pass side by side."""
        mode, downgrade = row
        folder = i.dir / f"tsa-{mode}-{downgrade}"
        server = Server(folder, i.tsa, i.sub.cert, mode)
        url = {"refuse": closed_port(), "unknown": "http://khong-co.invalid/"}.get(mode, server.url)
        target = folder / "out.pdf"
        ran = i.sign(plain, target, me, *status, "--level", "B-T", "--tsa", url, *([] if mode == "slow" else ["--tsa-timeout", "1"]),
                     *(["--allow-downgrade"] if downgrade else []), timeout=60)
        server.stop()
        return mode, downgrade, target, ran

    i.tsa, i.sub, i.crls  # made before the threads start
    modes = ["silent", "unknown", "500", "429", "refuse", "slow", "garbage", "empty", "html", "wrong", "type"]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, [("silent", True)] + [(mode, False) for mode in modes] + [("wrong", True), ("refuse", True)]))
    for mode, downgrade, target, ran in answers:
        if mode in ("slow", "type"):  # a token that fits is taken whatever the server calls it
            suite.equal(ran.status, 0, f"TSA {mode}: signed", ran)
            suite.equal(oracles.Judge(i).openssl(target), ("", 1), f"TSA {mode}: openssl")
            continue
        if not downgrade:
            refused(f"TSA {mode}", ran, UNAVAILABLE, "AN_E_SIGN_TSA", "Nghị định số 68/2024/NĐ-CP", target=target)
            continue
        suite.equal(ran.status, 0, f"TSA {mode}: --allow-downgrade signs", ran)
        suite.check("B-B" in ran.out and "không có dấu thời gian" in ran.both, f"TSA {mode}: and says so", ran)
        level = (i.verify(target)[1].get("signatures") or [{}])[0].get("level")
        suite.check("B-B" in str(level), f"TSA {mode}: level {level}")
    for url in ("ftp://127.0.0.1/", "khong phai dia chi"):
        refused(f"TSA at {url}", sign(plain, "--level", "B-T", "--tsa", url, "--tsa-timeout", "1"), UNAVAILABLE, "AN_E_SIGN_TSA")


def nothing_leaks():
    """While a signature waits for the server: no PIN in any process's arguments or environment."""
    if not SOFTHSM:
        suite.skip("SoftHSM2 is not installed")
        return
    server = Server(i.dir / "tsa-slow", i.tsa, i.sub.cert, "slow")
    who = i.person()
    token = i.once("token", lambda: i.token({"khoa": who}))
    words = ["sign", plain, "-o", out, "--key", key_uri(token, "khoa"), "--cert", who.cert, "--chain", i.sub.cert, "--trust", i.root.cert,
             "--pin-file", i.pin_file, "--level", "B-T", "--tsa", server.url, *status]
    process = subprocess.Popen([str(i.program), *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=i.dir)
    seen, found = 0, []
    while process.poll() is None:
        for name in ("cmdline", "environ"):
            for path in Path("/proc").glob(f"[0-9]*/{name}"):
                try:
                    text = path.read_bytes()
                except OSError:
                    continue
                seen += 1
                if PIN.encode() in text and int(path.parent.name) != os.getpid():
                    found.append(str(path))
        time.sleep(0.1)
    suite.check(seen > 10 and not found, "no PIN in /proc", found)
    suite.equal(process.returncode, 0, "signed in the end", process.stderr.read())
    out.unlink(missing_ok=True)


# ---- PINs and tokens ----
def order(text):
    i.file("control", text + "\n")


def seen():
    path = i.dir / "control.seen"
    return {k: int(v) for k, v in (line.split() for line in path.read_text().splitlines())} if path.exists() else {}


def tokens():
    module = os.environ.get("P11_TROUBLE")
    if not SOFTHSM or not module:
        suite.skip("SoftHSM2 or the misbehaving module is not there")
        return
    who = i.person()
    token = i.once("token", lambda: i.token({"khoa": who}))
    os.environ["P11_TROUBLE_CONTROL"], os.environ["P11_TROUBLE_MODULE"] = str(i.dir / "control"), SOFTHSM
    uri = key_uri(token, "khoa", module)
    wrong = i.file("pin-wrong", "000000\n", 0o600)

    def words(key=uri, pin=i.pin_file, target=out, source=plain):
        return ["sign", source, *(["-o", target] if target else []), "--key", key, "--cert", who.cert, "--chain", i.sub.cert, "--trust", i.root.cert,
                *(["--pin-file", pin] if pin else []), *status]

    rows = [
        ("PIN wrong", "nothing 0", words(pin=wrong), REFUSED, "AN_E_PIN_WRONG", 1),
        ("PIN refused", "refuse_pin 1", words(), REFUSED, "AN_E_PIN_WRONG", 1),
        ("PIN locked", "lock_after 3\nwrong_pins 3", words(), REFUSED, "AN_E_PIN_LOCKED", 0),
        ("final try", "lock_after 3\nwrong_pins 2", words(), REFUSED, "AN_E_PIN_FINAL_TRY", 0),
        ("no token", "removed 1", words(), UNAVAILABLE, None, 0),
        ("mechanism refused", "no_mechanism 1", words(), UNAVAILABLE, "AN_E_TOKEN_MECHANISM", None),
        ("device error", "fail_sign_every 1", words(), UNAVAILABLE, "AN_E_TOKEN_FAILED", None),
        ("signature of absurd length", "garbage_len 4000000", words(), (76, UNAVAILABLE, 70), None, None),
        ("dead module", "dead_module 1", words(), UNAVAILABLE, None, None),
        ("module fails to start", "no_initialize 1", words(), UNAVAILABLE, "AN_E_TOKEN_MODULE", None),
        ("no such key", "nothing 0", words(key=key_uri(token, "khac", module)), USAGE, "AN_E_KEY_ABSENT", None),
        ("no such token", "nothing 0", words(key=key_uri("pkcs11:token=khac", "khoa", module)), UNAVAILABLE, "AN_E_TOKEN_ABSENT", None),
        ("no such module", "nothing 0", words(key=key_uri(token, "khoa", "/khong/co.so")), UNAVAILABLE, "AN_E_TOKEN_MODULE", None),
        ("malformed URI", "nothing 0", words(key="pkcs11:token=%zz"), USAGE, "AN_E_TOKEN_URI", None),
        ("PIN file that others may read", "nothing 0", words(pin=i.file("pin-open", PIN, 0o644)), CONFIG, "AN_E_PIN_FILE_MODE", None),
        ("PIN file empty", "nothing 0", words(pin=i.file("pin-empty", "", 0o600)), USAGE, "AN_E_PIN_LENGTH", 0),
        ("PIN file missing", "nothing 0", words(pin=i.dir / "khong-co"), NOINPUT, None, 0),
        ("no terminal", "nothing 0", words(pin=None), USAGE, "AN_E_PIN_NO_TERMINAL", 0),
    ]
    for what, orders, command, want, code, logins in rows:
        order(orders)
        (i.dir / "control.seen").unlink(missing_ok=True)
        ran = i.antin(*command, start_new_session=True)
        refused(what, ran, want, code)
        if logins is not None:
            suite.equal(seen().get("logins", 0), logins, f"{what}: tries used")
    order("nothing 0")
    locked_key = i.dir / "khoa.p8"
    run("openssl", "pkcs8", "-topk8", "-in", who.key, "-out", locked_key, "-passout", "pass:dung", "-v2", "aes-256-cbc")
    refused("key passphrase wrong", i.antin(*words(key=locked_key, pin=wrong)), REFUSED, "AN_E_PIN_WRONG")
    ran = i.antin(*words(key=locked_key, pin=i.file("pin-right", "dung", 0o600)))
    suite.equal(ran.status, 0, "key passphrase right", ran)
    out.unlink(missing_ok=True)
    pulled_and_resumed(words, uri)


def pulled_and_resumed(words, uri):
    """The token is pulled in the middle of a batch; brought back, --resume does the rest and only the rest."""
    folder, target = i.dir / "dot", i.dir / "dot-ra"
    folder.mkdir()
    for n in range(60):
        (folder / f"{n:02}.pdf").write_bytes(pdfs.simple(text=f"So {n}"))
    order("delay_ms 20")
    (i.dir / "control.seen").unlink(missing_ok=True)
    command = [*words(target=None, source=folder), "--out-dir", target, "--jobs", "1"]
    process = subprocess.Popen([str(i.program), *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=i.dir, text=True)
    deadline = time.monotonic() + 30
    while seen().get("signs", 0) < 20 and time.monotonic() < deadline:
        time.sleep(0.01)
    order("removed 1")
    text, errors = process.communicate(timeout=60)
    done = len(list(target.iterdir()))
    suite.equal(process.returncode, UNAVAILABLE, "token pulled: status", errors[-500:])
    suite.check("AN_E_TOKEN_REMOVED" in errors and is_bilingual(type("R", (), {"err": errors})), "token pulled: said", errors[-500:])
    suite.check(15 <= done < 60, "token pulled: what was signed is kept", done)
    suite.equal(leftovers(i.dir), [], "token pulled: nothing half-written")
    order("delay_ms 0")
    (i.dir / "control.seen").unlink(missing_ok=True)
    ran = i.antin(*command, "--resume")
    suite.equal((ran.status, len(list(target.iterdir()))), (0, 60), "resumed: all signed", ran)
    suite.equal(seen().get("signs"), 60 - done, "resumed: only the rest was signed")
    ran = i.antin("verify", target, "--trust", i.root.cert, "--untrusted", i.sub.cert, "--crl", i.crls, "--policy", "noi-bo", "--json")
    suite.equal((ran.status, len(ran.lines())), (0, 60), "resumed: all valid")


def verify_too():
    rows = [("missing", i.dir / "in/khong-co.pdf", NOINPUT), ("empty", i.file("in/empty.pdf"), DATA), ("random", i.file("in/random2.pdf", os.urandom(4000)), DATA),
            ("device", "/dev/zero", NOINPUT), ("without signatures", plain, (2, DATA, 1))]
    for what, path, want in rows:
        ran = i.verify(path, timeout=20)[0]
        wanted = want if isinstance(want, tuple) else (want,)
        suite.check(ran.status in wanted, f"verify {what}: status {ran.status}, wanted {want}", ran)
        suite.check(len(ran.lines()) == 1, f"verify {what}: one JSON line", ran.out)
    empty_folder = i.dir / "in/trong"
    empty_folder.mkdir(parents=True)
    refused("verify an empty folder", i.antin("verify", empty_folder), NOINPUT, "AN_E_CLI_NO_FILES", target=None)
    ran = i.antin("verify", plain, "--at", "hom qua")
    refused("verify at no time", ran, USAGE, "AN_E_CLI_VALUE", target=None)


with i:
    suite.run(files, claims, passwords, forbidden_fields, certificates, command_line, outputs, time_stamps, nothing_leaks, tokens, verify_too)
