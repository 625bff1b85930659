/* What a PKCS#11 module can do by itself: C_Sign with CKM_RSA_PKCS or CKM_ECDSA in one session, nothing around it. */
#include "bench/common.h"

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

struct raw {
    CK_FUNCTION_LIST *f;
    CK_SESSION_HANDLE session[64];
    CK_OBJECT_HANDLE key;
    CK_MECHANISM_TYPE mechanism;
};

static void
check(CK_RV rv, const char *what)
{
    if (rv == CKR_OK)
        return;
    fprintf(stderr, "rawtoken: %s: 0x%lx\n", what, rv);
    exit(2);
}

static void
sign(void *context, unsigned thread, unsigned index)
{
    struct raw *r = context;
    CK_MECHANISM mechanism = {r->mechanism, NULL, 0};
    CK_BYTE digest[51] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}, out[1024];
    CK_ULONG len = sizeof(out), in = r->mechanism == CKM_ECDSA ? 32 : 51;

    (void)index;
    check(r->f->C_SignInit(r->session[thread], &mechanism, r->key), "C_SignInit");
    check(r->f->C_Sign(r->session[thread], digest, in, out, &len), "C_Sign");
}

int
main(int argc, char **argv)
{
    struct raw r = {0};
    CK_C_GetFunctionList list;
    CK_SLOT_ID slots[64];
    CK_ULONG count = 64, found = 0;
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof(class)};
    CK_C_INITIALIZE_ARGS init = {.flags = CKF_OS_LOCKING_OK};
    void *module = argc == 6 ? dlopen(argv[1], RTLD_NOW) : NULL;
    unsigned threads;

    if (module == NULL) {
        fprintf(stderr, "usage: rawtoken MODULE PIN-FILE rsa|ec THREADS COUNT\n");
        return 2;
    }
    *(void **)&list = dlsym(module, "C_GetFunctionList");
    check(list(&r.f), "C_GetFunctionList");
    check(r.f->C_Initialize(&init), "C_Initialize");
    check(r.f->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    threads = (unsigned)atoi(argv[4]);
    for (unsigned i = 0; i < threads; i++)
        check(r.f->C_OpenSession(slots[0], CKF_SERIAL_SESSION, NULL, NULL, &r.session[i]), "C_OpenSession");
    FILE *pin = fopen(argv[2], "r");
    char text[256] = "";
    if (pin == NULL || fgets(text, sizeof(text), pin) == NULL)
        return 2;
    fclose(pin);
    text[strcspn(text, "\n")] = '\0';
    check(r.f->C_Login(r.session[0], CKU_USER, (CK_UTF8CHAR *)text, strlen(text)), "C_Login");
    check(r.f->C_FindObjectsInit(r.session[0], &template, 1), "C_FindObjectsInit");
    check(r.f->C_FindObjects(r.session[0], &r.key, 1, &found), "C_FindObjects");
    r.f->C_FindObjectsFinal(r.session[0]);
    r.mechanism = strcmp(argv[3], "ec") == 0 ? CKM_ECDSA : CKM_RSA_PKCS;
    bench_report("rawtoken", threads, (unsigned)atoi(argv[5]), sign, &r);
    return 0;
}
