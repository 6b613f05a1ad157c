/* A server that plays a tracker, for what Python's ssl cannot do: early data,
 * renegotiation that the client asks for, and speed.
 *
 *     sink --port PORT --log FILE --certificate FILE --key FILE [--slow]
 *          [--distance MILLISECONDS]
 *
 * Answers every request of HTTP/1.1 with 200, and writes one JSON object a line
 * to the log for every connection that has ended, as sink.py does: how many bytes
 * its client sent, and their hash. The distance is the wait before a handshake.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <strings.h>
#include <sys/resource.h>

#include "client.h"

/* Trackers are a network away: no client speaks to one within its first milliseconds. */
#define DISTANCE_MILLISECONDS 50

#define EARLY 16384
#define FILES 65536 /* for as many connections */

static const char ANSWER[] = "HTTP/1.1 200 Sink\r\nContent-Type: application/json\r\n"
                             "Content-Length: 52\r\nConnection: keep-alive\r\n\r\n"
                             "{\"events_received\":1,\"messages\":[],\"fbtrace_id\":\"x\"}";

static SSL_CTX *context;
static FILE *journal;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int slow, distance = DISTANCE_MILLISECONDS;

struct connection {
    int number;
    int fd;
    SSL *ssl;
    EVP_MD_CTX *hash;
    unsigned long long length;
    unsigned long long body; /* bytes of a body that are still to come */
    char head[8192];         /* the head, as far as it is there */
    size_t held;
};

/* Takes what has arrived; gives how many requests it completed, or -1. */
static int take(struct connection *c, const char *bytes, size_t length)
{
    int complete = 0;
    EVP_DigestUpdate(c->hash, bytes, length);
    c->length += length;
    while (length > 0) {
        if (c->body > 0) {
            size_t part = length < c->body ? length : c->body;
            c->body -= part, bytes += part, length -= part;
            complete += c->body == 0;
            continue;
        }
        size_t part = sizeof c->head - 1 - c->held, before = c->held;
        part = length < part ? length : part;
        memcpy(c->head + c->held, bytes, part);
        c->held += part, c->head[c->held] = 0;
        char *end = strstr(c->head, "\r\n\r\n");
        if (!end) {
            if (c->held == sizeof c->head - 1)
                return -1;
            bytes += part, length -= part;
            continue;
        }
        size_t used = (size_t)(end - c->head) + 4 - before;
        char *field = strcasestr(c->head, "\ncontent-length:");
        c->body = field && field < end ? strtoull(field + 16, NULL, 10) : 0;
        c->held = 0, bytes += used, length -= used;
        complete += c->body == 0;
    }
    return complete;
}

static int answer(struct connection *c, int count)
{
    for (; count > 0; count--)
        if (SSL_write(c->ssl, ANSWER, sizeof ANSWER - 1) <= 0)
            return 0;
    return 1;
}

static void serve(struct connection *c)
{
    char bytes[16384]; /* what a record of TLS holds */
    size_t read;
    int early = 0, complete = 0;
    poll(NULL, 0, distance);
    for (;;) {
        int state = SSL_read_early_data(c->ssl, bytes, sizeof bytes, &read);
        if (state == SSL_READ_EARLY_DATA_ERROR)
            return;
        if (read > 0 && (early = take(c, bytes, read)) < 0)
            return;
        complete += early;
        if (state == SSL_READ_EARLY_DATA_FINISH)
            break;
    }
    if (SSL_accept(c->ssl) != 1 || !answer(c, complete))
        return;
    for (;;) {
        if (slow)
            usleep(2000);
        int length = SSL_read(c->ssl, bytes, slow ? 4096 : sizeof bytes);
        if (length <= 0 || (complete = take(c, bytes, length)) < 0 || !answer(c, complete))
            return;
    }
}

static void *run(void *argument)
{
    struct connection *c = argument;
    serve(c);
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_DigestFinal_ex(c->hash, digest, NULL);
    if (c->length > 0) {
        pthread_mutex_lock(&lock);
        fprintf(journal, "{\"event\":\"connection\",\"connection\":%d,\"length\":%llu,\"sha256\":\"", c->number,
                c->length);
        for (int at = 0; at < 32; at++)
            fprintf(journal, "%02x", digest[at]);
        fprintf(journal, "\"}\n");
        fflush(journal);
        pthread_mutex_unlock(&lock);
    }
    SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    EVP_MD_CTX_free(c->hash);
    close(c->fd);
    free(c);
    return NULL;
}

static const char *option(int count, char **words, const char *name)
{
    for (int at = 1; at < count; at++)
        if (strcmp(words[at], name) == 0)
            return at + 1 < count ? words[at + 1] : "";
    return NULL;
}

int main(int count, char **words)
{
    const char *port = option(count, words, "--port"), *path = option(count, words, "--log");
    const char *certificate = option(count, words, "--certificate"), *key = option(count, words, "--key");
    if (!port || !path || !certificate || !key)
        return 2;
    slow = option(count, words, "--slow") != NULL;
    const char *wait = option(count, words, "--distance");
    distance = wait ? atoi(wait) : distance;
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files = {.rlim_cur = FILES, .rlim_max = FILES};
    setrlimit(RLIMIT_NOFILE, &files);
    journal = fopen(path, "a");
    context = SSL_CTX_new(TLS_server_method());
    if (!journal || !context || SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        die("start");
    SSL_CTX_set_options(context, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    SSL_CTX_set_max_early_data(context, EARLY);
    SSL_CTX_set_recv_max_early_data(context, EARLY);

    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1, small = 4096;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (slow) /* before listen, so that accepted sockets inherit it */
        setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1024) != 0)
        die("listen");
    puts("ready");
    fflush(stdout);
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&detached, 256 * 1024);
    for (int number = 0;; number++) {
        struct connection *c = calloc(1, sizeof *c);
        c->number = number;
        c->fd = accept(listener, NULL, NULL);
        if (c->fd < 0)
            die("accept");
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        c->ssl = SSL_new(context);
        SSL_set_fd(c->ssl, c->fd);
        c->hash = EVP_MD_CTX_new();
        EVP_DigestInit_ex(c->hash, EVP_sha256(), NULL);
        pthread_t thread;
        if (pthread_create(&thread, &detached, run, c) != 0)
            die("thread");
    }
}
