#!/usr/bin/env python3
"""antin cert verify over the published path suites, as a person calls it and as a stream of requests.

usage: cert_verify.py ANTIN VECTORS LIMBO-EXCEPTIONS
Verdict "valid" exactly when the command ends with 0; every other end is 1 or 2, or 65 for what is no certificate; the
stream gives the same answers, one for each line, in order. Without the vectors it says so and skips (77).
"""
import json, os, subprocess, sys, tempfile
from concurrent.futures import ThreadPoolExecutor

antin, vectors, exceptions_file = sys.argv[1:4]
failures = []


def check(ok, what):
    if not ok:
        failures.append(what)
        print("FAILED:", what)


def load(name):
    with open(os.path.join(vectors, name + ".jsonl")) as file:
        return [json.loads(line) for line in file]


def path(name):
    return os.path.join(vectors, name)


def request(case, revocation):
    extra = case["extra"]
    names = []
    for name in [extra.get("peer_name")] + (extra.get("peer_names") or []):
        kinds = {"DNS": "dns", "IP": "ip", "RFC822": "email"}
        if name and name.get("kind") in kinds:
            names.append(kinds[name["kind"]] + ":" + name["value"])
    out = {
        "kind": "cert", "id": case["id"], "file": path(extra.get("cert") or case["file"]), "policy": "rfc5280",
        "trust": [path(p) for p in case["anchor"]], "untrusted": [path(p) for p in extra.get("intermediates", [])],
        "crl": [path(p) for p in extra.get("crls", [])], "ocsp": [path(p) for p in extra.get("ocsps", [])],
        "policy_oids": [p for p in extra.get("user_initial_policy_set", []) if p != "any_policy"],
        "explicit_policy": bool(extra.get("initial_explicit_policy")),
        "inhibit_mapping": bool(extra.get("initial_policy_mapping_inhibit")),
        "inhibit_any_policy": bool(extra.get("initial_any_policy_inhibit")),
        "names": names, "revocation": revocation,
    }
    if case.get("time"):
        out["at"] = case["time"]
    purposes = [p for p in (extra.get("extended_key_usage") or []) if p in ("serverAuth", "clientAuth")]
    if purposes:
        out["purpose"] = purposes[0]
    return out


def argv(req):
    words = [antin, "cert", "verify", req["file"], "--json", "--policy", "rfc5280", "--revocation", req["revocation"]]
    for key in ("trust", "untrusted", "crl", "ocsp"):
        for item in req[key]:
            words += ["--" + key, item]
    for oid in req["policy_oids"]:
        words += ["--policy-oid", oid]
    for name in req["names"]:
        words += ["--name", name]
    for key in ("explicit_policy", "inhibit_mapping", "inhibit_any_policy"):
        if req[key]:
            words.append("--" + key.replace("_", "-"))
    for key in ("at", "purpose"):
        if key in req:
            words += ["--" + key, req[key]]
    return words


def run(req):
    done = subprocess.run(argv(req), capture_output=True, timeout=30)
    return done.returncode, json.loads(done.stdout)


def stream(lines):
    done = subprocess.run([antin, "verify", "--stream"], input="".join(line + "\n" for line in lines), capture_output=True,
                          text=True, timeout=120)
    check(done.returncode == 0, "stream ends with %d" % done.returncode)
    return [json.loads(line) for line in done.stdout.splitlines()]


def suites():
    for case in load("pkits"):
        yield "pkits", case, "require" if case["extra"].get("revocation") == "require" else "if-available"
    for case in load("ocsp"):
        if "cert" in case["extra"]:
            yield "ocsp", case, "require"
    for case in load("limbo"):
        yield "limbo", case, "require" if case["extra"].get("crls") else "none"


