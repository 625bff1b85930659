"""How signatures look: what each look requires and refuses, true sizes and places measured in other programs' pictures."""
import os
import re
import shutil

import oracles
import pdfs
import pictures
from lib import Instance, Suite, error_of, is_bilingual, run

suite = Suite("looks")
i = Instance()
plain = i.file("in/plain.pdf", pdfs.simple())
(i.dir / "out").mkdir()
status = ["--crl", i.crls, "--offline"]
seal = i.file("seal.png", pdfs.ring())
signature = i.file("signature.png", pdfs.stroke())
MOMENT, MOMENT_TEXT = "1764642605", "2025-12-02T09:30:05+07:00"
MM = 72 / 25.4

# what a look needs, and the error that says it is missing
IMAGE, DIAMETER, NUMBER, AGENCY, COPY = (
    (["--image", None], "AN_E_SIGN_IMAGE_REQUIRED"), (["--seal-diameter-mm", "36"], "AN_E_SIGN_SEAL_SIZE"),
    (["--number", "12/QĐ-SKHCN"], "AN_E_SIGN_NEED_NUMBER"), (["--agency", "Sở Khoa học và Công nghệ"], "AN_E_SIGN_NEED_AGENCY"),
    (["--copy-kind", "sao-y"], "AN_E_SIGN_NEED_COPY_KIND"))
LOOKS = {
    "nguoi-co-tham-quyen": (signature, [IMAGE]), "co-quan": (seal, [IMAGE, DIAMETER]), "van-ban-kem-theo": (None, [NUMBER]),
    "phu-luc": (None, [NUMBER]), "ban-sao": (None, [AGENCY, COPY]), "van-ban-den-so-hoa": (seal, [IMAGE, DIAMETER, AGENCY]),
    "luu-tru-so-hoa": (None, [AGENCY]), "ban-sao-luu-tru": (None, [AGENCY]), "dang-ca-nhan": (signature, [IMAGE]),
    "dang-co-quan": (seal, [IMAGE]), "dang-dau-treo": (None, []), "dang-luu-tru": (None, []),
}
TOP_RIGHT = ["van-ban-kem-theo", "phu-luc", "ban-sao", "luu-tru-so-hoa", "ban-sao-luu-tru"]


def words_for(look, without=None):
    image, needs = LOOKS[look]
    words = ["--look", look]
    for need in needs:
        if need is not without:
            words += [need[0][0], str(image) if need is IMAGE else need[0][1]]
    return words


def signer_of(look):
    return i.person() if look in ("nguoi-co-tham-quyen", "dang-ca-nhan") else i.agency


def by_person(source=plain, name="by-person.pdf", rect="330,200,110,55", page="1"):
    out = i.dir / "out" / name
    ran = i.sign(source, out, i.person(), *status, *words_for("nguoi-co-tham-quyen"), "--rect", rect, "--page", page, "--json")
    suite.equal(ran.status, 0, f"{name}: the person signs", ran)
    return out, ran.lines()[-1]


def the_twelve():
    ran = i.antin("look", "list", "--json")
    ids = {line["id"] for line in ran.lines()}
    suite.equal(ids, set(LOOKS), "the twelve looks")
    suite.check(all(line["citation"] for line in ran.lines()), "each with its article")


def requirements():
    """Without something required: status 64, what is missing, the article. With everything: signed."""
    base, _ = by_person()
    for look, (_, needs) in LOOKS.items():
        source = base if look in ("co-quan", "dang-co-quan") else plain
        place = ["--rect", "100,300,110,55", "--page", "1"] if look == "nguoi-co-tham-quyen" else []
        for need in needs:
            out = i.dir / "out/none.pdf"
            ran = i.sign(source, out, signer_of(look), *status, *words_for(look, need), *place)
            what = f"{look} without {need[0][0]}"
            suite.check(ran.status == 64 and error_of(ran) == need[1], f"{what}: {need[1]}", ran)
            suite.check(is_bilingual(ran) and "Căn cứ: " in ran.err, f"{what}: two languages and the article", ran.err)
            suite.check(not out.exists(), f"{what}: no output")
        out = i.dir / f"out/look-{look}.pdf"
        ran = i.sign(source, out, signer_of(look), *status, *words_for(look), *place, env={"SOURCE_DATE_EPOCH": MOMENT})
        if suite.equal(ran.status, 0, f"{look}: signed", ran):
            valid, why = oracles.pdfsig(out)
            suite.check(valid and all(valid), f"{look}: pdfsig", why)
            suite.equal(oracles.qpdf_check(out)[0], 0, f"{look}: qpdf --check")


