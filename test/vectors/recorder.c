/*
 * Runs instructions on the processor of this machine and records what they do. Built and run by recorder.ts:
 *
 *     gcc -m32 -no-pie ... recorder.c -o recorder; recorder INPUT OUTPUT
 *
 * The code lies in pages full of INT3 or HLT, so that falling through, jumping and faulting all end in a signal, whose
 * handler finds the complete state in its ucontext. It goes back to the trampoline, or, if the vector says where the next
 * instruction begins, on with that one. What the code asks of the kernel is refused, and recorded as exception 128.
 *
 * INPUT   u32 areas; each u32 base, u32 size, u32 writable, bytes; u32 vectors; each u32 registers[10] (EAX ECX EDX EBX ESP EBP ESI EDI
 *         EFLAGS EIP), u32 first, u32 count, u32 next[count] (by address from `first` on: where to go on after an exception there, or 0),
 *         u32 pieces; each u32 address, u32 length, bytes (the code is one of them); u32 floats, if 1 then 512 bytes for FXRSTOR
 * OUTPUT  per vector u32 stops; each u32 exception, error, CR2, registers[10], selectors[6] (ES CS SS DS FS GS); if floats, for each stop 288 bytes
 *         as FXSAVE saves them; then u32 pieces of memory that have changed, as above
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <ucontext.h>
#include <unistd.h>

enum { EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI, EFLAGS, EIP, REGISTERS };
enum { FLOAT_BYTES = 288, FSAVE_BYTES = 112, CONTROL_WORD = 0x37f, MXCSR = 0x1f80 };
enum { MAX_AREAS = 8, MAX_STOPS = 64, MAX_NEXT = 1 << 14, ALTERNATE_STACK = 1 << 16, ALIGNMENT_CHECK = 1 << 18, SYSTEM_CALL = 128 };
/* All areas lie below. */
enum { PROGRAM = 0x8000000 };

static struct area {
	uint32_t base, size, writable;
	uint8_t *pristine, *before;
} areas[MAX_AREAS];
static uint32_t area_count;

/* Read and written by the trampoline and the handler. */
uint32_t input[REGISTERS], harness_stack, harness_gs;
static struct {
	uint32_t exception, error, cr2, registers[REGISTERS], selectors[6];
} stops[MAX_STOPS];
static uint8_t float_stops[MAX_STOPS][FLOAT_BYTES];
uint8_t float_input[512] __attribute__((aligned(16)));
uint32_t default_mxcsr = MXCSR;
static uint32_t stop_count, next_first, next_count, next[MAX_NEXT];
static volatile sig_atomic_t running;

void enter(void);
void leave(void);
__asm__(
	".text\n"
	"enter:\n"
	"	pushal\n"
	"	pushfl\n"
	"	movl %esp, harness_stack\n"
	"	fxrstor float_input\n"
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
	"	jmp *input+36\n"
	"leave:\n"
	"	movl harness_stack, %esp\n"
	"	fninit\n"
	"	ldmxcsr default_mxcsr\n"
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
	greg_t *general_now = machine->gregs;
	uint32_t eip = general_now[REG_EIP], after = eip - next_first < next_count ? next[eip - next_first] : 0;
	if (signal == SIGSYS || stop_count < MAX_STOPS) {
		uint32_t at = stop_count < MAX_STOPS ? stop_count++ : MAX_STOPS - 1;
		stops[at].exception = signal == SIGSYS ? SYSTEM_CALL : (uint32_t)general_now[REG_TRAPNO];
		stops[at].error = signal == SIGSYS ? 0 : general_now[REG_ERR];
		stops[at].cr2 = machine->cr2;
		for (int i = 0; i < REGISTERS; i++)
			stops[at].registers[i] = general_now[general[i]];
		for (int i = 0; i < 6; i++)
			stops[at].selectors[i] = general_now[segment[i]] & 0xffff;
		/* The frame has an FSAVE image, and behind it one of FXSAVE. */
		const uint8_t *floats = (const uint8_t *)machine->fpregs + FSAVE_BYTES;
		for (int i = 0; i < FLOAT_BYTES; i++)
			float_stops[at][i] = floats[i];
	}
	if (after != 0 && signal != SIGSYS && stop_count < MAX_STOPS) {
		general_now[REG_EIP] = after;
		return;
	}
	running = 0;
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
	static const int caught[] = { SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGALRM };
	stack_t stack = { .ss_sp = malloc(ALTERNATE_STACK), .ss_size = ALTERNATE_STACK };
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	if (sigaltstack(&stack, NULL) != 0)
		fail("sigaltstack");
	for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
		if (sigaction(caught[i], &action, NULL) != 0)
			fail("sigaction");
}

/* Those of the code under test: a random INT 80h must not do anything. */
static void refuse_system_calls(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, PROGRAM, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	};
	struct sock_fprog program = { .len = sizeof filter / sizeof *filter, .filter = filter };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		fail("seccomp");
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
	for (int i = 0; i < REGISTERS; i++)
		input[i] = get32(in);
	next_first = get32(in);
	next_count = get32(in);
	if (next_count > MAX_NEXT)
		fail("too much code");
	get(in, next, next_count * sizeof *next);
	for (uint32_t pieces = get32(in); pieces > 0; pieces--) {
		uint32_t address = get32(in), length = get32(in);
		get(in, (void *)(uintptr_t)address, length);
	}
	uint32_t floats = get32(in);
	memset(float_input, 0, sizeof float_input);
	if (floats)
		get(in, float_input, sizeof float_input);
	else {
		*(uint16_t *)float_input = CONTROL_WORD;
		*(uint32_t *)(float_input + 24) = MXCSR;
	}
	for (uint32_t i = 0; i < area_count; i++)
		memcpy(areas[i].before, (void *)(uintptr_t)areas[i].base, areas[i].size);
	protect(PROT_READ);
	alarm(10);
	stop_count = 0;
	running = 1;
	enter();
	alarm(0);
	protect(PROT_READ | PROT_WRITE);
	put32(out, stop_count);
	fwrite(stops, sizeof *stops, stop_count, out);
	if (floats)
		fwrite(float_stops, FLOAT_BYTES, stop_count, out);
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
	map_areas(in);
	catch_signals();
	refuse_system_calls();
	for (uint32_t count = get32(in); count > 0; count--)
		run(in, out);
	return fclose(out) == 0 ? 0 : 1;
}
