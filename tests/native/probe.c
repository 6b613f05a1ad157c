/* What phiwatch's programs are compared with, and what counts their time.
 *
 *     probe empty FILE OFFSET   a program that does nothing, at an instruction
 *     probe stats               the kernel counts the time of all programs
 *
 * Says `ready`, and goes on until its input ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static int bpf(int command, union bpf_attr *attributes)
{
    return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

static void attach(char *file, unsigned long long offset)
{
    static const struct bpf_insn RETURN_0[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
        {.code = BPF_JMP | BPF_EXIT},
    };
    union bpf_attr program = {.prog_type = BPF_PROG_TYPE_KPROBE,
                              .insns = (unsigned long)RETURN_0,
                              .insn_cnt = 2,
                              .license = (unsigned long)"GPL"};
    int loaded = bpf(BPF_PROG_LOAD, &program);
    if (loaded < 0)
        die("load");
    struct perf_event_attr event = {.size = sizeof event, .config1 = (unsigned long)file, .config2 = offset};
    FILE *type = fopen("/sys/bus/event_source/devices/uprobe/type", "r");
    if (!type || fscanf(type, "%u", &event.type) != 1)
        die("uprobe");
    int opened = (int)syscall(SYS_perf_event_open, &event, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
    if (opened < 0 || ioctl(opened, PERF_EVENT_IOC_SET_BPF, loaded) != 0 ||
        ioctl(opened, PERF_EVENT_IOC_ENABLE, 0) != 0)
        die("attach");
}

int main(int count, char **words)
{
    if (count == 4 && strcmp(words[1], "empty") == 0) {
        attach(words[2], strtoull(words[3], NULL, 0));
    } else if (count == 2 && strcmp(words[1], "stats") == 0) {
        union bpf_attr stats = {.enable_stats = {.type = BPF_STATS_RUN_TIME}};
        if (bpf(BPF_ENABLE_STATS, &stats) < 0)
            die("stats");
    } else {
        return 2;
    }
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    return 0;
}
