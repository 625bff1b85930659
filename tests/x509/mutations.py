#!/usr/bin/env python3
"""Certificates, lists and answers changed one part at a time: what RFC 5280 and RFC 6960 say of each stands beside it, and what OpenSSL and GnuTLS
refuse we do not accept unless the case says why. Asked strictly (policy rfc5280) and as documents are (etsi-qes), in one stream of requests.

usage: mutations.py ANTIN [WORD]   only cases whose name has WORD, with their files kept"""
import collections, datetime, json, re, shutil, subprocess, sys, tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from mutants import answers, crowds, lists, names, paths, policies
from mutants.world import BAD, GOOD, NOW, World, pem

antin, only = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
folder = Path(tempfile.mkdtemp(prefix="antin-mutants-"))
failures = []


def check(ok, what):
    if not ok:
        failures.append(what)
        print("FAILED:", what)


def all_cases():
    world = World()
    for module in (paths, names, policies, lists, answers, crowds):
        for family, make in module.FAMILIES.items():
            for case in make(world):
                case.family = family
                if only in case.name:
                    yield case


def store(number, case):
    """The files of a case."""
    place = folder / str(number)
    place.mkdir()
    out = {"leaf": place / "leaf.der", "trust": place / "trust.pem", "untrusted": place / "untrusted.pem"}
    out["leaf"].write_bytes(case.leaf.der)
    (place / "leaf.pem").write_text(pem(case.leaf.der))
    for key, certs in (("trust", case.anchors), ("untrusted", case.untrusted)):
        out[key].write_text("".join(pem(c.der) for c in certs))
    for kind, items in (("crl", case.crls), ("ocsp", case.ocsps)):
        out[kind] = [place / f"{i}.{kind}" for i in range(len(items))]
        for path, der in zip(out[kind], items):
            path.write_bytes(der)
    return out


def request(number, case, files, policy):
    at = datetime.datetime.fromtimestamp(case.at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"kind": "cert", "id": [number, policy], "file": str(files["leaf"]), "trust": [str(files["trust"])], "untrusted": [str(files["untrusted"])] if case.untrusted else [],
            "crl": list(map(str, files["crl"])), "ocsp": list(map(str, files["ocsp"])), "at": at, "policy": policy, "revocation": "none"} | case.options


def ask(requests):
    done = subprocess.run([antin, "verify", "--stream"], input="".join(json.dumps(r) + "\n" for r in requests), capture_output=True, text=True, timeout=300)
    check(done.returncode == 0, f"the stream ends with {done.returncode}: {done.stderr[-300:]}")
    return {tuple(a["id"]): a for a in map(json.loads, done.stdout.splitlines())}


def judge(number, case, found):
    for policy, expect in (("rfc5280", case.expect), ("etsi-qes", case.lenient if case.lenient != "" else case.expect)):
        answer = found[number, policy]
        verdict = GOOD if answer["exit_status"] == 0 else BAD
        why = (answer.get("why") or answer.get("error") or {}).get("code", "")
        check(answer["exit_status"] in (0, 1, 2, 65), f"{case.family} / {case.name} ({policy}): exit {answer['exit_status']} {why}")
        if expect is not None:
            check(verdict == expect, f"{case.family} / {case.name} ({policy}): {verdict} {why} {(answer.get('why') or {}).get('detail', '')}, expected {expect}")
        if policy == "rfc5280" and case.why:
            check(why == case.why, f"{case.family} / {case.name}: {why}, expected {case.why}")
        yield policy, verdict


# ---- others ----
# Why accepting is right although they refuse: (peer, what the case is called or the peer says, reason).
EXCUSES = [
    ("openssl", "certificate has expired|CRL has expired", "4.1.2.5: a period includes its last second", " ends now$|freshest$"),
    ("openssl", "unhandled critical", "6.1 acts on these extensions whether critical or not", "(ski|aki) other criticality|number critical"),
    ("openssl", "not marked critical|does not include key usage", "PKITS and older roots want it accepted", "bc other criticality|ku left out"),
    ("openssl", "invalid certificate", "6.1 does not look at a keyUsage of an end entity", "keyUsage of no bits|minimum zero|zero octets"),
    ("openssl", "unsuitable certificate purpose", "4.2.1.12: any is any, also in a CA", "CA with any"),
    ("openssl", "invalid name syntax", "4.2.1.10 binds emailAddress of whatever string type", "mail in the subject"),
    ("openssl", "subtree violation", "RFC 3986: a user stands before the host", "u:p@example.com"),
    ("openssl", "certificate revoked", "OpenSSL takes a delta only where freshestCRL points to one", "delta"),
    ("openssl ocsp", "No Status found", "RFC 6960 4.1.1: any digest may name the issuer", "SHA-"),
    ("certtool", "unknown critical extension", "GnuTLS does not know policy constraints, mappings and inhibitAnyPolicy", "policy"),
    ("certtool", "violates the signer's constraints", "GnuTLS knows few forms of constraints and refuses the others, counts self-issued CAs", ""),
    ("certtool", "issuer is unknown|chain uses expired|signature in the certificate", "GnuTLS takes the chain as it lies in the file", ""),
    ("certtool", "Error in DER parsing", "GnuTLS holds all extensions to one form", "keyUsage|zero"),
]


