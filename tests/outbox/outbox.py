#!/usr/bin/env python3
"""Letters and a mail server that behaves badly: refuses, is slow, greets with an error, dies in the midst of a letter or after it, asks to come
back later, speaks no TLS or with a certificate nobody knows; and who sends is killed. Nothing is lost; what goes twice is what SMTP cannot avoid
(taken, and the answer lost), with the same Message-ID; what is refused says so and can be sent again. Names and subjects stay names and subjects.

outbox.py ANTIN [DATABASE-URL]"""
import collections, email, email.header, email.policy, json, os, re, shutil, signal, socketserver, ssl, subprocess, sys, tempfile, threading, time
from pathlib import Path

antin = sys.argv[1]
database = sys.argv[2] if len(sys.argv) > 2 else None
work = Path(tempfile.mkdtemp(prefix="antin-outbox-"))
home = work / "home"
passed, failures = 0, []
DAY = 2_000_000_000  # a moment of the story; the clock of every command
REFUSED = "refused by the server"
os.environ.update(LC_ALL="C.UTF-8")


def check(condition, what):
    global passed
    if condition:
        passed += 1
    else:
        failures.append(what)
        print("FAILED:", what[:800], flush=True)
    return condition


def run(*args, day=DAY, want=0):
    done = subprocess.run([antin, *map(str, args), "--dir", str(home), "--json"], capture_output=True, text=True, env=dict(os.environ, SOURCE_DATE_EPOCH=str(day)))
    if want is not None:
        check((done.returncode == 0) == (want == 0), f"{' '.join(map(str, args[:3]))}: exit {done.returncode} {done.stdout[-300:]} {done.stderr[-300:]}")
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return json.loads(lines[-1]) if lines else {}


class Server(socketserver.StreamRequestHandler):
    """Behaves as `mode` says to everybody, and to each recipient as the name before @ says."""
    mode = "ok"
    tries = collections.Counter()   # RCPT by address
    taken = []                      # (address, letter) that it said 250 to, or would have
    cut = collections.Counter()     # letters broken off within DATA
    held = threading.Event()        # somebody is in DATA and waits
    go = threading.Event()

    def say(self, line):
        try:
            self.wfile.write(line.encode() + b"\r\n")
        except OSError:
            pass

    def data(self, address):
        self.say("354 go on")
        letter = b""
        for line in iter(self.rfile.readline, b""):
            if line == b".\r\n":
                return letter
            letter += line[1:] if line.startswith(b".") else line
            if address.startswith("dies-within") and Server.tries[address] < 3:
                Server.cut[address] += 1
                return None
        Server.cut[address] += 1  # who sent is gone
        return None

    def recipient(self, line):
        address = re.search(rb"<([^>]*)>", line).group(1).decode()
        Server.tries[address] += 1
        answer = {"nobody": "550 5.1.1 no such mailbox", "grey": "451 4.7.1 greylisted" if Server.tries[address] < 3 else "250 ok"}
        self.say(answer.get(address.split("@")[0].rstrip("0123456789"), "250 ok"))
        return address

    def finish_letter(self, address):
        letter = self.data(address)
        if letter is None:
            return False
        name = address.split("@")[0].rstrip("0123456789")
        if name == "unwanted":
            self.say("554 5.7.1 content refused")
            return True
        Server.taken.append((address, letter))
        if name == "dies-after" and Server.tries[address] == 1:
            return False  # taken, and nobody hears it
        if name == "slow":
            time.sleep(2)
        if Server.mode == "hold":
            Server.held.set()
            Server.go.wait(30)
        self.say("250 2.0.0 taken")
        return True

    def handle(self):
        greeting = {"closed": "554 5.3.2 no service", "busy": "421 4.3.2 too busy"}.get(Server.mode, "220 test")
        if Server.mode == "silent":
            time.sleep(1)
            return
        self.say(greeting)
        if not greeting.startswith("220"):
            return
        address = ""
        for line in self.rfile:
            word = line[:4].upper()
            if word in (b"EHLO", b"HELO"):
                if Server.mode in ("tls", "starttls-stripped"):
                    self.say("250-test")
                    self.say("250 STARTTLS" if Server.mode == "tls" else "250 8BITMIME")
                else:
                    self.say("250 test")
            elif word == b"STAR":
                self.say("220 go on")
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(work / "own.pem")
                try:
                    self.request = context.wrap_socket(self.request, server_side=True)
                except (ssl.SSLError, OSError):
                    return
                self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
            elif word == b"MAIL":
                self.say("550 5.7.1 relaying denied" if Server.mode == "no-relay" else "250 ok")
            elif word == b"RCPT":
                address = self.recipient(line)
            elif word == b"DATA":
                if not self.finish_letter(address):
                    return
            elif word == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


