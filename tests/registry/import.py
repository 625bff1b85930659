#!/usr/bin/env python3
"""People from a CSV file: every bad line named with its article, a trial writes nothing, what was cut off goes on, memory stays flat,
formulas come out harmless. ANTIN_FULL=1: 100,000 people.

import.py ANTIN [DATABASE-URL]"""
import csv, json, os, resource, shutil, subprocess, sys, tempfile, zipfile
from pathlib import Path

antin = sys.argv[1]
work = Path(tempfile.mkdtemp(prefix="antin-import-"))
home = work / "home"
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print("FAILED:", what)


def run(*args, want=0):
    done = subprocess.run([antin, *map(str, args), "--json"], capture_output=True, text=True)
    check((done.returncode == 0) == (want == 0), f"{args[:3]}: {done.returncode} {done.stdout[-300:]} {done.stderr[-300:]}")
    return json.loads(done.stdout.strip().splitlines()[-1]) if done.stdout.strip() else {}


def act(*args, want=0):
    return run(*args, "--dir", home, "--as", "system", want=want)


def count():
    total, cursor = 0, []
    while True:
        page = act("person", "list", "--limit", "500", *cursor)
        total += len(page["people"])
        if not page.get("next"):
            return total
        cursor = ["--cursor", page["next"]]


def small():
    lines = ["Họ và tên;Mã cơ quan;Địa chỉ thư điện tử công vụ;Ngày sinh;Số định danh cá nhân",
             "Nguyễn Văn An;H53.6;annv@tayninh.gov.vn;03/02/1980;072080000001",
             "Trần Thị Bình;000.00.06.H53;binhtt@tayninh.gov.vn;1981-05-06;072081000002",
             "Sai Thư;H53.6;sai@gmail.com;;", "Sai Mã;H99.1;;;", "Trùng Thư;H53.6;annv@tayninh.gov.vn;;", "Sai Ngày;H53.6;;31/02/1980;", "Sai Số;H53.6;;;123",
             "=HYPERLINK(1);H53.6;;;", '"Lê ""Hai""\nDòng";H53.6;;;']
    path = work / "small.csv"
    path.write_text("\ufeff" + "\r\n".join(lines) + "\r\n", encoding="utf-8")
    trial = act("person", "import", path, "--dry-run")
    check((trial["added"], trial["refused"], count()) == (4, 5, 0), f"a trial writes nothing: {trial}")
    done = act("person", "import", path, "--report", work / "report.csv", "--batch", "3")
    check((done["added"], done["refused"], count()) == (4, 5, 4), f"imported: {done}")
    report = list(csv.reader(open(work / "report.csv", encoding="utf-8-sig")))
    check([row[0] for row in report[1:]] == ["4", "5", "6", "7", "8"], f"lines: {report}")
    check("Mẫu số 01" in report[1][3], f"article: {report[1]}")
    check(not any("123" == row[1] or "072080000001" in "".join(row) for row in report), "no personal identifier in the report")
    again = act("person", "import", path)
    check((again["rows"], again["resumed"], count()) == (0, 9, 4), f"goes on where it stopped: {again}")
    act("person", "export", work / "out.csv")
    rows = list(csv.reader(open(work / "out.csv", encoding="utf-8-sig")))
    check(len(rows) == 5 and any(row[1] == "'=HYPERLINK(1)" for row in rows), f"formulas are harmless: {rows}")
    check(not any("072080000001" in cell for row in rows for cell in row), "masked")
    act("person", "export", work / "full.csv", "--personal")
    check("072080000001" in (work / "full.csv").read_text(encoding="utf-8"), "personal data when asked for by who may")
    (work / "bad.csv").write_text("Họ và tên\nA\n")
    check("AN_E_IMPORT_HEADER" in json.dumps(act("person", "import", work / "bad.csv", want=1)), "a missing column is named")


