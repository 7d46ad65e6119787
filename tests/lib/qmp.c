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
"Gives the QEMU that has -qmp unix:SOCKET,server=on,wait=off this command, with\n"
"these arguments, and then the next one. A VALUE is JSON if it can be, and else\n"
"a string. Prints what the command returns, or that member of it: a string as\n"
"text, others as JSON, nothing for {}. Waits at most SECONDS for all (default: 30).\n"
"\n"
"Exit status: 1, QEMU's answer is an error, which is printed; 2, wrong usage;\n"
"3, nobody listens there, or QEMU has gone; 4, no answer.\n";

static const char *path;
static char *no_answer;
static QDict *answer;       /* what QEMU said last, but for events */

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
        answer = dict;
    }
}

static void receive(int fd, JSONMessageParser *parser)
{
    char buffer[4096];

    for (answer = NULL; !answer; ) {
        ssize_t n = read(fd, buffer, sizeof(buffer));

        if (n <= 0) {
            die(3, "%s: QEMU has gone", path);
        }
        json_message_parser_feed(parser, buffer, n);
    }
}

static void ask(int fd, JSONMessageParser *parser, const char *name,
                QDict *arguments)
{
    QDict *command = qdict_new();
    GString *json;

    qdict_put_str(command, "execute", name);
    qdict_put(command, "arguments", arguments);
    json = qobject_to_json(QOBJECT(command));
    if (qemu_write_full(fd, json->str, json->len) != json->len) {
        die(3, "%s: QEMU has gone", path);
    }
    receive(fd, parser);
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

/* The command that begins at argv[0]; returns the argument after it */
static char **one_command(int fd, JSONMessageParser *parser, char **argv)
{
    QDict *arguments = qdict_new();
    char *command = *argv++;
    char *member = strchr(command, '.');
    QObject *value;

    if (member) {
        *member++ = '\0';
    }
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

    ask(fd, parser, command, arguments);
    if (qdict_haskey(answer, "error")) {
        answer = qdict_get_qdict(answer, "error");
        fprintf(stderr, "%s\n", qdict_get_str(answer, "desc"));
        exit(1);
    }
    value = qdict_get(answer, "return");
    if (member) {
        answer = qobject_to(QDict, value);
        value = answer ? qdict_get(answer, member) : NULL;
        if (!value) {
            die(1, "what '%s' returns has no '%s'", command, member);
        }
    }
    print(value);
    return argv;
}

int main(int argc, char **argv)
{
    JSONMessageParser parser;
    unsigned int seconds = 30;
    Error *err = NULL;
    int option, fd;

    while ((option = getopt(argc, argv, "+ht:")) != -1) {
        if (option == 'h') {
            return fputs(usage, stdout) < 0;
        }
        if (option != 't' || qemu_strtoui(optarg, NULL, 10, &seconds) < 0) {
            die(2, "bad options: they are -t SECONDS; see qmp -h");
        }
    }
    argv += optind;
    if (argc - optind < 2) {
        die(2, "SOCKET or COMMAND is missing; see qmp -h");
    }
    path = *argv++;

    no_answer = g_strdup_printf("qmp: %s: QEMU does not answer within %u s; "
                                "it hangs, or wants a longer -t\n",
                                path, seconds);
    signal(SIGALRM, late);
    signal(SIGPIPE, SIG_IGN);
    alarm(seconds);
    fd = unix_connect(path, &err);
    if (fd < 0) {
        die(3, "%s; QEMU has ended, or its -qmp is another",
            error_get_pretty(err));
    }
    json_message_parser_init(&parser, emit, NULL, NULL);
    receive(fd, &parser);
    ask(fd, &parser, "qmp_capabilities", qdict_new());
    while (*argv) {
        argv = one_command(fd, &parser, argv);
        if (*argv && !*++argv) {
            die(2, "no COMMAND after --; see qmp -h");
        }
    }
    return fflush(stdout) ? 1 : 0;
}
