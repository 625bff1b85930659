#!/usr/bin/env python3
"""antin regulation and antin calendar, as a lawyer and as a program meet them."""
import json, subprocess, sys, tempfile
from pathlib import Path

antin, source = (Path(word).resolve() for word in sys.argv[1:3])
passed = failed = 0


def check(holds, what, detail=""):
    global passed, failed
    passed, failed = passed + bool(holds), failed + (not holds)
    if not holds:
        print(f"FAILED {what}: {str(detail)[:1500]}")


def run(*words):
    return subprocess.run([str(antin), *map(str, words)], capture_output=True, text=True, timeout=120)


def answer(*words):
    done = run("regulation", "explain", *words, "--json")
    return json.loads(done.stdout) if done.returncode == 0 else {"exit": done.returncode, "error": done.stdout}


KEYS = ["allowed", "authority", "forms", "conditions", "deadline", "notices", "looks", "parameters", "reasons", "citations"]


def explain():
    got = answer("--regulation", "dong-thap-2025", "--on", "2026-01-05", "--act", "request.recover", "--actor", "qltt", "--device", "pki-token")
    check(list(got) == KEYS, "the keys of the contract", list(got))
    check(got["allowed"] is True and got["authority"] == "so-khcn" and got["forms"] == ["mau-06"], "who, to whom, by which form", got)
    check({k: got["deadline"][k] for k in ("days", "unit", "from")} == {"days": 1, "unit": "working_day", "from": "valid-dossier"}, "one working day", got["deadline"])
    check({"act": "dong-thap-2025", "article": "11", "clause": "2", "point": "b"} in got["citations"], "Điều 11.2b", got["citations"])
    check(got["notices"] == ["qltt"], "told to the managing agency", got["notices"])
    got = answer("request.recover", "--regulation", "dong-thap-2025", "--on", "2026-01-05", "--actor", "thue-bao")
    check(got["allowed"] is False and got["reasons"], "the subscriber does not file; the act as an argument", got)
    got = answer("--regulation", "tay-ninh-2025", "--on", "2026-01-05", "--act", "certificate.hold")
    check(got["allowed"] is None and any(p["name"] == "hold.on_loss" and p["unconfirmed"] for p in got["parameters"]), "the texts do not say", got)
    got = answer("--regulation", "tay-ninh-2025", "--on", "2020-01-05", "--act", "request.new")
    check(got["allowed"] is None and "hiệu lực" in got["reasons"][0], "not in force yet", got)
    got = answer("--regulation", "bac-ninh-2023", "--on", "2023-05-20", "--act", "report.half-year", "--actor", "qltt", "--fact", "sent=2023-05-20")
    check(got["allowed"] is False and got["deadline"]["before"] == "2023-05-15" and got["deadline"]["days"] is None, "late", got)
    got = answer("--regulation", "bac-ninh-2023", "--on", "2023-06-01", "--act", "request.renew", "--fact", "days-left=45", "--fact", "renewals=0")
    values = {p["name"]: p for p in got["parameters"]}
    check(got["allowed"] is False and values["renew.min_days_left"]["value"] == 60 and not values["renew.min_days_left"]["unconfirmed"], "60 days of the old decree", got)
    for words in (["--act", "request.new"], ["--regulation", "dong-thap-2025"], ["--regulation", "nowhere", "--act", "train"],
                  ["--regulation", "dong-thap-2025", "--act", "request.make"], ["--regulation", "dong-thap-2025", "--act", "train", "--fact", "secrecy"],
                  ["--regulation", "dong-thap-2025", "--act", "train", "--fact", "secrecy=secret"], ["--regulation", "dong-thap-2025", "--act", "train", "--on", "soon"]):
        check(answer(*words).get("exit") == 64, "a wrong question is a usage error", (words, answer(*words)))
    text = run("regulation", "explain", "--regulation", "dong-thap-2025", "--on", "2026-01-05", "--act", "sign.seal", "--actor", "phu-trach-cntt").stdout
    check("Không được." in text and "khoản 2 Điều 17" in text, "in words, with the article", text)
    text = run("regulation", "explain", "--regulation", "dong-thap-2025", "--on", "2026-01-05", "--act", "sign.seal", "--lang", "en").stdout
    check(text.startswith("Yes.") and "Condition" in text, "in English", text)


