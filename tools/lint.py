#!/usr/bin/env python3
"""The house rules that a machine can see: who may include whom, one home for each outside library, function sizes."""
import argparse, os, re, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    0: {"base"},
    1: {"yaml", "proc", "asn1", "crypto", "token", "store", "fetch", "keys"},
    2: {"x509", "cms", "pdf", "xml"},
    3: {"regulation"},
    4: {"sign", "verify", "ca", "registry", "request", "report", "audit", "decision", "enrol"},
    5: {"service"},
    6: {"http", "cli", "office", "render", "layout", "demo"},
}
FLOOR_OF = {room: floor for floor, rooms in FLOORS.items() for room in rooms}
# Inside a floor an include needs a permit; every pair is a reason.
SAME_FLOOR = {
    ("token", "crypto"), ("token", "asn1"),      # keys know their schemes; EC points are DER
    ("crypto", "asn1"),                           # keys are DER
    ("fetch", "proc"),                            # the client half talks to antin-fetch
    ("cms", "x509"),                              # SignedData carries certificates
    ("keys", "crypto"), ("keys", "token"), ("keys", "proc"), ("keys", "asn1"), # the key process holds signers and answers frames
    ("ca", "audit"), ("registry", "audit"), ("request", "audit"), ("decision", "audit"), ("enrol", "audit"), # what is done is told in the same commit
    ("ca", "decision"), ("request", "decision"), # a person's signature stands behind what is done
    ("decision", "verify"), ("request", "verify"), ("request", "sign"), ("registry", "verify"), ("registry", "sign"), # people sign and what they signed is checked
    ("request", "registry"),                     # who asks, for whom, on which device
    ("cli", "office"), ("office", "cli"), ("office", "http"), # one command line in two programs
    ("demo", "cli"), ("demo", "http"), ("demo", "office"),            # the demonstration shows reports and starts the loopback server
    ("report", "verify"),                         # what was found, put on paper
    ("sign", "verify"),                           # the clerk seals only what verification finds validly signed
}
# Beyond "lower floors only".
FORBIDDEN = {
    ("pdf", "cms"), ("pdf", "x509"), ("pdf", "asn1"), ("pdf", "token"),  # the PDF core hands out ranges, takes back bytes
    ("x509", "fetch"), ("cms", "fetch"), ("pdf", "fetch"), ("x509", "store"), ("cms", "store"), ("pdf", "store"),
    ("regulation", "x509"), ("regulation", "cms"), ("regulation", "pdf"), ("regulation", "token"),
    ("request", "ca"), ("ca", "request"),         # asking and deciding are separate duties
}
# Outside headers and the only rooms (or files) that may include them.
HOMES = [
    (r"openssl/", {"src/crypto"}), (r"p11-kit/", {"src/token"}), (r"curl/", {"src/fetch"}),
    (r"(poppler|glib|gio)", {"src/render"}), (r"(cairo|pango)", {"src/layout", "src/render"}),
    (r"(ft2build|freetype|hb)", {"src/pdf/font.c", "src/pdf/font.h", "src/pdf/subset.c"}), (r"png\.h", {"src/pdf/png.c", "src/layout"}),
    (r"zlib\.h", {"src/pdf", "src/xml/zip.c"}), (r"(cyaml|yaml)", {"src/yaml"}),
    (r"sqlite3", {"src/store/sqlite"}), (r"libpq", {"src/store/postgres"}), (r"(libxml|xmlsec)", {"src/xml"}),
    (r"xlsxwriter", {"src/registry/sheet.c"}),
    (r"seccomp|linux/landlock", {"src/proc"}), (r"utf8proc", {"src/base/utf8.c"}),
    (r"jansson", {"src/cli", "src/proc", "src/render", "src/fetch", "src/layout", "src/http", "src/report", "src/xml", "src/audit", "src/service", "src/office", "src/keys"}),
]
GENERATED = "build/src"
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|strtok|atoi|alloca|gets|system|popen|strncpy)\s*\(")
FUNCTION_LINES_MAX, FILE_LINES_MAX, COLUMNS_MAX = 70, 800, 120


def sources():
    return sorted(p for p in (ROOT / "src").rglob("*.[ch]"))


def shared_headers():
    """Headers that another room includes: those are public, whatever they are called."""
    found = set()
    for path in sources():
        room = path.relative_to(ROOT).parts[1]
        for name in re.findall(r'#\s*include "([a-z0-9]+/[^"]+)"', path.read_text(encoding="utf-8")):
            if name.split("/")[0] != room and FLOOR_OF.get(room, 9) < 6:
                found.add("src/" + name)
    return found


def check_includes(problems):
    shared = shared_headers()
    for path in sources():
        rel = path.relative_to(ROOT)
        room = rel.parts[1]
        if room not in FLOOR_OF:
            problems.append(f"{rel}: room '{room}' stands on no floor")
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if not found:
                continue
            kind, name = found.groups()
            if kind == '"':
                other = name.split("/")[0] if "/" in name else room
                if name.endswith(".def") or other == room:
                    continue
                if other not in FLOOR_OF:
                    problems.append(f"{rel}:{number}: '{name}' is in no room")
                elif (room, other) in FORBIDDEN or FLOOR_OF[other] > FLOOR_OF[room] or (
                        FLOOR_OF[other] == FLOOR_OF[room] and (room, other) not in SAME_FLOOR):
                    problems.append(f"{rel}:{number}: {room} may not include {other}")
            else:
                for pattern, homes in HOMES:
                    if re.match(pattern, name) and not any(str(rel).startswith(home) for home in homes):
                        problems.append(f"{rel}:{number}: <{name}> has its home in {', '.join(sorted(homes))}")
            if kind == "<" and rel.suffix == ".h" and str(rel) in shared and any(re.match(pattern, name) for pattern, _ in HOMES):
                problems.append(f"{rel}:{number}: an outside type in a public header")


def check_sizes(problems, allowed):
    names = [str(p) for p in sources() if p.suffix == ".c"]
    out = subprocess.run(["ctags", "-x", "--kinds-c=f", "--_xformat=%{end} %{line} %F %N"] + names,
                         capture_output=True, text=True, check=True).stdout
    for row in out.splitlines():
        end, line, file, name = row.split()
        rel = os.path.relpath(file, ROOT)
        if int(end) - int(line) + 1 > FUNCTION_LINES_MAX and f"{rel}:{name}" not in allowed:
            problems.append(f"{rel}:{line}: {name} has {int(end) - int(line) + 1} lines (at most {FUNCTION_LINES_MAX})")
    for path in sources():
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > FILE_LINES_MAX:
            problems.append(f"{path.relative_to(ROOT)}: {lines} lines (at most {FILE_LINES_MAX})")


def check_columns(problems):
    """A row of a table stays a row, a text a text, a macro with its reason beside it a line; all else fits the page."""
    for path in sources():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            is_whole = line.lstrip().startswith(("{", "#")) or line.endswith("\\") or '"' in line
            if len(line) > COLUMNS_MAX and not is_whole:
                problems.append(f"{path.relative_to(ROOT)}:{number}: {len(line)} columns (at most {COLUMNS_MAX})")


def check_banned(problems):
    for path in sources():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if BANNED.search(line) and not line.lstrip().startswith(("*", "/*")):
                problems.append(f"{path.relative_to(ROOT)}:{number}: banned function: {line.strip()[:60]}")


def check_readmes(problems):
    for room in sorted(p for p in (ROOT / "src").iterdir() if p.is_dir()):
        readme = room / "README.md"
        if not readme.exists():
            problems.append(f"src/{room.name}: no README.md")
        elif len(readme.read_text(encoding="utf-8").splitlines()) > 40:
            problems.append(f"src/{room.name}/README.md: over 40 lines")


MESSAGE = re.compile(r'AN_MSG\(\s*(\w+)\s*,\s*(\d+)\s*,\s*\w+\s*,\s*((?:"(?:[^"\\]|\\.)*"\s*)+),\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')
VIETNAMESE = re.compile("[à-ỹÀ-ỸĐđ]")


def check_messages(problems):
    """Each row is raised somewhere, speaks Vietnamese with its marks, and has a number of its own."""
    used = set()
    for folder, ending in (("src", "*.[ch]"), ("regulations", "*.yaml"), ("policies", "*.yaml")):
        for path in (ROOT / folder).rglob(ending):
            used |= set(re.findall(r"AN_[A-Z]+_[A-Z0-9_]+", path.read_text(encoding="utf-8")))
    numbers = {}
    for path in sorted((ROOT / "messages").glob("*.def")):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)
        rows = MESSAGE.findall(text)
        if len(rows) != text.count("AN_MSG("):
            problems.append(f"{path.relative_to(ROOT)}: a row that cannot be read")
        for symbol, number, vi, en in rows:
            where = f"{path.relative_to(ROOT)}: {symbol}"
            if symbol not in used:
                problems.append(f"{where} is never raised")
            if not VIETNAMESE.search(vi) or VIETNAMESE.search(re.sub(r"[«“][^»”]*[»”]", "", en)):
                problems.append(f"{where}: the Vietnamese text lacks its marks, or the English one has some")
            if re.search(r"TODO|FIXME|XXX", vi + en):
                problems.append(f"{where}: unfinished")
            if numbers.setdefault(number, symbol) != symbol:
                problems.append(f"{where}: number {number} is that of {numbers[number]}")


