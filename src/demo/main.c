/*
 * The program behind "antin demo": makes everything in one folder, verifies everything, shows a table and pictures of
 * the pages. A program of its own, so that antin does not load an HTTP server to verify a file.
 */
#include "demo/demo.h"

#include "base/file.h"
#include "base/time.h"
#include "cli/report.h"
#include "fetch/fetch.h"
#include "http/http.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct demo_party party_table[DEMO_PARTIES] = {
    [DEMO_ROOT] = {.id = "goc", .profile = "goc", .name = "RootCA MẪU (trình diễn)", .parent = "Tổ chức chứng thực MẪU",
                   .kind = AN_KEY_RSA, .bits = 4096},
    [DEMO_ISSUING] = {.id = "ca", .profile = "trung-gian", .name = "CA MẪU phục vụ các cơ quan Nhà nước",
                      .parent = "Tổ chức chứng thực MẪU", .kind = AN_KEY_RSA, .bits = 3072},
    [DEMO_TSA] = {.id = "tsa", .profile = "tsa", .name = "TSA MẪU", .parent = "Tổ chức chứng thực MẪU",
                  .kind = AN_KEY_RSA, .bits = 2048},
    [DEMO_LEADER] = {.id = "chu-tich", .profile = "ca-nhan", .name = "Nguyễn Văn Mẫu", .unit = "Ủy ban nhân dân xã Mẫu",
                     .parent = "ỦY BAN NHÂN DÂN TỈNH MẪU", .email = "nvmau@mau.gov.vn", .kind = AN_KEY_RSA,
                     .bits = 2048},
    [DEMO_AGENCY] = {.id = "ubnd-xa", .profile = "co-quan", .name = "ỦY BAN NHÂN DÂN XÃ MẪU",
                     .parent = "ỦY BAN NHÂN DÂN TỈNH MẪU", .email = "xamau@mau.gov.vn", .kind = AN_KEY_RSA,
                     .bits = 2048},
    [DEMO_OTHER_LEADER] = {.id = "giam-doc", .profile = "ca-nhan", .name = "Lê Thị Thí Dụ", .unit = "Sở Mẫu",
                           .parent = "ỦY BAN NHÂN DÂN TỈNH MẪU", .email = "ltthidu@mau.gov.vn", .kind = AN_KEY_EC,
                           .bits = 256},
    [DEMO_OTHER_AGENCY] = {.id = "so-mau", .profile = "co-quan", .name = "SỞ MẪU TỈNH MẪU",
                           .parent = "ỦY BAN NHÂN DÂN TỈNH MẪU", .email = "somau@mau.gov.vn", .kind = AN_KEY_EC,
                           .bits = 256},
    [DEMO_REVOKED] = {.id = "da-thu-hoi", .profile = "ca-nhan", .name = "Phạm Văn Thử",
                      .unit = "Ủy ban nhân dân xã Mẫu", .parent = "ỦY BAN NHÂN DÂN TỈNH MẪU",
                      .email = "pvthu@mau.gov.vn", .kind = AN_KEY_RSA, .bits = 2048},
};

/* What each file must turn out to be; anything else fails the demonstration. */
static const struct { const char *file, *vi, *en; enum an_indication want; bool picture; } expected_table[] = {
    {"02-lanh-dao-da-ky.pdf", "lãnh đạo đã ký", "signed by the leader", AN_TOTAL_PASSED, true},
    {"03-da-phat-hanh.pdf", "đã ký và đóng dấu", "signed and sealed", AN_TOTAL_PASSED, true},
    {"05-phu-luc-da-ky.pdf", "phụ lục tệp riêng", "attachment in its own file", AN_TOTAL_PASSED, true},
    {"06-ban-sao.pdf", "bản sao điện tử", "electronic copy", AN_TOTAL_PASSED, true},
    {"07-luu-tru-B-LTA.pdf", "lưu trữ lâu dài", "long-term archive", AN_TOTAL_PASSED, true},
    {"11-gia-mao-mot-byte.pdf", "sửa một byte", "one byte changed", AN_TOTAL_FAILED, false},
    {"12-gia-mao-thay-noi-dung.pdf", "thay nội dung sau khi ký", "content replaced after signing", AN_TOTAL_FAILED, false},
    {"13-chung-thu-bi-thu-hoi.pdf", "chứng thư đã bị thu hồi", "revoked certificate", AN_TOTAL_FAILED, false},
};

