// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first process of every emulated host. It mounts what programs expect,
 * loads the modules that the host needs, runs the one command that hosts/run
 * put into the initramfs, carries its output and exit status out through a
 * virtio port, and switches the machine off.
 *
 * Frames on the port are a type byte, the length in four bytes (big endian),
 * then that many bytes. Out: 'h' the host is up, 'o' and 'e' the command's
 * stdout and stderr, 's' its exit status in decimal. In: 'i' the command's
 * stdin, an empty one for its end; 'w' the size of its terminal: rows and
 * columns, two bytes each. It has a terminal, and not pipes, when the kernel
 * argument host_tty is there, which is its TERM. Only this process can open the
 * port, so that no program in the host can pretend a status; and what the
 * command prints reaches hosts/run before the status does, because one queue
 * takes both.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORT     "/dev/vport0p1"
#define COMMAND  "/run/command"          /* NUL-terminated arguments */
#define MODULES  "/modules/list"         /* in the order to load them */
#define HEAD     5                       /* bytes before a frame's data */

static int port = -1;
static pthread_mutex_t port_lock = PTHREAD_MUTEX_INITIALIZER;

/* To the console, which hosts/run keeps in its log. */
static void __attribute__((format(printf, 1, 2))) say(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("init: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
}

static void __attribute__((noreturn)) off(void)
{
    reboot(RB_POWER_OFF);
    for (;;) {
        pause();
    }
}

static int write_all(int fd, const void *buf, size_t len)
{
    while (len) {
        ssize_t n = write(fd, buf, len);

        if (n < 0 && errno != EINTR) {
            return -1;
        }
        if (n > 0) {
            buf = (const char *)buf + n;
            len -= n;
        }
    }
    return 0;
}

static int read_all(int fd, void *buf, size_t len)
{
    while (len) {
        ssize_t n = read(fd, buf, len);

        if (n == 0 || (n < 0 && errno != EINTR)) {
            return -1;
        }
        if (n > 0) {
            buf = (char *)buf + n;
            len -= n;
        }
    }
    return 0;
}

/* One write for a frame: the caller leaves HEAD bytes before the data. */
static void frame(char type, char *buf, uint32_t len)
{
    uint32_t be = htonl(len);

    buf[0] = type;
    memcpy(buf + 1, &be, 4);
    pthread_mutex_lock(&port_lock);
    if (write_all(port, buf, HEAD + len)) {
        say("write to %s: %s", PORT, strerror(errno));
    }
    pthread_mutex_unlock(&port_lock);
}

struct stream {
    int fd;
    char type;
};

/* A thread: what the command prints, until the last writer is gone. */
static void *carry_out(void *opaque)
{
    struct stream *s = opaque;
    char buf[HEAD + 16384];
    ssize_t n;

    while ((n = read(s->fd, buf + HEAD, sizeof(buf) - HEAD)) > 0) {
        frame(s->type, buf, n);
    }
    return NULL;
}

/* A thread: what the command reads. */
static void *carry_in(void *opaque)
{
    int fd = *(int *)opaque;
    char head[HEAD], buf[4096];
    uint32_t len;

    while (!read_all(port, head, sizeof(head))) {
        memcpy(&len, head + 1, 4);
        len = ntohl(len);
        if (len > sizeof(buf) || read_all(port, buf, len)) {
            break;
        }
        if (head[0] == 'w') {
            uint16_t size[2] = { 0 };
            struct winsize w;

            memcpy(size, buf, len < sizeof(size) ? len : sizeof(size));
            w = (struct winsize) { ntohs(size[0]), ntohs(size[1]), 0, 0 };
            ioctl(fd, TIOCSWINSZ, &w);
        } else if (fd >= 0 && (!len || write_all(fd, buf, len))) {
            close(fd);
            fd = -1;
        }
    }
    return NULL;
}

static void mount_at(const char *type, const char *path)
{
    mkdir(path, 0755);
    if (mount(type, path, type, 0, NULL) && errno != EBUSY) {
        say("mount %s on %s: %s", type, path, strerror(errno));
    }
}

static void set_up(void)
{
    struct rlimit none = { 0, 0 };
    struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
    int fd;

    mount_at("proc", "/proc");
    mount_at("sysfs", "/sys");
    mount_at("debugfs", "/sys/kernel/debug");
    mount_at("devtmpfs", "/dev");
    mount_at("devpts", "/dev/pts");
    mount_at("tmpfs", "/dev/shm");
    mount_at("tmpfs", "/tmp");
    chmod("/dev/shm", 01777);
    chmod("/tmp", 01777);
    if (symlink("/proc/self/fd", "/dev/fd") ||
        symlink("/proc/self/fd/0", "/dev/stdin") ||
        symlink("/proc/self/fd/1", "/dev/stdout") ||
        symlink("/proc/self/fd/2", "/dev/stderr")) {
        say("links in /dev: %s", strerror(errno));
    }
    setrlimit(RLIMIT_CORE, &none);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo)) {
        say("interface lo: %s", strerror(errno));
    }
    close(fd);
}

static void load_modules(void)
{
    FILE *list = fopen(MODULES, "r");
    char name[128], path[160];

    while (list && fscanf(list, "%127s", name) == 1) {
        int fd;

        snprintf(path, sizeof(path), "/modules/%s", name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) &&
                       errno != EEXIST)) {
            say("module %s: %s", name, strerror(errno));
        }
        close(fd);
    }
    if (list) {
        fclose(list);
    }
}

