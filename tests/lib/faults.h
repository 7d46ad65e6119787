/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults of KVM, as a test asks for them: one language for kvm-fault.c, which is put
 * before a real KVM, and for the simulation (tests/kvm-sim). docs/testing.md has it.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPEN 0                  /* stands for the request where /dev/kvm is opened */

/* What one call in a rule can be about, and what its answer fills in */
enum fault_about { ABOUT_NOTHING, ABOUT_NUMBER, ABOUT_REG, ABOUT_ATTR };
enum fault_fills { FILLS_NOTHING, FILLS_WORD, FILLS_COUNT, FILLS_REG, FILLS_MASKS };

struct fault_call {
    const char *name;
    unsigned long request;
    enum fault_about about;
    enum fault_fills fills;
};
extern const struct fault_call fault_calls[];   /* a NULL name ends it */

struct fault {
    char *text;
    const struct fault_call *call;
    unsigned abouts;            /* how many of about[] a call has to have */
    uint64_t about[2];
    unsigned first, last, count;
    bool gone;
    int error;                  /* or 0, and there is a value */
    uint64_t value;
};

/*
 * The rules of the environment's @variable. One that is none ends @program with status
 * 2. @variable_USED and @variable_IF are read as well.
 */
void faults_load(const char *program, const char *variable);

/*
 * What decides over this call, or NULL; it counts. @arg is the call's argument, and
 * @in is the same, or a copy of the structure that is there.
 */
const struct fault *fault_for(unsigned long request, uintptr_t arg, const void *in);

/* Whether a rule says that register @id is not there */
bool fault_gone(uint64_t id);

/* Puts the rule's number over what the call has filled in at @in, its argument or a copy */
void fault_put(const struct fault *fault, void *in);

/* What a call is about, and how many numbers that is */
unsigned fault_about(unsigned long request, uintptr_t arg, const void *in, uint64_t about[2]);

int error_by_name(const char *name);            /* 0: there is none */
bool parse_number(const char *text, uint64_t *number);
/* S3_0_C0_C0_0 as well, on arm64 */
bool parse_reg_id(const char *text, uint64_t *id);

#endif
