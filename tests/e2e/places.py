"""Where the signature goes: a generated set of administrative documents. Right on at least 95 % of those that have a place,
refused on all that have none or several; never over text. The right place is worked out from pdftotext, not by the program."""
import html
import json
import os
import random
import re
import socket
import struct
import subprocess
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pdfs
import pictures
import typeset
from lib import SANITIZED, Instance, Suite, error_of, run

suite = Suite("places")
i = Instance()
status = ["--crl", i.crls, "--offline"]
signature = i.file("signature.png", pdfs.stroke())
TOLERANCE = 5 * 72 / 25.4
COUNT = 60 if SANITIZED else 220
NAMES = ["Nguyễn Văn Thử", "Lê Ý", "Công Tằng Tôn Nữ Thị Quỳnh Như", "Trần Thị Ngọc Ánh", "Đỗ Ưng"]
TITLES = [["GIÁM ĐỐC"], ["KT. GIÁM ĐỐC", "PHÓ GIÁM ĐỐC"], ["TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH"], ["TM. ỦY BAN NHÂN DÂN", "KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH"],
          ["TL. GIÁM ĐỐC", "CHÁNH VĂN PHÒNG"], ["TUQ. CHỦ TỊCH", "GIÁM ĐỐC SỞ KHOA HỌC VÀ CÔNG NGHỆ"], ["Q. GIÁM ĐỐC"], ["TM. HỘI ĐỒNG THẨM ĐỊNH", "CHỦ TỊCH HỘI ĐỒNG"]]
DEGREES = ["", "", "", "TS. ", "ThS. "]
SENTENCE = "Giao Văn phòng chủ trì, phối hợp với các phòng chuyên môn theo dõi, đôn đốc và báo cáo kết quả thực hiện trước ngày 20 hằng tháng"


