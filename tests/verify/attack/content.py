"""What the reader sees is changed after signing: shadow attacks, overlays, fields, annotations, scripts, pages, names. Each
edit is tried on an ordinary signature and under DocMDP 1, 2 and 3."""
import re
from forge.pdf import base, stream
from .structure import EVIL
from .world import *

FORM = "/Type /XObject /Subtype /Form /BBox [0 0 228 20] /Resources << /Font << /Helv 5 0 R >> >>"
HIDDEN = {30: EVIL, 31: "<< /Type /Page /Parent 2 0 R /Contents 30 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
          32: stream(b"\xff", "/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8"),
          33: "<< /Type /Catalog /Pages 34 0 R /AcroForm 6 0 R >>", 34: "<< /Type /Pages /Kids [31 0 R] /Count 1 /MediaBox [0 0 595 842] >>",
          36: "<< /Type /Annot /Subtype /Widget /FT /Tx /T (Khoa) /V (c) /Ff 1 /F 4 /P 3 0 R /Rect [72 420 300 440] >>",
          35: "<< /Type /Font /Subtype /Type1 /BaseFont /ZapfDingbats >>"}
OCG = {40: "<< /Type /OCG /Name (Lop 1) >>"}
WITH_LOCKED = {6: "<< /Fields [7 0 R 12 0 R 36 0 R] /DA (/Helv 0 Tf 0 g) /DR << /Font << /Helv 5 0 R >> >> >>"}
OCG_CATALOG = "/OCProperties << /OCGs [40 0 R] /D << /ON [40 0 R] /OFF [] >> >>"

NO, FILL, NOTE = 4, 2, 3  # lowest DocMDP level that lets it pass; 4 = never
EITHER = 0                # an opinion: refused, or named as a permitted change from level 2 on


def visible(p):
    """(name, objects, level). Level: from which DocMDP permission it is lawful; an ordinary signature is asked separately."""
    yield "text of the page", {4: EVIL}, NO
    yield "page uses a prepared content stream", {3: p.edit(3, "/Contents 4 0 R", "/Contents 30 0 R")}, NO
    yield "second content stream", {3: p.edit(3, "/Contents 4 0 R", "/Contents [4 0 R 50 0 R]"), 50: EVIL}, NO
    yield "prepared page instead", {2: p.edit(2, "[3 0 R]", "[31 0 R]")}, NO
    yield "prepared page before", {2: p.edit(2, "[3 0 R]", "[31 0 R 3 0 R]").replace(b"/Count 1", b"/Count 2")}, NO
    yield "page removed from /Count", {2: p.edit(2, "/Count 1", "/Count 0")}, NO
    yield "prepared page tree", {1: p.edit(1, "/Pages 2 0 R", "/Pages 34 0 R")}, NO
    yield "overlay image removed", {9: "null"}, NO
    yield "overlay image swapped", {9: HIDDEN[32]}, NO
    yield "image repointed in resources", {3: p.edit(3, "/Im1 9 0 R", "/Im1 32 0 R")}, NO
    yield "font swapped", {5: HIDDEN[35]}, NO
    yield "font repointed", {3: p.edit(3, "/F1 5 0 R", "/F1 35 0 R")}, NO
    yield "font gets an encoding", {5: p.edit(5, "/Helvetica", "/Helvetica /Encoding << /Type /Encoding /Differences [49 /nine] >>")}, NO
    yield "font gets an embedded program", {5: p.edit(5, "/Helvetica", "/Helvetica /FontDescriptor 51 0 R"), 51: "<< /Type /FontDescriptor /FontName /Helvetica /Flags 32 /FontFile2 52 0 R >>", 52: stream(b"x")}, NO
    yield "page rotated", {3: p.edit(3, "/Type /Page", "/Type /Page /Rotate 180")}, NO
    yield "page cropped", {3: p.edit(3, "/Type /Page", "/Type /Page /CropBox [0 0 100 100]")}, NO
    yield "media box of all pages", {2: p.edit(2, "842", "400")}, NO
    yield "/UserUnit", {3: p.edit(3, "/Type /Page", "/Type /Page /UserUnit 3")}, NO
    yield "page group", {3: p.edit(3, "/Type /Page", "/Type /Page /Group << /S /Transparency /I true >>")}, NO
    yield "inherited resources", {2: p.edit(2, "/Count", "/Resources << /Font << /F1 35 0 R >> >> /Count")}, NO
    yield "layer switched off", {1: p.edit(1, "/ON [40 0 R] /OFF []", "/ON [] /OFF [40 0 R]")}, NO
    yield "layer dictionary", {40: "<< /Type /OCG /Name (Lop 1) /Usage << /View << /ViewState /OFF >> >> >>"}, NO
    yield "default layer configuration by reference", {1: p.edit(1, "/D << /ON [40 0 R] /OFF [] >>", "/D 53 0 R"), 53: "<< /BaseState /OFF >>"}, NO


