/* A PKCS#11 library in front of SoftHSM whose card has no room for another key while FULL_CARD is set. */
#include <dlfcn.h>
#include <stdlib.h>

typedef unsigned long Answer;
typedef struct { unsigned char version[2]; void *functions[68]; } FunctionList;

enum { C_GET_FUNCTION_LIST = 3, C_GENERATE_KEY_PAIR = 59 };
static const Answer OK = 0, DEVICE_MEMORY = 0x31;

static FunctionList own;
static FunctionList *softhsm;

static Answer generate_key_pair(Answer session, void *mechanism, void *public_template, Answer public_count,
                                void *private_template, Answer private_count, Answer *public_key, Answer *private_key) {
    if (getenv("FULL_CARD") != NULL) return DEVICE_MEMORY;
    return ((Answer (*)(Answer, void *, void *, Answer, void *, Answer, Answer *, Answer *))
            softhsm->functions[C_GENERATE_KEY_PAIR])(session, mechanism, public_template, public_count, private_template,
                                                     private_count, public_key, private_key);
}

Answer C_GetFunctionList(FunctionList **list) {
    if (softhsm == NULL) {
        void *library = dlopen(getenv("FULL_CARD_LIBRARY"), RTLD_NOW);
        if (library == NULL) return 5; /* CKR_GENERAL_ERROR */
        ((Answer (*)(FunctionList **))dlsym(library, "C_GetFunctionList"))(&softhsm);
        own = *softhsm;
        own.functions[C_GET_FUNCTION_LIST] = C_GetFunctionList;
        own.functions[C_GENERATE_KEY_PAIR] = generate_key_pair;
    }
    *list = &own;
    return OK;
}
