#!/usr/bin/env python3
"""All registers out of one instance and into a fresh one: both export the same; workbooks are read with a reader of our own (zipfile, XML);
formulas stay text; workbooks that blow up are refused in little memory.

roundtrip.py ANTIN [DATABASE-URL]: the fresh instance lies in the database, the first one in SQLite."""
import csv, json, os, shutil, subprocess, sys, tempfile, xml.etree.ElementTree as ET, zipfile
from pathlib import Path

antin = sys.argv[1]
work = Path(tempfile.mkdtemp(prefix="antin-round-"))
first, second = work / "first", work / "second"
failures = []
LISTS = (("agency", "agencies"), ("person", "people"), ("person", "posts"), ("subscriber", "subscribers"), ("device", "devices"), ("person", "roles"))


def check(condition, what):
    if not condition:
        failures.append(what)
        print("FAILED:", what)


def run(home, who, *args, refused=None):
    done = subprocess.run([antin, *map(str, args), "--dir", home, "--as", who, "--json"], capture_output=True, text=True, timeout=300)
    answer = json.loads(done.stdout.strip().splitlines()[-1]) if done.stdout.strip() else {}
    check((done.returncode == 0) == (refused is None), f"{args}: {done.returncode} {done.stdout[-400:]} {done.stderr[-200:]}")
    if refused is not None:
        check(refused in done.stdout, f"{args}: wanted {refused}: {done.stdout[-300:]}")
    return answer


def init(home, *extra):
    done = subprocess.run([antin, "init", home, "--name", "MẪU", "--regulation", "tay-ninh-2025", *extra], capture_output=True, text=True)
    check(done.returncode == 0, done.stderr[-300:])


def what(register, name):
    return ("--what", name) if register == "person" and name != "people" else ()


def fill():
    """A tree, an agency that is no more and a code that was closed; every kind of subscriber and device."""
    act = lambda *args: run(first, "system", *args)
    act("agency", "add", "--name", "Ủy ban nhân dân tỉnh (MẪU)", "--code", "H53", "--province", "Tây Ninh", "--email-domain", "mau.example")
    act("agency", "add", "--name", "Sở A (MẪU)", "--code", "H53.6", "--superior", "H53", "--seal-mm", "36", "--seal-document", "12/ĐKMD", "--tax-code", "3900242776",
        "--budget-code", "1034567", "--address", "+84 đường 1; \"phố\" 2", "--since", "2010-01-01")
    act("agency", "add", "--name", "=cmd|'/C calc'!A0 (MẪU)", "--code", "H53.7", "--superior", "H53")
    act("agency", "add", "--name", "Sở C (MẪU)", "--code", "H53.8", "--superior", "H53")
    act("agency", "add", "--name", "Phòng không mã (MẪU)", "--superior", "H53.6", "--hierarchy", "party")
    act("agency", "add", "--name", "Tổ (MẪU)", "--code", "H53.6.1", "--superior", "H53.6")
    people = {}
    for key, name, agency in (("a", "Nguyễn Thị Ưởng", "H53.6"), ("b", "Trần Bình", "H53.7"), ("c", "-2+3", "H53.8"), ("d", "Lê Đã Nghỉ", "H53.7")):
        people[key] = act("person", "add", "--name", name, "--agency", agency, "--email", f"{key}@mau.example", "--born", "1970-05-06", "--identity", f"0720{ord(key):08d}",
                          "--identity-issued", "2021-01-02", "--identity-place", "Bộ Công an", "--phone", "+84 912 345 678", "--retires", "2032-06-01", "--since", "2015-01-01")["number"]
    act("person", "post", people["a"], "--agency", "H53.6", "--title", "Giám đốc", "--head", "--authority", "TM", "--document", "1/QĐ", "--since", "2020-01-01")
    act("person", "post", people["b"], "--agency", "H53.7", "--title", "Chuyên viên", "--since", "2021-01-01")
    for key in "abd":
        act("subscriber", "add", "--person", people[key])
    act("subscriber", "add", "--kind", "agency", "--agency", "H53.6", "--manager", people["a"])
    act("subscriber", "add", "--kind", "agency-second", "--agency", "H53.6", "--label", "Một cửa")
    act("subscriber", "add", "--kind", "device-service-software", "--agency", "H53.6", "--label", "Máy chủ", "--name", "Cổng dịch vụ", "--email", "dv@mau.example")
    act("subscriber", "add", "--kind", "agency", "--agency", "H53.7")
    act("person", "end", people["d"], "--state", "retired", "--on", "2090-01-01")
    act("agency", "code", "H53.6.1", "H53.6.2", "--document", "2/QĐ")
    act("device", "add", "--number", "T-1", "--model", "safenet-5110", "--subscriber", "TB000001", "--place", "kho")
    act("device", "add", "--number", "S-1", "--kind", "sim-pki", "--carrier", "Viettel/cs", "--phone", "0912345678")
    act("device", "add", "--number", "H-1", "--kind", "hsm", "--account", "ubnd@hsm")
    act("device", "add", "--number", "T-2", "--model", "safenet-5110")
    act("person", "role", people["b"], "--role", "cuc", "--agency", "H53.7", "--since", "2020-01-01")
    cuc = people["b"]
    run(first, cuc, "device", "handover", "T-1", "S-1", "--to", "agency:H53.6", "--paper", "GN-1")
    run(first, cuc, "device", "state", "S-1", "hong", "--reason", "vỡ")
    run(first, cuc, "device", "handover", "T-1", "--to", people["a"], "--paper", "GN-2")
    run(first, cuc, "device", "state", "T-1", "bi-khoa", "--reason", "sai PIN")
    run(first, cuc, "person", "role", people["a"], "--role", "qltt", "--agency", "H53.6", "--document", "5/QĐ", "--since", "2022-01-01")
    run(first, cuc, "agency", "merge", "H53.8", "--into", "H53.6", "--document", "9/NQ", "--on", "2026-03-01")
    return people