static void
demo_done(struct demo *d)
{
    an_http_server_stop(&d->server);
    an_fetcher_stop(&d->fetcher);
    an_renderer_stop(&d->renderer);
    an_child_stop(&d->layout);
    an_verifier_free(&d->verifier);
    for (size_t i = 0; i < DEMO_PARTIES; i++) {
        an_signer_close(&d->parties[i].signer);
        an_cert_unref(&d->parties[i].cert);
        an_buf_free(&d->parties[i].image);
    }
    an_profiles_free(&d->profiles);
    an_certs_done(&d->anchors);
    an_certs_done(&d->chain);
    an_crls_unref(&d->crls);
}

static an_code
verify_one(struct demo *d, size_t index, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = demo_path(d, expected_table[index].file);
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    struct an_verify_options options = {.anchors = &d->anchors, .untrusted = &d->chain, .crls = &d->crls,
                                        .at = AN_TIME_NONE, .content_fd = -1};
    struct an_report report = {0};
    struct demo_row *row = &d->rows[d->row_count++];

    AN_TRY(an_file_open(path, 0, &file, reterr));
    AN_TRY(an_verify_file(d->verifier, &file, &options, &report, reterr));
    snprintf(row->file, sizeof(row->file), "%s", expected_table[index].file);
    row->what_vi = expected_table[index].vi;
    row->what_en = expected_table[index].en;
    row->indication = report.indication;
    row->word = report.word;
    row->expected = report.indication == expected_table[index].want;
    if (!d->cli->json && !d->cli->quiet)
        report_text(d->cli, path, &report);
    an_report_done(&report);
    return AN_OK;
}

static an_code
picture(struct demo *d, size_t index, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = demo_path(d, expected_table[index].file);
    AN_CLEANUP(an_buf_free) struct an_buf png = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    AN_CLEANUP(an_text_lines_free) struct an_text_lines lines = {0};
    size_t stem = strlen(path) - 4;

    AN_TRY(an_file_open(path, 0, &file, reterr));
    AN_TRY(an_renderer_lines(d->renderer, file.fd, -1, NULL, &lines, reterr));
    for (uint32_t page = 0; page < lines.pages; page++) {
        AN_CLEANUP(an_free_ptr) char *name = an_asprintf("%.*s-trang-%u.png", (int)stem, path, page + 1);
        AN_TRY(an_renderer_page_png(d->renderer, file.fd, (int)page, 100, NULL, &png, reterr));
        AN_TRY(an_file_write(name, an_buf_view(&png), 0644, reterr));
    }
    return AN_OK;
}

static an_code
check_all(struct demo *d, struct an_err *reterr)
{
    demo_say(d, "Kiểm tra tất cả, từng mục kèm căn cứ", "Verify everything, each check with its article");
    for (size_t i = 0; i < AN_COUNT(expected_table); i++) {
        AN_TRY(verify_one(d, i, reterr));
        if (expected_table[i].picture)
            AN_TRY(picture(d, i, reterr));
    }
    return AN_OK;
}

