/* Many connections at a time, each with a request that was answered.
 *
 *     crowd HOST PORT PATH BODY-FILE OPEN CHURN
 *
 * Opens OPEN connections and says `open`. For a line of input it closes the
 * oldest one and opens another, CHURN times, and says `churned`. Goes on until
 * its input ends.
 */
#include <sys/resource.h>

#include "client.h"

struct connection {
    int fd;
    SSL *ssl;
};

static const char *host, *port;
static struct request request;
static SSL_CTX *context;

static struct connection opened(void)
{
    struct connection c = {.fd = dial(host, port, 0), .ssl = ssl_for(context, host)};
    SSL_set_fd(c.ssl, c.fd);
    if (SSL_connect(c.ssl) != 1)
        die("handshake");
    if (SSL_write(c.ssl, request.bytes, (int)request.length) != (int)request.length)
        die("SSL_write");
    char bytes[4096];
    for (size_t answers = 0; answers == 0;) {
        int length = SSL_read(c.ssl, bytes, sizeof bytes);
        if (length <= 0)
            die("SSL_read");
        answers = answers_in(bytes, (size_t)length);
    }
    return c;
}

static void said(const char *what)
{
    puts(what);
    fflush(stdout);
    if (getchar() == EOF)
        exit(0);
}

int main(int count, char **words)
{
    if (count != 7)
        return 2;
    host = words[1], port = words[2];
    request = post_file(host, words[3], words[4]);
    size_t open = (size_t)atol(words[5]), churn = (size_t)atol(words[6]);
    struct rlimit files = {.rlim_cur = open + 64, .rlim_max = open + 64};
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        die("RLIMIT_NOFILE");
    context = trusting();
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    struct connection *all = calloc(open, sizeof *all);
    for (size_t at = 0; at < open; at++)
        all[at] = opened();
    said("open");
    for (size_t turn = 0; turn < churn; turn++) {
        struct connection *c = &all[turn % open];
        SSL_shutdown(c->ssl);
        SSL_free(c->ssl);
        close(c->fd);
        *c = opened();
    }
    said("churned");
    return 0;
}
