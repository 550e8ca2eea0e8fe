/*
 * Records DAA DAS AAA AAS AAM AAD DIV IDIV on the processor it runs on:
 *   gcc -m32 -O1 -o record record.c && ./record decimal > decimal.txt && ./record divide > division.txt
 * Lines: decimal  <op> <AH> <CF> <AF> <AX and flags (OF SF ZF AF PF CF) for AL = 0..255, seven hex digits each>
 *                 aam/aad <base> <AX> <AX after> <flags after>
 *        divide   <op> <EAX> <EDX> <divisor> <EAX after> <EDX after>, or #DE
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static sigjmp_buf out;
static void divide_error(int signal) { (void)signal; siglongjmp(out, 1); }
static uint32_t seed = 1;
static uint32_t random32(void) { seed ^= seed << 13; seed ^= seed >> 17; seed ^= seed << 5; return seed; }

#define STATUS 0x8d5
#define ADJUST(name) static void name(uint32_t *ax, uint32_t *flags) { \
  __asm__ volatile("pushl %1\n popfl\n " #name "\n pushfl\n popl %1" : "+a"(*ax), "+r"(*flags) : : "cc"); }
ADJUST(daa) ADJUST(das) ADJUST(aaa) ADJUST(aas)

static unsigned char *code;
static void with_base(int opcode, int base, uint32_t *ax, uint32_t *flags) {
  code[0] = opcode; code[1] = base; code[2] = 0xc3;
  __asm__ volatile("pushl %1\n popfl\n call *%2\n pushfl\n popl %1" : "+a"(*ax), "+r"(*flags) : "r"(code) : "cc", "memory");
}

#define DIVIDE(name, type, where) static void name(uint32_t *ax, uint32_t *dx, uint32_t by) { \
  __asm__ volatile(#name " %2" : "+a"(*ax), "+d"(*dx) : where((type)by) : "cc"); }
DIVIDE(divb, uint8_t, "c") DIVIDE(idivb, uint8_t, "c") DIVIDE(divw, uint16_t, "c") DIVIDE(idivw, uint16_t, "c")
DIVIDE(divl, uint32_t, "c") DIVIDE(idivl, uint32_t, "c")

static void decimal(void) {
  void (*op[])(uint32_t *, uint32_t *) = { daa, das, aaa, aas };
  const char *name[] = { "daa", "das", "aaa", "aas" };
  const int highs[] = { 0, 0x7f, 0xff };
  for (int i = 0; i < 4; i++) for (int h = 0; h < (i < 2 ? 1 : 3); h++) for (int c = 0; c < 2; c++) for (int a = 0; a < 2; a++) {
    printf("%s %02x %d %d ", name[i], highs[h], c, a);
    for (int al = 0; al < 256; al++) {
      uint32_t ax = highs[h] << 8 | al, flags = 0x202 | c | a << 4;
      op[i](&ax, &flags);
      printf("%04x%03x", ax & 0xffff, flags & STATUS);
    }
    printf("\n");
  }
  const int bases[] = { 0, 1, 7, 10, 16, 128, 255 };
  for (int b = 0; b < 7; b++) for (int i = 0; i < 60; i++) {
    uint32_t before = random32() & 0xffff, ax = before, flags = i & 1 ? 0x202 | STATUS : 0x202;
    if (bases[b] != 0) {
      with_base(0xd4, bases[b], &ax, &flags);
      printf("aam %02x %04x %04x %03x\n", bases[b], before, ax & 0xffff, flags & STATUS);
    }
    ax = before;
    with_base(0xd5, bases[b], &ax, &flags);
    printf("aad %02x %04x %04x %03x\n", bases[b], before, ax & 0xffff, flags & STATUS);
  }
}

static uint32_t edge(void) {
  static const uint32_t edges[] = { 0, 1, 2, 3, 7, 0x7f, 0x80, 0x81, 0xff, 0x100, 0x7fff, 0x8000, 0x8001, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
    0x80000001, 0xffffffff, 0xfffffffe, 0xffffff80, 0xffff8000 };
  return edges[random32() % 22];
}

static void divide(void) {
  void (*op[])(uint32_t *, uint32_t *, uint32_t) = { divb, idivb, divw, idivw, divl, idivl };
  const char *name[] = { "divb", "idivb", "divw", "idivw", "divl", "idivl" };
  for (int i = 0; i < 6; i++) for (int k = 0; k < 240; k++) {
    int way = k % 4;
    uint32_t a = way == 0 ? edge() : random32();
    uint32_t d = way == 0 ? edge() : way == 1 ? random32() : way == 2 ? random32() >> random32() % 32 : (uint32_t)((int32_t)random32() >> random32() % 32);
    uint32_t by = way == 0 ? edge() : way == 1 ? random32() : way == 2 ? random32() >> random32() % 16 : (uint32_t)((int32_t)random32() >> random32() % 32);
    /* Small dividends, so that more quotients fit. */
    if (i >= 4 && way == 3 && (k & 4)) d = (int32_t)a >> 31;
    if (i / 2 == 1 && (k & 1)) d = (int16_t)d >> random32() % 16;
    if (i / 2 == 0 && (k & 1)) a = (a & 0xff) | (uint32_t)((int8_t)(a >> 8) >> random32() % 8) << 8;
    uint32_t ra = a, rd = d;
    printf("%s %x %x %x ", name[i], a, d, by);
    if (sigsetjmp(out, 1) == 0) {
      op[i](&ra, &rd, by);
      printf("%x %x\n", ra, rd);
    } else printf("#DE\n");
  }
}

int main(int argc, char **argv) {
  signal(SIGFPE, divide_error);
  code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (argc > 1 && strcmp(argv[1], "decimal") == 0) decimal();
  else divide();
  return 0;
}