# ---- documents by the layout program, over its own protocol ----
class Layout:
    def __init__(self):
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(60)
        end = theirs.fileno()
        self.process = subprocess.Popen([str(i.program.with_name("antin-layout"))], preexec_fn=lambda: os.dup2(end, 3), pass_fds=(3,))
        theirs.close()

    def _take(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise RuntimeError("antin-layout ended")
            data += part
        return data

    def document(self, what):
        payload = json.dumps(what, ensure_ascii=False).encode()
        self.socket.sendall(struct.pack("<4sII", b"ANT1", 1, len(payload)) + payload)
        magic, kind, length = struct.unpack("<4sII", self._take(12))
        answer = self._take(length)
        if magic != b"ANT1" or kind != 1 or not answer.startswith(b"%PDF"):
            raise RuntimeError(f"{kind}: {answer[:300]!r}")
        return answer

    def stop(self):
        self.socket.close()
        self.process.wait(timeout=20)


def table_with(name):
    return {"columns": ["STT", "Họ và tên", "Nhiệm vụ"], "widths": [1, 4, 6], "rows": [["1", name, "Tổ trưởng"], ["2", "Phạm Thị Khác", "Thành viên"]]}


def generated(number):
    """One document of many kinds; the same number gives the same document."""
    r = random.Random(number)
    name, title = r.choice(NAMES), r.choice(TITLES)
    body = [f"{n + 1}. {SENTENCE}" + (f", {SENTENCE.lower()}" if r.random() < 0.4 else "") + "." for n in range(r.choice([1, 2, 4, 7, 11, 14, 18, 25, 40]))]
    if r.random() < 0.35:  # the name stands in the text too
        body.insert(r.randrange(len(body) + 1), f"Giao ông (bà) {name} là đầu mối, chịu trách nhiệm trước {title[-1].capitalize()} về kết quả.")
    if r.random() < 0.2:
        body.insert(r.randrange(len(body) + 1), table_with(name if r.random() < 0.5 else "Phạm Thị Khác"))
    if r.random() < 0.3:
        body.insert(0, {"article": "Điều 1.", "title": "Phạm vi", "text": SENTENCE + "."})
    printed = r.choice(DEGREES) + name
    what = {"kind": "van-ban", "agency": r.choice(["SỞ KHOA HỌC VÀ CÔNG NGHỆ", "ỦY BAN NHÂN DÂN XÃ MẪU", "VĂN PHÒNG"]), "subject": "về việc thử nghiệm " + "vị trí chữ ký " * r.randrange(1, 4),
            "number": f"{number}/QĐ-SKHCN", "place_date": "Đồng Tháp, ngày 02 tháng 12 năm 2025", "body": body, "signature": {"lines": title, "name": printed}}
    if r.random() < 0.6:
        what["parent_agency"] = "ỦY BAN NHÂN DÂN TỈNH MẪU"
    if r.random() < 0.6:
        what["type"] = r.choice(["QUYẾT ĐỊNH", "BÁO CÁO", "TỜ TRÌNH", "KẾ HOẠCH"])
    else:
        what["to"] = ["Các phòng, ban, đơn vị"] * r.randrange(1, 4)
    if r.random() < 0.85:
        what["recipients"] = ["Như trên;", "Ủy ban nhân dân tỉnh (báo cáo);", "Lưu: VT."][: r.randrange(1, 4)] + ["Các đơn vị thuộc Sở;"] * r.randrange(0, 8)
    if r.random() < 0.3:
        rows = [SENTENCE + "."] * r.randrange(1, 12) + ([table_with(name)] if r.random() < 0.5 else [])
        what["appendices"] = [{"label": f"Phụ lục {n + 1}", "title": "DANH MỤC", "note": "(Kèm theo Quyết định)", "body": rows} for n in range(r.randrange(1, 3))]
    return name, title, printed, what


# ---- documents set by hand: two columns of signatures, decomposed text, odd gaps ----
def centred(x, y, size, text):
    return (x - typeset.width(text, size) / 2, y, size, text)


def by_hand(number):
    r = random.Random(1000 + number)
    name, title = r.choice(NAMES), r.choice(TITLES)
    left_column, right_column = r.uniform(140, 190), r.uniform(390, 430)
    column = right_column if r.random() < 0.7 else left_column
    gap, y = r.uniform(45, 110), r.uniform(300, 700)
    lines = [(85, y + 40 + 20 * n, 13, SENTENCE[:75]) for n in range(3)]
    for line in title:
        lines.append(centred(column, y, 13, line))
        y -= 17
    lines.append(centred(column, y - gap, 14, name))
    if r.random() < 0.6:  # somebody else signs in the other column
        other = left_column if column == right_column else right_column
        lines += [centred(other, y + 17, 13, "KẾ TOÁN TRƯỞNG"), centred(other, y - gap, 14, "Phạm Thị Khác")]
    elif column == right_column:
        lines += [(85, y + 17 - 14 * n, 11, text) for n, text in enumerate(["Nơi nhận:", "- Như trên;", "- Lưu: VT."])]
    sheets = [lines]
    if r.random() < 0.4:
        sheets.insert(0, [(85, 700 - 20 * n, 13, SENTENCE[:70]) for n in range(20)])
    return name, title, name, typeset.pages(sheets, form=r.choice(["NFC", "NFD"]))


# ---- the right place, by pdftotext ----
def lines_of(pdf):
    """[(page, x0, y0, x1, y1, text)] with words of a line joined; origin upper left; and the sizes of the pages."""
    text, out, sizes = run("pdftotext", "-bbox", pdf, "-").out, [], []
    for number, page in enumerate(text.split("<page ")[1:]):
        sizes.append(tuple(map(float, re.match(r'width="([\d.]+)" height="([\d.]+)"', page).groups())))
        words = [(*map(float, w[:4]), unicodedata.normalize("NFC", html.unescape(w[4])))
                 for w in re.findall(r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</word>', page)]
        current = None
        for x0, y0, x1, y1, word in sorted(words, key=lambda w: (round((w[1] + w[3]) / 6), w[0])):
            if current and abs(current[2] - y0) < 3 and 0 <= x0 - current[3] < 12:
                current[3], current[4], current[5] = x1, max(current[4], y1), current[5] + " " + word
            else:
                current = [number, x0, y0, x1, y1, word]
                out.append(current)
    return out, sizes


def right_place(pdf, title, printed):
    """(page, x, y) of the middle between the last title line and the name below it; None when it is not clear."""
    lines, sizes = lines_of(pdf)
    found = []
    pairs = [[a[0], min(a[1], b[1]), a[2], max(a[3], b[3]), b[4], f"{a[5]} {b[5]}"] for a in lines for b in lines  # a long name on two lines
             if a[0] == b[0] and abs(b[2] - a[4]) < 6 and printed == f"{a[5]} {b[5]}"]
    for name in [line for line in lines if line[5] == printed] + pairs:
        middle = (name[1] + name[3]) / 2
        above = [t for t in lines if t[0] == name[0] and t[4] <= name[2] + 2 and t[1] - 5 <= middle <= t[3] + 5]
        nearest = max(above, key=lambda t: t[4], default=None)
        if nearest and nearest[5].upper() == title[-1].upper() or nearest and title[-1].upper().endswith(nearest[5].upper()):
            found.append((name[0], (middle + (nearest[1] + nearest[3]) / 2) / 2, sizes[name[0]][1] - (nearest[4] + name[2]) / 2))
    return found[0] if len(found) == 1 else None


def covers_ink(pdf, page, rect, work):
    """Is there anything under the rectangle on the page as it was?"""
    picture = pictures.poppler(pdf, work, 72, page + 1)
    x0, x1 = int(rect[0]) + 1, int(rect[0] + rect[2]) - 1
    y0, y1 = picture.height - int(rect[1] + rect[3]) + 1, picture.height - int(rect[1]) - 1
    dark = sum(1 for y in range(y0, y1) for v in picture.planes[1][y * picture.width + x0:y * picture.width + x1] if v < 200)
    return dark > 0.002 * max(1, (x1 - x0) * (y1 - y0))


def people():
    return {name: i.person("P-256", name) for name in NAMES}


def sign_all(folder, out, signers, of_file):
    """Answers by file: each person signs theirs in one run, the place found by the name in the certificate."""
    answers = {}
    for name, who in signers.items():
        files = [path for path, owner in of_file.items() if owner == name]
        if files:
            ran = i.sign(files, None, who, *status, "--out-dir", out, "--look", "nguoi-co-tham-quyen", "--image", signature, "--json", timeout=200)
            answers.update({line["file"]: line for line in ran.lines()})
    return answers


def measured(path, title, printed, answer):
    """'' when the signature stands where it belongs; else what is wrong ('refused …' for a refusal)."""
    if answer is None or answer.get("error"):
        return "refused " + (answer["error"]["code"] + " " + answer["error"]["detail"] if answer else "without an answer")
    wanted, rect, page = right_place(path, title, printed), answer["rect"], answer["page"] - 1
    if covers_ink(path, page, rect, path.with_suffix(".ink")):
        return f"covers ink at {rect}"
    if wanted is None:
        return "the right place is not clear to this test"
    x, y = rect[0] + rect[2] / 2, rect[1] + rect[3] / 2
    if page != wanted[0] or abs(x - wanted[1]) > TOLERANCE or abs(y - wanted[2]) > TOLERANCE:
        return f"at page {page}, {x:.0f},{y:.0f} and not at {wanted}"
    return ""


def layouts():
    signers, layout = people(), Layout()
    folder, out = i.dir / "in", i.dir / "out"
    folder.mkdir()
    rows = {}
    for number in range(COUNT):
        if number % 5 == 4 and typeset.FONT:
            name, title, printed, data = by_hand(number)
        else:
            name, title, printed, what = generated(number)
            data = layout.document(what)
        rows[i.file(f"in/{number:03}.pdf", data)] = (name, title, printed)
    layout.stop()
    answers = sign_all(folder, out, signers, {path: row[0] for path, row in rows.items()})
    with ThreadPoolExecutor(2) as threads:
        verdicts = dict(zip(rows, threads.map(lambda item: measured(item[0], item[1][1], item[1][2], answers.get(str(item[0]))), rows.items())))
    wrong = {path.name: why for path, why in verdicts.items() if why}
    for name, why in wrong.items():
        suite.say(f"{name}: {why}")
    right = len(rows) - len(wrong)
    suite.say(f"{len(rows)} layouts: {right} right ({100 * right / len(rows):.1f} %), {sum(w.startswith('refused') for w in wrong.values())} refused")
    suite.passed += right
    suite.check(right >= 0.95 * len(rows), "right on at least 95 %", f"{right} of {len(rows)}")
    suite.equal([n for n, w in wrong.items() if w.startswith(("covers", "at page"))], [], "never over text, never at another place")
    some = [path for path, why in verdicts.items() if not why][::40]
    for path in some:  # what is drawn stands where the answer says
        answer = answers[str(path)]
        box = pictures.poppler(out / path.name, i.dir / "drawn", 72, answer["page"]).box(pictures.BLUE_INK)
        x, y, w, h = answer["rect"]
        suite.check(box and abs(box[0] - x) < 3 and abs(box[2] - x - w) < 3, f"{path.name}: drawn there", (box, answer["rect"]))


def near_text_forms():
    """--near-text in other forms: decomposed, without accents, the title instead of the name."""
    layout = Layout()
    name, title = "Trần Thị Ngọc Ánh", ["KT. GIÁM ĐỐC", "PHÓ GIÁM ĐỐC"]
    what = {"kind": "van-ban", "agency": "SỞ MẪU", "subject": "thử", "number": "1/QĐ", "place_date": "Ngày 1", "type": "QUYẾT ĐỊNH",
            "body": [SENTENCE + "."], "signature": {"lines": title, "name": name}}
    path = i.file("in-near/a.pdf", layout.document(what))
    layout.stop()
    for text in (name, unicodedata.normalize("NFD", name), name.upper(), "Tran Thi Ngoc Anh", "PHÓ GIÁM ĐỐC"):
        ran = i.sign(path, i.dir / "near.pdf", i.person(), *status, "--look", "nguoi-co-tham-quyen", "--image", signature, "--near-text", text, "--json")
        why = measured(path, title, name, ran.lines()[-1] if ran.lines() else None)
        suite.equal(why, "", f"--near-text {text}")


def scaled_units():
    """The same page in units of 1/36 inch: the place is found in the same points, and drawn there (MuPDF knows UserUnit)."""
    rects = {}
    for unit in (1, 2):
        rows = [(330 / unit, 500 / unit, 13 / unit, "GIAM DOC"), (330 / unit, 390 / unit, 14 / unit, "Nguyen Van Thu")]
        source = i.file(f"in/unit{unit}.pdf", pdfs.simple(lines=rows, size=(595 / unit, 842 / unit), page_entries=f"/UserUnit {unit}"))
        out = i.dir / f"unit{unit}.pdf"
        ran = i.sign(source, out, i.person(), *status, "--look", "nguoi-co-tham-quyen", "--image", signature, "--near-text", "Nguyen Van Thu", "--json")
        if not suite.equal(ran.status, 0, f"UserUnit {unit}", ran):
            return
        rects[unit] = ran.lines()[-1]["rect"]
        x, y, w, h = rects[unit]
        picture = pictures.mupdf(out, i.dir / "unit", 72)
        box, scale = picture.box(pictures.BLUE_INK), picture.width / 595
        suite.check(box and all(abs(a / scale - b) < 4 for a, b in zip(box, (x, 842 - y - h, x + w, 842 - y))), f"UserUnit {unit}: drawn there", (box, scale, rects[unit]))
    suite.check(all(abs(a - b) < 2 for a, b in zip(rects[1], rects[2])), "the same place in both units", rects)


def impossible():
    """No place, no room, several places, something in the way: refused with the article, nothing written."""
    if not typeset.FONT:
        suite.skip("Liberation Serif is not where it is expected")
        return
    name, text = NAMES[0], [(85, 700 - 20 * n, 13, SENTENCE[:70]) for n in range(4)]

    def block(x=410, top=500, gap=80, title="GIÁM ĐỐC", who=name):
        return [centred(x, top, 13, title), centred(x, top - gap, 14, who)]

    rows = [
        ("no name", [text], {}), ("another's name", [text + block(who="Phạm Thị Khác")], {}),
        ("name only in a sentence", [text + [(85, 400, 13, f"Giao ông {name} theo dõi việc thực hiện văn bản này")]], {}),
        ("no room", [text + block(gap=24)], {}), ("no room at all", [text + block(gap=15)], {}),
        ("two blocks on a page", [text + block(180) + block(430)], {}), ("two pages with blocks", [text + block(), text + block(top=400)], {}),
        ("a picture in the way", [text + block(gap=90)], {0: "0.3 g 330 415 160 80 re f\n"}),
        ("a stamp of lines in the way", [text + block(gap=90)], {0: "2 w " + " ".join(f"330 {y} m 490 {y} l S" for y in range(412, 496, 4)) + "\n"}),
        ("a scan", [[]], {0: "0.2 g 80 400 300 3 re f 80 300 300 3 re f\n"}), ("an empty page", [[]], {}),
        ("text runs through", [text + block(gap=90) + [(300, 500 - 9 * n, 8, "chữ nhỏ chạy qua chỗ ký của văn bản này rất dày") for n in range(1, 10)]], {}),
    ]
    for what, sheets, drawings in rows:
        source, out = i.file("in/impossible.pdf", typeset.pages(sheets, drawings=drawings)), i.dir / "impossible.pdf"
        ran = i.sign(source, out, i.person(), *status, "--look", "nguoi-co-tham-quyen", "--image", signature, "--json")
        suite.check(ran.status == 77 and not out.exists(), f"{what}: refused", ran)
        suite.check(error_of(ran).startswith("AN_E_SIGN_PLACE") and "Nghị định số 30/2020/NĐ-CP" in ran.err and "--rect" in ran.err,
                    f"{what}: says why, the article and what to do", ran.err)
        out.unlink(missing_ok=True)
    crossed = typeset.pages([text + block(gap=90)], drawings={0: "1 w 300 400 m 520 510 l S\n"})
    source, out = i.file("in/crossed.pdf", crossed), i.dir / "crossed.pdf"
    ran = i.sign(source, out, i.person(), *status, "--look", "nguoi-co-tham-quyen", "--image", signature, "--json")
    fine = ran.status == 77 or not covers_ink(source, 0, ran.lines()[-1]["rect"], i.dir / "crossed.ink")
    suite.check(fine, "a line across the space: refused or avoided", ran)


with i:
    suite.run(layouts, near_text_forms, scaled_units, impossible)
