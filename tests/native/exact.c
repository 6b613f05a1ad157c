/* Everything that a caller of OpenSSL may do to a write, against the sink.
 *
 *     exact HOST PORT PATH BODY-FILE MODE CALLS
 *
 * CALLS is `plain` (SSL_write, SSL_read) or `ex` (SSL_write_ex, SSL_read_ex). The
 * modes are below, in MODES. Prints how often the thing that the mode is about
 * happened: calls that had to be made again, partial writes, and so on.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>

#include "client.h"

#define SMALL 4096  /* a send buffer that no record of TLS fits in */
#define ROOMY 32768 /* one that some fit in: only then is a part accepted at once */

/* How a call that was refused is made again. */
enum {
    MOVING = 1,   /* from other memory, the old one overwritten */
    SPINNING = 2, /* at once, without waiting for the socket */
    READING = 4,  /* after reads of the same connection */
    MIGRATING = 8, /* from another thread */
    GROWING = 16, /* with more bytes than before */
    UPDATING = 32, /* with a change of keys behind every accepted part */
};

struct client {
    SSL *ssl;
    int fd;
    size_t answers;
    unsigned long refused; /* calls that had to be made again */
    unsigned long partial; /* writes that took a part */
    unsigned long between; /* reads between a refused write and the next */
};

static const char *host, *port, *path;
static struct request request;
static int by_ex;
static SSL_CTX *context;
static SSL_SESSION *session;

/* The error of a call that gave `result`; whatever cannot be helped ends here. */
static int outcome(struct client *c, int result, const char *what)
{
    int error = SSL_get_error(c->ssl, result);
    if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_WRITE && error != SSL_ERROR_WANT_READ)
        die(what);
    return error;
}

/* One call. */
static int put(struct client *c, const char *bytes, size_t length, size_t *written)
{
    ERR_clear_error();
    if (by_ex)
        return outcome(c, SSL_write_ex(c->ssl, bytes, length, written), "SSL_write_ex");
    int result = SSL_write(c->ssl, bytes, (int)length);
    *written = result > 0 ? (size_t)result : 0;
    return outcome(c, result, "SSL_write");
}

/* One call. */
static int get(struct client *c)
{
    char bytes[4096];
    size_t length = 0;
    ERR_clear_error();
    int result;
    if (by_ex) {
        result = SSL_read_ex(c->ssl, bytes, sizeof bytes, &length);
    } else {
        result = SSL_read(c->ssl, bytes, sizeof bytes);
        length = result > 0 ? (size_t)result : 0;
    }
    c->answers += answers_in(bytes, length);
    return outcome(c, result, "read");
}

static void wait_out(struct client *c, int error)
{
    await(c->fd, error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN);
}

/* Reads until there were `count` answers in all. */
static void answers(struct client *c, size_t count)
{
    while (c->answers < count) {
        int error = get(c);
        if (error != SSL_ERROR_NONE)
            wait_out(c, error);
    }
    if (c->answers != count)
        die("more answers than requests");
}

struct call {
    struct client *c;
    const char *bytes;
    size_t length, written;
    int error;
};

static void *call(void *argument)
{
    struct call *made = argument;
    made->error = put(made->c, made->bytes, made->length, &made->written);
    return NULL;
}

static int put_elsewhere(struct client *c, const char *bytes, size_t length, size_t *written)
{
    struct call made = {.c = c, .bytes = bytes, .length = length};
    pthread_t thread;
    if (pthread_create(&thread, NULL, call, &made) != 0 || pthread_join(thread, NULL) != 0)
        die("thread");
    *written = made.written;
    return made.error;
}

static void update_keys(struct client *c)
{
    if (SSL_key_update(c->ssl, SSL_KEY_UPDATE_REQUESTED) != 1)
        die("SSL_key_update");
}

/* Writes all of it. */
static void put_all(struct client *c, const char *bytes, size_t length, int how)
{
    size_t done = 0, offered = 0;
    char *previous = NULL;
    while (done < length) {
        size_t left = length - done, size = left, written = 0;
        if (how & GROWING) {
            size = offered ? offered + 1000 : 20000;
            size = size < left ? size : left;
        }
        const char *from = bytes + done;
        char *moved = NULL;
        if (how & MOVING) {
            moved = malloc(size);
            memcpy(moved, from, size);
            from = moved;
        }
        int error = how & MIGRATING && offered ? put_elsewhere(c, from, size, &written)
                                               : put(c, from, size, &written);
        if (moved) {
            /* Kept until the next one is there, so that it is elsewhere. */
            memset(moved, '#', size);
            free(previous);
            previous = moved;
        }
        if (error == SSL_ERROR_NONE) {
            c->partial += written < size;
            done += written;
            offered = 0;
            if (how & UPDATING && done < length)
                update_keys(c);
            continue;
        }
        c->refused++;
        offered = size;
        for (int times = 0; how & READING && times < 3; times++) {
            get(c);
            c->between++;
        }
        if (how & SPINNING)
            sched_yield();
        else
            wait_out(c, error);
    }
    free(previous);
}

