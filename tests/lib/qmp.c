/*
 * qmp: gives a running QEMU commands, and prints what it answers. Built by
 * scripts/build-qemu, as it has JSON from QEMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/sockets.h"
#include "qobject/json-parser.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "qobject/qstring.h"

static const char usage[] =
"Usage: qmp [-t SECONDS] SOCKET COMMAND[.MEMBER] [KEY=VALUE...] [-- COMMAND...]\n"
"\n"
"Gives the QEMU that has -qmp unix:SOCKET,server=on,wait=off these commands, with\n"
"their arguments, all at once: one that fails does not keep it from the next. A\n"
"VALUE is JSON if it can be, and else a string. Prints what a command returns, or\n"
"that member of it: a string as text, others as JSON, nothing for {}. Waits at\n"
"most SECONDS for all (default: 30).\n"
"\n"
"Exit status: 1, an answer is an error, which is printed, and no answer after it;\n"
"2, wrong usage; 3, nobody listens there, or QEMU has gone; 4, no answer.\n";

static const char *path;
static char *no_answer;
static GQueue answers = G_QUEUE_INIT;   /* what QEMU said, but for events */

static void G_NORETURN G_GNUC_PRINTF(2, 3)
die(int status, const char *format, ...)
{
    va_list ap;

    fputs("qmp: ", stderr);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(status);
}

/* An alarm, as connect() and write() can wait for ever, too. */
static void late(int sig)
{
    ssize_t n G_GNUC_UNUSED = write(STDERR_FILENO, no_answer, strlen(no_answer));

    _exit(4);
}

static void emit(void *opaque, QObject *json, Error *err)
{
    QDict *dict = qobject_to(QDict, json);

    if (!dict) {
        die(3, "%s: this is no QEMU's: %s", path,
            err ? error_get_pretty(err) : "no object");
    }
    if (!qdict_haskey(dict, "event")) {
        g_queue_push_tail(&answers, dict);
    }
}

/* What QEMU says next, but for events: its greeting, or an answer */
static QDict *receive(int fd, JSONMessageParser *parser)
{
    char buffer[4096];

    while (g_queue_is_empty(&answers)) {
        ssize_t n = read(fd, buffer, sizeof(buffer));

        if (n <= 0) {
            die(3, "%s: QEMU has gone", path);
        }
        json_message_parser_feed(parser, buffer, n);
    }
    return g_queue_pop_head(&answers);
}

/* Text comes without the monitor's carriage returns. */
static void print(QObject *value)
{
    QString *string = qobject_to(QString, value);
    QDict *dict = qobject_to(QDict, value);
    const char *text = string ? qstring_get_str(string)
                              : qobject_to_json(value)->str;
    char last = '\n';

    if (dict && !qdict_size(dict)) {
        return;
    }
    for (; *text; text++) {
        if (*text != '\r') {
            putchar(last = *text);
        }
    }
    if (last != '\n') {
        putchar('\n');
    }
}

/* Adds the command that begins at argv[0]; returns the argument after it */
static char **add_command(GString *json, char **argv, char **member)
{
    QDict *command = qdict_new(), *arguments = qdict_new();
    QObject *value;

    *member = strchr(*argv, '.');
    if (*member) {
        *(*member)++ = '\0';
    }
    qdict_put_str(command, "execute", *argv++);
    qdict_put(command, "arguments", arguments);
    for (; *argv && strcmp(*argv, "--"); argv++) {
        char *equals = strchr(*argv, '=');

        if (!equals) {
            die(2, "'%s' is no KEY=VALUE; see qmp -h", *argv);
        }
        *equals++ = '\0';
        value = qobject_from_json(equals, NULL);
        qdict_put_obj(arguments, *argv,
                      value ?: QOBJECT(qstring_from_str(equals)));
    }
    g_string_append(json, qobject_to_json(QOBJECT(command))->str);
    return argv;
}

static void show(QDict *answer, const char *member)
{
    QObject *value = qdict_get(answer, "return");

    if (!value) {
        answer = qdict_get_qdict(answer, "error");
        fprintf(stderr, "%s\n", qdict_get_str(answer, "desc"));
        exit(1);
    }
    if (member) {
        answer = qobject_to(QDict, value);
        value = answer ? qdict_get(answer, member) : NULL;
        if (!value) {
            die(1, "QEMU's answer has no '%s'", member);
        }
    }
    print(value);
}

int main(int argc, char **argv)
{
    struct sigaction alarmed = { .sa_handler = late };
    GString *json = g_string_new("{\"execute\": \"qmp_capabilities\"}");
    char **members = g_new(char *, argc);
    JSONMessageParser parser;
    unsigned int seconds = 30;
    Error *err = NULL;
    int option, fd, n = 0;

    while ((option = getopt(argc, argv, "+ht:")) != -1) {
        if (option == 'h') {
            return fputs(usage, stdout) < 0;
        }
        if (option != 't' || qemu_strtoui(optarg, NULL, 10, &seconds) < 0 || !seconds) {
            die(2, "bad options: they are -t SECONDS; see qmp -h");
        }
    }
    argv += optind;
    if (argc - optind < 2) {
        die(2, "SOCKET or COMMAND is missing; see qmp -h");
    }
    path = *argv++;
    while (*argv) {
        argv = add_command(json, argv, &members[n++]);
        if (*argv && !*++argv) {
            die(2, "no COMMAND after --; see qmp -h");
        }
    }

    no_answer = g_strdup_printf("qmp: %s: QEMU does not answer within %u s; "
                                "it hangs, or wants a longer -t\n",
                                path, seconds);
    sigaction(SIGALRM, &alarmed, NULL);
    signal(SIGPIPE, SIG_IGN);
    alarm(seconds);
    fd = unix_connect(path, &err);
    if (fd < 0) {
        die(3, "%s; QEMU has ended, or its -qmp is another",
            error_get_pretty(err));
    }
    json_message_parser_init(&parser, emit, NULL, NULL);
    receive(fd, &parser);
    if (qemu_write_full(fd, json->str, json->len) != json->len) {
        die(3, "%s: QEMU has gone", path);
    }
    receive(fd, &parser);
    for (int i = 0; i < n; i++) {
        show(receive(fd, &parser), members[i]);
    }
    return fflush(stdout) ? 1 : 0;
}