def test_suites():
    with open(exceptions_file) as file:
        excepted = {line.split("\t")[0] for line in file if line.strip()}
    cases = list(suites())
    requests = [request(case, mode) for _, case, mode in cases]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(run, requests))
    streamed = stream([json.dumps(req) for req in requests])
    check(len(streamed) == len(cases), "%d answers to %d requests" % (len(streamed), len(cases)))
    count = {}
    for (suite, case, _), (status, answer), line in zip(cases, answers, streamed):
        valid = case["expected"]["verdict"] == "valid"
        right = (status == 0) == valid
        count.setdefault(suite, [0, 0])
        count[suite][0] += right
        count[suite][1] += 1
        check(right != (case["id"] in excepted), "%s: exit %d, expected %s" % (case["id"], status, case["expected"]["verdict"]))
        check(status in (0, 1, 2, 65), "%s: exit %d" % (case["id"], status))
        check(line["id"] == case["id"], "%s: order" % case["id"])
        check(line["exit_status"] == status and line.get("indication") == answer.get("indication"),
              "%s: stream %s, command %s" % (case["id"], line.get("indication"), answer.get("indication")))
        if status in (0, 1, 2):
            check(answer["indication"] == ("TOTAL-PASSED", "TOTAL-FAILED", "INDETERMINATE")[status], case["id"] + ": word")
            check((answer["why"] is None) == (status == 0), case["id"] + ": why")
            if answer["why"]:
                check(all(answer["why"][key] for key in ("code", "vi", "en")), case["id"] + ": why has no words")
            check(len(answer["status"]) <= max(0, len(answer["chain"]) - 1), case["id"] + ": status rows")
    for suite, (right, whole) in count.items():
        print("%s: %d of %d" % (suite, right, whole))


def test_meanings():
    """Proven wrong is 1, not known is 2."""
    wanted = {
        "pkits:4.4.2": (1, "AN_V_PATH_CA_REVOKED"), "pkits:4.4.3": (1, "AN_V_PATH_REVOKED"), "pkits:4.1.3": (1, "AN_V_PATH_SIGNATURE"),
        "pkits:4.4.1": (2, "AN_V_STATUS_NONE"), "pkits:4.3.1": (2, "AN_V_PATH_NO_ISSUER"), "pkits:4.13.2": (1, "AN_V_PATH_NAME_CONSTRAINT"),
    }
    found = 0
    for case in load("pkits"):
        group = ".".join(case["group"].split(".")) if case["group"] in wanted else None
        if not group:
            continue
        status, answer = run(request(case, "require" if "4.4" in group else "if-available"))
        found += 1
        check((status, answer["why"]["code"]) == wanted[group], "%s: %d %s" % (group, status, answer["why"]["code"]))
    check(found >= 3, "only %d of the named cases are there" % found)


def test_errors():
    with tempfile.TemporaryDirectory() as folder:
        plain = os.path.join(folder, "plain.txt")
        with open(plain, "w") as file:
            file.write("not a certificate\n")
        leaf = path("pkits/certs/ValidCertificatePathTest1EE.crt")
        lines = ["", "[]", "{", json.dumps({"kind": "cert", "file": plain}), json.dumps({"kind": "cert", "file": leaf, "colour": "red"}),
                 json.dumps({"kind": "cert", "file": leaf, "trust": 5}), json.dumps({"kind": "paper", "file": leaf}),
                 json.dumps({"kind": "cert", "file": leaf, "at": "yesterday"}), "x" * (1024 * 1024 + 10),
                 json.dumps({"kind": "cert", "file": leaf, "revocation": "maybe"}),
                 json.dumps({"file": plain}), json.dumps({"file": os.path.join(folder, "absent")}), json.dumps({"kind": "cert", "file": leaf})]
        answers = stream(lines)
        check(len(answers) == len(lines), "%d answers to %d lines" % (len(answers), len(lines)))
        for line, answer in zip(lines[:-1], answers):
            check("error" in answer and answer["exit_status"] >= 64 and answer["error"]["vi"], "no error for " + line[:80])
        check(answers[-1].get("indication") == "INDETERMINATE", "the line after bad lines")
        for words, status in ((["cert", "verify", plain], 65), (["cert", "verify", os.path.join(folder, "absent")], 66),
                              (["cert", "verify", leaf, "--policy", "nowhere"], None), (["cert", "verify", leaf, "--purpose", "fun"], 64),
                              (["cert", "verify", leaf, "--name", "colour:red"], 64), (["verify"], 64), (["verify", "--stream", leaf], 64)):
            done = subprocess.run([antin] + words, capture_output=True, timeout=30)
            check(done.returncode == status or (status is None and done.returncode >= 64), "%s: exit %d" % (words, done.returncode))