class Threads(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_):  # connections that are cut are what this is about
        pass


NAMES = {  # e-mail of an agency → its name: a letter to each
    "good1": "Sở Khoa học và Công nghệ, Phòng “Chuyển đổi số” – bộ phận phụ trách chữ ký số (MẪU) " + "ưỡng " * 20,
    "good2": 'Plain "quoted" \\ name, <x@y.vn>', "good3": "=?UTF-8?B?eA==?= no word of ours", "slow1": "Chậm (MẪU)", "grey1": "Hẹn lại (MẪU)",
    "nobody1": "Không có hộp thư (MẪU)", "unwanted1": "Bị từ chối nội dung (MẪU)", "dies-within1": "Đứt giữa chừng (MẪU)", "dies-after1": "Đứt sau khi nhận (MẪU)", "good4": "Cuối cùng (MẪU)",
}


def set_up():
    done = subprocess.run([antin, "init", str(home), "--name", "Tổ chức MẪU", "--regulation", "tay-ninh-2025", "--database", database or "sqlite:store.db", "--quiet"],
                          capture_output=True, text=True, env=dict(os.environ, SOURCE_DATE_EPOCH=str(DAY - 86400)))
    check(done.returncode == 0, f"init: {done.stderr}")
    run("agency", "add", "--as", "system", "--name", "Cục (MẪU)", "--code", "G11.07.05", "--email", "cuc@mau.gov.vn")
    number = run("person", "add", "--as", "system", "--name", "Lê Cục Mẫu", "--agency", "G11.07.05", "--email", "le@mau.gov.vn")["number"]
    for n, (address, name) in enumerate(NAMES.items(), 1):
        run("agency", "add", "--as", "system", "--name", name, "--code", f"H53.{n}", "--email", f"{address}@mau.gov.vn")
        run("person", "add", "--as", "system", "--name", f"Người Thứ {n}", "--agency", f"H53.{n}", "--email", f"nguoi{n}@mau.gov.vn", "--retires", time.strftime("%Y-%m-%d", time.gmtime(DAY + 20 * 86400)))
    run("person", "role", number, "--as", "system", "--role", "cuc", "--agency", "G11.07.05", "--since", "2020-01-01")
    return number


def notices(who):
    return {n["address"].split("@")[0]: n for n in run("notice", "list", "--as", who, "--limit", 100)["notices"]}


def counts():
    return collections.Counter(address.split("@")[0] for address, _ in Server.taken)


def server_is_at_fault(who):
    """What the server says to everybody is no letter's fault: nothing is refused for good, and the run ends at the first."""
    for n, mode in enumerate(("closed", "busy", "silent", "no-relay")):
        Server.mode = mode
        ran = run("notice", "run", day=DAY + 7200 * (n + 1))
        check(ran["sent"] == 0 and ran["refused"] == 0 and ran["later"] == 1, f"{mode}: {ran}")
    found = notices(who)
    check(len(found) == len(NAMES) and all(n["letter"] == "waiting" for n in found.values()), f"all wait: {found}")
    check(not Server.taken, "nothing went out")
    return DAY + 7200 * 6


