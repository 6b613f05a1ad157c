/* A program with its own copy of OpenSSL compiled in, which does nothing, like a server
 * at rest. It prints `ready` with the version, and goes on until its input ends.
 */
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <stdio.h>

int main(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    SSL *ssl = context ? SSL_new(context) : NULL;
    /* Fails, as there is no connection. */
    if (!ssl || SSL_write(ssl, "", 1) > 0)
        return 1;
    printf("ready %s\n", OpenSSL_version(OPENSSL_VERSION));
    fflush(stdout);
    while (getchar() != EOF)
        ;
    return 0;
}
