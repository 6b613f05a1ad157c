/* A TLS client with its own copy of OpenSSL compiled in, which nothing can hook.
 *
 *     hidden HOST PORT PATH BODY-FILE COUNT [PROXY-PORT]
 *
 * Makes COUNT requests, each on a connection of its own, if need be through a proxy
 * on this host, prints `posted`, and goes on until its input ends.
 */
#include "client.h"

/* A socket that is connected to `host`, by way of the proxy. */
static int tunnel(const char *host, const char *port, const char *proxy)
{
    int fd = dial("127.0.0.1", proxy, 0);
    char text[4096];
    int length = snprintf(text, sizeof text, "CONNECT %s:%s HTTP/1.1\r\nHost: %s:%s\r\n\r\n", host, port,
                          host, port);
    if (write(fd, text, length) != length || read(fd, text, sizeof text) < 12 ||
        strncmp(text, "HTTP/1.1 200", 12) != 0)
        die("tunnel");
    return fd;
}

int main(int count, char **arguments)
{
    if (count != 6 && count != 7)
        die("usage");
    const char *host = arguments[1], *port = arguments[2];
    struct request request = post_file(host, arguments[3], arguments[4]);
    SSL_CTX *context = trusting();
    for (int left = atoi(arguments[5]); left > 0; left--) {
        int fd = count == 7 ? tunnel(host, port, arguments[6]) : dial(host, port, 0);
        SSL *ssl = ssl_for(context, host);
        SSL_set_fd(ssl, fd);
        if (SSL_connect(ssl) != 1 || SSL_write(ssl, request.bytes, (int)request.length) <= 0)
            die("post");
        char answer[4096];
        int length = SSL_read(ssl, answer, sizeof answer);
        if (length <= 0 || strncmp(answer, "HTTP/1.1 200", 12) != 0)
            die("answer");
        SSL_free(ssl);
        close(fd);
    }
    puts("posted");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    return 0;
}
