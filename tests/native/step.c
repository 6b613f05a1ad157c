// Runs a TLS conversation in a child and single-steps it through the functions
// of libssl that it calls, to tell what a probe on any of their instructions
// would have seen.
//
//   step library LIBCRYPTO LIBSSL NAME:ADDRESS:SIZE...
//   step program NAME:ADDRESS:SIZE... -- PROGRAM ARGUMENT...
//
// With `library` the conversation is the one below, through the two libraries;
// addresses are those of the file. With `program` it is the program's own, whose
// addresses must be those that it runs at. Numbers are hexadecimal.
//
// On standard output, in hexadecimal:
//
//   call NAME
//   at OFFSET rdi rsi rdx rcx r8 r9 rsp rax    before each instruction
//   away OFFSET                                it jumped out of its code
//   into NAME                                  to this one, which is followed
//   returned rax
//
// Called functions are run through without stepping, and what they call of the
// list is not told. Ends by itself after 50 seconds.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_FUNCTIONS 16

struct function {
	char name[64];
	unsigned long start, size;
	long code;
};

static struct function functions[MOST_FUNCTIONS];
static int function_count;
static pid_t child;

static void fail(const char *what)
{
	fprintf(stderr, "step: %s: %s\n", what, strerror(errno));
	if (child > 0)
		kill(child, SIGKILL);
	exit(1);
}

static void expect(int holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "step: expected %s\n", what);
		exit(1);
	}
}

// The conversation.

static void *crypto, *ssl;

