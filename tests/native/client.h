/* A TLS client of the sink: its connection, its requests, their answers. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static inline void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* A whole POST: `length` bytes, of which the first `head` are its head. */
struct request {
    char *bytes;
    size_t head;
    size_t length;
};

/* A POST of `body`, or of `length` times 'x' if that is NULL. */
static inline struct request post(const char *host, const char *path, const char *body, size_t length)
{
    struct request made = {.bytes = malloc(4096 + length)};
    if (!made.bytes)
        die("memory");
    made.head = (size_t)snprintf(made.bytes, 4096,
                                 "POST %s HTTP/1.1\r\nHost: %s\r\n"
                                 "Content-Type: application/json\r\n"
                                 "Content-Length: %zu\r\n\r\n",
                                 path, host, length);
    made.length = made.head + length;
    if (body)
        memcpy(made.bytes + made.head, body, length);
    else
        memset(made.bytes + made.head, 'x', length);
    return made;
}

/* A POST of the file `body`. */
static inline struct request post_file(const char *host, const char *path, const char *body)
{
    FILE *file = fopen(body, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        die(body);
    long length = ftell(file);
    char *bytes = malloc(length + 1);
    rewind(file);
    if (!bytes || fread(bytes, 1, length, file) != (size_t)length)
        die(body);
    fclose(file);
    struct request made = post(host, path, bytes, length);
    free(bytes);
    return made;
}

/* A socket that is connected to `host`, with a send buffer of `buffer` bytes if
 * that is not 0. */
static inline int dial(const char *host, const char *port, int buffer)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        die(host);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (buffer)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(fd, found->ai_addr, found->ai_addrlen) != 0)
        die("connect");
    freeaddrinfo(found);
    return fd;
}

/* What all connections share; trusts what SSL_CERT_FILE says. */
static inline SSL_CTX *trusting(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context || !SSL_CTX_set_default_verify_paths(context))
        die("SSL_CTX");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return context;
}

/* An SSL that knows whom it will talk to. */
static inline SSL *ssl_for(SSL_CTX *context, const char *host)
{
    SSL *ssl = SSL_new(context);
    if (!ssl || !SSL_set_tlsext_host_name(ssl, host) || !SSL_set1_host(ssl, host))
        die("SSL");
    return ssl;
}

/* Waits until the socket is ready for `events`; a server that says nothing for
 * half a minute has hung. */
static inline void await(int fd, short events)
{
    struct pollfd one = {.fd = fd, .events = events};
    if (poll(&one, 1, 30000) <= 0)
        die("poll");
}

/* How many answers end in these bytes: each is one JSON object. */
static inline size_t answers_in(const char *bytes, size_t length)
{
    size_t count = 0;
    for (size_t at = 0; at < length; at++)
        count += bytes[at] == '}';
    return count;
}