def test_inputs():
    """The same material as DER, PEM, one file, a folder and PKCS#7; what cannot be read is named, and never makes a path better."""
    openssl = lambda *words: subprocess.run(["openssl", *words], check=True, capture_output=True)  # noqa: E731
    root, ca, leaf = (path("pkits/certs/%s.crt" % name) for name in ("TrustAnchorRootCertificate", "GoodCACert", "ValidCertificatePathTest1EE"))
    lists = [path("pkits/crls/%s.crl" % name) for name in ("TrustAnchorRootCRL", "GoodCACRL")]
    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)  # noqa: E731
        for name, der in (("root", root), ("ca", ca), ("leaf", leaf)):
            openssl("x509", "-inform", "DER", "-in", der, "-out", at(name + ".pem"))
        for i, der in enumerate(lists):
            openssl("crl", "-inform", "DER", "-in", der, "-out", at("%d.pem" % i))
        openssl("crl2pkcs7", "-nocrl", "-certfile", at("ca.pem"), "-certfile", at("leaf.pem"), "-outform", "DER", "-out", at("both.p7b"))
        openssl("crl2pkcs7", "-nocrl", "-certfile", at("ca.pem"), "-out", at("ca.p7b"))
        for i in (0, 1):
            openssl("crl2pkcs7", "-in", at("%d.pem" % i), "-outform", "DER" if i else "PEM", "-out", at("%d.p7" % i))
        with open(at("all.pem"), "w") as out:
            out.write("Lời dẫn\n" + "".join(open(at("%d.pem" % i)).read() for i in (0, 1)))
        os.mkdir(at("lists"))
        for i in (0, 1):
            os.rename(at("%d.pem" % i), os.path.join(at("lists"), "%d.crl" % i))
        with open(at("broken.pem"), "w") as out:
            out.write(open(at("ca.pem")).read().replace("MII", "MIJ", 1))
        ask = lambda leaf_, *words: subprocess.run([antin, "cert", "verify", leaf_, "--json", "--at", "2011-01-01T00:00:00Z", "--revocation", "require", *words], capture_output=True, timeout=30)  # noqa: E731
        right = [["--crl", lists[0], "--crl", lists[1]], ["--crl", at("all.pem")], ["--crl", at("0.p7"), "--crl", at("1.p7")], ["--crl", at("lists")], ["--crl", path("pkits/crls")]]
        for crls in right:
            for trust in (root, at("root.pem"), path("pkits/certs")):
                for untrusted in (ca, at("ca.pem"), at("ca.p7b")):
                    done = ask(leaf, "--trust", trust, "--untrusted", untrusted, *crls)
                    check(done.returncode == 0, "%s %s %s: exit %d" % (trust, untrusted, crls, done.returncode))
        check(ask(at("both.p7b"), "--trust", root, *right[0]).returncode == 0, "the leaf in a bundle with its CA")
        done = ask(leaf, "--trust", root, "--untrusted", at("broken.pem"), *right[0])
        answer = json.loads(done.stdout)
        check(done.returncode == 2 and any("broken.pem" in (note["detail"] or "") for note in answer["notes"]), "an unreadable CA: %d %s" % (done.returncode, answer["notes"]))
        with open(os.path.join(at("lists"), "2.crl"), "w") as out:
            out.write("not a list\n")
        done = ask(leaf, "--trust", root, "--untrusted", ca, "--crl", at("lists"), "--revocation", "if-available")
        check(done.returncode == 0, "a broken list beside those that say good: exit %d" % done.returncode)
        os.remove(os.path.join(at("lists"), "1.crl"))
        done = ask(leaf, "--trust", root, "--untrusted", ca, "--crl", at("lists"), "--revocation", "if-available")
        check(done.returncode == 2, "a broken list in place of one that says good: exit %d" % done.returncode)


def peak_after(lines, count):
    """Peak resident memory of one process that has answered count requests, in kB."""
    child = subprocess.Popen([antin, "verify", "--stream"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for begin in range(0, count, 50):
        child.stdin.write(lines * 50)
        child.stdin.flush()
        for _ in range(50):
            json.loads(child.stdout.readline())
    with open("/proc/%d/status" % child.pid) as file:
        peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    child.stdin.close()
    check(child.wait(timeout=30) == 0, "stream of %d requests" % count)
    child.stdout.close()
    return peak


def test_memory():
    """A long stream stays as small as a short one."""
    case = next(c for c in load("pkits") if c["expected"]["verdict"] == "valid")
    line = json.dumps(request(case, "require")) + "\n"
    short, long = peak_after(line, 200), peak_after(line, 10000)
    print("peak memory: %d kB after 200 requests, %d kB after 10,000" % (short, long))
    if not os.environ.get("ANTIN_SANITIZED"): # a sanitizer keeps freed memory in quarantine
        check(long < short + 1024, "memory grows from %d to %d kB" % (short, long))


if not os.path.exists(path("pkits.jsonl")):
    print("no vectors here, skipped")
    sys.exit(77)
test_suites()
test_meanings()
test_errors()
test_inputs()
test_memory()
print("FAILED" if failures else "all as expected")
sys.exit(1 if failures else 0)