def catalog(p):
    def add(text):
        return {1: p.edit(1, "/Type /Catalog", "/Type /Catalog " + text)}

    yield "OpenAction script", add("/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>"), NO
    yield "OpenAction goes to a page", add("/OpenAction [3 0 R /Fit]"), NO
    yield "additional actions", add("/AA << /WP << /S /JavaScript /JS (x) >> >>"), NO
    yield "named scripts", add("/Names << /JavaScript << /Names [(a) << /S /JavaScript /JS (x) >>] >> >>"), NO
    yield "attachment", {**add("/Names << /EmbeddedFiles << /Names [(a) 54 0 R] >> >>"), 54: "<< /Type /Filespec /F (a.exe) /EF << /F 55 0 R >> >>", 55: stream(b"MZ", "/Type /EmbeddedFile")}, NO
    yield "associated file", {**add("/AF [54 0 R]"), 54: "<< /Type /Filespec /F (a.exe) >>"}, NO
    yield "named destinations", add("/Dests << /a [3 0 R /Fit] >>"), NO
    yield "page labels", add("/PageLabels << /Nums [0 << /S /r >>] >>"), NO
    yield "/Lang", add("/Lang (en)"), NO
    yield "page mode", add("/PageMode /FullScreen"), NO
    yield "page layout", add("/PageLayout /TwoColumnLeft"), NO
    yield "viewer preferences", add("/ViewerPreferences << /HideToolbar true >>"), NO
    yield "outlines", {**add("/Outlines 56 0 R"), 56: "<< /Type /Outlines /First 57 0 R /Last 57 0 R /Count 1 >>", 57: "<< /Title (x) /Parent 56 0 R /A << /S /URI /URI (http://x) >> >>"}, NO
    yield "structure tree", {**add("/StructTreeRoot 58 0 R"), 58: "<< /Type /StructTreeRoot >>"}, NO
    yield "output intent", add("/OutputIntents [<< /S /GTS_PDFX /OutputConditionIdentifier (x) >>]"), NO
    yield "URI base", add("/URI << /Base (http://evil.example/) >>"), NO
    yield "collection", add("/Collection << /View /T >>"), NO
    yield "needs rendering", add("/NeedsRendering true"), NO
    yield "legal attestation", add("/Legal << /JavaScriptActions 0 >>"), NO
    yield "permissions", add("/Perms << /UR3 59 0 R >>") | {59: "<< /Type /Sig >>"}, NO
    yield "threads", add("/Threads [60 0 R]") | {60: "<< /F 61 0 R >>", 61: "<< /P 3 0 R /R [0 0 9 9] >>"}, NO


