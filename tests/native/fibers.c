/* Fibers that switch stacks inside SSL_write and SSL_read.
 *
 *     fibers HOST PORT PATH BODY-FILE SWITCH FIBERS THREADS REQUESTS CALLS LOOK
 *
 * Each fiber has a connection of its own over a BIO whose callbacks leave the
 * stack, and makes REQUESTS requests. SWITCH is `ucontext` (glibc's swapcontext)
 * or `assembly` (a switch written by hand); with several THREADS a fiber goes on
 * in whichever thread is free, in the middle of a call of the library. CALLS is
 * `plain` (SSL_write, SSL_read) or `ex`. With LOOK `look` the callbacks read the
 * return address of the library's function: exit status 3 if it was replaced.
 * Prints how often a fiber was left inside a call.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "client.h"

#define STACK (256 * 1024)
/* How often a callback leaves the stack before it does its work. */
#define ROUNDS 4
#define REPLACED 3

static const char *host, *port;
static struct request request;
static int by_ucontext, by_ex, look, requests;
static SSL_CTX *context;
static BIO_METHOD *method;

/* Where a return address stands, and what it is. */
struct mark {
    void *expected;
    void **slot;
};

struct fiber {
    ucontext_t ucontext;
    void *sp;
    char *stack;
    int fd;
    SSL *ssl;
    struct mark mark;
    int switching; /* after the handshake */
    int done;
    struct fiber *next;
};

/* The fibers that no thread runs. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct fiber *first, **last = &first;
static int unfinished;
static unsigned long switches;

/* The thread that runs a fiber: where it goes back to, and the fiber. */
struct thread {
    ucontext_t ucontext;
    void *sp;
    struct fiber *running;
};
static __thread struct thread *current;

/* A fiber may go on in another thread, whose `current` is another: never
 * inlined, so that no address of it is kept across a switch. */
__attribute__((noinline)) static struct thread *this_thread(void)
{
    __asm__ volatile("" ::: "memory");
    return current;
}

/* Saves the stack pointer to *from and goes on with `to`. */
void assembly(void **from, void *to);
/* Calls `function` with the four arguments and keeps where its return address
 * stands: on the stack, just below this function's own frame. */
int marked(void *ssl, void *buffer, size_t length, void *count, void *function, struct mark *mark);
__asm__(".text\n"
        "assembly:\n"
        " pushq %rbp\n pushq %rbx\n pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n"
        " movq %rsp, (%rdi)\n movq %rsi, %rsp\n"
        " popq %r15\n popq %r14\n popq %r13\n popq %r12\n popq %rbx\n popq %rbp\n ret\n"
        "marked:\n"
        " subq $8, %rsp\n"
        " leaq 1f(%rip), %rax\n movq %rax, (%r9)\n"
        " leaq -8(%rsp), %rax\n movq %rax, 8(%r9)\n"
        " call *%r8\n"
        "1: addq $8, %rsp\n ret\n");

/* Leaves the running fiber for the loop of its thread. */
static void leave(void)
{
    struct thread *thread = this_thread();
    struct fiber *self = thread->running;
    if (by_ucontext)
        swapcontext(&self->ucontext, &thread->ucontext);
    else
        assembly(&self->sp, thread->sp);
}

static struct fiber *self(void)
{
    return this_thread()->running;
}

static void leave_often(struct fiber *fiber)
{
    if (!fiber->switching)
        return;
    if (look && *fiber->mark.slot != fiber->mark.expected) {
        fprintf(stderr, "the return address %p is now %p\n", fiber->mark.expected, *fiber->mark.slot);
        exit(REPLACED);
    }
    for (int round = 0; round < ROUNDS; round++) {
        __atomic_add_fetch(&switches, 1, __ATOMIC_RELAXED);
        leave();
    }
}

static int bio_write(BIO *bio, const char *bytes, int length)
{
    struct fiber *fiber = BIO_get_data(bio);
    leave_often(fiber);
    for (;;) {
        ssize_t sent = send(fiber->fd, bytes, length, MSG_NOSIGNAL);
        if (sent >= 0)
            return sent;
        if (!fiber->switching)
            await(fiber->fd, POLLOUT);
        else
            leave();
    }
}

