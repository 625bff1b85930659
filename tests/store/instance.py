#!/usr/bin/env python3
"""An instance from the outside: init, configuration, doctor, upgrade, backup and restore, on SQLite and, where it is installed, PostgreSQL."""
import base64, hashlib, json, os, re, shutil, signal, sqlite3, subprocess, sys, tempfile, time
from pathlib import Path

ANTIN, LIB = sys.argv[1], Path(sys.argv[2]).parent
sys.path.insert(0, str(LIB))
import postgres  # noqa: E402
passed = failed = 0


def check(name, good, more=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"FAILED {name}: {more}")


def antin(*args):
    done = subprocess.run([ANTIN, *map(str, args)], capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


def expect(name, want, *args):
    status, out, err = antin(*args)
    check(name, status == want, f"exit {status}: {out[-400:]}{err[-400:]}")
    return out + err


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def configuration(d):
    inst, yaml = d / "conf", d / "conf" / "antin.yaml"
    expect("init", 0, "init", inst, "--quiet", "--name", 'Sở Mẫu "Một"')
    good = yaml.read_text()
    expect("config check", 0, "config", "check", inst)
    for old, new, place in (("regulation: \"quoc-gia\"", "regulation: \"khong-co\"", "khong-co"), ("hierarchy: state", "hierarchy: none", ":"),
                            ("readers: 0", "readers: nhieu", ":"), ("database:", "databse:", "databse"), ("http://localhost", "ftp://localhost", "base_url")):
        edit(yaml, old, new)
        out = expect(f"config check {new}", 78 if "khong" not in new else antin("config", "check", inst)[0], "config", "check", inst)
        check(f"place of {new}", place in out and antin("config", "check", inst)[0] >= 64, out)
        yaml.write_text(good)
    for key in ("instance", "name", "database", "readers", "regulation", "hierarchy", "base_url", "audit", "checkpoint_events"):
        check(f"key {key} is documented", f"{key}:" in good and good.split(f"{key}:")[0].rstrip().splitlines()[-1].lstrip().startswith("#"))
    yaml.write_text(re.sub(r"^( *)# (?=[a-z_]+: [\"{0-9a-z]|(?:mail|request):$)", r"\1", good, flags=re.M))
    check("the examples are there", "\n  server: " in yaml.read_text() and "\n  bodies: {cuc" in yaml.read_text() and "\n  proxies: " in yaml.read_text())
    expect("config check with every example", 0, "config", "check", inst)
    yaml.write_text(good)
    expect("init in a folder with other things", 73, "init", LIB)
    expect("init twice", 73, "init", inst)
    expect("no instance", 66, "audit", "list", "--dir", d)


def checkpoints(d):
    """The head of the log is signed by a key of the instance, and an outsider who knows its certificate checks it."""
    inst, out = d / "conf", d / "export"
    signed = json.loads(expect("checkpoint", 0, "audit", "checkpoint", "--dir", inst, "--json"))
    check("checkpoint: size", signed["size"] > 1, signed)
    report = json.loads(expect("verify", 0, "audit", "verify", "--dir", inst, "--json"))
    check("verify: signed", report["signed_size"] == signed["size"] and report["checkpoints"] == 1, report)
    expect("export", 0, "audit", "export", out, "--dir", inst)
    statement, signature = d / "statement", d / "signature"
    row = next(r for r in map(json.loads, out.read_text().splitlines()) if "checkpoint" in r)
    statement.write_bytes(base64.b64decode(row["statement"]))
    signature.write_bytes(base64.b64decode(row["signature"]))
    certs = subprocess.run(["openssl", "pkcs7", "-inform", "DER", "-in", signature, "-print_certs"], capture_output=True, text=True).stdout
    (d / "signer.pem").write_text(certs)
    root = d / "root.pem"
    subprocess.run(["openssl", "x509", "-inform", "DER", "-in", inst / "public" / "crt" / "goc.crt", "-out", root], check=True)
    done = subprocess.run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", signature, "-content", statement, "-CAfile", root,
                           "-purpose", "any", "-out", d / "null"], capture_output=True, text=True)
    check("openssl: signature and path to the root", done.returncode == 0, done.stderr)
    judge = str(Path(ANTIN).resolve().parent / "antin-audit-verify")
    check("outsider", subprocess.run([judge, "--signer", d / "signer.pem", out], capture_output=True).returncode == 0)
    check("outsider who knows another signer", subprocess.run([judge, "--signer", root, out], capture_output=True).returncode == 1)
    expect("what was exported and seen is signed too", 0, "audit", "checkpoint", "--dir", inst)
    report = json.loads(expect("verify", 0, "audit", "verify", "--dir", inst, "--json"))
    check("a second checkpoint", report["checkpoints"] == 2 and not report["findings"], report)