def form(p):
    yield "form asks for new appearances", {6: p.edit(6, "<<", "<< /NeedAppearances true")}, NO
    yield "default appearance of the form", {6: p.edit(6, "/Helv 0 Tf 0 g", "/Helv 0 Tf 1 g")}, NO
    yield "default resources of the form", {6: p.edit(6, "/Helv 5 0 R", "/Helv 35 0 R")}, NO
    yield "XFA added", {6: p.edit(6, "<<", "<< /XFA 62 0 R"), 62: stream(b"<xdp/>")}, NO
    yield "calculation order", {6: p.edit(6, "<<", "<< /CO [7 0 R]")}, NO
    yield "/SigFlags cleared", {6: p.edit(6, "/SigFlags 3", "/SigFlags 0")}, NO
    yield "signature left out of the fields", {6: re.sub(rb" \d+ 0 R\]", b"]", p.body[6], 1)}, NO
    yield "all fields gone", {6: re.sub(rb"/Fields \[[^]]*\]", b"/Fields []", p.body[6])}, NO
    yield "form gone", {1: p.edit(1, "/AcroForm 6 0 R", "")}, NO
    yield "form elsewhere", {1: p.edit(1, "/AcroForm 6 0 R", "/AcroForm 63 0 R"), 63: p.edit(6, "7 0 R 12 0 R", "7 0 R")}, NO
    yield "new text field", {6: p.edit(6, "/Fields [", "/Fields [64 0 R "), 64: "<< /Type /Annot /Subtype /Widget /FT /Tx /T (Moi) /V (9.000.000) /Rect [150 690 300 715] /F 4 /P 3 0 R /AP << /N 8 0 R >> >>",
                             3: p.edit(3, "/Annots [", "/Annots [64 0 R ")}, NO
    yield "new empty signature field with a picture", {6: p.edit(6, "/Fields [", "/Fields [64 0 R "), 3: p.edit(3, "/Annots [", "/Annots [64 0 R "),
                                                       64: "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Moi) /Rect [72 690 400 715] /F 4 /P 3 0 R /AP << /N 8 0 R >> >>"}, NO
    yield "field renamed", {7: p.edit(7, "(HoTen)", "(Ten)")}, NO
    yield "field type changed", {7: p.edit(7, "/FT /Tx", "/FT /Btn")}, NO
    yield "field moved over the text", {7: p.edit(7, "[72 500 300 520]", "[72 690 300 720]")}, NO
    yield "field hidden", {7: p.edit(7, "/F 4", "/F 2")}, NO
    yield "field gets an action", {7: p.edit(7, "/F 4", "/F 4 /A << /S /JavaScript /JS (x) >>")}, NO
    yield "field gets a keystroke script", {7: p.edit(7, "/F 4", "/F 4 /AA << /K << /S /JavaScript /JS (x) >> >>")}, NO
    yield "default value", {7: p.edit(7, "/DV (An)", "/DV (Binh)")}, NO
    yield "field made read-only", {7: p.edit(7, "/F 4", "/F 4 /Ff 1")}, EITHER
    yield "read-only taken off", {36: p.edit(36, "/Ff 1", "/Ff 0")}, NO
    yield "read-only field filled in", {36: p.edit(36, "/V (c)", "/V (d)")}, EITHER  # a calculated field is one of these
    yield "appearance other than the value", {8: stream(b"/Tx BMC q BT /Helv 12 Tf 2 5 Td (Chin trieu) Tj ET Q EMC", FORM)}, NO
    yield "appearance repointed, value stays", {7: p.edit(7, "/N 8 0 R", "/N 30 0 R")}, NO
    yield "check box states swapped", {12: p.edit(12, "/On 13 0 R /Off 14 0 R", "/On 14 0 R /Off 13 0 R")}, NO
    yield "check mark redrawn", {14: stream(b"0 0 18 18 re S 2 2 m 16 16 l S", "/Type /XObject /Subtype /Form /BBox [0 0 18 18]")}, NO
    filled = {7: p.edit(7, "/V (An)", "/V (Binh)").replace(b"8 0 R", b"65 0 R"), 65: stream(b"/Tx BMC q BT /Helv 12 Tf 2 5 Td (Binh) Tj ET Q EMC", FORM)}
    yield "field filled in", filled, FILL
    yield "field filled in and text changed", {**filled, 4: EVIL}, NO
    yield "check box ticked", {12: p.edit(12, "/V /Off /AS /Off", "/V /On /AS /On")}, FILL
    yield "check box to a state it has not", {12: p.edit(12, "/V /Off /AS /Off", "/V /X /AS /X")}, EITHER
    yield "filled in with a font of its own", {7: filled[7], 65: stream(b"BT /Evil 12 Tf (Binh) Tj ET", FORM.replace("/Helv 5 0 R", "/Evil 35 0 R"))}, EITHER


def signature(p):
    f, v = p.field_number, p.value_number
    body = p.body[f]
    yield "signature widget moved over the text", {f: body.replace(b"/Rect [0 0 0 0]", b"/Rect [72 690 400 720]")}, NO
    yield "signature gets an appearance", {f: body.replace(b"/F 132", b"/F 4 /AP << /N 8 0 R >>").replace(b"/Rect [0 0 0 0]", b"/Rect [72 690 400 720]")}, NO
    yield "signature gets an appearance, still of no size", {f: body.replace(b"/F 132", b"/F 132 /AP << /N 8 0 R >>")}, NO
    yield "signature renamed", {f: body.replace(b"(ChuKy1)", b"(ChuKy9)")}, NO
    yield "signature field locks", {f: body.replace(b"/F 132", b"/F 132 /Lock << /Action /All >>")}, NO
    yield "signature dictionary gets a name", {v: p.body[v].replace(b"/Type /Sig", b"/Type /Sig /Name (Chu tich)")}, NO
    yield "signature field on another page", {f: body.replace(b"/P 3 0 R", b"/P 31 0 R")}, NO
    yield "signature widget unhung from the page", {3: re.sub(rb" %d 0 R\]" % f, b"]", p.body[3])}, NO