def excuse(peer, case, words):
    """The reason of the case, or one that holds for many."""
    if case.peers:
        return case.peers
    return next((why for who, said, why, name in EXCUSES if peer.startswith(who) and re.search(said, words) and re.search(name, case.name)), "")


def run(*argv):
    return subprocess.run(list(map(str, argv)), capture_output=True, text=True, errors="replace", timeout=60)


def openssl_verify(case, files, strict):
    argv = ["openssl", "verify", "-attime", case.at, "-policy_check", "-CAfile", files["trust"], "-no-CApath", "-no-CAstore", *(["-x509_strict"] if strict else [])]
    argv += ["-untrusted", files["untrusted"]] if case.untrusted else []
    argv += ["-partial_chain"] if all(c.issuer is not c for c in case.anchors) else []
    if case.crls:
        bundle = files["leaf"].parent / "crls.pem"
        bundle.write_text("".join(pem(der, "X509 CRL") for der in case.crls))
        argv += ["-CRLfile", bundle, "-crl_check_all", "-extended_crl", "-use_deltas"]
    for key, flag in (("explicit_policy", "-explicit_policy"), ("inhibit_mapping", "-inhibit_map"), ("inhibit_any_policy", "-inhibit_any")):
        argv += [flag] if case.options.get(key) else []
    for oid in case.options.get("policy_oids", ["2.5.29.32.0"]):  # OpenSSL takes none given for none wanted
        argv += ["-policy", oid]
    for kind, value in (n.split(":", 1) for n in case.options.get("names", [])):
        argv += [{"dns": "-verify_hostname", "email": "-verify_email", "ip": "-verify_ip"}[kind], value]
    purpose = {"emailProtection": "smimesign", "timeStamping": "timestampsign"}.get(case.options.get("purpose"))
    argv += ["-purpose", purpose] if purpose else []
    done = run(*argv, files["leaf"].parent / "leaf.pem")
    return done.returncode == 0, done.stderr


def openssl_can(case):
    names_ = [n.split(":", 1)[0] for n in case.options.get("names", [])]
    return not case.ocsps and len(names_) <= 1 and set(names_) <= {"dns", "email", "ip"} and case.options.get("purpose", "emailProtection") in ("emailProtection", "timeStamping") and \
        (not case.crls or case.options.get("revocation") == "require")


def openssl_ocsp(case, files):
    """OpenSSL's word on one answer, lists apart."""
    done = run("openssl", "ocsp", "-respin", files["ocsp"][0], "-issuer", files["untrusted"], "-cert", files["leaf"].parent / "leaf.pem", "-CAfile", files["trust"],
               "-verify_other", files["untrusted"], "-attime", case.at, "-no_nonce", "-validity_period", "86400")
    return "leaf.pem: good" in done.stdout and "Response verify OK" in done.stderr and "WARNING" not in done.stdout + done.stderr, done.stdout + done.stderr


def certtool_verify(case, files):
    chain = files["leaf"].parent / "chain.pem"
    chain.write_text(pem(case.leaf.der) + "".join(pem(c.der) for c in case.untrusted))
    done = run("certtool", "--verify", "--verify-profile=low", "--load-ca-certificate", files["trust"], "--infile", chain)
    return done.returncode == 0 and "Verified. The certificate is trusted" in done.stdout, done.stdout[-300:] + done.stderr[-200:]


def peers_of(case, files, verdicts):
    """(peer, its answer when called) for what we accept: their refusals alone could show us wrong."""
    strict, lenient = verdicts["rfc5280"] == GOOD, verdicts["etsi-qes"] == GOOD
    if strict and len(case.ocsps) == len(case.crls) == 1:
        yield "openssl ocsp", lambda: openssl_ocsp(case, files)
    if (strict or lenient) and openssl_can(case):
        yield "openssl strict" if strict else "openssl", lambda: openssl_verify(case, files, strict)
    if lenient and not case.options and not case.crls and case.family != "dates":  # certtool asks about the present moment only
        yield "certtool", lambda: certtool_verify(case, files)


def compare(case, files, verdicts):
    return [(peer, *answer()) for peer, answer in peers_of(case, files, verdicts) if shutil.which(peer.split()[0])]


def main():
    cases = list(all_cases())
    files = [store(number, case) for number, case in enumerate(cases)]
    found = ask([request(n, case, files[n], policy) for n, case in enumerate(cases) for policy in ("rfc5280", "etsi-qes")])
    verdicts = [dict(judge(n, case, found)) for n, case in enumerate(cases)]
    counts = collections.Counter()
    with ThreadPoolExecutor(2) as pool:
        compared = list(pool.map(compare, cases, files, verdicts))
    for case, rows in zip(cases, compared):
        for peer, accepted, words in rows:
            counts[f"{peer} {'agrees' if accepted else 'alone refuses'}"] += 1
            if not accepted:
                check(excuse(peer, case, words), f"{case.family} / {case.name}: accepted by us, refused by {peer}: {words.strip()[-250:]!r}")
    per = collections.Counter(case.family for case in cases)
    print(", ".join(f"{family} {count}" for family, count in per.items()))
    print(", ".join(f"{what} {count}" for what, count in sorted(counts.items())))
    print(f"{len(cases)} cases, {len(failures)} failures")
    if not only:
        shutil.rmtree(folder)
    else:
        print(folder)
    return 1 if failures else 0


sys.exit(main())
