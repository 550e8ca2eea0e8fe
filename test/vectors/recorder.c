/*
 * Runs instructions on the processor of this machine, one at a time, and records what they do. Built and run by generate.ts:
 *
 *     gcc -m32 -no-pie ... recorder.c -o recorder; recorder INPUT OUTPUT
 *
 * Each instruction lies in a page full of INT3, so that falling through, jumping and faulting all end in a signal, whose
 * handler finds the complete state in its ucontext and goes back to the trampoline.
 *
 * INPUT   u32 entry; u32 areas; each u32 base, u32 size, u32 writable, bytes; u32 vectors; each u32 registers[9] (EAX ECX EDX EBX ESP EBP ESI EDI
 *         EFLAGS), u32 pieces; each u32 address, u32 length, bytes (the code is one of them)
 * OUTPUT  per vector u32 exception, error, CR2, registers[10] (as above, then EIP), selectors[6] (ES CS SS DS FS GS),
 *         u32 pieces of memory that have changed, as above
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI, EFLAGS, EIP, REGISTERS };
enum { MAX_AREAS = 8, ALTERNATE_STACK = 1 << 16, ALIGNMENT_CHECK = 1 << 18 };

static struct area {
	uint32_t base, size, writable;
	uint8_t *pristine, *before;
} areas[MAX_AREAS];
static uint32_t area_count;

/* Read and written by the trampoline and the handler. */
uint32_t input[EIP], entry, harness_stack, harness_gs;
static struct {
	uint32_t exception, error, cr2, registers[REGISTERS], selectors[6];
} result;
static volatile sig_atomic_t running;

void enter(void);
void leave(void);
__asm__(
	".text\n"
	"enter:\n"
	"	pushal\n"
	"	pushfl\n"
	"	movl %esp, harness_stack\n"
	"	movl %gs, %eax\n"
	"	movl %eax, harness_gs\n"
	"	movl $0x2b, %eax\n"
	"	movl %eax, %fs\n"
	"	movl %eax, %gs\n"
	"	pushl input+32\n"
	"	popfl\n"
	"	movl input, %eax\n"
	"	movl input+4, %ecx\n"
	"	movl input+8, %edx\n"
	"	movl input+12, %ebx\n"
	"	movl input+20, %ebp\n"
	"	movl input+24, %esi\n"
	"	movl input+28, %edi\n"
	"	movl input+16, %esp\n"
	"	jmp *entry\n"
	"leave:\n"
	"	movl harness_stack, %esp\n"
	"	movl harness_gs, %eax\n"
	"	movl %eax, %gs\n"
	"	popfl\n"
	"	popal\n"
	"	ret\n");

static void fail(const char *message)
{
	fprintf(stderr, "recorder: %s\n", message);
	exit(1);
}

/* Thread-local storage is out of reach here (GS is the test's), and so is most of the C library. */
static void on_signal(int signal, siginfo_t *info, void *context)
{
	__asm__ volatile("pushfl; andl %0, (%%esp); popfl" : : "i"(~ALIGNMENT_CHECK) : "memory", "cc");
	static const int general[EIP + 1] = { REG_EAX, REG_ECX, REG_EDX, REG_EBX, REG_ESP, REG_EBP, REG_ESI, REG_EDI, REG_EFL, REG_EIP };
	static const int segment[6] = { REG_ES, REG_CS, REG_SS, REG_DS, REG_FS, REG_GS };
	mcontext_t *machine = &((ucontext_t *)context)->uc_mcontext;
	(void)info;
	if (!running || signal == SIGALRM)
		_exit(signal == SIGALRM ? 3 : 2);
	running = 0;
	result.exception = machine->gregs[REG_TRAPNO];
	result.error = machine->gregs[REG_ERR];
	result.cr2 = machine->cr2;
	for (int i = 0; i < REGISTERS; i++)
		result.registers[i] = machine->gregs[general[i]];
	for (int i = 0; i < 6; i++)
		result.selectors[i] = machine->gregs[segment[i]] & 0xffff;
	machine->gregs[REG_EIP] = (greg_t)(uintptr_t)leave;
	machine->gregs[REG_EFL] = 0x202;
	machine->gregs[REG_CS] = 0x23;
	machine->gregs[REG_SS] = machine->gregs[REG_DS] = machine->gregs[REG_ES] = 0x2b;
	machine->gregs[REG_FS] = 0;
	machine->gregs[REG_GS] = 0;
}

