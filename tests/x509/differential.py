#!/usr/bin/env python3
"""Our path validation beside `openssl verify` and `certtool --verify` on made and damaged chains: what they refuse we do not accept, unless
REASONS or certtool_is_wrong says why. Chains have random extensions, dates and lists; then octets are flipped, certificates dropped, swapped
and replaced. usage: differential.py TOOL [rounds [seed]]"""
import os, random, shutil, subprocess, sys, tempfile, time

# OpenSSL's words -> why accepting is right. Nothing else may be accepted that OpenSSL refuses.
REASONS = {
    "unsuitable certificate purpose": "no purpose was asked for; OpenSSL looks at the EKU of CAs unasked",
    "CA cert does not include key usage extension": "roots older than RFC 5280 have none; below the root we refuse it too",
    "Path length given without key usage keyCertSign": "6.1 does not look at it in an end entity",
}
NOW = 1750000000


def run(*argv, check=True, text=None):
    done = subprocess.run(argv, input=text, capture_output=True, text=True, errors="replace")
    if check and done.returncode:
        raise RuntimeError(f"{argv}: {done.stderr}")
    return done


class Maker:
    """Keys once, certificates many times."""

    def __init__(self, folder, rng):
        self.folder, self.rng, self.serial = folder, rng, 1000
        self.keys = [self.new_key(i) for i in range(4)]

    def path(self, name):
        return os.path.join(self.folder, name)

    def new_key(self, i):
        name = self.path(f"key{i}.pem")
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", name)
        return name

    def cert(self, name, subject, key, extensions, issuer=None, start="20200101000000Z", end="20301231235959Z"):
        self.serial += 1
        base = self.path(name)
        with open(base + ".cnf", "w") as f:
            f.write("[req]\ndistinguished_name=dn\nprompt=no\n[dn]\n" + subject + "\n")
            f.write("[ca]\ndefault_ca=d\n[d]\ndatabase=%s\nserial=%s\nnew_certs_dir=%s\ndefault_md=sha256\npolicy=p\n"
                    "unique_subject=no\ncopy_extensions=none\n[p]\nCN=supplied\nO=optional\nemailAddress=optional\n"
                    % (base + ".db", base + ".srl", self.folder))
            f.write("[ext]\n" + "\n".join(extensions) + "\n")
        open(base + ".db", "w").close()
        with open(base + ".srl", "w") as f:
            f.write("%04X\n" % (self.serial * 2))
        run("openssl", "req", "-new", "-key", key, "-config", base + ".cnf", "-out", base + ".csr")
        sign = ["-selfsign", "-keyfile", key] if issuer is None else ["-cert", issuer[0], "-keyfile", issuer[1]]
        run("openssl", "ca", "-batch", "-notext", "-config", base + ".cnf", "-extensions", "ext", "-in", base + ".csr", "-out",
            base + ".pem", "-startdate", start, "-enddate", end, *sign)
        return base + ".pem", key


def pick(rng, common, rare):
    return rng.choice(rare) if rng.random() < 0.04 else common


IDS = ["subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid"]


def ca_extensions(rng, top):
    out = [pick(rng, "basicConstraints=critical,CA:TRUE", ["basicConstraints=CA:TRUE", "basicConstraints=critical,CA:FALSE", "",
                "basicConstraints=critical,CA:TRUE,pathlen:0", "basicConstraints=critical,CA:TRUE,pathlen:1"]),
           pick(rng, "keyUsage=critical,keyCertSign,cRLSign", ["keyUsage=keyCertSign", "keyUsage=critical,digitalSignature", "",
                "keyUsage=critical,cRLSign"])]
    out += IDS[:1] if top else [pick(rng, IDS[0], [""]), pick(rng, IDS[1], [""])]
    if rng.random() < 0.25:
        out.append(rng.choice(["nameConstraints=critical,permitted;DNS:example.com", "nameConstraints=critical,excluded;DNS:bad.example.com",
                               "nameConstraints=permitted;email:example.com", "nameConstraints=critical,permitted;IP:10.0.0.0/255.0.0.0",
                               "nameConstraints=critical,excluded;email:.example.com", "policyConstraints=critical,requireExplicitPolicy:0",
                               "nameConstraints=critical,permitted;URI:.example.com", "inhibitAnyPolicy=critical,0",
                               "1.2.3.4.5=critical,ASN1:NULL", "certificatePolicies=1.2.3.4"]))
    return [e for e in out if e]


