/*
 * A story is a file (samples/stories/): one line a step, each a command of antin as a person would type it, on a day of
 * the story, with what must come of it. Nothing is acted: the commands run as they are, each in a process of its own.
 *
 *   let NAME TEXT            a word that lines below use as {NAME}
 *   at TIME                  the day of what follows
 *   say TEXT                 a heading
 *   ok TEXT | COMMAND        must succeed; its answer (JSON) is kept
 *   no CITATION TEXT | …     must be refused, and name that article
 *   take NAME PATH           a word out of the kept answer: "id", "items.0.result"
 *   tell TEXT                what the reader should notice
 *   picture FILE TEXT        the picture of a hand signature, drawn for this name, in the folder of the instance
 *   append FILE TEXT         writes a line (\\n: several) at the end of a file in the folder of the instance
 *   include FILE             the lines of another file here
 *   [ID,ID] LINE             only under these regulations
 */
#include "demo/demo.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/program.h"
#include "cli/report.h"
#include "proc/json.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 128
#define ARGS_MAX 64
#define STEPS_MAX 400
#define ANSWER_BYTES_MAX ((size_t)4 * 1024 * 1024)

struct story_step { char *what; const char *wanted; bool as_wanted; char *article; };
struct story {
    struct cli *cli;
    const char *regulation;
    char *names[WORDS_MAX], *values[WORDS_MAX];
    size_t word_count;
    char at[AN_TIME_TEXT_MAX];
    json_t *answer;
    struct story_step steps[STEPS_MAX];
    size_t step_count, failed;
    char *program;
};

static void
story_done(struct story *s)
{
    for (size_t i = 0; i < s->word_count; i++) {
        free(s->names[i]);
        free(s->values[i]);
    }
    for (size_t i = 0; i < s->step_count; i++) {
        free(s->steps[i].what);
        free(s->steps[i].article);
    }
    an_json_free(&s->answer);
    free(s->program);
}

/* ---- words ---- */
static const char *
find_word(const struct story *s, an_bytes name)
{
    for (size_t i = s->word_count; i-- > 0;)
        if (an_bytes_eq_str(name, s->names[i]))
            return s->values[i];
    return NULL;
}

static an_code
put_word(struct story *s, const char *name, const char *value, struct an_err *reterr)
{
    for (size_t i = 0; i < s->word_count; i++)
        if (strcmp(s->names[i], name) == 0) {
            free(s->values[i]);
            s->values[i] = an_strdup(value);
            return AN_OK;
        }
    if (s->word_count == WORDS_MAX)
        AN_FAIL(reterr, AN_E_LIMIT, "words");
    s->names[s->word_count] = an_strdup(name);
    s->values[s->word_count++] = an_strdup(value);
    return AN_OK;
}

/* {NAME} becomes its word; a name that is none stays and is seen. */
static char *
fill_words(const struct story *s, const char *line)
{
    AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(65536);

    while (*line != '\0') {
        const char *end = *line == '{' ? strchr(line, '}') : NULL;
        const char *word = end ? find_word(s, AN_BYTES(line + 1, (size_t)(end - line - 1))) : NULL;
        if (word != NULL) {
            an_buf_str(&out, word);
            line = end + 1;
        } else {
            an_buf_byte(&out, (uint8_t)*line++);
        }
    }
    return an_buf_take_str(&out);
}

/* ---- running a command ---- */
/* Words apart by spaces; "…" holds one together. In place. */
static size_t
split_args(char *line, char **args, size_t max)
{
    size_t count = 0;

    while (count < max) {
        line += strspn(line, " ");
        if (*line == '\0')
            break;
        bool quoted = *line == '"';
        args[count++] = line += quoted;
        line += strcspn(line, quoted ? "\"" : " ");
        if (*line != '\0')
            *line++ = '\0';
    }
    return count;
}

static void
read_all(int fd, struct an_buf *out)
{
    char part[8192];
    ssize_t got;

    while ((got = read(fd, part, sizeof(part))) > 0 || (got < 0 && errno == EINTR))
        if (got > 0)
            an_buf_append(out, AN_BYTES(part, (size_t)got));
}

/* The environment of this process with the day of the story in it. */
static char **
build_environment(const struct story *s)
{
    extern char **environ;
    size_t count = 0, at = 0;
    char **list;

    while (environ[count] != NULL)
        count++;
    list = an_new_array(count + 2, sizeof(*list));
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], "SOURCE_DATE_EPOCH=", 18) != 0)
            list[at++] = an_strdup(environ[i]);
    if (s->at[0] != '\0')
        list[at] = an_asprintf("SOURCE_DATE_EPOCH=%lld", (long long)an_time_parse(an_bytes_of_str(s->at)));
    return list;
}

