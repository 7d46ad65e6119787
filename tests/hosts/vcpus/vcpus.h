// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the guests without a kernel have in common that look at the registers of
 * two vCPUs. Each CPU writes down the registers that it finds ("start CPU NAME
 * VALUE"), gives all of them values of its own, and writes down what they took
 * ("set ..."). Then both wait, with their registers as set, for a character from
 * the serial port, and write down what they have by then ("kept ..."). The
 * lines are text in memory, at LOG. What CPU 1 gives a register is the
 * complement of what CPU 0 does, in all bits that are written, so that none can
 * have the other CPU's value unnoticed.
 *
 * tests/hosts/in-host/vcpus.sh has the guest saved, restored and reset.
 */

#ifndef VCPUS_H
#define VCPUS_H

typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned long word;             /* a register */

static volatile u32 turn;               /* whose it is to write, by turns */
static char *volatile end;              /* of what is written */

void uart(char c);

/* By the serial port, each character of which is an exit, goes only this. */
static void say(const char *s)
{
    while (*s) {
        uart(*s++);
    }
}

static void put_char(char c)
{
    *end++ = c;
    *end = 0;
}

static void put(const char *s)
{
    while (*s) {
        put_char(*s++);
    }
}

static void show(const char *when, u32 cpu, const char *name, word value)
{
    put(when);
    put(cpu ? " 1 " : " 0 ");
    put(name);
    put_char(' ');
    for (int shift = sizeof(value) * 8 - 4; shift >= 0; shift -= 4) {
        put_char("0123456789abcdef"[value >> shift & 0xf]);
    }
    put_char('\n');
}

/* Another one for each N. */
static word value(u32 cpu, u32 n, word mask, word fixed)
{
    word pattern = (word)0x9e3779b97f4a7c15 * (n + 1);

    return ((cpu ? ~pattern : pattern) & mask) | fixed;
}

static void wait_for(u32 want)
{
    while (turn != want) {
    }
}

#endif