static int bio_read(BIO *bio, char *bytes, int length)
{
    struct fiber *fiber = BIO_get_data(bio);
    leave_often(fiber);
    for (;;) {
        ssize_t received = recv(fiber->fd, bytes, length, 0);
        if (received >= 0)
            return received;
        if (!fiber->switching)
            await(fiber->fd, POLLIN);
        else
            leave();
    }
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static void send_request(struct fiber *fiber)
{
    size_t count = 0;
    void *function = by_ex ? (void *)SSL_write_ex : (void *)SSL_write;
    int result = marked(fiber->ssl, request.bytes, request.length, &count, function, &fiber->mark);
    if (by_ex ? result != 1 || count != request.length : (size_t)result != request.length)
        die("write");
}

static void read_answer(struct fiber *fiber)
{
    char bytes[4096];
    size_t answers = 0;
    while (answers == 0) {
        size_t count = 0;
        void *function = by_ex ? (void *)SSL_read_ex : (void *)SSL_read;
        int result = marked(fiber->ssl, bytes, sizeof bytes, &count, function, &fiber->mark);
        if (result <= 0)
            die("read");
        answers = answers_in(bytes, by_ex ? count : (size_t)result);
    }
    if (answers != 1)
        die("one answer");
}

static void run_fiber(void)
{
    struct fiber *fiber = self();
    for (int number = 0; number < requests; number++) {
        send_request(fiber);
        read_answer(fiber);
    }
    fiber->switching = 0;
    SSL_shutdown(fiber->ssl);
    SSL_free(fiber->ssl);
    close(fiber->fd);
    fiber->done = 1;
    leave();
    abort();
}

static void resume(struct thread *thread, struct fiber *fiber)
{
    thread->running = fiber;
    if (by_ucontext)
        swapcontext(&thread->ucontext, &fiber->ucontext);
    else
        assembly(&thread->sp, fiber->sp);
}

/* Takes fibers in turn until all have ended. */
static void *run_thread(void *unused)
{
    (void)unused;
    struct thread thread = {0};
    current = &thread;
    for (;;) {
        pthread_mutex_lock(&lock);
        struct fiber *fiber = first;
        if (fiber) {
            first = fiber->next;
            if (!first)
                last = &first;
        }
        int left = unfinished;
        pthread_mutex_unlock(&lock);
        if (!left)
            return NULL;
        if (!fiber) {
            sched_yield();
            continue;
        }
        resume(&thread, fiber);
        pthread_mutex_lock(&lock);
        if (fiber->done) {
            unfinished--;
        } else {
            fiber->next = NULL;
            *last = fiber;
            last = &fiber->next;
        }
        pthread_mutex_unlock(&lock);
        /* The sink has to be given a turn by those who wait for it. */
        sched_yield();
    }
}

static void new_fiber(void)
{
    struct fiber *fiber = calloc(1, sizeof *fiber);
    fiber->fd = dial(host, port, 0);
    fcntl(fiber->fd, F_SETFL, O_NONBLOCK);
    fiber->ssl = ssl_for(context, host);
    BIO *bio = BIO_new(method);
    BIO_set_data(bio, fiber);
    BIO_set_init(bio, 1);
    SSL_set_bio(fiber->ssl, bio, bio);
    if (SSL_connect(fiber->ssl) != 1)
        die("handshake");
    fiber->switching = 1;
    fiber->stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fiber->stack == MAP_FAILED)
        die("stack");
    if (by_ucontext) {
        getcontext(&fiber->ucontext);
        fiber->ucontext.uc_stack.ss_sp = fiber->stack;
        fiber->ucontext.uc_stack.ss_size = STACK;
        makecontext(&fiber->ucontext, run_fiber, 0);
    } else {
        /* Six registers, the address to return to, and one word below which
         * a function finds the stack aligned as after a call. */
        void **top = (void **)(fiber->stack + STACK) - 8;
        top[6] = (void *)run_fiber;
        fiber->sp = top;
    }
    *last = fiber;
    last = &fiber->next;
    unfinished++;
}

int main(int count, char **words)
{
    if (count != 11)
        return 2;
    host = words[1], port = words[2];
    request = post_file(host, words[3], words[4]);
    by_ucontext = strcmp(words[5], "ucontext") == 0;
    int fibers = atoi(words[6]), threads = atoi(words[7]);
    requests = atoi(words[8]);
    by_ex = strcmp(words[9], "ex") == 0;
    look = strcmp(words[10], "look") == 0;
    context = trusting();
    method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "fiber");
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_ctrl(method, bio_ctrl);
    for (int number = 0; number < fibers; number++)
        new_fiber();
    pthread_t others[16];
    for (int number = 1; number < threads; number++)
        pthread_create(&others[number], NULL, run_thread, NULL);
    run_thread(NULL);
    for (int number = 1; number < threads; number++)
        pthread_join(others[number], NULL);
    printf("%lu\n", switches);
    return 0;
}