def another_signer(d):
    """Whoever has the database alone can sign a log with a key of his own: what counts is the signer that is registered here."""
    inst, store = d / "conf", d / "conf" / "store.db"
    told = json.loads(expect("verify", 0, "audit", "verify", "--dir", inst, "--json"))
    check("by the register", told["trusted"]["from"] == "register" and len(told["trusted"]["sha256"]) == 1, told["trusted"])
    der = subprocess.run(["openssl", "x509", "-in", d / "signer.pem", "-outform", "DER"], capture_output=True, check=True).stdout
    check("which is said", told["trusted"]["sha256"] == [hashlib.sha256(der).hexdigest()] and hashlib.sha256(der).hexdigest() in expect("verify", 0, "audit", "verify", "--dir", inst))
    expect("verify with that one named", 0, "audit", "verify", "--dir", inst, "--signer", d / "signer.pem")
    db = sqlite3.connect(store)
    size, statement, signature = db.execute("SELECT size, statement, signature FROM audit_checkpoint ORDER BY size DESC LIMIT 1").fetchone()
    (d / "theirs").write_bytes(statement)
    run = lambda *words: subprocess.run(["openssl", *map(str, words)], capture_output=True, check=True)
    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", d / "theirs.key", "-out", d / "theirs.pem", "-days", "30", "-subj", "/C=VN/CN=Xac nhan nhat ky",
        "-addext", "keyUsage=critical,digitalSignature")
    run("cms", "-sign", "-binary", "-cades", "-md", "sha256", "-in", d / "theirs", "-signer", d / "theirs.pem", "-inkey", d / "theirs.key", "-outform", "DER", "-out", d / "theirs.p7s")
    trigger = db.execute("SELECT sql FROM sqlite_master WHERE name = 'audit_checkpoint_kept'").fetchone()[0]

    def put(value):
        db.execute("DROP TRIGGER audit_checkpoint_kept")
        db.execute("UPDATE audit_checkpoint SET signature = ? WHERE size = ?", (value, size))
        db.execute(trigger)
        db.commit()

    put((d / "theirs.p7s").read_bytes())
    told = json.loads(expect("another's signature", 1, "audit", "verify", "--dir", inst, "--json"))
    check("is found", [f["fault"] for f in told["findings"]] == ["signature"], told)
    found = {c["check"]: c["health"] for c in json.loads(antin("doctor", inst, "--deep", "--json")[1])["checks"]}
    check("and the doctor finds it", found["audit"] == "bad", found)
    told = json.loads(expect("named, it would count", 1, "audit", "verify", "--dir", inst, "--signer", d / "theirs.pem", "--json"))
    check("for its own checkpoint alone", told["trusted"]["from"] == "option" and told["signed_size"] == size, told)
    put(signature)
    db.close()
    expect("whole again", 0, "audit", "verify", "--dir", inst)