def pictures_refused():
    """Colour, transparency and kind of the picture."""
    opaque_blue = i.file("opaque.png", pdfs.stroke(alpha=False, ground=pdfs.WHITE))
    solid_blue = i.file("solid.png", pdfs.stroke(ground=pdfs.WHITE))
    rows = [
        ("nguoi-co-tham-quyen", seal, "AN_E_SIGN_IMAGE_BLUE"), ("nguoi-co-tham-quyen", i.file("green.png", pdfs.stroke(colour=pdfs.GREEN)), "AN_E_SIGN_IMAGE_BLUE"),
        ("nguoi-co-tham-quyen", i.file("black.png", pdfs.stroke(colour=(0, 0, 0, 255))), "AN_E_SIGN_IMAGE_BLUE"),
        ("nguoi-co-tham-quyen", opaque_blue, "AN_E_SIGN_IMAGE_OPAQUE"), ("nguoi-co-tham-quyen", solid_blue, "AN_E_SIGN_IMAGE_OPAQUE"),
        ("nguoi-co-tham-quyen", i.file("a.jpg", pdfs.JPEG), "AN_E_SIGN_IMAGE_FORMAT"),
        ("nguoi-co-tham-quyen", i.file("jpeg-as.png", pdfs.JPEG), "AN_E_SIGN_IMAGE_FORMAT"),
        ("nguoi-co-tham-quyen", i.file("cut.png", signature.read_bytes()[:200]), "AN_E_PDF_PNG"),
        ("van-ban-den-so-hoa", signature, "AN_E_SIGN_IMAGE_RED"), ("van-ban-den-so-hoa", i.file("green-ring.png", pdfs.ring(colour=pdfs.GREEN)), "AN_E_SIGN_IMAGE_RED"),
        ("van-ban-den-so-hoa", i.file("opaque-ring.png", pdfs.ring(ground=pdfs.WHITE)), "AN_E_SIGN_IMAGE_OPAQUE"),
        ("van-ban-kem-theo", signature, "AN_E_SIGN_IMAGE_FORBIDDEN"), ("ban-sao", seal, "AN_E_SIGN_IMAGE_FORBIDDEN"),
        ("luu-tru-so-hoa", seal, "AN_E_SIGN_IMAGE_FORBIDDEN"),
    ]
    for look, image, code in rows:
        words = [w for w in words_for(look)]
        if "--image" in words:
            words[words.index("--image") + 1] = str(image)
        else:
            words += ["--image", str(image)]
        out = i.dir / "out/none.pdf"
        ran = i.sign(plain, out, signer_of(look), *status, *words, "--rect", "100,100,100,50")
        what = f"{look} with {image.name}"
        suite.check(ran.status in (64, 65, 77) and error_of(ran) == code, f"{what}: {code}", ran)
        suite.check(is_bilingual(ran), f"{what}: two languages", ran.err)
        if code != "AN_E_PDF_PNG":
            suite.check(re.search(r"Căn cứ: .*Điều 13", ran.err), f"{what}: the article", ran.err)
        suite.check(not out.exists(), f"{what}: no output")


def person_first():
    """The agency seals only what a person has signed validly and visibly."""
    out = i.dir / "out/none.pdf"
    words = words_for("co-quan")
    rows = {"unsigned": plain}
    rows["agency only"] = i.dir / "in/agency-only.pdf"
    i.sign(plain, rows["agency only"], i.agency, *status)
    good, _ = by_person()
    damaged = bytearray(good.read_bytes())
    damaged[damaged.index(b"Van ban thu")] ^= 1
    rows["damaged"] = i.file("in/damaged.pdf", damaged)
    stranger = i.other.issue("person", "/CN=Người Lạ")
    rows["a stranger"] = i.dir / "in/stranger.pdf"
    i.antin("sign", plain, "-o", rows["a stranger"], "--key", stranger.key, "--cert", stranger.cert, "--trust", i.other.cert, "--offline",
            *words_for("nguoi-co-tham-quyen"), "--rect", "100,100,100,50")
    for what, source in rows.items():
        ran = i.sign(source, out, i.agency, *status, *words)
        suite.check(ran.status == 77 and error_of(ran) == "AN_E_SIGN_PERSON_FIRST", f"person first, {what}", ran)
        suite.check("Nghị định số 30/2020/NĐ-CP" in ran.err and not out.exists(), f"person first, {what}: article, no output", ran.err)
    invisible = i.dir / "in/invisible.pdf"
    i.sign(plain, invisible, i.person(), *status)
    ran = i.sign(invisible, out, i.agency, *status, *words)
    suite.check(ran.status == 77 and error_of(ran) == "AN_E_SIGN_NO_SIGNATURE_BELOW", "seal over nothing", ran)