static struct client opened(int buffer, int version)
{
    struct client c = {.fd = dial(host, port, buffer), .ssl = ssl_for(context, host)};
    if (version)
        SSL_set_max_proto_version(c.ssl, version);
    SSL_set_fd(c.ssl, c.fd);
    if (session && SSL_set_session(c.ssl, session) != 1)
        die("session");
    return c;
}

static struct client connected(int buffer, int version, long mode)
{
    struct client c = opened(buffer, version);
    /* OpenSSL's contexts set neither; what is not asked for must not be on. */
    SSL_clear_mode(c.ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_set_mode(c.ssl, mode);
    if (SSL_connect(c.ssl) != 1)
        die("handshake");
    fcntl(c.fd, F_SETFL, O_NONBLOCK);
    return c;
}

static void closed(struct client *c)
{
    SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    close(c->fd);
}

/* One request to a slow sink, after a small one whose answer is still to come. */
static unsigned long slowly(long mode, int how)
{
    struct client c = connected(mode & SSL_MODE_ENABLE_PARTIAL_WRITE ? ROOMY : SMALL, 0, mode);
    struct request first = post(host, path, "{}", 2);
    put_all(&c, first.bytes, first.length, 0);
    put_all(&c, request.bytes, request.length, how);
    answers(&c, 2);
    closed(&c);
    return how & READING ? c.between : mode & SSL_MODE_ENABLE_PARTIAL_WRITE ? c.partial : c.refused;
}

static unsigned long again(void) { return slowly(0, 0); }
static unsigned long storm(void) { return slowly(0, SPINNING); }
static unsigned long moving(void) { return slowly(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, MOVING); }
static unsigned long reading(void) { return slowly(0, READING); }
static unsigned long migrating(void) { return slowly(0, MIGRATING); }
static unsigned long growing(void) { return slowly(0, GROWING); }
static unsigned long partial(void)
{
    return slowly(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, MOVING);
}
static unsigned long updating(void) { return slowly(SSL_MODE_ENABLE_PARTIAL_WRITE, UPDATING); }

#define TIMES 50

/* Equal requests from one buffer, all before the first answer. */
static unsigned long pipelined(void)
{
    struct client c = connected(0, 0, 0);
    for (int number = 0; number < TIMES; number++)
        put_all(&c, request.bytes, request.length, 0);
    answers(&c, TIMES);
    closed(&c);
    return TIMES;
}

/* The same, each after the answer to the one before. */
static unsigned long answered(void)
{
    struct client c = connected(0, 0, 0);
    for (int number = 0; number < TIMES; number++) {
        put_all(&c, request.bytes, request.length, 0);
        answers(&c, number + 1);
    }
    closed(&c);
    return TIMES;
}

/* The same, with reads in between that find nothing, or whatever has come. */
static unsigned long polled(void)
{
    struct client c = connected(0, 0, 0);
    unsigned long nothing = 0;
    for (int number = 0; number < TIMES; number++) {
        put_all(&c, request.bytes, request.length, 0);
        for (int times = 0; times < 4; times++)
            nothing += get(&c) == SSL_ERROR_WANT_READ;
    }
    answers(&c, TIMES);
    closed(&c);
    return nothing;
}

/* Equal requests from one buffer to a slow sink, so that a call like the one
 * before is now the same write again, and now the next. */
static unsigned long refused(void)
{
    struct client c = connected(SMALL, 0, 0);
    for (int number = 0; number < TIMES; number++) {
        put_all(&c, request.bytes, request.length, SPINNING);
        get(&c);
    }
    answers(&c, TIMES);
    closed(&c);
    return c.refused;
}

/* Two connections that take turns at one buffer. */
static unsigned long shared(void)
{
    struct client both[2] = {connected(SMALL, 0, 0), connected(SMALL, 0, 0)};
    size_t sent[2] = {0, 0};
    while (sent[0] < TIMES || sent[1] < TIMES) {
        for (int which = 0; which < 2; which++) {
            size_t written;
            if (sent[which] == TIMES)
                continue;
            int error = put(&both[which], request.bytes, request.length, &written);
            both[which].refused += error != SSL_ERROR_NONE;
            sent[which] += error == SSL_ERROR_NONE;
        }
        sched_yield();
    }
    for (int which = 0; which < 2; which++) {
        answers(&both[which], TIMES);
        closed(&both[which]);
    }
    return both[0].refused + both[1].refused;
}

/* Writes of nothing, between requests and inside of one. What they give is
 * OpenSSL's affair; the connection stays usable. */
static unsigned long nothing(void)
{
    struct client c = connected(0, 0, 0);
    size_t written;
    for (int number = 0; number < TIMES; number++) {
        for (size_t at = 0; at < request.length; at += 1000) {
            size_t left = request.length - at;
            if (by_ex)
                SSL_write_ex(c.ssl, request.bytes + at, 0, &written);
            else
                SSL_write(c.ssl, request.bytes + at, 0);
            put_all(&c, request.bytes + at, left < 1000 ? left : 1000, 0);
        }
        answers(&c, number + 1);
    }
    closed(&c);
    return TIMES;
}

/* TLS 1.2; new handshakes between requests, and inside of one. */
static unsigned long renegotiating(void)
{
    struct client c = connected(0, TLS1_2_VERSION, 0);
    for (int number = 0; number < 4; number++) {
        for (size_t at = 0; at < request.length; at += 8000) {
            size_t left = request.length - at;
            if (SSL_renegotiate(c.ssl) != 1)
                die("SSL_renegotiate");
            put_all(&c, request.bytes + at, left < 8000 ? left : 8000, 0);
        }
        answers(&c, number + 1);
    }
    unsigned long times = SSL_total_renegotiations(c.ssl);
    closed(&c);
    return times;
}

/* New keys between requests of a fast sink. */
static unsigned long rekeying(void)
{
    struct client c = connected(0, TLS1_3_VERSION, 0);
    for (int number = 0; number < TIMES; number++) {
        update_keys(&c);
        put_all(&c, request.bytes, request.length, 0);
        answers(&c, number + 1);
    }
    closed(&c);
    return TIMES;
}

static int keep_session(SSL *ssl, SSL_SESSION *given)
{
    (void)ssl;
    SSL_SESSION_free(session);
    session = given;
    return 1;
}

/* A request in the early data of a second connection, then another. */
static unsigned long early(void)
{
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    struct client first = connected(0, 0, 0);
    put_all(&first, request.bytes, request.length, 0);
    answers(&first, 1);
    closed(&first);
    if (!session || SSL_SESSION_get_max_early_data(session) < request.length)
        die("the sink takes no early data");

    struct client c = opened(0, 0);
    size_t pieces[] = {0, request.head, request.length}, written;
    for (int piece = 0; piece < 2; piece++) {
        size_t length = pieces[piece + 1] - pieces[piece];
        if (SSL_write_early_data(c.ssl, request.bytes + pieces[piece], length, &written) != 1 || written != length)
            die("SSL_write_early_data");
    }
    if (SSL_connect(c.ssl) != 1)
        die("handshake");
    if (SSL_get_early_data_status(c.ssl) != SSL_EARLY_DATA_ACCEPTED)
        die("early data was not accepted");
    put_all(&c, request.bytes, request.length, 0);
    answers(&c, 2);
    closed(&c);
    return 1;
}

/* More than 2 GiB in large writes, and the request behind them. */
static unsigned long huge(void)
{
    struct client c = connected(0, 0, 0);
    struct request ballast = post(host, path, NULL, 16 << 20);
    int count = 130;
    for (int number = 0; number < count; number++) {
        put_all(&c, ballast.bytes, ballast.length, 0);
        answers(&c, number + 1);
    }
    put_all(&c, request.bytes, request.length, 0);
    answers(&c, count + 1);
    closed(&c);
    return count * ballast.length >> 20;
}

static const struct {
    const char *name;
    unsigned long (*run)(void);
} MODES[] = {
    {"again", again},         {"storm", storm},         {"moving", moving},
    {"reading", reading},     {"migrating", migrating}, {"growing", growing},
    {"partial", partial},     {"updating", updating},   {"pipelined", pipelined},
    {"answered", answered},   {"polled", polled},       {"refused", refused},
    {"shared", shared},       {"nothing", nothing},     {"renegotiating", renegotiating},
    {"rekeying", rekeying},   {"early", early},         {"huge", huge},
};

int main(int count, char **words)
{
    if (count != 7)
        return 2;
    host = words[1], port = words[2], path = words[3];
    request = post_file(host, path, words[4]);
    by_ex = strcmp(words[6], "ex") == 0;
    context = trusting();
    for (size_t at = 0; at < sizeof MODES / sizeof *MODES; at++) {
        if (strcmp(MODES[at].name, words[5]) == 0) {
            printf("%lu\n", MODES[at].run());
            return 0;
        }
    }
    return 2;
}