static void
free_environment(char **list)
{
    for (size_t i = 0; list[i] != NULL; i++)
        free(list[i]);
    free(list);
}

static int
run_program(const struct story *s, char **argv, struct an_buf *out)
{
    posix_spawn_file_actions_t actions;
    char **environment = build_environment(s);
    int pipes[2], status = -1;
    pid_t child;

    if (pipe2(pipes, O_CLOEXEC) != 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 2);
    if (posix_spawn(&child, s->program, &actions, NULL, argv, environment) == 0) {
        close(pipes[1]);
        read_all(pipes[0], out);
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
    } else {
        close(pipes[1]);
    }
    close(pipes[0]);
    posix_spawn_file_actions_destroy(&actions);
    free_environment(environment);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
keep_answer(struct story *s, const struct an_buf *out)
{
    size_t start = an_bytes_rfind(an_buf_view(out), AN_LIT("\n{"));
    an_bytes text = an_buf_view(out);

    if (start != SIZE_MAX && (text.len == 0 || text.ptr[0] != '{'))
        text = an_bytes_slice(text, start + 1, SIZE_MAX);
    an_json_free(&s->answer);
    if (an_json_parse(text, &s->answer, NULL) != AN_OK)
        s->answer = NULL;
}

static void
note_step(struct story *s, const char *what, const char *wanted, bool as_wanted, const char *article,
          const struct an_buf *out)
{
    struct cli *cli = s->cli;

    if (s->step_count < STEPS_MAX)
        s->steps[s->step_count++] = (struct story_step){an_strdup(what), wanted, as_wanted, an_strdup(article)};
    s->failed += !as_wanted;
    if (!cli->json) {
        bool is_code = strncmp(article, "AN_E_", 5) == 0; /* the words below say it to people */
        fprintf(cli->out, "  %s %s%s%s%s\n", as_wanted ? (wanted[0] == 'o' ? "✓" : "⊘") : "✗", what,
                article[0] && !is_code ? "  [" : "", is_code ? "" : article, article[0] && !is_code ? "]" : "");
        fflush(cli->out);
    }
    if (!as_wanted)
        fprintf(stderr, "%s\n%.*s\n", what, AN_FMT(an_buf_view(out)));
}

/* In the program's own words: why it was refused. */
static void
say_refusal(const struct story *s)
{
    struct cli *cli = s->cli;
    AN_CLEANUP(an_buf_free) struct an_buf words = an_buf_new(4096);

    if (!cli->json && story_refusal(s->answer, cli->english, &words))
        fprintf(cli->out, "      %.*s\n", AN_FMT(an_buf_view(&words)));
}

/* citation NULL: the command must succeed. */
static an_code
run_step(struct story *s, const char *what, const char *command, const char *citation, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(ANSWER_BYTES_MAX);
    AN_CLEANUP(an_free_ptr) char *line = an_asprintf("antin-office %s --json", command);
    AN_CLEANUP(an_buf_free) struct an_buf article = an_buf_new(4096);
    char *argv[ARGS_MAX + 1] = {NULL};
    int status;

    if (split_args(line, argv, ARGS_MAX) == ARGS_MAX)
        AN_FAIL(reterr, AN_E_LIMIT, "%.80s", command);
    status = run_program(s, argv, &out);
    keep_answer(s, &out);
    if (citation == NULL) {
        note_step(s, what, "ok", status == 0, "", &out);
    } else {
        cli_citation(s->cli, citation, &article);
        an_buf_byte(&article, 0);
        bool named = an_bytes_find(an_buf_view(&out), an_bytes_of_str(citation), 0) != SIZE_MAX ||
                     an_bytes_find(an_buf_view(&out), an_bytes_of_str((const char *)article.ptr), 0) != SIZE_MAX;
        note_step(s, what, "no", status > 0 && named, (const char *)article.ptr, &out);
        say_refusal(s);
    }
    return AN_OK;
}

/* ---- the lines ---- */
static an_code
take_word(struct story *s, char *rest, struct an_err *reterr)
{
    char *path = strchr(rest, ' '), *part, *save = NULL, number[32];
    const json_t *at = s->answer;

    if (path == NULL)
        AN_FAIL(reterr, AN_E_STORY, "take %.60s", rest);
    *path++ = '\0';
    for (part = strtok_r(path, ".", &save); part != NULL && at != NULL; part = strtok_r(NULL, ".", &save))
        at = json_is_array(at) ? json_array_get(at, (size_t)strtoul(part, NULL, 10)) : json_object_get(at, part);
    if (json_is_integer(at))
        snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(at));
    if (!json_is_integer(at) && !json_is_string(at))
        AN_FAIL(reterr, AN_E_STORY, "take %.60s: %s", rest, part ? part : "");
    return put_word(s, rest, json_is_integer(at) ? number : json_string_value(at), reterr);
}