def others_write(d):
    """A folder or a configuration that others can write is no instance of ours: who can write there exchanges what lies in it."""
    inst = d / "modes"
    inst.mkdir(mode=0o700)
    for mode, status in ((0o777, 78), (0o770, 78), (0o755, 0)):
        inst.chmod(mode)
        out = expect(f"init in {mode:o}", status, "init", inst, "--quiet")
        check(f"init in {mode:o}: why", (status == 0) != ("AN_E_INSTANCE_MODE" in out) and (status == 0 or not list(inst.iterdir())), out)
    for path, mode, status in ((inst, 0o700, 0), (inst, 0o702, 78), (inst, 0o720, 78), (inst, 0o755, 0), (inst / "antin.yaml", 0o666, 78), (inst / "antin.yaml", 0o640, 0)):
        path.chmod(mode)
        expect(f"{path.name} {mode:o}", status, "audit", "list", "--dir", inst, "--quiet")


def cut_off(d):
    """Killed anywhere, init goes on where it stopped and the instance is whole."""
    for delay in (0.004, 0.02, 0.08, 1.5):
        inst = d / f"cut-{delay}"
        child = subprocess.Popen([ANTIN, "init", inst, "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        child.kill()
        child.wait()
        status, out, err = antin("init", inst, "--quiet")
        check(f"init after a kill at {delay}", status == 0 or "AN_E_INSTANCE_THERE" in err, err)
        status, out, _ = antin("doctor", inst, "--deep")
        check(f"doctor after a kill at {delay}", status in (0, 2), out)
        expect(f"audit after a kill at {delay}", 0, "audit", "verify", "--dir", inst)


def doctor(d):
    inst = d / "sick"
    expect("init", 0, "init", inst, "--quiet")

    def bad(*more):
        status, out, _ = antin("doctor", inst, "--json", *more)
        found = {c["check"]: c for c in json.loads(out)["checks"]}
        return status, {k for k, c in found.items() if c["health"] == "bad"}, found
    status, wrong, found = bad("--deep")
    check("well", not wrong and status in (0, 2), f"{wrong}")
    check("remedies", all((c["health"] == "good") == ("remedy_vi" not in c or c["remedy_vi"] is None) for c in found.values()))
    os.chmod(inst / "keys", 0o755)
    check("modes", bad()[1] == {"modes"}, bad()[1])
    os.chmod(inst / "keys", 0o700)
    (inst / "antin.yaml").rename(inst / "x")
    check("config", {"config", "database"} <= bad()[1], bad()[1])
    (inst / "x").rename(inst / "antin.yaml")
    db = sqlite3.connect(inst / "store.db")
    db.execute("UPDATE store_value SET value = 'another' WHERE name = 'instance'")
    db.commit()
    check("owner", bad()[1] == {"owner"}, bad()[1])
    db.execute("DELETE FROM store_value WHERE name = 'instance'")
    db.execute("UPDATE audit_head SET size = size - 1")
    db.commit()
    check("deep", {"invariants", "audit"} <= bad("--deep")[1], bad("--deep")[1])
    db.execute("INSERT INTO store_migration VALUES (9999, 'later', 'x', '99.0', 0)")
    db.commit()
    db.close()
    check("newer database", "database" in bad()[1] and "99.0" in bad()[2]["database"]["detail"], bad()[2])
    check("upgrade refuses", "AN_E_STORE_VERSION" in expect("upgrade of a newer one", 78, "upgrade", inst))
    (inst / "store.db").write_bytes(os.urandom(8192))
    check("damaged", "AN_E_STORE_DAMAGED" in bad()[2]["database"]["detail"], bad()[2]["database"])


def backups(d, name, url, fresh):
    inst, out, back = d / f"{name}-live", d / f"{name}-out", d / f"{name}-back"
    expect("init", 0, "init", inst, "--quiet", *(["--database", url] if url else []))
    (inst / "documents" / "a").mkdir()
    (inst / "documents" / "a" / "b.bin").write_bytes(os.urandom(5000))
    (inst / "documents" / "empty").write_bytes(b"")
    (inst / "pins" / "ca.pin").write_text("123456\n")
    (inst / "keys" / "ca.pem").write_text("secret\n")
    for _ in range(5):
        expect("use", 0, "audit", "list", "--dir", inst)
    report = json.loads(expect(f"{name}: backup", 0, "backup", inst, out, "--json"))
    files = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    check(f"{name}: keys stay", not {"pins/ca.pin", "keys/ca.pem"} & files and {"antin.yaml", "documents/a/b.bin", "documents/empty"} <= files, files)
    check(f"{name}: modes", all(not p.stat().st_mode & 0o077 for p in (out, out / "store.dump", out / "manifest.json")))
    expect(f"{name}: over another", 73, "backup", inst, out)
    expect("use", 0, "audit", "list", "--dir", inst)
    other = ["--database", fresh()] if fresh else []
    restored = json.loads(expect(f"{name}: restore", 0, "restore", out, back, "--json", *other))
    check(f"{name}: the same log", restored["audit_root"] == report["audit_root"] and restored["audit_size"] == report["audit_size"] >= 6, restored)
    check(f"{name}: the same files", (back / "documents/a/b.bin").read_bytes() == (inst / "documents/a/b.bin").read_bytes() and
          (back / "documents/empty").exists() and not (back / "store.dump").exists())
    expect(f"{name}: it works", 0, "audit", "list", "--dir", back)
    expect(f"{name}: and is whole", 0, "audit", "verify", "--dir", back)
    expect(f"{name}: not over an instance", 73, "restore", out, back, *other)
    if fresh:
        expect(f"{name}: not over rows", 78, "restore", out, d / f"{name}-again", *other)

    def broken(what, change, want):
        bad = d / f"{name}-bad"
        shutil.copytree(out, bad)
        change(bad)
        status, _, err = antin("restore", bad, d / f"{name}-never-{what}", *(["--database", fresh()] if fresh else []))
        check(f"{name}: {what}", status != 0 and want in err, f"{status} {err[-200:]}")
        shutil.rmtree(bad)

    def flip(bad):
        data = bytearray((bad / "store.dump").read_bytes())
        data[len(data) // 2] ^= 1
        (bad / "store.dump").write_bytes(data)
    broken("a flipped bit", flip, "AN_E_BACKUP_CHECK")
    broken("a missing file", lambda b: (b / "documents/a/b.bin").unlink(), "b.bin")
    broken("no manifest", lambda b: (b / "manifest.json").unlink(), "AN_E_BACKUP_FORM")
    broken("a name that leads out", lambda b: edit(b / "manifest.json", "documents/empty", "../../empty"), "AN_E_BACKUP_FORM")


def damaged_backup(d):
    """What is damaged already is not backed up as if it were well."""
    inst = d / "hurt"
    expect("init", 0, "init", inst, "--quiet")
    expect("use", 0, "audit", "list", "--dir", inst)
    db = sqlite3.connect(inst / "store.db")
    db.execute("DROP TRIGGER audit_event_kept")
    db.execute("UPDATE audit_event SET actor = 'x' WHERE seq = 2")
    db.commit()
    db.close()
    check("damage is found", "AN_E_BACKUP_CHECK" in expect("backup of a changed log", 74, "backup", inst, d / "hurt-out"))
    check("and nothing is left", not (d / "hurt-out").exists() and not (d / "hurt-out.partial").exists())


def main():
    with tempfile.TemporaryDirectory(prefix="antin-instance-") as d:
        d = Path(d)
        configuration(d)
        checkpoints(d)
        another_signer(d)
        others_write(d)
        cut_off(d)
        doctor(d)
        backups(d, "sqlite", None, None)
        damaged_backup(d)
        skipped = 0
        if postgres.bin_dir():
            with postgres.Postgres() as server:
                backups(d, "postgresql", server.url(), server.url)
                check("password in an address", "AN_E_STORE_URL" in expect("password", 78, "init", d / "pw", "--database", server.url().replace("@", ":secret@")))
                server.sql("ALTER SYSTEM SET fsync = off")
                server.sql("SELECT pg_reload_conf()")
                time.sleep(0.5)
                checks = {c["check"]: c for c in json.loads(antin("doctor", d / "postgresql-live", "--json", "--deep")[1])["checks"]}
                check("durability", checks["durability"]["health"] == "bad" and "fsync" in checks["durability"]["detail"], checks["durability"])
        else:
            skipped = 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return failed > 0


sys.exit(main())