def leaf_extensions(rng):
    out = [pick(rng, "basicConstraints=CA:FALSE", ["", "basicConstraints=critical,CA:TRUE"]),
           pick(rng, "keyUsage=critical,digitalSignature,nonRepudiation", ["", "keyUsage=keyCertSign"]), IDS[0], pick(rng, IDS[1], [""])]
    out.append(rng.choice(["subjectAltName=DNS:a.example.com", "subjectAltName=DNS:x.bad.example.com", "subjectAltName=DNS:other.org",
                           "subjectAltName=email:a@example.com", "subjectAltName=email:a@mail.example.com", "subjectAltName=IP:10.1.2.3",
                           "subjectAltName=IP:11.1.2.3", "subjectAltName=URI:http://h.example.com/x", "subjectAltName=URI:urn:x",
                           "subjectAltName=DNS:*.example.com,otherName:1.2.3.4;UTF8:x", ""]))
    if rng.random() < 0.2:
        out.append(rng.choice(["certificatePolicies=1.2.3.4", "1.2.3.4.6=critical,ASN1:NULL", "1.2.3.4.6=ASN1:NULL",
                               "extendedKeyUsage=critical,timeStamping", "policyConstraints=critical,requireExplicitPolicy:0"]))
    return [e for e in out if e]


def make_chain(maker, number):
    rng = maker.rng
    root = maker.cert(f"r{number}", "CN=Root\nO=Test", maker.keys[0], ca_extensions(rng, True))
    issuer, middle = root, []
    for level in range(rng.choice([0, 1, 1, 1, 2])):
        end = pick(rng, "20301231235959Z", ["20210101000000Z"])
        subject = pick(rng, f"CN=Sub {level}\nO=Test", ["CN=Root\nO=Test"])
        issuer = maker.cert(f"s{number}_{level}", subject, maker.keys[1 + level], ca_extensions(rng, False), issuer, end=end)
        middle.append(issuer[0])
    start = pick(rng, "20200101000000Z", ["20290101000000Z"])
    subject = rng.choice(["CN=Leaf\nO=Test", "CN=Leaf\nO=Test\nemailAddress=a@example.com", "CN=Leaf\nemailAddress=a@evil.org"])
    leaf = maker.cert(f"l{number}", subject, maker.keys[3], leaf_extensions(rng), issuer, start=start)
    return root[0], middle, leaf[0]


def der_of(pem):
    return subprocess.run(["openssl", "x509", "-in", pem, "-outform", "DER"], capture_output=True, check=True).stdout


def pem_of(der):
    import base64
    text = base64.b64encode(der).decode()
    return "-----BEGIN CERTIFICATE-----\n" + "\n".join(text[i:i + 64] for i in range(0, len(text), 64)) + "\n-----END CERTIFICATE-----\n"


def mutate(rng, folder, number, chain):
    """The chain with one thing wrong: (anchor, untrusted, leaf) as files."""
    root, middle, leaf = chain
    ders = [der_of(p) for p in [leaf, *middle, root]]
    kind = rng.choice(["flip", "flip", "flip", "drop", "swap", "truncate", "repeat"])
    at = rng.randrange(len(ders) - 1)
    if kind == "flip":
        octets = bytearray(ders[at])
        octets[rng.randrange(4, len(octets))] ^= 1 << rng.randrange(8)
        ders[at] = bytes(octets)
    elif kind == "drop" and len(ders) > 2:
        del ders[1]
    elif kind == "swap" and len(ders) > 2:
        ders[0], ders[1] = ders[1], ders[0]
    elif kind == "truncate":
        ders[at] = ders[at][:-1]
    elif kind == "repeat":
        ders[1:1] = [ders[at]] * 3
    names = [os.path.join(folder, f"m{number}_{part}.pem") for part in ("root", "mid", "leaf")]
    for name, group in zip(names, ([ders[-1]], ders[1:-1], ders[:1])):
        with open(name, "w") as f:
            f.write("".join(pem_of(d) for d in group))
    return [names[0], names[1] if len(ders) > 2 else "-", names[2]]


def openssl_says(anchor, untrusted, leaf, when, strict):
    argv = ["openssl", "verify", "-attime", str(when), "-CAfile", anchor, "-no-CApath", "-no-CAstore", "-policy_check"]
    argv += ["-x509_strict"] if strict else []
    argv += ["-untrusted", untrusted] if untrusted != "-" else []
    done = run(*argv, leaf, check=False)
    return done.returncode == 0, (done.stderr + done.stdout).replace("\n", " ")


