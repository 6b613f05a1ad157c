/* A program of musl that loads a library late: musl LIBRARY.
 *
 * Says `started`, waits for a line, so that nobody looks at its maps any more,
 * loads the library, says `done`, and stays until its input ends. Says what it
 * needs by itself: the host's headers are glibc's.
 */
extern int puts(const char *), fflush(void *), getchar(void);
extern void *dlopen(const char *, int);
#define RTLD_NOW 2
#define NEWLINE 10

static void said(const char *what)
{
    puts(what);
    fflush((void *)0);
}

int main(int count, char **words)
{
    if (count != 2)
        return 2;
    said("started");
    if (getchar() != NEWLINE || !dlopen(words[1], RTLD_NOW))
        return 1;
    said("done");
    while (getchar() >= 0)
        continue;
    return 0;
}