def annotations(p):
    def add(text, more=None):
        return {3: p.edit(3, "/Annots [", "/Annots [70 0 R "), 70: "<< /Type /Annot /P 3 0 R /F 4 " + text + " >>", **(more or {})}

    yield "note", add("/Subtype /Text /Rect [10 10 30 30] /Contents (ghi chu)"), NOTE
    yield "free text over the amount (evil annotation)", add("/Subtype /FreeText /Rect [72 690 400 720] /Contents (9.000.000) /DA (/Helv 14 Tf 0 g)"), NOTE
    yield "stamp over the amount (evil annotation)", add("/Subtype /Stamp /Rect [72 690 400 720] /AP << /N 8 0 R >>"), NOTE
    yield "link with a script", add("/Subtype /Link /Rect [10 10 30 30] /A << /S /JavaScript /JS (x) >>"), NO
    yield "link that launches", add("/Subtype /Link /Rect [10 10 30 30] /A << /S /Launch /F (x.exe) >>"), NO
    yield "file attachment", add("/Subtype /FileAttachment /Rect [10 10 30 30] /FS 71 0 R", {71: "<< /Type /Filespec /F (a) /EF << /F 72 0 R >> >>", 72: stream(b"MZ")}), EITHER
    yield "screen with a rendition", add("/Subtype /Screen /Rect [10 10 30 30] /A << /S /Rendition >>"), NO
    yield "rich media", add("/Subtype /RichMedia /Rect [72 690 400 720]"), NO
    yield "3D", add("/Subtype /3D /Rect [72 690 400 720]"), NO
    yield "redaction", add("/Subtype /Redact /Rect [72 690 400 720] /OverlayText (9)"), NO
    yield "watermark", add("/Subtype /Watermark /Rect [0 0 595 842] /AP << /N 8 0 R >>"), NO
    yield "widget without a field", add("/Subtype /Widget /Rect [72 690 400 720] /AP << /N 8 0 R >>"), NO
    yield "annotation of unknown kind", add("/Subtype /XYZ /Rect [72 690 400 720] /AP << /N 8 0 R >>"), NO
    yield "note and text changed", {**add("/Subtype /Text /Rect [10 10 30 30]"), 4: EVIL}, NO
    yield "popup with additional actions", add("/Subtype /Popup /Rect [10 10 30 30] /AA << /E << /S /URI /URI (http://x) >> >>"), NO


def information(p):
    yield "title in Info", {11: p.edit(11, "Van ban mau", "Van ban khac")}
    yield "XMP packet", {10: stream(b"<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'><a/></x:xmpmeta><?xpacket end='w'?>", "/Type /Metadata /Subtype /XML")}
    yield "developer extensions", {1: p.edit(1, "/Type /Catalog", "/Type /Catalog /Extensions << /ADBE << /BaseVersion /1.7 /ExtensionLevel 8 >> >>")}
    yield "version", {1: p.edit(1, "/Type /Catalog", "/Type /Catalog /Version /2.0")}


def tricks(p):
    """Objects that play two parts."""
    yield "metadata is also a page's content", {10: EVIL, 3: p.edit(3, "/Contents 4 0 R", "/Contents [4 0 R 10 0 R]")}
    yield "Info is the catalog", {1: p.edit(1, "/Type /Catalog", "/Type /Catalog /Title (x) /Names << /JavaScript << /Names [(a) 11 0 R] >> >>"), 11: "<< /S /JavaScript /JS (x) >>"}
    yield "DSS holds a page", {1: p.edit(1, "/Type /Catalog", "/Type /Catalog /DSS << /Certs [4 0 R] >>"), 4: EVIL}
    yield "DSS with a script", {1: p.edit(1, "/Type /Catalog", "/Type /Catalog /DSS << /Certs [] /AA << /S /JavaScript >> >> /OpenAction << /S /JavaScript /JS (x) >>")}
    yield "extensions hold an action", {1: p.edit(1, "/Type /Catalog", "/Type /Catalog /Extensions << /ADBE << /BaseVersion /1.7 /ExtensionLevel 8 >> >> /AA << /WC << /S /JavaScript /JS (x) >> >>")}
    yield "field value stream shared with the page", {7: p.edit(7, "/N 8 0 R", "/N 4 0 R").replace(b"/V (An)", b"/V (Binh)"), 4: EVIL}