def seal_true_size():
    """At 300 dpi the seal measures its diameter within 1 %, and covers a third of the signature on its left."""
    page, dpi = pdfs.simple(), 300
    for diameter, rotate in ((36, 0), (28, 0), (42, 90), (36, 180), (36, 270)):
        what = f"seal {diameter} mm, page turned by {rotate}"
        source = i.file("in/turned.pdf", pdfs.simple(page_entries=f"/Rotate {rotate}"))
        signed, answer = by_person(source, f"person-{diameter}-{rotate}.pdf")
        sealed = i.dir / f"out/sealed-{diameter}-{rotate}.pdf"
        words = words_for("co-quan")
        words[words.index("--seal-diameter-mm") + 1] = str(diameter)
        ran = i.sign(signed, sealed, i.agency, *status, *words, "--json")
        if not suite.equal(ran.status, 0, what, ran):
            continue
        blue = pictures.poppler(signed, i.dir / "blue", dpi).box(pictures.BLUE_INK)
        for name, draw in (("poppler", pictures.poppler), ("MuPDF", pictures.mupdf)):
            red = draw(sealed, i.dir / "red", dpi).box(pictures.RED_INK)
            if not suite.check(red and blue, f"{what}: {name} draws it"):
                continue
            wanted = diameter / 25.4 * dpi
            suite.check(abs(red[2] - red[0] - wanted) <= wanted * 0.01 + 1 and abs(red[3] - red[1] - wanted) <= wanted * 0.01 + 1,
                        f"{what}: {name} measures it", (red, wanted))
            share = (red[2] - blue[0]) / (blue[2] - blue[0])
            suite.check(0.30 <= share <= 0.37, f"{what}: {name}, covers a third", share)
            suite.check(red[0] < blue[0], f"{what}: {name}, on the left")
            suite.check(abs((red[1] + red[3]) - (blue[1] + blue[3])) / 2 < 3, f"{what}: {name}, at the same height", (red, blue))


