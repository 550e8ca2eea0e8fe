/*
 * Records what the x87 of this machine does with single operations: the cases of fpu-recorded.txt.
 *
 *     gcc -O1 -o /tmp/fpu-record test/cpu/fpu-record.c && /tmp/fpu-record 40 > test/cpu/fpu-recorded.txt
 *
 * One line `op NAME` for each operation, then its cases, all numbers hexadecimal:
 *     register operations   CW ST(0) ST(1) result SW      (80-bit: sign and exponent, then significand)
 *     stores                CW ST(0) memory SW            (memory as one number)
 *     loads                 CW memory result SW
 * SW is the status word after the operation, TOP included: the operands are loaded behind FNINIT, ST(1) first. The result is ST(0)
 * after the operation; FPTAN's 1 has been popped if it was pushed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct __attribute__((packed)) {
  uint64_t significand;
  uint16_t exponent;
} f80;

#define INTEGER_BIT (1ull << 63)

static uint64_t state = 88172645463325252ull;

static uint64_t random64(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

/* Zeros, ones, infinities, NaNs, denormals and pseudo-denormals, the largest, the smallest, 2.5, 2, pi, 2^62 - x, 1/3. */
static const f80 special[] = {
  {0, 0}, {0, 0x8000}, {INTEGER_BIT, 0x3fff}, {INTEGER_BIT, 0xbfff}, {INTEGER_BIT, 0x7fff}, {INTEGER_BIT, 0xffff}, {3ull << 62, 0x7fff},
  {INTEGER_BIT | 5, 0x7fff}, {3ull << 62 | 99, 0xffff}, {1, 0}, {1ull << 62, 0x8000}, {INTEGER_BIT, 0}, {~0ull, 0x7ffe}, {INTEGER_BIT, 1},
  {5ull << 61, 0x4000}, {INTEGER_BIT, 0x4000}, {0xc90fdaa22168c235ull, 0x4000}, {~0ull, 0x403d}, {0xaaaaaaaaaaaaaaabull, 0x3ffd},
};

/* `small`: within the range of the transcendental instructions, mostly. */
static f80 random_value(int small) {
  f80 value;
  unsigned kind = random64() % 10;
  if (kind < 3) return special[random64() % (sizeof special / sizeof *special)];
  value.significand = random64() | INTEGER_BIT;
  if (kind < 5) value.significand = (value.significand & ~0ull << random64() % 64) | INTEGER_BIT;
  value.exponent = 0x3fff - 40 + random64() % 80;
  if (small && kind < 9) value.exponent = 0x3fff - 12 + random64() % 14;
  else if (kind == 9) value.exponent = random64() & 0x7fff;
  if (value.exponent == 0) value.significand &= ~INTEGER_BIT;
  if (random64() & 1) value.exponent |= 0x8000;
  return value;
}

/* All exceptions masked; any rounding; 24, 53 or (mostly) 64 bits. */
static uint16_t random_control(void) {
  static const uint16_t precisions[] = {0, 2, 3, 3, 3};
  return 0x7f | precisions[random64() % 5] << 8 | (random64() & 3) << 10;
}

static void print80(f80 value) {
  printf("%04x%016llx", value.exponent, (unsigned long long)value.significand);
}

#define REGISTER(name, small, code)                                                                                                   \
  static void record_##name(void) {                                                                                                   \
    f80 a = random_value(small), b = random_value(small), r;                                                                          \
    uint16_t cw = random_control(), sw;                                                                                               \
    __asm__ volatile("fninit\n fldcw %2\n fldt %3\n fldt %4\n fnclex\n" code "\n fnstsw %1\n fstpt %0"                                \
                     : "=m"(r), "=m"(sw) : "m"(cw), "m"(b), "m"(a) : "ax", "memory");                                                 \
    printf("%04x ", cw), print80(a), putchar(' '), print80(b), putchar(' '), print80(r), printf(" %04x\n", sw);                       \
  }

#define STORE(name, code, length)                                                                                                     \
  static void record_##name(void) {                                                                                                   \
    f80 a = random_value(0);                                                                                                          \
    uint8_t memory[length];                                                                                                           \
    uint16_t cw = random_control(), sw;                                                                                               \
    memset(memory, 0xcc, length);                                                                                                     \
    __asm__ volatile("fninit\n fldcw %2\n fldt %3\n fnclex\n" code " %0\n fnstsw %1" : "+m"(memory), "=m"(sw) : "m"(cw), "m"(a));     \
    printf("%04x ", cw), print80(a), putchar(' ');                                                                                    \
    for (int i = length - 1; i >= 0; i--) printf("%02x", memory[i]);                                                                  \
    printf(" %04x\n", sw);                                                                                                            \
  }