def sheet(path):
    """As anybody reads ECMA-376."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(path) as book:
        check(book.testzip() is None, "whole")
        shared = []
        if "xl/sharedStrings.xml" in book.namelist():
            shared = ["".join(t.text or "" for t in si.iter(space + "t")) for si in ET.fromstring(book.read("xl/sharedStrings.xml")).iter(space + "si")]
        root = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))
    check(not list(root.iter(space + "f")), f"{path.name}: no cell is computed")
    rows = []
    for row in root.iter(space + "row"):
        cells = {}
        for cell in row.iter(space + "c"):
            column = 0
            for letter in "".join(ch for ch in cell.get("r") if ch.isalpha()):
                column = column * 26 + ord(letter) - 64
            check(cell.get("t") in ("s", "inlineStr", None), f"{path.name}: {cell.get('r')} is text")
            value = cell.find(space + "v")
            cells[column - 1] = shared[int(value.text)] if cell.get("t") == "s" else "".join(t.text or "" for t in cell.iter(space + "t"))
        rows.append(cells)
    return rows


def table(path):
    return list(csv.reader(open(path, encoding="utf-8-sig", newline="")))


def export(home, who, end, *extra):
    out = {}
    for register, name in LISTS:
        path = work / f"{home.name}-{name}{'' if extra else '-masked'}.{end}"
        run(home, who, register, "export", path, *what(register, name), *extra)
        out[name] = path
    return out


def round_trip(people):
    books, lists = export(first, people["b"], "xlsx", "--personal"), export(first, people["b"], "csv", "--personal")
    for name, path in books.items():
        rows, flat = sheet(path), table(lists[name])
        width = len(flat[0])
        plain = [[c[1:] if c[:1] == "'" and c[1:2] in set("=+-@") else c for c in row] for row in flat]
        check([[r.get(i, "") for i in range(width)] for r in rows] == plain, f"{name}: workbook and list say the same: {rows[:3]} {plain[:3]}")
        check(not any(c[:1] in set("=+-@") for row in flat for c in row if c), f"{name}: no cell of the list begins like a formula")
    check(len(table(lists["agencies"])) == 7 and len(table(lists["people"])) == 5, "everything is out")
    masked = export(first, people["b"], "csv")
    text = masked["people"].read_text() + masked["devices"].read_text()
    check("0720" not in text and "345 678" not in text and "0912345678" not in text, "masked unless asked for")
    run(first, people["a"], "person", "export", work / "own.csv")
    check({r[2] for r in table(work / "own.csv")[1:]} == {"H53.6"}, "who keeps one agency has that one")
    run(first, people["d"], "person", "export", work / "none.csv", refused="AN_E_DESK_PERSON")
    # a superior below those that name it, as a clerk's file may have it
    rows = table(lists["agencies"])
    with open(work / "turned.csv", "w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([rows[0], *reversed(rows[1:])])
    trial = run(second, "system", "agency", "import", work / "turned.csv", "--dry-run")
    check((trial["added"], trial["refused"]) == (6, 0), f"in any order: {trial}")
    for register, name in LISTS:
        done = run(second, "system", register, "import", books[name], *what(register, name), "--report", work / "report.csv")
        check(done["refused"] == 0 and done["added"] == len(table(lists[name])) - 1, f"{name}: {done} {(work / 'report.csv').read_text()}")
    again = export(second, people["b"], "csv", "--personal")
    for name, path in again.items():
        check(table(path) == table(lists[name]), f"{name}: the same registers\n{table(lists[name])}\n{table(path)}")
    shown = run(second, people["b"], "device", "show", "T-1")
    check([(l["from"], l["to"]) for l in shown["custody"]] == [("cuc", "agency"), ("agency", "person")], f"the chain is whole: {shown['custody']}")
    check(run(second, people["b"], "person", "add", "--name", "Người Mới", "--agency", "H53.6")["number"] == "CB000005", "numbers go on behind those that came")
    check(run(second, people["b"], "subscriber", "add", "--person", "CB000005")["number"] == "TB000008", "so do those of subscribers")
    found = run(second, people["b"], "agency", "show", "H53.6.1")
    check(found["name"] == "Tổ (MẪU)" and found.get("asked_by_closed_code"), f"an old code leads on: {found}")


def refused_lines(people):
    """A line that is refused leaves nothing behind."""
    (work / "bad.csv").write_text("number,kind,agency,person,since,state\nTB000099,agency-second,H53.7,,2026-01-01,\nTB000098,person,H53.6," + people["c"] + ",2026-01-01,strange\n"
                                  "TB000001,agency,H53.6.2,,2026-01-01,\n")
    done = run(second, people["b"], "subscriber", "import", work / "bad.csv", "--report", work / "report.csv")
    report = table(work / "report.csv")
    check((done["added"], done["refused"]) == (0, 3) and [r[0] for r in report[1:]] == ["2", "3", "4"], f"{done} {report}")
    run(second, people["b"], "subscriber", "show", "TB000098", refused="AN_E_SUBSCRIBER_UNKNOWN")
    check("TB000001" in report[3][1], f"the number is taken: {report}")


def bombs(people):
    head = '<worksheet xmlns="x"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c><c r="B1" t="inlineStr"><is><t>agency</t></is></c></row>'
    cell = lambda text: f'<row><c r="A2" t="inlineStr"><is><t>{text}</t></is></c><c r="B2" t="inlineStr"><is><t>H53.6</t></is></c></row>'
    sheets = {
        "spaces": (head + " " * 200_000_000 + "</sheetData></worksheet>", None, "AN_E_LIMIT"),
        "ampersands": (head + cell("&" * 3_000_000) + "</sheetData></worksheet>", None, "AN_E_LIMIT"),
        "long cell": (head + cell("a" * 70_000) + "</sheetData></worksheet>", None, "AN_E_LIMIT"),
        "entities": ('<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + head + cell("&b;") + "</sheetData></worksheet>", None, "AN_E_XLSX"),
        "shared": (head + '<row><c r="A2" t="s"><v>0</v></c></row>' * 60_000 + "</sheetData></worksheet>", "<sst><si><t>" + "n" * 60_000 + "</t></si></sst>", "AN_E_LIMIT"),
    }
    for name, (xml, strings, code) in sheets.items():
        path = work / "bomb.xlsx"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
            out.writestr("xl/worksheets/sheet1.xml", xml)
            if strings:
                out.writestr("xl/sharedStrings.xml", strings)
        done = subprocess.Popen([antin, "person", "import", str(path), "--dir", str(second), "--as", people["b"], "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        answer = done.stdout.read().decode()
        _, status, usage = os.wait4(done.pid, 0)
        done.returncode = status
        check(code in answer, f"{name}: wanted {code}: {answer[-300:]}")
        check(usage.ru_maxrss < 450 * 1024 or "ANTIN_SANITIZED" in os.environ, f"{name}: {usage.ru_maxrss} kB")
    deep = head + "<a>" * 1_000_000 + cell("Sâu Thẳm") + "</sheetData></worksheet>"
    with zipfile.ZipFile(work / "deep.xlsx", "w", zipfile.ZIP_STORED) as out:
        out.writestr("xl/worksheets/sheet1.xml", deep)
    check(run(second, people["b"], "person", "import", work / "deep.xlsx")["added"] == 1, "depth costs nothing: no tree is built")


try:
    init(first)
    init(second, *(["--database", sys.argv[2]] if len(sys.argv) > 2 else []))
    people = fill()
    round_trip(people)
    refused_lines(people)
    bombs(people)
finally:
    shutil.rmtree(work)
print(f"{len(failures)} failed")
sys.exit(1 if failures else 0)
