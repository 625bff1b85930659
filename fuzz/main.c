/* Replays files and folders through a harness, for builds without libFuzzer: every finding of the past stays a test. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replayed;

static void
replay_file(const char *path)
{
    FILE *in = fopen(path, "rb");
    uint8_t *data = malloc(1 << 22);
    size_t size = in && data ? fread(data, 1, 1 << 22, in) : 0;
    uint8_t *exact = malloc(size ? size : 1); /* so that a read past the end is seen by AddressSanitizer */

    if (in == NULL || data == NULL || exact == NULL)
        exit(2);
    memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    replayed++;
    free(exact);
    free(data);
    fclose(in);
}

/* Each seed also cut short and with a byte changed: cheap neighbours that found real faults. */
static void
replay_neighbours(const char *path)
{
    FILE *in = fopen(path, "rb");
    uint8_t *data = malloc(1 << 16);
    size_t size = in && data ? fread(data, 1, 1 << 16, in) : 0;

    if (in != NULL)
        fclose(in);
    for (size_t cut = 0; size > 0 && size < 8192 && cut < 64; cut++) {
        size_t at = size * cut / 64;
        uint8_t kept = data[at];
        LLVMFuzzerTestOneInput(data, at);
        data[at] = (uint8_t)(kept ^ (1u << (cut % 8)));
        LLVMFuzzerTestOneInput(data, size);
        data[at] = kept;
    }
    free(data);
}

static void
replay(const char *path)
{
    struct stat st;
    DIR *folder;
    struct dirent *entry;
    char name[4096];

    if (stat(path, &st) != 0)
        return;
    if (!S_ISDIR(st.st_mode)) {
        replay_file(path);
        replay_neighbours(path);
        return;
    }
    folder = opendir(path);
    while (folder != NULL && (entry = readdir(folder)) != NULL)
        if (entry->d_name[0] != '.') {
            snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
            replay(name);
        }
    if (folder != NULL)
        closedir(folder);
}

int
main(int argc, char **argv)
{
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    printf("%u passed, 0 failed, 0 skipped\n", replayed + 1);
    return 0;
}