#define LOAD(name, code, length, fill)                                                                                                \
  static void record_##name(void) {                                                                                                   \
    f80 r;                                                                                                                            \
    uint8_t memory[length];                                                                                                           \
    uint16_t cw = random_control(), sw;                                                                                               \
    fill(memory, length);                                                                                                             \
    __asm__ volatile("fninit\n fldcw %2\n" code " %3\n fnstsw %1\n fstpt %0" : "=m"(r), "=m"(sw) : "m"(cw), "m"(memory));             \
    printf("%04x ", cw);                                                                                                              \
    for (int i = length - 1; i >= 0; i--) printf("%02x", memory[i]);                                                                  \
    putchar(' '), print80(r), printf(" %04x\n", sw);                                                                                  \
  }

/* Random bytes; now and then a small number, a denormal, an infinity or a NaN of the double or single format. */
static void fill_bits(uint8_t *memory, int length) {
  uint64_t bits = random64();
  if (random64() % 3 == 0) {
    unsigned kind = random64() % 3;
    bits = kind == 0 ? random64() & 0xffff : (random64() & 3) << (8 * length - 10);
    if (kind == 2) bits = length == 8 ? 0x7ff0ull << 48 | (random64() & 3) << 50 : 0x7f800000 | (random64() & 3) << 21;
  }
  memcpy(memory, &bits, length);
}

/* A packed decimal number. */
static void fill_decimal(uint8_t *memory, int length) {
  int digits = random64() % 19;
  memset(memory, 0, length);
  for (int i = 0; i < digits; i++) memory[i / 2] |= random64() % 10 << i % 2 * 4;
  memory[length - 1] = random64() & 0x80;
}

REGISTER(add, 0, "fadd %%st(1), %%st")
REGISTER(sub, 0, "fsub %%st(1), %%st")
REGISTER(mul, 0, "fmul %%st(1), %%st")
REGISTER(div, 0, "fdiv %%st(1), %%st")
REGISTER(sqrt, 0, "fsqrt")
REGISTER(rndint, 0, "frndint")
REGISTER(com, 0, "fcom %%st(1)")
REGISTER(scale, 1, "fscale")
REGISTER(prem, 0, "fprem")
REGISTER(prem1, 0, "fprem1")
REGISTER(xam, 0, "fxam")
REGISTER(f2xm1, 1, "f2xm1")
REGISTER(fyl2x, 0, "fyl2x")
REGISTER(fyl2xp1, 1, "fyl2xp1")
REGISTER(fpatan, 0, "fpatan")
REGISTER(fsin, 1, "fsin")
REGISTER(fcos, 1, "fcos")
REGISTER(fptan, 1, "fptan\n fnstsw %%ax\n testb $4, %%ah\n jnz 1f\n fstp %%st(0)\n 1:")
STORE(fst32, "fsts", 4)
STORE(fst64, "fstl", 8)
STORE(fist16, "fists", 2)
STORE(fist32, "fistl", 4)
STORE(fistp64, "fistpll", 8)
STORE(fbstp, "fbstp", 10)
LOAD(fld32, "flds", 4, fill_bits)
LOAD(fld64, "fldl", 8, fill_bits)
LOAD(fild16, "filds", 2, fill_bits)
LOAD(fild32, "fildl", 4, fill_bits)
LOAD(fild64, "fildll", 8, fill_bits)
LOAD(fbld, "fbld", 10, fill_decimal)

#define ENTRY(name) {#name, record_##name}
static const struct {
  const char *name;
  void (*record)(void);
} operations[] = {
  ENTRY(add), ENTRY(sub), ENTRY(mul), ENTRY(div), ENTRY(sqrt), ENTRY(rndint), ENTRY(com), ENTRY(scale), ENTRY(prem), ENTRY(prem1), ENTRY(xam),
  ENTRY(f2xm1), ENTRY(fyl2x), ENTRY(fyl2xp1), ENTRY(fpatan), ENTRY(fsin), ENTRY(fcos), ENTRY(fptan), ENTRY(fst32), ENTRY(fst64), ENTRY(fist16),
  ENTRY(fist32), ENTRY(fistp64), ENTRY(fbstp), ENTRY(fld32), ENTRY(fld64), ENTRY(fild16), ENTRY(fild32), ENTRY(fild64), ENTRY(fbld),
};

int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 40;
  for (unsigned i = 0; i < sizeof operations / sizeof *operations; i++) {
    printf("op %s\n", operations[i].name);
    for (int n = 0; n < count; n++) operations[i].record();
  }
  return 0;
}