static void
print_table(struct demo *d, uint64_t spent_ms)
{
    static const struct { const char *vi, *en; } words[] = {
        [AN_WORD_VALID] = {"hợp lệ", "valid"}, [AN_WORD_VALID_WITH_CHANGES] = {"hợp lệ, có thay đổi được phép",
                "valid, permitted changes"},
        [AN_WORD_MODIFIED] = {"đã bị thay đổi", "modified"}, [AN_WORD_BROKEN] = {"bị hỏng", "broken"},
        [AN_WORD_NOT_ENOUGH] = {"chưa đủ căn cứ", "not enough evidence"}};
    struct cli *cli = d->cli;

    fprintf(cli->out, "\n");
    cli_cell(cli->out, SAY(cli, "Tệp", "File"), 33);
    cli_cell(cli->out, SAY(cli, "Kết luận", "Verdict"), 16);
    fprintf(cli->out, "%s\n", SAY(cli, "Nội dung", "What"));
    for (size_t i = 0; i < d->row_count; i++) {
        const struct demo_row *r = &d->rows[i];
        bool refused = r->word == AN_WORD_NOT_ENOUGH && r->indication == AN_TOTAL_FAILED;
        fprintf(cli->out, "%-32s %-15s %s · %s%s\n", r->file, indication_text(r->indication),
                SAY(cli, r->what_vi, r->what_en),
                refused ? SAY(cli, "không hợp lệ", "not valid") : SAY(cli, words[r->word].vi, words[r->word].en),
                r->expected ? "" : SAY(cli, "  ← KHÔNG NHƯ MONG ĐỢI", "  ← NOT AS EXPECTED"));
    }
    fprintf(cli->out, "\n%s %.1f s. %s: %s/\n", SAY(cli, "Xong sau", "Done in"), (double)spent_ms / 1000,
            SAY(cli, "Tệp và ảnh từng trang ở", "Files and page pictures in"), d->dir);
    fprintf(cli->out, SAY(cli, "\nThử tiếp:\n", "\nTry next:\n"));
    fprintf(cli->out, "  build/antin verify %s/03-da-phat-hanh.pdf --trust %s/ca/goc.crt --crl %s/ca\n", d->dir, d->dir,
            d->dir);
    fprintf(cli->out, "  build/antin pdf revisions %s/07-luu-tru-B-LTA.pdf\n", d->dir);
    fprintf(cli->out,
            "  SOFTHSM2_CONF=%s/softhsm2.conf build/antin sign %s/01-quyet-dinh.pdf -o /tmp/ky.pdf --look dang-ca-nhan \\\n"
                      "      --key 'pkcs11:token=chu-tich?module-path=%s' --cert %s/ca/chu-tich.crt --chain %s/ca/ca.crt \\\n"
                      "      --trust %s/ca/goc.crt --crl %s/ca --pin-file %s/pin/chu-tich.pin\n", d->dir, d->dir,
                      an_softhsm_module(), d->dir, d->dir, d->dir, d->dir, d->dir);
    fprintf(cli->out, "  build/antin look list\n  build/antin --help\n");
}

static void
print_json(struct demo *d, uint64_t spent_ms)
{
    json_t *rows = json_array(), *whole;
    char *text;

    for (size_t i = 0; i < d->row_count; i++)
        json_array_append_new(rows, json_pack("{s:s, s:s, s:b}", "file", d->rows[i].file, "indication",
                                              indication_text(d->rows[i].indication), "expected",
                                              (int)d->rows[i].expected));
    whole = json_pack("{s:s, s:I, s:I, s:o}", "dir", d->dir, "milliseconds", (json_int_t)spent_ms, "signatures",
                      (json_int_t)d->signatures, "files", rows);
    text = json_dumps(whole, JSON_COMPACT);
    fprintf(d->cli->out, "%s\n", text ? text : "{}");
    free(text);
    json_decref(whole);
}

/* The folder is ours to fill: it must be new, or made by an earlier demonstration. */
static an_code
claim_folder(const char *dir, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *mark = an_asprintf("%s/.antin-demo", dir);
    DIR *folder = opendir(dir);
    bool is_empty = true;
    struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL)
        is_empty = is_empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
    if (folder != NULL)
        closedir(folder);
    if (!is_empty && access(mark, F_OK) != 0)
        AN_FAIL(reterr, AN_E_DEMO_FOLDER, "%s", dir);
    AN_TRY(an_dir_make(dir, false, reterr));
    return an_file_write(mark, AN_LIT("antin demo\n"), 0644, reterr);
}