static void open_port(void)
{
    struct timespec pause_10ms = { 0, 10000000 };

    for (int i = 0; i < 1000; i++) {
        port = open(PORT, O_RDWR | O_CLOEXEC);
        if (port >= 0) {
            return;
        }
        nanosleep(&pause_10ms, NULL);
    }
    say("%s: %s after 10 s: no way to hosts/run", PORT, strerror(errno));
    off();
}

static char **read_command(void)
{
    int fd = open(COMMAND, O_RDONLY | O_CLOEXEC), argc = 0;
    struct stat st;
    char **argv, *buf;

    if (fd < 0 || fstat(fd, &st) || !st.st_size ||
        !(buf = malloc(st.st_size + 1)) || read_all(fd, buf, st.st_size) ||
        !(argv = calloc(st.st_size + 1, sizeof(*argv)))) {
        say("%s: nothing to run: %s", COMMAND, strerror(errno));
        off();
    }
    close(fd);
    for (char *p = buf; p < buf + st.st_size; p += strlen(p) + 1) {
        argv[argc++] = p;
    }
    return argv;
}

/* The command's end of a new terminal, whose other end is *MASTER, or -1. */
static int open_terminal(int *master)
{
    *master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*master < 0 || grantpt(*master) || unlockpt(*master)) {
        return -1;
    }
    return open(ptsname(*master), O_RDWR | O_NOCTTY | O_CLOEXEC);
}

/* A shell's statuses: 127 not found, 126 not to be run, 128 + signal. */
static void __attribute__((noreturn)) run(char **argv)
{
    const char *host = getenv("host"), *term = getenv("host_tty");
    char *env[] = {
        "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/",
        "HOST_GUESTS=/guest", "HOST_FILES=/files", NULL, NULL, NULL, NULL
    };

    if (asprintf(&env[4], "HOST=%s", host ? host : "") < 0 ||
        asprintf(&env[5], "TERM=%s", term ? term : "dumb") < 0 ||
        asprintf(&env[6], "PS1=%s:\\w# ", host ? host : "") < 0) {
        _exit(126);
    }
    environ = env;
    signal(SIGPIPE, SIG_DFL);
    setsid();
    if (term && ioctl(STDIN_FILENO, TIOCSCTTY, 0)) {
        fprintf(stderr, "init: the terminal: %s\n", strerror(errno));
    }
    execvp(argv[0], argv);
    fprintf(stderr, "%s: %s\n", argv[0], errno == ENOENT ? "not found"
                                                         : strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

int main(void)
{
    char *install[] = { "/bin/busybox", "--install", "-s", "/bin", NULL };
    struct stream out = { .type = 'o' }, err = { .type = 'e' };
    int in_pipe[2], out_pipe[2], err_pipe[2], terminal, status;
    pthread_t in_thread, out_thread, err_thread;
    bool one = getenv("host_one_stream");
    char text[16], **argv;
    pid_t pid;

    set_up();
    load_modules();
    open_port();
    argv = read_command();
    signal(SIGPIPE, SIG_IGN);
    pid = fork();
    if (!pid) {
        /* Programs of the host's root folders stay; busybox says so. */
        close(STDERR_FILENO);
        execv(install[0], install);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    if (access("/dev/kvm", R_OK | W_OK)) {
        say("/dev/kvm: %s: this host has no KVM", strerror(errno));
    }
    /* Blocks until hosts/run is there: reads before that would say "end". */
    frame('h', text, 0);

    if (pipe2(in_pipe, O_CLOEXEC) || pipe2(out_pipe, O_CLOEXEC) ||
        pipe2(err_pipe, O_CLOEXEC)) {
        say("pipe: %s", strerror(errno));
        off();
    }
    if (getenv("host_tty")) {
        int master;

        terminal = open_terminal(&master);
        if (terminal < 0 || dup3(terminal, in_pipe[0], O_CLOEXEC) < 0 ||
            dup3(terminal, out_pipe[1], O_CLOEXEC) < 0 ||
            dup3(master, in_pipe[1], O_CLOEXEC) < 0 ||
            dup3(master, out_pipe[0], O_CLOEXEC) < 0) {
            say("terminal: %s", strerror(errno));
            off();
        }
        close(terminal);
        close(master);
        one = true;
    }
    pid = fork();
    if (!pid) {
        dup2(in_pipe[0], STDIN_FILENO);
        dup2(out_pipe[1], STDOUT_FILENO);
        dup2(one ? out_pipe[1] : err_pipe[1], STDERR_FILENO);
        run(argv);
    }
    close(in_pipe[0]);
    close(out_pipe[1]);
    close(err_pipe[1]);
    out.fd = out_pipe[0];
    err.fd = err_pipe[0];
    if (pid < 0 ||
        pthread_create(&in_thread, NULL, carry_in, &in_pipe[1]) ||
        pthread_create(&out_thread, NULL, carry_out, &out) ||
        pthread_create(&err_thread, NULL, carry_out, &err)) {
        say("cannot start the command: %s", strerror(errno));
        off();
    }
    while (waitpid(-1, &status, 0) != pid) {
        /* an orphan */
    }
    /* What the command left behind would hold the pipes open. */
    kill(-1, SIGKILL);
    pthread_join(out_thread, NULL);
    pthread_join(err_thread, NULL);
    frame('s', text, sprintf(text + HEAD, "%d", WIFSIGNALED(status) ?
                             128 + WTERMSIG(status) : WEXITSTATUS(status)));
    /*
     * write() only queues for the port (virtio_console's port_fops_write()), and
     * switching off would drop the queue: hosts/relay.c closes its end when it
     * has the status.
     */
    poll(&(struct pollfd) { .fd = port }, 1, 10000);
    off();
}
