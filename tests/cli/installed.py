#!/usr/bin/env python3
"""The manual page and the completion name every command and option of the table; an installed program uses what was installed."""
import os, re, shutil, subprocess, sys, tempfile
from pathlib import Path

antin, build, *tables = (Path(word).resolve() for word in sys.argv[1:])
passed = failed = skipped = 0


def check(holds, what, detail=""):
    global passed, failed
    passed, failed = passed + bool(holds), failed + (not holds)
    if not holds:
        print(f"FAILED {what}: {str(detail)[:1500]}")


def skip(what):
    global skipped
    skipped += 1
    print(f"skipped {what}")


def run(*command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, **more)


def help_texts():
    source = "\n".join(table.read_text(encoding="utf-8") for table in tables)
    options = sorted(set(re.findall(r'^\s*\{"([a-z0-9-]+)", (?:"|NULL)[^\n]*OPT_[A-Z]+', source, re.M)))
    commands = sorted(set(re.findall(r'^    (?:\{|[A-Z]+\()"([a-z]+(?: [a-z-]+)?)", "[^"]*", -?\d', source, re.M)))
    check(len(options) > 80 and len(commands) > 60, "the table was read", (len(options), commands))
    man = run(antin, "help", "--man")
    text = man.stdout.replace("\\-", "-")
    check(man.returncode == 0, "help --man", man)
    check(not [o for o in options if f"--{o}" not in text], "the manual names every option", [o for o in options if f"--{o}" not in text])
    check(not [c for c in commands if c not in text], "the manual names every command", [c for c in commands if c not in text])
    return man.stdout, options, commands


def groups_are_told(commands):
    """A first word alone, or with --help, lists what may follow it; so does a wrong second word, and fails."""
    groups = {c.split()[0] for c in commands if " " in c}
    for words, status in (([], 64), (["--help"], 0), (["khong-co"], 64)):
        for group in sorted(groups):
            done = run(antin, group, *words)
            told = done.stdout + done.stderr
            missing = [c for c in commands if c.startswith(group + " ") and c not in told]
            check(done.returncode == status and not missing, f"antin {group} {' '.join(words)}", (done.returncode, missing))


def manual_is_valid(page, folder):
    if not shutil.which("man"):
        return skip("man is not installed")
    path = folder / "antin.1"
    path.write_text(page, encoding="utf-8")
    done = run("man", "--warnings", "-E", "UTF-8", "-l", path, env=dict(os.environ, LC_ALL="C.UTF-8", MANWIDTH="100"))
    check(done.returncode == 0 and not done.stderr.strip(), "man --warnings is silent", done.stderr)


def completion_works(commands, folder):
    path = folder / "antin.bash"
    path.write_text(run(antin, "help", "--completion", "bash").stdout, encoding="utf-8")
    done = run("bash", "-c", f"source {path}; complete -p antin")
    check(done.returncode == 0 and "antin" in done.stdout, "bash takes the completion", done)
    for line, wanted in (("antin ", {c.split()[0] for c in commands}), ("antin sign --lo", {"--look"})):
        words = line.split(" ")
        script = (f"source {path}; COMP_WORDS=({' '.join(words[:-1])} '{words[-1]}'); COMP_CWORD={len(words) - 1}; COMP_LINE='{line}'; "
                  f"COMP_POINT={len(line)}; $(complete -p antin | sed -n 's/.*-F \\([^ ]*\\).*/\\1/p') antin '{words[-1]}' '{words[-2]}'; "
                  "printf '%s\\n' \"${COMPREPLY[@]}\"")
        answer = {word.strip() for word in run("bash", "-c", script).stdout.splitlines()}
        check(wanted <= answer, f"completion of '{line}'", (wanted - answer, answer))


def service_is_sound(root, prefix):
    """Unit, account and folder as systemd itself reads them."""
    names = ("lib/systemd/system/antin@.service", "lib/sysusers.d/antin.conf", "lib/tmpfiles.d/antin.conf", "share/man/man1/antin.1", "share/bash-completion/completions/antin.bash",
             "share/antin/nginx/antin.conf")
    missing = [name for name in names if not (prefix / name).is_file()]
    check(not missing, "installed with the program", missing)
    if not shutil.which("systemd-analyze"):
        return skip("systemd is not installed")
    unit = prefix / names[0]
    program = re.search(r"^ExecStart=(\S+)", unit.read_text(), re.M).group(1)
    check((root / program.lstrip("/")).is_file(), "the unit starts what was installed", program)
    for path in ("usr/lib/systemd/system", "bin"):  # what the unit leans on, so that the rest is judged
        (root / path).mkdir(parents=True, exist_ok=True)
    for name in ("sysinit.target", "shutdown.target", "basic.target", "network-online.target", "multi-user.target", "system.slice"):
        (root / "usr/lib/systemd/system" / name).write_text("[Unit]\nDescription=x\nDefaultDependencies=no\n")
    shutil.copy2("/bin/kill", root / "bin/kill")
    done = run("systemd-analyze", f"--root={root}", "--man=no", "verify", unit)
    check(done.returncode == 0 and not done.stderr.strip(), "systemd-analyze verify", done.stderr)
    done = run("systemd-analyze", "security", "--offline=true", "--threshold=25", unit)
    check(done.returncode == 0, "systemd-analyze security: 2.5 at most", done.stdout[-300:] + done.stderr)
    done = run("systemd-sysusers", "--dry-run", prefix / names[1])
    check(done.returncode == 0, "systemd-sysusers", done.stderr)


def installation(folder):
    done = run("meson", "install", "-C", build, "--no-rebuild", "--destdir", folder / "root")
    if done.returncode:
        return check(False, "meson install", done.stdout[-800:] + done.stderr[-800:])
    program, = (folder / "root").rglob("bin/antin")
    prefix = program.parent.parent
    check(run(program, "--version", cwd=folder).returncode == 0, "the installed program starts")
    service_is_sound(folder / "root", prefix)
    check("Điều" in run(program, "look", "list", cwd=folder).stdout, "the installed program reads the law")
    names = {p.name for p in (prefix / "libexec/antin").iterdir()}
    check({"antin-render", "antin-fetch", "antin-layout", "antin-demo", "antin-xml", "antin-font.so",
           "antin-office", "antin-http", "antin-key"} <= names, "the helpers are installed", names)
    demo = run(program, "demo", "--dir", folder / "demo", cwd=folder)
    check(demo.returncode == 0, "the installed demonstration", demo.stdout[-800:] + demo.stderr[-800:])
    (prefix / "share/antin").rename(folder / "elsewhere")
    check("Điều" not in run(program, "look", "list", cwd=folder).stdout, "the law comes from nowhere else")


with tempfile.TemporaryDirectory(prefix="antin-installed-") as name:
    page, _, command_names = help_texts()
    groups_are_told(command_names)
    manual_is_valid(page, Path(name))
    completion_works(command_names, Path(name))
    installation(Path(name))
print(f"installed: {passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed else 0)