static an_code tell_file(struct story *s, const char *name, unsigned depth, struct an_err *reterr);

static an_code
tell_command(struct story *s, char *rest, bool refused, struct an_err *reterr)
{
    char *citation = NULL, *bar = strstr(rest, " | ");

    if (refused) {
        citation = rest;
        rest = strchr(rest, ' ');
        if (rest != NULL)
            *rest++ = '\0';
    }
    if (rest == NULL || bar == NULL || bar < rest)
        AN_FAIL(reterr, AN_E_STORY, "%.80s", rest ? rest : "");
    *bar = '\0';
    return run_step(s, rest, bar + 3, citation, reterr);
}

static an_code
append_file(const struct story *s, char *rest, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = NULL;
    char *text = strchr(rest, ' ');
    FILE *file;

    if (text == NULL)
        AN_FAIL(reterr, AN_E_STORY, "append %.60s", rest);
    *text++ = '\0';
    path = an_asprintf("%s/%s", find_word(s, AN_LIT("dir")), rest);
    file = fopen(path, "ae");
    if (file == NULL)
        return an_err_set_errno(reterr, AN_E_FILE_CREATE, errno, "%s", path);
    for (; *text != '\0'; text++) {
        bool line_end = text[0] == '\\' && text[1] == 'n';
        fputc(line_end ? '\n' : *text, file);
        text += line_end;
    }
    fputc('\n', file);
    return fclose(file) == 0 ? AN_OK : an_err_set_errno(reterr, AN_E_FILE_CREATE, errno, "%s", path);
}

static an_code
draw_picture(const struct story *s, char *rest, struct an_err *reterr)
{
    AN_CLEANUP(an_child_stop) struct an_child *layout = NULL;
    AN_CLEANUP(an_buf_free) struct an_buf png = an_buf_new(AN_LIMIT_PNG_BYTES);
    AN_CLEANUP(an_free_ptr) char *path = NULL;
    char *name = strchr(rest, ' ');

    if (name == NULL)
        AN_FAIL(reterr, AN_E_STORY, "picture %.60s", rest);
    *name++ = '\0';
    path = an_asprintf("%s/%s", find_word(s, AN_LIT("dir")), rest);
    AN_TRY(an_child_start("antin-layout", &layout, reterr));
    AN_TRY(an_layout_signature(layout, name, &png, reterr));
    return an_file_write(path, an_buf_view(&png), 0600, reterr);
}

static an_code
let_word(struct story *s, char *rest, struct an_err *reterr)
{
    char *value = strchr(rest, ' ');

    if (value == NULL)
        AN_FAIL(reterr, AN_E_STORY, "let %.60s", rest);
    *value++ = '\0';
    return put_word(s, rest, value, reterr);
}

static an_code
tell_line(struct story *s, char *line, unsigned depth, struct an_err *reterr)
{
    char *rest = strchr(line, ' ');

    if (rest == NULL)
        AN_FAIL(reterr, AN_E_STORY, "%.80s", line);
    *rest++ = '\0';
    if (strcmp(line, "let") == 0)
        return let_word(s, rest, reterr);
    if (strcmp(line, "at") == 0) {
        snprintf(s->at, sizeof(s->at), "%s", rest);
        return an_time_parse(an_bytes_of_str(rest)) != AN_TIME_NONE ? AN_OK : an_err_set(reterr, AN_E_STORY, "at %.60s",
                rest);
    }
    if (strcmp(line, "say") == 0) {
        fprintf(s->cli->json ? stderr : s->cli->out, "%s%s %.10s %s\n", s->cli->json ? "" : "\n", "▸", s->at, rest);
        return AN_OK;
    }
    if (strcmp(line, "tell") == 0) {
        if (!s->cli->json)
            fprintf(s->cli->out, "      %s\n", rest);
        return AN_OK;
    }
    if (strcmp(line, "append") == 0)
        return append_file(s, rest, reterr);
    if (strcmp(line, "picture") == 0)
        return draw_picture(s, rest, reterr);
    if (strcmp(line, "take") == 0)
        return take_word(s, rest, reterr);
    if (strcmp(line, "include") == 0)
        return tell_file(s, rest, depth + 1, reterr);
    if (strcmp(line, "ok") == 0 || strcmp(line, "no") == 0)
        return tell_command(s, rest, line[0] == 'n', reterr);
    AN_FAIL(reterr, AN_E_STORY, "%.80s", line);
}