def shared_parts(world):
    """Prepared before signing: one object stands where changes are allowed and where the reader looks."""
    shared = dict(more={**HIDDEN, **OCG}, catalog=OCG_CATALOG)
    q = base(**{**shared, "page": "/Metadata 10 0 R"})
    q.append({3: q.edit(3, "/Contents 4 0 R", "/Contents [4 0 R 8 0 R]")})
    for level in (0, 2, 3):
        p = q.copy().sign(world.signer(), certify=level)
        yield f"appearance is also page content, DocMDP {level}", p.append({8: stream(b"BT (9) Tj ET", FORM), 7: p.edit(7, "/V (An)", "/V (Binh)")}).data
        q2 = base(**shared)
        q2.append({3: q2.edit(3, "/Im1 9 0 R", "/Im1 8 0 R")})
        p = q2.sign(world.signer(), certify=level)
        yield f"appearance is also a picture of the page, DocMDP {level}", p.append({8: stream(b"BT (9) Tj ET", FORM), 7: p.edit(7, "/V (An)", "/V (Binh)")}).data
        q3 = base(**shared)
        q3.append({3: q3.edit(3, "/Contents 4 0 R", "/Contents 80 0 R")})
        p = q3.sign(world.signer(), certify=level)
        yield f"content that did not exist is put in, DocMDP {level}", p.append({80: EVIL}).data
        q4 = base(**shared)
        q4.append({2: q4.edit(2, "/Count 1", "/Count 81 0 R"), 81: "1"})
        p = q4.sign(world.signer(), certify=level)
        yield f"page count by reference, DocMDP {level}", p.append({81: "0"}).data


def all_edits(p):
    for part in (visible, catalog, form, signature, annotations):
        yield from part(p)


def cases(world, full):
    options = dict(more={**HIDDEN, **OCG, **WITH_LOCKED}, catalog=OCG_CATALOG, annotations="36 0 R")
    for level in (0, 1, 2, 3):
        p = world.signed(certify=level, **options)
        for name, objects, least in all_edits(p):
            if least == EITHER:
                words = REFUSED if level == 1 else LAWFUL | REFUSED
            elif least == NO:
                words = REFUSED
            else:
                words = (LAWFUL if level >= least else REFUSED) if level else LAWFUL | REFUSED
            yield Case(f"DocMDP {level}: {name}", p.copy().append(objects).data, words)
        for name, objects in information(p):
            yield Case(f"DocMDP {level}: {name}", p.copy().append(objects).data, REFUSED | LAWFUL)
        for name, objects in tricks(p):
            yield Case(f"DocMDP {level}: {name}", p.copy().append(objects).data, REFUSED)
        two = p.copy().append({11: p.edit(11, "Van ban mau", "A")}) if level != 1 else p.copy()
        if level != 1:
            yield Case(f"DocMDP {level}: later signature after Info", two.sign(world.signer(cert=world.second), field="Hai").data, REFUSED | LAWFUL)
        evil = p.copy().append({4: EVIL}).sign(world.signer(cert=world.second), field="Hai")
        yield Case(f"DocMDP {level}: content changed, then signed again", evil.data, REFUSED)
        yield Case(f"DocMDP {level}: content changed inside the later signature's revision", p.copy().sign(world.signer(cert=world.second), field="Hai", more={4: EVIL}).data, REFUSED)
        yield Case(f"DocMDP {level}: later signature with a widget over the text", p.copy().sign(world.signer(cert=world.second), field="Hai",
                   widget="/Rect [72 690 400 720] /AP << /N 8 0 R >>").data, REFUSED if level == 1 else LAWFUL | REFUSED)
        yield Case(f"DocMDP {level}: later certification", p.copy().sign(world.signer(cert=world.second), field="Hai", certify=2).data, REFUSED)
    for name, data in shared_parts(world):
        yield Case(name, data, REFUSED)
    for style in ("stream",):
        p = world.signed(style, **options)
        for name, objects, least in all_edits(p):
            if least == NO:
                yield Case(f"packed: {name}", p.copy().append({**objects, 90: "null"}, packed=[n for n, b in {**objects, 90: "null"}.items() if b"stream" not in (b if isinstance(b, bytes) else b.encode())]).data, REFUSED)