def boxes(pdf, rotate):
    """[(x0, y0, x1, y1, word)] and the width of page 1 as displayed, by pdftotext (which turns words, not the page's size)."""
    done = run("pdftotext", "-bbox", "-l", "1", pdf, "-")
    page = re.search(r'<page width="([\d.]+)" height="([\d.]+)"', done.out)
    words = re.findall(r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</word>', done.out)
    return [(*map(float, w[:4]), w[4]) for w in words], float(page.group(2 if rotate in (90, 270) else 1))


def fonts_of(pdf):
    rows = run("pdffonts", pdf).out.splitlines()[2:]
    return [row for row in rows if "Liberation" in row]


def text_looks():
    """Number, agency, kind of copy and time at the top right of the first page, in an embedded subset."""
    wanted = {
        "van-ban-kem-theo": ["12/QĐ-SKHCN", MOMENT_TEXT], "phu-luc": ["12/QĐ-SKHCN", MOMENT_TEXT], "ban-sao": ["Sao", "y", "Công", "nghệ", MOMENT_TEXT],
        "luu-tru-so-hoa": ["Công", "nghệ", MOMENT_TEXT], "ban-sao-luu-tru": ["BẢN", "SAO"],
    }
    for look in TOP_RIGHT:
        for rotate in (0, 90, 180, 270):
            what = f"{look}, page turned by {rotate}"
            source = i.file("in/text.pdf", pdfs.simple(pages=2, lines=[(90, 500, 12, "Noi dung")], page_entries=f"/Rotate {rotate}"))
            out = i.dir / f"out/text-{look}-{rotate}.pdf"
            ran = i.sign(source, out, i.agency, *status, *words_for(look), env={"SOURCE_DATE_EPOCH": MOMENT})
            if not suite.equal(ran.status, 0, what, ran):
                continue
            words, width = boxes(out, rotate)
            at = {w[4]: w for w in words}
            missing = [w for w in wanted[look] if w not in at]
            if not suite.equal(missing, [], f"{what}: pdftotext", [w[4] for w in words]):
                continue
            mine = [at[w] for w in wanted[look]]
            right, top = max(w[2] for w in mine), min(w[1] for w in mine)
            suite.check(width - right <= 25 * MM and right <= width, f"{what}: at the right edge", (right, width))
            suite.check(0 <= top <= 22 * MM, f"{what}: at the top", top)
            suite.check(min(w[0] for w in mine) > width / 2, f"{what}: in the right half", mine)
            if rotate == 0:
                fonts = fonts_of(out)
                suite.check(fonts and all(re.search(r"[A-Z]{6}\+", f) and re.search(r"yes yes yes", f) for f in fonts), f"{what}: font embedded, subset, to Unicode", fonts)
                sizes = [w[3] - w[1] for w in mine]
                suite.check(all(9 <= size <= 13 for size in sizes), f"{what}: size 10", sizes)


def given_places():
    """--rect on turned, cropped and scaled pages: both renderers draw the picture there."""
    rows = [("plain", {}, (595, 842)), ("cropped", {"crop": (40, 60, 500, 700)}, (460, 640)), ("off-origin crop", {"crop": (100, 100, 400, 520)}, (300, 420)),
            ("user unit", {"page_entries": "/UserUnit 2"}, (1190, 1684)), ("wide", {"size": (842, 595)}, (842, 595))]
    x, y, w, h = 60.0, 90.0, 120.0, 60.0
    for what, how, (width, height) in rows:
        for rotate in (0, 90, 180, 270):
            name = f"{what}, turned by {rotate}"
            entries = how.get("page_entries", "") + f" /Rotate {rotate}"
            source = i.file("in/place.pdf", pdfs.simple(lines=[(1, 1, 4, ".")], **{**how, "page_entries": entries}))
            out = i.dir / "out/place.pdf"
            ran = i.sign(source, out, i.person(), *status, *words_for("nguoi-co-tham-quyen"), "--rect", f"{x},{y},{w},{h}", "--page", "-1")
            if not suite.equal(ran.status, 0, name, ran):
                continue
            page_w, page_h = (height, width) if rotate in (90, 270) else (width, height)
            for renderer, draw in (("poppler", pictures.poppler), ("MuPDF", pictures.mupdf)):
                picture = draw(out, i.dir / "place", 72)
                found = picture.box(pictures.BLUE_INK)
                sx, sy = picture.width / page_w, picture.height / page_h
                asked = (x * sx, (page_h - y - h) * sy, (x + w) * sx, (page_h - y) * sy)
                near = found and all(abs(a - b) <= 2.5 * max(1, sx) for a, b in zip(found, asked))
                suite.check(near, f"{name}: {renderer}", (found, asked))
    for rect, page in (("500,100,200,50", "1"), ("-5,10,50,50", "1"), ("10,10,0,50", "1"), ("10,10,50,50", "9")):
        out = i.dir / "out/none.pdf"
        ran = i.sign(plain, out, i.person(), *status, *words_for("nguoi-co-tham-quyen"), "--rect", rect, "--page", page)
        suite.check(ran.status in (64, 65) and not out.exists(), f"--rect {rect} --page {page} is refused", ran)


def crowded_top():
    """A page whose corner is taken: nothing is covered, the program looks nearer the edge or refuses."""
    lines = [(300, y, 10, "Dong chu rat dai o goc phai tren trang nay 0123456789") for y in range(600, 842, 9)]
    source = i.file("in/crowded.pdf", pdfs.simple(lines=lines))
    out = i.dir / "out/crowded.pdf"
    ran = i.sign(source, out, i.agency, *status, *words_for("van-ban-kem-theo"))
    suite.check(ran.status == 77 and error_of(ran) == "AN_E_SIGN_PLACE_COVERED" and not out.exists(), "a full corner is refused", ran)


with i:
    suite.run(the_twelve, requirements, pictures_refused, person_first, seal_true_size, text_looks, given_places, crowded_top)