/* Tokens of an earlier run are removed, nothing else: their keys are gone with their PINs. */
static void
remove_old_tokens(const char *path, int depth)
{
    DIR *folder = opendir(path);
    struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        AN_CLEANUP(an_free_ptr) char *name = an_asprintf("%s/%s", path, entry->d_name);
        struct stat st;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || lstat(name, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode) && depth > 0) {
            remove_old_tokens(name, depth - 1);
            rmdir(name);
        } else {
            unlink(name);
        }
    }
    if (folder != NULL)
        closedir(folder);
}

static an_code
run(struct demo *d, struct an_err *reterr)
{
    struct an_fetch_rules rules = {.allow_private = true}; /* its own servers stand on loopback */
    AN_CLEANUP(an_free_ptr) char *tokens = demo_path(d, "tokens");

    AN_TRY(claim_folder(d->dir, reterr));
    remove_old_tokens(tokens, 1);
    AN_TRY(an_child_start("antin-layout", &d->layout, reterr));
    AN_TRY(an_renderer_start(0, &d->renderer, reterr));
    AN_TRY(an_fetcher_start(&rules, &d->fetcher, reterr));
    AN_TRY(an_verifier_new(NULL, &d->verifier, reterr));
    AN_TRY(demo_make_authority(d, reterr));
    AN_TRY(demo_make_documents(d, reterr));
    AN_TRY(demo_make_forgeries(d, reterr));
    return check_all(d, reterr);
}

struct demo_options { const char *dir, *regulation, *database, *module; };

static const struct opt demo_opts[] = {
    {"dir", "DIR", OPT_TEXT, offsetof(struct demo_options, dir), "thư mục trình diễn (mặc định ./demo)", "folder of the demonstration (default ./demo)"},
    {"regulation", "ID", OPT_TEXT, offsetof(struct demo_options, regulation), "câu chuyện theo quy chế này", "the story under this regulation"},
    {"database", "URL", OPT_TEXT, offsetof(struct demo_options, database), "cơ sở dữ liệu của câu chuyện", "database of the story"},
    {"module", "FILE", OPT_TEXT, offsetof(struct demo_options, module), "mô-đun PKCS#11 của thiết bị", "PKCS#11 module of the tokens"},
};
static const struct command demo_command = {
    "demo", "", 0, 0, demo_opts, AN_COUNT(demo_opts), sizeof(struct demo_options), NULL,
    "trình diễn toàn bộ công việc trong một thư mục",
    "show the whole job in a folder", NULL, NULL,
};

static int
run_and_show(struct cli *cli, const struct demo_options *options)
{
    AN_CLEANUP(demo_done) struct demo d = {.cli = cli, .dir = options->dir ? options->dir : "demo"};
    uint64_t start = an_time_monotonic_ms();
    struct an_err err = {0};
    int status = 0;

    memcpy(d.parties, party_table, sizeof(party_table));
    if (run(&d, &err) != AN_OK)
        return cli_fail(cli, &err);
    if (cli->json)
        print_json(&d, an_time_monotonic_ms() - start);
    else
        print_table(&d, an_time_monotonic_ms() - start);
    for (size_t i = 0; i < d.row_count; i++)
        status = d.rows[i].expected ? status : AN_KIND_INTERNAL;
    return status;
}

int
main(int argc, char **argv)
{
    struct cli cli = {.out = stdout};
    struct demo_options options = {0};
    AN_CLEANUP(an_free_ptr) char **args = an_new_array((size_t)argc + 1, sizeof(*args));
    struct an_err err = {0};
    bool help = false;
    int count = 0, status;

    cli_start(&cli, argc, argv);
    if (cli_parse(&cli, &demo_command, argc - 1, argv + 1, &options, args, &count, &help, &err) != AN_OK)
        status = cli_fail(&cli, &err);
    else if (help)
        cli_help_command(&cli, &demo_command), status = 0;
    else if (options.regulation != NULL)
        status = demo_story(&cli, options.dir ? options.dir : "demo", options.regulation, options.database,
                            options.module);
    else
        status = run_and_show(&cli, &options);
    an_regulations_close(&cli.regulations);
    return status;
}