static void get(FILE *file, void *into, size_t length)
{
	if (fread(into, 1, length, file) != length)
		fail("the input ends early");
}

static uint32_t get32(FILE *file)
{
	uint32_t value;
	get(file, &value, sizeof value);
	return value;
}

static void put32(FILE *file, uint32_t value)
{
	if (fwrite(&value, sizeof value, 1, file) != 1)
		fail("cannot write");
}

static void map_areas(FILE *in)
{
	area_count = get32(in);
	if (area_count > MAX_AREAS)
		fail("too many areas");
	for (uint32_t i = 0; i < area_count; i++) {
		struct area *area = &areas[i];
		area->base = get32(in);
		area->size = get32(in);
		area->writable = get32(in);
		area->pristine = malloc(area->size);
		area->before = malloc(area->size);
		void *wanted = (void *)(uintptr_t)area->base;
		void *got = mmap(wanted, area->size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (got != wanted)
			fail("cannot map the low pages (see /proc/sys/vm/mmap_min_addr)");
		get(in, area->pristine, area->size);
		memcpy(wanted, area->pristine, area->size);
	}
}

static void catch_signals(void)
{
	static const int caught[] = { SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGALRM };
	stack_t stack = { .ss_sp = malloc(ALTERNATE_STACK), .ss_size = ALTERNATE_STACK };
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	if (sigaltstack(&stack, NULL) != 0)
		fail("sigaltstack");
	for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
		if (sigaction(caught[i], &action, NULL) != 0)
			fail("sigaction");
}

/* Reports each run of bytes that has changed, and puts the area back. */
static uint32_t put_changes(FILE *out, struct area *area, int count_only)
{
	const uint8_t *now = (const uint8_t *)(uintptr_t)area->base;
	uint32_t pieces = 0;
	for (uint32_t at = 0; at < area->size; at++) {
		if (now[at] == area->before[at])
			continue;
		uint32_t end = at;
		while (end < area->size && now[end] != area->before[end])
			end++;
		if (!count_only) {
			put32(out, area->base + at);
			put32(out, end - at);
			fwrite(now + at, 1, end - at, out);
		}
		pieces++;
		at = end;
	}
	return pieces;
}

static void protect(int protection)
{
	for (uint32_t i = 0; i < area_count; i++)
		if (!areas[i].writable && mprotect((void *)(uintptr_t)areas[i].base, areas[i].size, protection) != 0)
			fail("mprotect");
}

static void run(FILE *in, FILE *out)
{
	for (int i = 0; i < EIP; i++)
		input[i] = get32(in);
	for (uint32_t pieces = get32(in); pieces > 0; pieces--) {
		uint32_t address = get32(in), length = get32(in);
		get(in, (void *)(uintptr_t)address, length);
	}
	for (uint32_t i = 0; i < area_count; i++)
		memcpy(areas[i].before, (void *)(uintptr_t)areas[i].base, areas[i].size);
	protect(PROT_READ);
	alarm(10);
	running = 1;
	enter();
	alarm(0);
	protect(PROT_READ | PROT_WRITE);
	fwrite(&result, sizeof result, 1, out);
	uint32_t pieces = 0;
	for (uint32_t i = 0; i < area_count; i++)
		pieces += put_changes(out, &areas[i], 1);
	put32(out, pieces);
	for (uint32_t i = 0; i < area_count; i++) {
		put_changes(out, &areas[i], 0);
		memcpy((void *)(uintptr_t)areas[i].base, areas[i].pristine, areas[i].size);
	}
}

int main(int argc, char **argv)
{
	if (argc != 3)
		fail("usage: recorder INPUT OUTPUT");
	FILE *in = fopen(argv[1], "rb"), *out = fopen(argv[2], "wb");
	if (in == NULL || out == NULL)
		fail("cannot open the files");
	entry = get32(in);
	map_areas(in);
	catch_signals();
	for (uint32_t count = get32(in); count > 0; count--)
		run(in, out);
	return fclose(out) == 0 ? 0 : 1;
}