def workbook():
    """As a spreadsheet program writes one: shared texts, a date as a number, a cell left out."""
    texts = ["Họ và tên", "Mã cơ quan", "Ngày sinh", "Địa chỉ thư điện tử công vụ", "Phạm &amp; Bảng", "H53.6", "bangp@tayninh.gov.vn"]
    rows = ['<row r="1">' + "".join(f'<c r="{c}1" t="s"><v>{i}</v></c>' for i, c in enumerate("ABCD")) + "</row>",
            '<row r="2"><c r="A2" t="s"><v>4</v></c><c r="B2" t="s"><v>5</v></c><c r="C2"><v>29254</v></c><c r="D2" t="s"><v>6</v></c></row>',
            '<row r="3"><c r="A3" t="inlineStr"><is><t>Trần Dòng</t></is></c><c r="D3" t="s"><v>6</v></c></row>']
    path = work / "list.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("xl/sharedStrings.xml", "<sst>" + "".join(f"<si><t>{t}</t></si>" for t in texts) + "</sst>")
        out.writestr("xl/worksheets/sheet1.xml", "<worksheet><sheetData>" + "".join(rows) + "</sheetData></worksheet>")
    done = act("person", "import", path)
    check((done["added"], done["refused"]) == (1, 1), f"workbook: {done}")
    found = act("person", "list", "--search", "pham")["people"]
    check(len(found) == 1 and found[0]["name"] == "Phạm & Bảng" and found[0]["born"] == "1980-01-01", f"workbook: {found}")
    (work / "nul.csv").write_bytes("Họ và tên\0, Mã cơ quan\n".encode() + b"A,B\n")
    check("AN_E_CSV" in json.dumps(act("person", "import", work / "nul.csv", want=1)), "a NUL hides nothing")
    (work / "bad.xlsx").write_bytes(path.read_bytes()[:200])
    act("person", "import", work / "bad.xlsx", want=1)


