/* A library that stands before libssl: it has the function that sends, and calls the
 * one behind it. Kept apart by a barrier, since the compiler would make a jump of it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

int SSL_write(void *ssl, const void *buffer, int count)
{
    int (*next)(void *, const void *, int) = dlsym(RTLD_NEXT, "SSL_write");
    int written = next(ssl, buffer, count);
    __asm__ volatile("");
    return written;
}
