// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The near end of an emulated host's port, for hosts/run: starts the
 * emulator, passes our stdin to the command in the host, its stdout and
 * stderr to ours (frames: see init.c), and ends the emulator when its time is
 * up, when we are told to end, or when nobody can have the output.
 *
 * With -t our stdin is a terminal, and the command has one, too: ours passes
 * every key and its size, and Ctrl-] ends the emulator.
 *
 * What came of it is written to RESULT as one line:
 *   status N    the command ended with this status
 *   died        the emulator ended before the command did
 *   unwritable STREAM REASON  our stdout or stderr took no more: a full disk
 *   timeout SECONDS ELAPSED   SECONDS were over, of ELAPSED on the clock
 *   signal N    we were told to end
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PORT_FD   3             /* the emulator's end of the port */
#define GRACE     5             /* seconds for the host to power off */
#define END_KEY   0x1d          /* Ctrl-] */

static pid_t emulator;
static volatile sig_atomic_t got_signal;
static int unwritable, write_errno;
static volatile sig_atomic_t time_due;
static long limit, begin;       /* seconds */
static volatile sig_atomic_t new_size;
static struct termios saved;

static void on_signal(int sig)
{
    got_signal = sig;
    if (emulator > 0) {
        kill(emulator, SIGKILL);
    }
}

static void on_alarm(int sig __attribute__((unused)))
{
    time_due = 1;
}

static long now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

/*
 * Seconds for which that thread of the emulator which waited longest for one
 * of this machine's CPUs could have run and did not: the second word of its
 * schedstat (Linux, Documentation/scheduler/sched-stats.rst). 0 where the
 * kernel does not tell.
 */
static long waited(void)
{
    unsigned long long ran, wait, most = 0;
    struct dirent *task;
    char path[320];
    DIR *tasks;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)emulator);
    tasks = opendir(path);
    while (tasks && (task = readdir(tasks))) {
        FILE *f;

        snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat",
                 (int)emulator, task->d_name);
        f = fopen(path, "r");
        if (f && fscanf(f, "%llu %llu", &ran, &wait) == 2 && wait > most) {
            most = wait;
        }
        if (f) {
            fclose(f);
        }
    }
    if (tasks) {
        closedir(tasks);
    }
    return most / 1000000000;
}

/*
 * Whether its time is up. What it had to wait for a CPU does not count: a busy
 * machine is no reason to end a host that gets on.
 */
static void check_time(void)
{
    long left;

    if (!time_due) {
        return;
    }
    time_due = 0;
    left = limit + waited() - (now() - begin);
    if (left > 0) {
        alarm(left);
    } else {
        on_signal(SIGALRM);
    }
}

static void on_size(int sig)
{
    (void)sig;
    new_size = true;
}

static void restore_terminal(void)
{
    tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
}

static void take_terminal(void)
{
    struct termios raw;

    if (tcgetattr(STDIN_FILENO, &saved)) {
        perror("relay: -t");
        exit(2);
    }
    raw = saved;
    cfmakeraw(&raw);
    atexit(restore_terminal);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    sigaction(SIGWINCH, &(struct sigaction) { .sa_handler = on_size }, NULL);
    new_size = true;
}

/* Makes a frame of LEN bytes after its head; its length. */
static size_t frame(char *buf, char type, uint32_t len)
{
    uint32_t be = htonl(len);

    buf[0] = type;
    memcpy(buf + 1, &be, 4);
    return 5 + len;
}

static size_t size_frame(char *buf)
{
    struct winsize size = { 0 };
    uint16_t rows_columns[2];

    ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
    rows_columns[0] = htons(size.ws_row);
    rows_columns[1] = htons(size.ws_col);
    memcpy(buf + 5, rows_columns, sizeof(rows_columns));
    return frame(buf, 'w', sizeof(rows_columns));
}

static void write_all(int fd, const char *buf, size_t len)
{
    while (len) {
        ssize_t n = write(fd, buf, len);

        if (n < 0) {
            if (errno == EINTR) {
                check_time();
                if (!got_signal) {
                    continue;
                }
            }
            if (errno == EAGAIN && !got_signal) {   /* not ours alone */
                poll(&(struct pollfd) { .fd = fd, .events = POLLOUT },
                     1, 1000);
                check_time();
                continue;
            }
            if (errno == EPIPE) {
                on_signal(SIGPIPE);             /* whoever reads us has gone */
            } else if (!got_signal) {
                write_errno = errno;
                unwritable = fd;
            }
            return;
        }
        buf += n;
        len -= n;
    }
}