// Declares a pointer to a function of the libraries, by its name.
#define FUNCTION(library, result, name, ...)                      \
	result (*name)(__VA_ARGS__) = dlsym(library, #name);      \
	expect(name != NULL, #name)

static unsigned client_key(void *of, const char *hint, char *identity,
			   unsigned identity_size, unsigned char *key,
			   unsigned key_size)
{
	(void)of, (void)hint;
	expect(identity_size > 4 && key_size >= 16, "room for the key");
	strcpy(identity, "name");
	memset(key, 7, 16);
	return 16;
}

static unsigned server_key(void *of, const char *identity, unsigned char *key,
			   unsigned key_size)
{
	(void)of, (void)identity;
	expect(key_size >= 16, "room for the key");
	memset(key, 7, 16);
	return 16;
}

static void converse(void)
{
	FUNCTION(crypto, int, BIO_new_bio_pair, void **, size_t, void **, size_t);
	FUNCTION(ssl, void *, TLS_method, void);
	FUNCTION(ssl, void *, SSL_CTX_new, void *);
	FUNCTION(ssl, long, SSL_CTX_ctrl, void *, int, long, void *);
	FUNCTION(ssl, int, SSL_CTX_set_cipher_list, void *, const char *);
	FUNCTION(ssl, void, SSL_CTX_set_psk_client_callback, void *, void *);
	FUNCTION(ssl, void, SSL_CTX_set_psk_server_callback, void *, void *);
	FUNCTION(ssl, void *, SSL_new, void *);
	FUNCTION(ssl, void, SSL_set_bio, void *, void *, void *);
	FUNCTION(ssl, void, SSL_set_connect_state, void *);
	FUNCTION(ssl, void, SSL_set_accept_state, void *);
	FUNCTION(ssl, int, SSL_do_handshake, void *);
	FUNCTION(ssl, int, SSL_write, void *, const void *, int);
	FUNCTION(ssl, int, SSL_read, void *, void *, int);
	FUNCTION(ssl, int, SSL_write_ex, void *, const void *, size_t, size_t *);
	FUNCTION(ssl, int, SSL_read_ex, void *, void *, size_t, size_t *);
	FUNCTION(ssl, long, SSL_ctrl, void *, int, long, void *);
	FUNCTION(ssl, int, SSL_shutdown, void *);
	FUNCTION(ssl, void, SSL_free, void *);

	enum { MAX_PROTOCOL = 124, TLS1_2 = 0x303, MODE = 33, HOST_NAME = 55 };
	static char data[16384], got[16384];
	size_t count = 0;
	void *context = SSL_CTX_new(TLS_method());
	expect(context != NULL, "a context");
	// A shared key needs no certificate, the same way since 1.1.0.
	SSL_CTX_ctrl(context, MAX_PROTOCOL, TLS1_2, NULL);
	expect(SSL_CTX_set_cipher_list(context, "PSK-AES128-GCM-SHA256") == 1, "ciphers");
	SSL_CTX_set_psk_client_callback(context, (void *)client_key);
	SSL_CTX_set_psk_server_callback(context, (void *)server_key);

	void *client = SSL_new(context), *server = SSL_new(context);
	expect(SSL_read(client, got, 1) == -1, "no read before it is told its side");
	expect(SSL_write(client, data, 1) == -1, "no write either");
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	void *near_end, *far_end;
	expect(BIO_new_bio_pair(&near_end, 0, &far_end, 0) == 1, "a pair of pipes");
	SSL_set_bio(client, near_end, near_end);
	SSL_set_bio(server, far_end, far_end);
	expect(SSL_ctrl(client, HOST_NAME, 0, "tracker.example") == 1, "a host name");
	SSL_ctrl(client, MODE, 1, NULL);

	int done = 0;
	for (int turn = 0; turn < 10 && !done; turn++)
		done = (SSL_do_handshake(client) == 1) & (SSL_do_handshake(server) == 1);
	expect(done, "a handshake");

	expect(SSL_write(client, data, 5) == 5, "a write");
	expect(SSL_read(server, got, 100) == 5, "a read");
	expect(SSL_read(server, got, 100) == -1, "nothing to read");
	expect(SSL_write(client, data, -1) == -1, "no write of less than nothing");
	expect(SSL_read(server, got, -1) == -1, "no read of less than nothing");
	expect(SSL_write_ex(client, data, 7, &count) == 1 && count == 7, "a write");
	expect(SSL_read_ex(server, got, 100, &count) == 1 && count == 7, "a read");
	expect(SSL_read_ex(server, got, 100, &count) == 0, "nothing to read");
	expect(SSL_write(client, data, 9) == 9, "a write");
	expect(SSL_read(server, got, 4) == 4, "some of it");
	expect(SSL_read_ex(server, got, 100, &count) == 1 && count == 5, "the rest");
	// The pair holds 17 KiB each way.
	expect(SSL_write(client, data, 16384) == 16384, "a large write");
	expect(SSL_write(client, data, 16384) == -1, "the pipe is full");
	expect(SSL_read(server, got, 16384) == 16384, "a large read");
	SSL_read(server, got, 16384);
	expect(SSL_write(client, data, 16384) == 16384, "it is tried again");
	expect(SSL_read_ex(server, got, 16384, &count) == 1, "a large read");
	expect(SSL_write_ex(server, data, 16384, &count) == 1, "a large write");
	expect(SSL_write_ex(server, data, 16384, &count) == 0, "the pipe is full");
	SSL_shutdown(client);
	expect(SSL_read(server, got, 1) == 0, "the end");
	expect(SSL_write(client, data, 1) == -1, "no write after the end");
	expect(SSL_write_ex(client, data, 1, &count) == 0, "no write after the end");
	SSL_free(client);
	SSL_free(server);
	SSL_free(NULL);
}

// The debugger.

static struct user_regs_struct registers(void)
{
	struct user_regs_struct found;
	if (ptrace(PTRACE_GETREGS, child, 0, &found))
		fail("read the registers");
	return found;
}

static long peek(unsigned long address)
{
	errno = 0;
	long word = ptrace(PTRACE_PEEKTEXT, child, address, 0);
	if (errno)
		fail("read memory");
	return word;
}

static void poke(unsigned long address, long word)
{
	if (ptrace(PTRACE_POKETEXT, child, address, word))
		fail("write memory");
}

static long trap_in(long word)
{
	return (word & ~0xffL) | 0xcc;
}

static void arm(int armed)
{
	for (int i = 0; i < function_count; i++) {
		long code = functions[i].code;
		poke(functions[i].start, armed ? trap_in(code) : code);
	}
}

// Goes on until the child traps; ends with the child.
static void resume(int how)
{
	int status, deliver = 0;
	for (;;) {
		if (ptrace(how, child, 0, deliver))
			fail("resume");
		if (waitpid(child, &status, 0) < 0)
			fail("wait");
		if (WIFEXITED(status))
			exit(WEXITSTATUS(status));
		if (WIFSIGNALED(status)) {
			fprintf(stderr, "step: ended by signal %d\n", WTERMSIG(status));
			exit(1);
		}
		deliver = WSTOPSIG(status);
		if (deliver == SIGTRAP)
			return;
	}
}

static void set_position(unsigned long address)
{
	struct user_regs_struct r = registers();
	r.rip = address;
	if (ptrace(PTRACE_SETREGS, child, 0, &r))
		fail("write the registers");
}

// Runs until `address` is reached with this stack pointer.
static void run_to(unsigned long address, unsigned long stack)
{
	for (;;) {
		long code = peek(address);
		poke(address, trap_in(code));
		resume(PTRACE_CONT);
		poke(address, code);
		set_position(address);
		if (registers().rsp == stack)
			return;
		resume(PTRACE_SINGLESTEP);
	}
}

static const struct function *function_at(unsigned long address)
{
	for (int i = 0; i < function_count; i++)
		if (functions[i].start == address)
			return &functions[i];
	return NULL;
}

static void follow(const struct function *function)
{
	struct user_regs_struct r = registers();
	unsigned long stack = r.rsp + 8, caller = peek(r.rsp);

	printf("call %s\n", function->name);
	for (;;) {
		printf("at %llx %llx %llx %llx %llx %llx %llx %llx %llx\n",
		       r.rip - function->start, r.rdi, r.rsi, r.rdx, r.rcx, r.r8,
		       r.r9, r.rsp, r.rax);
		unsigned long before = r.rsp;
		resume(PTRACE_SINGLESTEP);
		r = registers();
		if (r.rip == caller && r.rsp == stack)
			break;
		if (r.rip - function->start < function->size)
			continue;
		unsigned long pushed = peek(r.rsp);
		if (r.rsp == before - 8 && pushed - function->start <= function->size) {
			run_to(pushed, before);
			r = registers();
			continue;
		}
		printf("away %llx\n", r.rip - function->start);
		function = function_at(r.rip);
		// Through a stub of the linkage table, which is two instructions.
		for (int steps = 0; !function && steps < 2; steps++) {
			resume(PTRACE_SINGLESTEP);
			function = function_at(registers().rip);
		}
		r = registers();
		if (!function) {
			run_to(caller, stack);
			break;
		}
		printf("into %s\n", function->name);
	}
	printf("returned %llx\n", registers().rax);
}

static void debug(void)
{
	for (int i = 0; i < function_count; i++) {
		functions[i].code = peek(functions[i].start);
		expect((functions[i].code & 0xff) != 0xcc, "no probe of others");
	}
	for (;;) {
		arm(1);
		resume(PTRACE_CONT);
		unsigned long at = registers().rip - 1;
		const struct function *hit = function_at(at);
		expect(hit != NULL, "no trap but ours");
		arm(0);
		set_position(at);
		follow(hit);
	}
}

static void add_function(const char *described)
{
	struct function *function = &functions[function_count];
	expect(function_count++ < MOST_FUNCTIONS, "fewer functions");
	expect(sscanf(described, "%63[^:]:%lx:%lx", function->name,
		      &function->start, &function->size) == 3,
	       "NAME:ADDRESS:SIZE");
}

int main(int count, char **words)
{
	expect(count > 3, "library or program, and functions");
	int own = !strcmp(words[1], "library");
	int at = own ? 4 : 2;
	for (; at < count && strcmp(words[at], "--"); at++)
		add_function(words[at]);
	if (own) {
		crypto = dlopen(words[2], RTLD_NOW | RTLD_GLOBAL);
		if (crypto)
			ssl = dlopen(words[3], RTLD_NOW | RTLD_GLOBAL);
		if (!ssl) {
			fprintf(stderr, "step: %s\n", dlerror());
			return 1;
		}
		for (int i = 0; i < function_count; i++) {
			void *found = dlsym(ssl, functions[i].name);
			expect(found != NULL, functions[i].name);
			functions[i].start = (unsigned long)found;
		}
	} else {
		expect(at + 1 < count, "a program");
	}
	child = fork();
	if (child < 0)
		fail("fork");
	if (!child) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			fail("be traced");
		if (!own) {
			execv(words[at + 1], &words[at + 1]);
			fail("execute");
		}
		raise(SIGTRAP);
		converse();
		_exit(0);
	}
	alarm(50);
	int status;
	if (waitpid(child, &status, 0) < 0 || !WIFSTOPPED(status))
		fail("start");
	ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_EXITKILL);
	debug();
}