def schema():
    """Rows of the decisions, one in fifteen, against docs/schema/explain.json."""
    try:
        import jsonschema
    except ImportError:
        print("skipped the schema: no jsonschema here")
        return
    validator = jsonschema.Draft202012Validator(json.loads((source / "docs/schema/explain.json").read_text(encoding="utf-8")))
    rows = [line.split("\t") for line in (source / "tests/regulation/decisions.tsv").read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    for row in rows[::15]:
        words = ["--regulation", row[0], "--on", row[1], "--act", row[2]]
        for option, value in zip(("--actor", "--subject", "--device", "--document"), row[3:7]):
            words += [option, value] if value != "-" else []
        for fact in row[7].split(";") if row[7] != "-" else []:
            words += ["--fact", fact]
        got = answer(*words)
        wrong = [error.message for error in validator.iter_errors(got)]
        check(not wrong and {"yes": True, "no": False, "null": None}[row[8]] is got.get("allowed"), "the schema holds", (words, wrong))


def others():
    listed = json.loads(run("regulation", "list", "--on", "2024-01-01", "--json").stdout)
    force = {row["id"]: row["in_force"] for row in listed}
    check(force["bac-ninh-2023"] and not force["tay-ninh-2025"] and not force["nd-68-2024"] and force["nd-130-2018"], "in force on a day", force)
    force = {row["id"]: row["in_force"] for row in json.loads(run("regulation", "list", "--on", "2026-01-01", "--json").stdout)}
    check(force["tt-185-2019"] is None and force["nd-130-2018"] is False and force["binh-thuan-2017"] is None and force["nd-68-2024"], "an act whose end no text tells", force)
    shown = run("regulation", "show", "gia-lai-2026").stdout
    check("29/2026" in shown and "van-ban-mat" in shown and "delegated.services" in shown, "show", shown[:300])
    check(json.loads(run("regulation", "show", "gia-lai-2026", "--json").stdout)["rules"], "show --json")
    check(run("regulation", "show", "nowhere").returncode == 64, "show of nothing")
    rows = json.loads(run("regulation", "diff", "tay-ninh-2025", "bac-ninh-2023", "--json").stdout)
    found = {(row["act"], row["what"]): (row["a"], row["b"]) for row in rows}
    check(found.get(("request.renew", "authority")) == ("so-khcn", "cuc"), "diff: who decides a renewal", sorted(found)[:5])
    check(found.get(("report.half-year", "allowed: qltt")) == ("–", "yes"), "diff: half-yearly reports", found.get(("report.half-year", "allowed: qltt")))
    check(json.loads(run("regulation", "diff", "gia-lai-2026", "gia-lai-2026", "--json").stdout) == [], "nothing differs from itself")
    table = run("regulation", "diff", "dong-thap-2025", "tay-ninh-2025").stdout
    check("1 working_day valid-dossier" in table, "diff as a table", table[:400])
    done = run("regulation", "coverage", "--json")
    cover = {row["regulation"]: row for row in json.loads(done.stdout)}
    check(done.returncode == 0 and len(cover) == 5 and all(row["missing"] == 0 and row["carried"] > 20 for row in cover.values()), "coverage", done.stdout[:300])
    with tempfile.TemporaryDirectory() as folder:
        none = Path(folder) / "none.tsv"
        none.write_text("# nothing\n")
        done = run("regulation", "coverage", "dong-thap-2025", "--missing", "--decisions", none)
        check(done.returncode == 1 and "THIẾU" in done.stdout, "coverage without decisions is missing", done.stdout[:200])


def checking():
    good = source / "samples" / "regulations" / "ninh-binh-2025.yaml"
    check(run("regulation", "check").returncode == 0, "the shipped data has no faults", run("regulation", "check").stderr)
    check(run("regulation", "check", good).returncode == 0, "nor has the sample of a sixth province", run("regulation", "check", good).stderr)
    with tempfile.TemporaryDirectory() as folder:
        bad = Path(folder) / "tinh-thu-2025.yaml"
        bad.write_text(good.read_text().replace("ninh-binh", "tinh-thu").replace("authority: so-khcn", "authority: so-khcn\n    colour: red", 1))
        done = run("regulation", "check", bad)
        line = 1 + bad.read_text()[: bad.read_text().index("colour")].count("\n")
        check(done.returncode == 78 and f"tinh-thu-2025.yaml:{line}" in done.stderr, "an unknown key by file and line", done.stderr)
    check(run("regulation", "check", "/nowhere/x.yaml").returncode != 0, "a file that is not there")


def calendar():
    due = json.loads(run("calendar", "workday", "2025-01-24", "1", "--json").stdout)
    check(due["date"] == "2025-02-03" and due["working"] and not due["unconfirmed"], "across Tết", due)
    day = json.loads(run("calendar", "workday", "2025-04-26", "--json").stdout)
    check(day["kind"] == "made-up" and day["working"], "a Saturday worked in place of a Friday", day)
    check("03/02/2025" in run("calendar", "workday", "2025-01-24", "1").stdout, "in words")
    year = json.loads(run("calendar", "show", "2026", "--json").stdout)
    check(len(year) >= 11 and all(row["unconfirmed"] for row in year), "a year not confirmed says so", year[:2])
    check(run("calendar", "check").returncode == 0, "calendar check")
    for words in (["workday", "soon"], ["workday", "2025-01-01", "x"], ["workday", "2025-01-01", "-1"], ["show", "year"], ["show", "--calendar", "mars"]):
        check(run("calendar", *words).returncode == 64, "calendar: a wrong question", words)
    with tempfile.TemporaryDirectory() as folder:
        bad = Path(folder) / "lich.yaml"
        bad.write_text("vi: a\nen: b\nweekend: [saturday]\nevery-year: []\nyears: {2026: {confirmed: true, source: x, days: [{from: 2025-01-01, kind: off, vi: a, en: b}]}}\n")
        done = run("calendar", "check", bad)
        check(done.returncode == 78 and "lich.yaml:5" in done.stderr, "calendar: a fault by file and line", done.stderr)


explain()
schema()
others()
checking()
calendar()
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or passed < 40 else 0)
