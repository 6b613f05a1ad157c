/* A TLS client without a peer, for measuring what a call of SSL_write costs.
 *
 *     flow where
 *         prints where SSL_write is in its file: offset and length
 *     flow calls CERTIFICATE KEY HOST PATH BODY-FILE KIND BATCHES CALLS REST
 *         prints the nanoseconds of a call in each batch of CALLS calls, with
 *         REST milliseconds between batches. KIND `post` writes the body as a
 *         request, any other kind as bytes that are no HTTP.
 *     flow rate CERTIFICATE KEY HOST PATH BODY-FILE RATE SECONDS STREAMS CGROUP
 *         prints how many requests it wrote, and in how many seconds
 *
 * The handshake is made with a server in the same process, over memory. What is
 * written then goes nowhere. The answers that `rate` reads were made before it
 * enters CGROUP, so that only a client is seen there: a child of it, as phiwatch
 * looks at once at processes that begin there, and has a second to hook it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <sys/wait.h>
#include <time.h>

#include "client.h"

static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

static SSL_CTX *clients, *servers;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void rest(double seconds)
{
    struct timespec time = {.tv_sec = (time_t)seconds};
    time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
    nanosleep(&time, NULL);
}

/* A connection after its handshake, with answers that have arrived already. */
static SSL *connection(const char *host, unsigned long answers)
{
    SSL *client = ssl_for(clients, host), *server = SSL_new(servers);
    BIO *to_server = BIO_new(BIO_s_mem()), *to_client = BIO_new(BIO_s_mem());
    BIO_up_ref(to_server), BIO_up_ref(to_client);
    SSL_set_bio(client, to_client, to_server);
    SSL_set_bio(server, to_server, to_client);
    SSL_set_accept_state(server);
    for (int round = 0; SSL_connect(client) != 1 || SSL_do_handshake(server) != 1; round++) {
        SSL_do_handshake(server);
        if (round > 10)
            die("handshake");
    }
    for (; answers > 0; answers--)
        if (SSL_write(server, ANSWER, sizeof ANSWER - 1) <= 0)
            die("answer");
    SSL_free(server);
    SSL_set0_wbio(client, BIO_new(BIO_s_null()));
    return client;
}

static void put(SSL *ssl, struct request *request)
{
    if (SSL_write(ssl, request->bytes, (int)request->length) != (int)request->length)
        die("SSL_write");
}

/* What SSL_write is a part of, and where. */
static int where(void)
{
    Dl_info info;
    ElfW(Sym) * symbol;
    void *address = dlsym(RTLD_DEFAULT, "SSL_write");
    if (!address || !dladdr1(address, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol)
        die("SSL_write");
    unsigned long start, end, offset, wanted = (unsigned long)address;
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    while (maps && fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx %*s %lx", &start, &end, &offset) == 3 && start <= wanted && wanted < end) {
            printf("%lu %lu\n", wanted - start + offset, (unsigned long)symbol->st_size);
            return 0;
        }
    }
    return 1;
}

static int calls(const char *host, struct request request, char **words)
{
    int batches = atoi(words[1]), count = atoi(words[2]);
    double pause = atof(words[3]) / 1e3;
    if (strcmp(words[0], "post") != 0)
        memset(request.bytes, 1, request.length);
    SSL *ssl = connection(host, 0);
    for (int batch = 0; batch < batches; batch++) {
        double start = now();
        for (int call = 0; call < count; call++)
            put(ssl, &request);
        printf("%.1f\n", (now() - start) / count * 1e9);
        rest(pause);
    }
    return 0;
}

static int rate(const char *host, struct request request, char **words)
{
    double per_second = atof(words[0]), seconds = atof(words[1]);
    int streams = atoi(words[2]);
    SSL **all = calloc(streams, sizeof *all);
    unsigned long sent = 0, most = (unsigned long)(per_second * seconds);
    for (int number = 0; number < streams; number++)
        all[number] = connection(host, most / (unsigned long)streams + 1);
    char members[4096], answer[256];
    snprintf(members, sizeof members, "%s/cgroup.procs", words[3]);
    FILE *cgroup = fopen(members, "w");
    if (!cgroup || fprintf(cgroup, "%d\n", getpid()) < 0 || fclose(cgroup) != 0)
        die(members);
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child > 0) {
        int status;
        return waitpid(child, &status, 0) != child || status != 0;
    }
    rest(1);
    double start = now(), time = 0;
    while (sent < most && time < seconds * 1.5) {
        unsigned long due = (unsigned long)((time = now() - start) * per_second);
        for (due = due < most ? due : most; sent < due; sent++) {
            SSL *ssl = all[sent % (unsigned long)streams];
            put(ssl, &request);
            if (SSL_read(ssl, answer, sizeof answer) <= 0)
                die("SSL_read");
        }
        rest(0.0005);
    }
    printf("%lu %.3f\n", sent, now() - start);
    fflush(stdout);
    /* The end of the process would close what is still being looked at. */
    getchar();
    return 0;
}

int main(int count, char **words)
{
    if (count == 2)
        return where();
    if (count < 10)
        return 2;
    clients = SSL_CTX_new(TLS_client_method()), servers = SSL_CTX_new(TLS_server_method());
    if (!clients || !servers || SSL_CTX_use_certificate_chain_file(servers, words[2]) != 1 ||
        SSL_CTX_use_PrivateKey_file(servers, words[3], SSL_FILETYPE_PEM) != 1)
        die("start");
    SSL_CTX_set_num_tickets(servers, 0);
    struct request request = post_file(words[4], words[5], words[6]);
    return strcmp(words[1], "calls") == 0 ? calls(words[4], request, words + 7) : rate(words[4], request, words + 7);
}