def compile_alone(path):
    done = subprocess.run(["gcc", "-fsyntax-only", "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Isrc", "-Imessages", f"-I{GENERATED}", "-x", "c", "-"],
                          cwd=ROOT, input=f'#include "{path.relative_to(ROOT / "src")}"\n', capture_output=True, text=True)
    return done.stderr.splitlines()[:3]


def check_headers(problems):
    """A header needs nothing before it. (Private ones that include an outside library are compiled by their rooms.)"""
    headers = []
    for path in sources():
        names = re.findall(r"#\s*include\s*<([^>]+)>", path.read_text(encoding="utf-8"))
        if path.suffix == ".h" and not any(re.match(pattern, name) for name in names for pattern, _ in HOMES):
            headers.append(path)
    with ThreadPoolExecutor(2) as pool:
        for path, trouble in zip(headers, pool.map(compile_alone, headers)):
            if trouble and "No such file" not in " ".join(trouble):
                problems.append(f"{path.relative_to(ROOT)}: not self-contained: {trouble[0]}")


def cppcheck(problems):
    done = subprocess.run(["cppcheck", "--quiet", "--enable=warning,portability", "--inline-suppr", "--std=c11", "-j2",
                           "--error-exitcode=1", "--suppress=missingIncludeSystem", "--suppress=unknownMacro", "--suppress=internalAstError",
                           "-I", "src", "-I", "messages", "-I", GENERATED, "-D_GNU_SOURCE", "src"],
                          cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        problems += [line for line in done.stderr.splitlines() if ": error:" in line or ": warning:" in line]


def main():
    global GENERATED
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", help="where generated headers are")
    parser.add_argument("--quick", action="store_true", help="without cppcheck")
    args = parser.parse_args()
    GENERATED = f"{args.build}/src"
    allowed_file = ROOT / "tools" / "long-functions.txt"
    allowed = {l.split()[0] for l in allowed_file.read_text().splitlines() if l.strip() and l[0] != "#"} if allowed_file.exists() else set()
    problems, passed = [], 0
    checks = [check_includes, lambda p: check_sizes(p, allowed), check_columns, check_banned, check_readmes, check_messages]
    checks += [] if args.quick else [check_headers, cppcheck]
    for check in checks:
        before = len(problems)
        check(problems)
        passed += len(problems) == before
    print("\n".join(problems))
    failed = len(checks) - passed
    print(f"lint: {passed} passed, {failed} failed, 0 skipped")
    return 1 if problems else 0


sys.exit(main())