def certtool_says(folder, anchor, untrusted, leaf):
    """At the moment of the run: certtool knows no other. The chain goes in one file, the leaf first."""
    chain = os.path.join(folder, "chain.pem")
    with open(chain, "w") as out:
        for path in [leaf] + [untrusted] * (untrusted != "-"):
            with open(path) as f:
                out.write(f.read())
    done = run("certtool", "--verify", "--verify-profile=low", "--load-ca-certificate", anchor, "--infile", chain, check=False)
    return done.returncode == 0 and "Verified. The certificate is trusted" in done.stdout, (done.stdout + done.stderr)[-400:].replace("\n", " ")


def text_of(path):
    return "" if path == "-" else run("openssl", "crl2pkcs7", "-nocrl", "-certfile", path, "-out", path + ".p7", check=False).stderr + \
        run("openssl", "pkcs7", "-in", path + ".p7", "-print_certs", "-text", "-noout", check=False).stdout


def certtool_is_wrong(words, anchor, untrusted, leaf):
    """Why accepting is right although GnuTLS refuses; "" = no reason known."""
    root, below, end = text_of(anchor), text_of(untrusted), text_of(leaf)
    if "CA:TRUE" not in root or ("Key Usage" in root and "Certificate Sign" not in root):
        return "an anchor is trusted for its name and key (6.1.1 d); what else its certificate says counts for GnuTLS alone"
    if "violates the signer's constraints" in words and "DNS:" in root + below and "DNS:" not in end:
        return "GnuTLS compares the common name with constraints on DNS names; 4.2.1.10 does not"
    if "unknown critical extension" in words and ("Policy Constraints" in root + below + end or "Inhibit Any Policy" in root + below + end) \
            and "1.2.3.4.6: critical" not in end and "1.2.3.4.5: critical" not in root + below:
        return "GnuTLS does not know policy constraints; we carry them out"
    return ""


def join(folder, number, files):
    if not files:
        return "-"
    name = os.path.join(folder, f"u{number}.pem")
    with open(name, "w") as out:
        for path in files:
            with open(path) as f:
                out.write(f.read())
    return name


def main():
    tool, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 16
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 68)
    if not shutil.which("openssl"):
        print("no openssl here, skipped")
        return 77
    folder = tempfile.mkdtemp(prefix="antin-path-")
    ours = subprocess.Popen([tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    count = {"both valid": 0, "both invalid": 0, "ours stricter": 0, "explained": 0}
    peers = {"certtool agrees": 0, "certtool alone accepts": 0, "certtool explained": 0}
    wrong = []
    try:
        maker = Maker(folder, rng)
        for number in range(rounds):
            chain = make_chain(maker, number)
            questions = [(chain[0], join(folder, number, chain[1]), chain[2])]
            questions += [mutate(rng, folder, f"{number}_{i}", chain) for i in range(2)]
            for anchor, untrusted, leaf in questions:
                for strict in (False, True):
                    when = rng.choice([NOW] * 6 + [1500000000, 1950000000])
                    ours.stdin.write(f"{anchor} {untrusted} {leaf} - {when} {'strict' if strict else 'lenient'}\n")
                    ours.stdin.flush()
                    we = ours.stdout.readline().strip()
                    accepted, words = openssl_says(anchor, untrusted, leaf, when, strict)
                    if we.startswith("valid") == accepted:
                        count["both valid" if accepted else "both invalid"] += 1
                    elif accepted:
                        count["ours stricter"] += 1
                        if os.environ.get("VERBOSE"):
                            print("stricter:", "strict" if strict else "lenient", we, leaf)
                    elif any(reason in words for reason in REASONS):
                        count["explained"] += 1
                    else:
                        wrong.append((strict, when, anchor, untrusted, leaf, we, words))
                if shutil.which("certtool"):
                    ours.stdin.write(f"{anchor} {untrusted} {leaf} - {int(time.time())} lenient\n")
                    ours.stdin.flush()
                    we = ours.stdout.readline().strip()
                    accepted, words = certtool_says(folder, anchor, untrusted, leaf)
                    peers["certtool " + ("agrees" if we.startswith("valid") == accepted else "alone accepts" if accepted else "explained")] += 1
                    if we.startswith("valid") and not accepted and not certtool_is_wrong(words, anchor, untrusted, leaf):
                        wrong.append(("certtool", "now", anchor, untrusted, leaf, we, words))
    finally:
        ours.stdin.close()
        ours.wait()
        if not os.environ.get("KEEP"):
            shutil.rmtree(folder)
    print(", ".join(f"{k}: {v}" for k, v in (count | peers).items()))
    for case in wrong:
        print("ACCEPTED BY US ALONE:", *case)
    if count["both valid"] == 0:
        print("no valid chain at all: the comparison says nothing")
        return 1
    return 1 if wrong else 0


sys.exit(main())