def each_letter_for_itself(who, day):
    Server.mode = "ok"
    Server.tries.clear()
    for n in range(8):  # by the day everything that can go has gone
        run("notice", "run", day=day + 7200 * n)
    found, sent = notices(who), counts()
    wanted = {a: REFUSED if a.startswith(("nobody", "unwanted")) else "sent" for a in NAMES}
    check({a: n["letter"] for a, n in found.items()} == wanted, f"what became of them: { {a: (n['letter'], n['error']) for a, n in found.items()} }")
    check(all(sent[a] == (2 if a == "dies-after1" else 1) for a, state in wanted.items() if state == "sent"), f"each once, but the one whose answer was lost: {sent}")
    check(Server.cut["dies-within1@mau.gov.vn"] == 2, f"cut twice, then taken whole: {Server.cut}")
    twice = [email.message_from_bytes(m)["Message-ID"] for a, m in Server.taken if a.startswith("dies-after")]
    check(len(twice) == 2 and len(set(twice)) == 1, f"the second has the Message-ID of the first: {twice}")
    check("550" in found["nobody1"]["error"] and "554" in found["unwanted1"]["error"], "the server's words are kept")
    return day + 7200 * 9


def read_as_others_read():
    """By the parser of another project: one header each, names and subjects as they were, lines short, nothing but ASCII on the wire."""
    for address, letter in Server.taken:
        short = address.split("@")[0]
        message = email.message_from_bytes(letter, policy=email.policy.SMTP)
        check(all(len(line) <= 998 and max(line, default=0) < 128 for line in letter.split(b"\r\n")) and b"\n" not in letter.replace(b"\r\n", b""), f"{short}: lines")
        check(all(len(line) <= 78 for line in letter.split(b"\r\n\r\n")[0].split(b"\r\n")), f"{short}: header lines over 78: {letter[:600]}")
        check(collections.Counter(k.lower() for k in message.keys()).most_common(1)[0][1] == 1, f"{short}: {message.keys()}")
        who = message["To"].addresses
        check(len(who) == 1 and who[0].addr_spec == address, f"{short}: to {message['To']}")
        check(" ".join(who[0].display_name.split()) == " ".join(NAMES[short].split()), f"{short}: name {who[0].display_name!r}")
        check("nghỉ hưu" in message["Subject"], f"{short}: subject {message['Subject']!r}")
        check("nghỉ hưu" in message.get_content() and "Người Thứ" in message.get_content(), f"{short}: {message.get_content()[:200]!r}")


def no_header_is_added(who):
    """A line end in a name never reaches the register."""
    for bad in ("Sở\r\nBcc: ai@do.vn", "Sở\nSubject: khác", "Sở\x00x"):
        done = subprocess.run([antin, "agency", "edit", "H53.1", "--dir", str(home), "--as", who, "--name", bad.replace("\x00", "\x01")], capture_output=True, text=True)
        check(done.returncode != 0, f"a name with a line end: {bad!r}")
    done = subprocess.run([antin, "agency", "edit", "H53.1", "--dir", str(home), "--as", who, "--email", "a@mau.gov.vn\r\nRCPT TO:<b@mau.gov.vn>"], capture_output=True, text=True)
    check(done.returncode != 0, "an address with a line end")


def by_hand(who, day):
    found = notices(who)
    nobody, unwanted = found["nobody1"]["id"], found["unwanted1"]["id"]
    run("notice", "resend", nobody, "--as", who, day=day)
    check(notices(who)["nobody1"]["letter"] == "waiting", "waits again")
    run("notice", "run", day=day + 60)
    check(notices(who)["nobody1"]["letter"] == REFUSED, "refused again")
    run("notice", "set-aside", unwanted, "--as", who, "--reason", "đã báo qua điện thoại", day=day)
    now = notices(who)["unwanted1"]
    check(now["letter"] == "set aside" and "điện thoại" in now["error"], f"set aside with the reason: {now}")
    run("notice", "resend", found["good1"]["id"], "--as", who, day=day, want=1)
    check("notice.resend" in subprocess.run([antin, "audit", "list", "--dir", str(home), "--limit", "50"], capture_output=True, text=True).stdout, "told to the log")
    return day + 7200