def handed_in():
    """What a clerk hands in: lists with a title above them, heads in capitals or with a star, every way of writing a day, other encodings."""
    rows = [["ỦY BAN NHÂN DÂN XÃ MẪU"], ["DANH SÁCH CÁN BỘ", "", ""], [], ["HỌ VÀ TÊN *", "Mã cơ  quan (*)", "Ngày\nsinh", "Số điện thoại di động", "Số định danh cá nhân"],
            ["Lý Một Mẫu", " H53.6\u00a0", "3-2-1980", '="0912000111"', '="072080000111"'], ["Lý Hai Mẫu", "H53.6", "03.02.1981", "0912000112", "072080000112"],
            ["Lý Ba Mẫu", "H53.6", "29254.0", "", ""], ["Lý Bốn Mẫu", "H53.6", "30-02-1980", "", ""]]
    text = lambda part: "\r\n".join(part.join('"' + c.replace('"', '""') + '"' if "\n" in c else c for c in row) for row in rows) + "\r\n"
    files = {"utf16.txt": text("\t").encode("utf-16"), "utf16be.txt": b"\xfe\xff" + text("\t").encode("utf-16-be"), "semicolon.csv": text(";").encode("utf-8-sig"),
             "nfd.csv": __import__("unicodedata").normalize("NFD", text(",")).encode()}
    for name, content in files.items():
        (work / name).write_bytes(content)
        done = act("person", "import", work / name, "--dry-run", "--report", work / "handed.csv")
        report = list(csv.reader(open(work / "handed.csv", encoding="utf-8-sig")))
        check((done["added"], done["refused"]) == (3, 1) and "Ngày sinh" in "".join(report[1]), f"{name}: {done} {report}")
    act("person", "import", work / "utf16.txt")
    found = act("person", "list", "--search", "ly mot")["people"]
    check(len(found) == 1, f"found: {found}")
    act("person", "export", work / "handed-out.csv", "--personal")
    out = next(row for row in csv.reader(open(work / "handed-out.csv", encoding="utf-8-sig")) if row[1] == "Lý Một Mẫu")
    check("1980-02-03" in out and "072080000111" in out and any(c.endswith("0912000111") for c in out), f"day, identifier and phone with their zeros: {out}")
    # a code page of before: refused, with what to do; so is what is no list
    (work / "cp1258.csv").write_bytes("Họ và tên,Mã cơ quan\r\n".encode("utf-8").replace("ọ".encode(), b"o\xf2") + b"A,H53.6\r\n")
    check("UTF-8" in json.dumps(act("person", "import", work / "cp1258.csv", want=1), ensure_ascii=False), "another code page")
    (work / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))
    check("AN_E_LIST_FORMAT" in json.dumps(act("person", "import", work / "old.xls", want=1)), ".xls")
    with zipfile.ZipFile(work / "list.ods", "w") as ods:
        ods.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        ods.writestr("content.xml", "<office:document-content/>")
    check("AN_E_LIST_FORMAT" in json.dumps(act("person", "import", work / "list.ods", want=1)), ".ods")
    (work / "odd.txt").write_bytes(b"\xff\xfeA")
    check("UTF-16" in json.dumps(act("person", "import", work / "odd.txt", want=1)), "half a sign")
    # a workbook with a merged title over two rows, a moment as a number, a number with its zero lost
    cell = lambda at, value: f'<c r="{at}"><v>{value}</v></c>' if isinstance(value, (int, float)) else f'<c r="{at}" t="inlineStr"><is><t>{value}</t></is></c>'
    sheet = [["DANH SÁCH"], [], ["Họ và tên", "Mã cơ quan", "Ngày sinh", "Số định danh cá nhân"], ["Hà Sổ Mẫu", "H53.6", 29254.5, 72080000113]]
    with zipfile.ZipFile(work / "merged.xlsx", "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("xl/worksheets/sheet1.xml", '<worksheet><sheetData>' + "".join(f'<row r="{n}">' + "".join(cell(f"{'ABCD'[i]}{n}", v) for i, v in enumerate(row)) + "</row>"
                     for n, row in enumerate(sheet, 1)) + '</sheetData><mergeCells count="1"><mergeCell ref="A1:D2"/></mergeCells></worksheet>')
    done = act("person", "import", work / "merged.xlsx", "--report", work / "merged.csv")
    report = list(csv.reader(open(work / "merged.csv", encoding="utf-8-sig")))
    check((done["added"], done["refused"]) == (0, 1) and report[1][0] == "4" and "12 chữ số" in report[1][2], f"a zero that the number lost is not guessed: {done} {report}")


def large(rows):
    path = work / "large.csv"
    with open(path, "w", encoding="utf-8") as out:
        out.write("name,agency,email,identity\n")
        for i in range(rows):
            out.write(f"Người Thứ {i},H53.6,nguoi{i}@tayninh.gov.vn,1{i:011d}\n")
    before = count()
    done = subprocess.Popen([antin, "person", "import", str(path), "--dir", str(home), "--as", "system", "--quiet"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(done.pid, 0)
    check(status == 0, f"large: {status}")
    print(f"{rows} people: {usage.ru_utime + usage.ru_stime:.1f} s of processor, {usage.ru_maxrss / 1024:.0f} MB at most")
    check(usage.ru_maxrss < 300 * 1024 or "ANTIN_SANITIZED" in os.environ, f"flat memory: {usage.ru_maxrss} kB")  # freed memory stays in quarantine there
    check(count() == before + rows, "all of them are there")


try:
    run("init", home, "--name", "MẪU", "--regulation", "tay-ninh-2025", *(["--database", sys.argv[2]] if len(sys.argv) > 2 else []))
    act("agency", "add", "--name", "Sở Khoa học và Công nghệ (MẪU)", "--code", "H53.6")
    small()
    workbook()
    handed_in()
    large(100000 if os.environ.get("ANTIN_FULL") else 3000)
finally:
    shutil.rmtree(work)
print(f"{len(failures)} failed")
sys.exit(1 if failures else 0)