/* Bytes from the port; true when STATUS is complete. */
static bool from_port(const char *buf, size_t len, char *status, size_t size)
{
    static char head[5];
    static size_t have, left;

    while (len && !write_errno) {
        uint32_t be;
        size_t n;

        if (have < sizeof(head)) {
            head[have++] = *buf++;
            len--;
            if (have < sizeof(head)) {
                continue;
            }
            memcpy(&be, head + 1, 4);
            left = ntohl(be);
        }
        n = left < len ? left : len;
        if (head[0] == 'o' || head[0] == 'e') {
            write_all(head[0] == 'o' ? STDOUT_FILENO : STDERR_FILENO, buf, n);
        } else if (head[0] == 's' && strlen(status) + n < size) {
            strncat(status, buf, n);
        }
        buf += n;
        len -= n;
        left -= n;
        if (!left) {
            have = 0;
            if (head[0] == 's') {
                return true;
            }
        }
    }
    return false;
}

static void result(const char *path, const char *word, const char *value)
{
    FILE *f = fopen(path, "w");

    if (!f || fprintf(f, "%s %s\n", word, value) < 0 || fclose(f)) {
        perror(path);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    struct sigaction act = { .sa_handler = on_signal };
    struct sigaction alarm_act = { .sa_handler = on_alarm };
    int signals[] = { SIGINT, SIGTERM, SIGHUP, 0 };
    char in[5 + 4096], buf[65536], status[16] = "", number[48];
    size_t in_off = 0, in_len = 0;
    bool in_open = true, done = false, terminal = false;
    int sv[2], wait_status;
    pid_t parent = getpid();

    if (argc > 1 && !strcmp(argv[1], "-t")) {
        terminal = true;
        argc--;
        argv++;
    }
    if (argc < 4) {
        fprintf(stderr, "usage: relay [-t] RESULT SECONDS EMULATOR [ARG...]\n");
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    for (int *s = signals; *s; s++) {
        sigaction(*s, &act, NULL);
    }
    sigaction(SIGALRM, &alarm_act, NULL);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv)) {
        perror("relay: socketpair");
        return 1;
    }
    emulator = fork();
    if (!emulator) {
        int null = open("/dev/null", O_RDONLY);

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(null, STDIN_FILENO);
        dup2(PORT_FD, STDOUT_FILENO);           /* see hosts/run: its log */
        dup2(PORT_FD, STDERR_FILENO);
        dup2(sv[1], PORT_FD);
        if (getppid() == parent) {
            execvp(argv[3], argv + 3);
            perror(argv[3]);
        }
        _exit(127);
    }
    close(sv[1]);
    close(PORT_FD);
    begin = now();
    limit = atol(argv[2]);
    alarm(limit);
    if (terminal) {
        take_terminal();
    }

    while (emulator > 0 && !got_signal && !done && !write_errno) {
        struct pollfd p[2] = {
            { .fd = sv[0], .events = POLLIN },
            { .fd = STDIN_FILENO, .events = POLLIN }
        };

        int n;

        if (new_size && !in_len) {
            new_size = false;
            in_off = 0;
            in_len = size_frame(in);
        }
        if (in_len) {
            p[0].events |= POLLOUT;
        }
        if (in_len || !in_open) {
            p[1].fd = -1;
        }
        n = poll(p, 2, 1000);
        check_time();
        if (n <= 0) {
            continue;
        }
        if (p[1].revents) {
            ssize_t n = read(STDIN_FILENO, in + 5, sizeof(in) - 5);

            in_open = n > 0;
            in_off = 0;
            in_len = frame(in, 'i', n > 0 ? n : 0);
            if (terminal && n > 0 && memchr(in + 5, END_KEY, n)) {
                on_signal(SIGTERM);
            }
        }
        if (p[0].revents & POLLOUT) {
            ssize_t n = send(sv[0], in + in_off, in_len, MSG_DONTWAIT);

            if (n > 0) {
                in_off += n;
                in_len -= n;
            }
        }
        if (p[0].revents & ~POLLOUT) {
            ssize_t n = read(sv[0], buf, sizeof(buf));

            if (n <= 0) {
                break;
            }
            done = from_port(buf, n, status, sizeof(status));
        }
    }

    if (write_errno) {
        snprintf(buf, sizeof(buf), "%s %s",
                 unwritable == STDOUT_FILENO ? "stdout" : "stderr",
                 strerror(write_errno));
        result(argv[1], "unwritable", buf);
        on_signal(0);
    } else if (done && !got_signal) {
        result(argv[1], "status", status);
        close(sv[0]);                           /* hosts/init.c waits for it */
        sigaction(SIGALRM, &act, NULL);
        alarm(GRACE);
    } else if (got_signal == SIGALRM) {
        snprintf(number, sizeof(number), "%ld %ld", limit, now() - begin);
        result(argv[1], "timeout", number);
    } else if (got_signal) {
        snprintf(number, sizeof(number), "%d", (int)got_signal);
        result(argv[1], "signal", number);
    } else {
        result(argv[1], "died", "");
        on_signal(0);
    }
    while (emulator > 0 && waitpid(emulator, &wait_status, 0) < 0 &&
           errno == EINTR) {
        /* on_signal() has killed it */
    }
    return 0;
}