def new_letter(who, n, day):
    run("agency", "add", "--as", who, "--name", f"Cơ quan {n} (MẪU)", "--code", f"H53.9{n}", "--email", f"more{n}@mau.gov.vn", day=day)
    run("person", "add", "--as", who, "--name", f"Người Thêm {n}", "--agency", f"H53.9{n}", "--email", f"them{n}@mau.gov.vn", "--retires",
        time.strftime("%Y-%m-%d", time.gmtime(day + 20 * 86400)), day=day)


def killed(who, day):
    """Killed while the server has the letter and has not answered: it goes again, with its Message-ID, when the time of who had it is over;
    and two who send at once send one."""
    new_letter(who, 1, day)
    Server.mode = "hold"
    env = dict(os.environ, SOURCE_DATE_EPOCH=str(day + 60))
    worker = subprocess.Popen([antin, "notice", "run", "--dir", str(home), "--json"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    check(Server.held.wait(60), "the letter is at the server")
    other = run("notice", "run", day=day + 61)
    check(other["sent"] == 0, "nobody else sends what somebody has in hand")
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    Server.mode = "ok"
    Server.go.set()
    check(notices(who)["more1"]["letter"] == "waiting", "not sent as far as anybody knows")
    run("notice", "run", day=day + 7200)
    ids = [email.message_from_bytes(m)["Message-ID"] for a, m in Server.taken if a.startswith("more1")]
    check(notices(who)["more1"]["letter"] == "sent" and len(ids) == 2 and len(set(ids)) == 1, f"once more, the same: {ids}")
    for n in range(2, 8):
        new_letter(who, n, day)
    env = dict(os.environ, SOURCE_DATE_EPOCH=str(day + 14400))
    both = [subprocess.Popen([antin, "notice", "run", "--dir", str(home), "--json"], env=env, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    sent = sum(json.loads(p.communicate()[0].splitlines()[-1])["sent"] for p in both)
    check(sent == 6 and all(counts()[f"more{n}"] == 1 for n in range(2, 8)), f"four who send at once send each once: {sent} {counts()}")
    return day + 21600


def tls(who, day, port):
    """Without leave to go in the clear: a server that speaks no TLS, one whose STARTTLS somebody took out, one with a certificate of its own making."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "own.key", "-out", "own.crt", "-days", "30", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1"], cwd=work, check=True, capture_output=True)
    (work / "own.pem").write_text((work / "own.key").read_text() + (work / "own.crt").read_text())
    config = home / "antin.yaml"
    config.write_text(config.read_text().replace("  allow_plain: true\n", ""))
    new_letter(who, 8, day)
    for n, mode in enumerate(("ok", "starttls-stripped", "tls")):
        Server.mode = mode
        ran = run("notice", "run", day=day + 7200 * (n + 1))
        found = notices(who)["more8"]
        check(ran["sent"] == 0 and found["letter"] == "waiting" and "TLS" in found["error"].upper(), f"{mode}: {ran} {found}")
    check(counts()["more8"] == 0, "no octet of the letter went out")


who = set_up()
server = Threads(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
with open(home / "antin.yaml", "a") as config:
    config.write(f'mail:\n  server: "smtp://127.0.0.1:{server.server_address[1]}"\n  from: antin@mau.gov.vn\n  allow_plain: true\n  allow_private: true\n')
if not failures:
    day = server_is_at_fault(who)
    day = each_letter_for_itself(who, day)
    read_as_others_read()
    no_header_is_added(who)
    day = by_hand(who, day)
    day = killed(who, day)
    tls(who, day, server.server_address[1])
server.shutdown()
print(f"outbox: {passed} passed, {len(failures)} failed, 0 skipped")
shutil.rmtree(work, ignore_errors=True)
sys.exit(1 if failures else 0)