/* "[a,b] line": NULL when it is for others. */
static char *
under_regulation(const struct story *s, char *line)
{
    char *end = line[0] == '[' ? strchr(line, ']') : NULL, *name, *save = NULL;
    bool found = false;

    if (end == NULL)
        return line;
    *end = '\0';
    for (name = strtok_r(line + 1, ",", &save); name != NULL; name = strtok_r(NULL, ",", &save))
        found = found || strcmp(name, s->regulation) == 0;
    return found ? end + 1 + strspn(end + 1, " ") : NULL;
}

static an_code
tell_file(struct story *s, const char *name, unsigned depth, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/samples/stories/%s", an_program_data(), name);
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(1024 * 1024);
    char *line, *save = NULL;

    if (depth > 4)
        AN_FAIL(reterr, AN_E_STORY, "%s", name);
    AN_TRY(an_file_read(path, 1000000, &text, reterr));
    an_buf_byte(&text, 0);
    for (line = strtok_r((char *)text.ptr, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
        AN_CLEANUP(an_free_ptr) char *once = fill_words(s, line);
        AN_CLEANUP(an_free_ptr) char *filled = fill_words(s, once); /* {{who}-key}: a word made of a word */
        char *own = under_regulation(s, filled);
        an_code code;
        if (own == NULL || own[0] == '#' || own[0] == '\0')
            continue;
        code = tell_line(s, own, depth, reterr);
        if (code != AN_OK) {
            an_err_name_file(reterr, path);
            return code;
        }
    }
    return AN_OK;
}

static void
print_end(struct story *s)
{
    struct cli *cli = s->cli;
    json_t *list = json_array();
    char *text;

    for (size_t i = 0; i < s->step_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:s}", "step", s->steps[i].what, "wanted",
                                              s->steps[i].wanted, "as_wanted", (int)s->steps[i].as_wanted,
                                              "article", s->steps[i].article));
    if (cli->json) {
        json_t *whole = json_pack("{s:s, s:I, s:I, s:O}", "regulation", s->regulation, "steps",
                                  (json_int_t)s->step_count, "failed", (json_int_t)s->failed, "list", list);
        text = json_dumps(whole, JSON_COMPACT);
        fprintf(cli->out, "%s\n", text ? text : "{}");
        free(text);
        json_decref(whole);
    } else {
        fprintf(cli->out, SAY(cli, "\n%s: %zu bước, %zu không như mong đợi\n",
                              "\n%s: %zu steps, %zu not as expected\n"), s->regulation, s->step_count, s->failed);
        story_differences(cli);
    }
    json_decref(list);
}

int
demo_story(struct cli *cli, const char *dir, const char *regulation, const char *database, const char *module)
{
    AN_CLEANUP(story_done) struct story s = {.cli = cli, .regulation = regulation,
                                             .program = an_program_find("antin-office")};
    AN_CLEANUP(an_free_ptr) char *file = an_asprintf("%s.story", regulation);
    AN_CLEANUP(an_free_ptr) char *whole = realpath(".", NULL);
    AN_CLEANUP(an_free_ptr) char *folder = dir[0] == '/' ? an_strdup(dir) : an_asprintf("%s/%s", whole, dir);
    AN_CLEANUP(an_free_ptr) char *store = an_asprintf("%s", database ? database : "sqlite:store.db");
    struct an_err err = {0};
    an_code code;

    /* PINs lie in files of the story's own; tokens of its people in a folder beside the instance, unless the caller has
     * his */
    umask(077);
    AN_CLEANUP(an_free_ptr) char *tokens = an_asprintf("%s.thiet-bi", folder);
    code = getenv("SOFTHSM2_CONF") != NULL ? AN_OK : an_dir_make(tokens, true, &err);
    if (code == AN_OK && getenv("SOFTHSM2_CONF") == NULL)
        code = an_softhsm_use(tokens, &err);
    if (code != AN_OK)
        return cli_fail(cli, &err);
    if (s.program == NULL)
        code = an_err_set(&err, AN_E_PROC_START, "antin-office");
    else
        code = put_word(&s, "dir", folder, &err);
    if (code == AN_OK)
        code = put_word(&s, "data", an_program_data(), &err);
    if (code == AN_OK)
        code = put_word(&s, "database", store, &err);
    if (code == AN_OK)
        code = put_word(&s, "module", module ? module : an_softhsm_module(), &err);
    if (code == AN_OK)
        code = put_word(&s, "regulation", regulation, &err);
    if (code == AN_OK)
        code = tell_file(&s, file, 0, &err);
    if (code != AN_OK)
        return cli_fail(cli, &err);
    print_end(&s);
    return s.failed > 0 ? AN_KIND_INTERNAL : 0;
}
