/** -kernel: kernels of our own, assembled here, say what they were given. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { assemble } from '../../../bios/assembler/assemble.ts';
import { Machine } from '../../../src/index.ts';
import { readElf } from '../../../src/machine/boot/elf.ts';
import { parseModules } from '../../../src/machine/boot/initrd.ts';
import { layOutLinux } from '../../../src/machine/boot/linux.ts';
import { findMultiboot, layOutMultiboot } from '../../../src/machine/boot/multiboot.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tcg86-kernel-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const build = (source: string): Uint8Array => assemble(source, { file: 'kernel.asm' }).bytes;
function write(name: string, bytes: Uint8Array | string): string {
  writeFileSync(join(scratch, name), bytes);
  return join(scratch, name);
}

/** Writes strings and numbers to port E9h and ends the machine. */
const MULTIBOOT = `
    bits 32
    org 0x100000
header:
    dd 0x1BADB002, 0x00010003, -(0x1BADB002 + 0x00010003)
    dd header, header, end, bss_end, start
start:
    mov esp, stack_end
    call hex                    ; the magic number
    mov eax, [ebx]
    call hex                    ; flags
    mov eax, [ebx + 4]
    call hex                    ; KB below and above 1 MB
    mov eax, [ebx + 8]
    call hex
    mov esi, [ebx + 16]
    call text                   ; command line
    mov ecx, [ebx + 20]
    mov edx, [ebx + 24]
.module:
    mov esi, [edx + 8]
    call text                   ; name, first word of each module
    mov esi, [edx]
    mov eax, [esi]
    call hex
    add edx, 16
    loop .module
    mov esi, [ebx + 48]         ; memory map: entries until its end
    mov ecx, [ebx + 44]
    add ecx, esi
.entry:
    mov eax, [esi + 4]
    call hex
    mov eax, [esi + 12]
    call hex
    add esi, [esi]
    add esi, 4
    cmp esi, ecx
    jb .entry
    mov eax, [stack]            ; .bss is zero
    call hex
    mov eax, 21
    out 0xF4, al
    hlt
text:
    lodsb
    or al, al
    jz line
    out 0xE9, al
    jmp text
hex:
    pushad
    mov ecx, 8
.digit:
    rol eax, 4
    push eax
    and al, 15
    cmp al, 10
    sbb al, 0x69
    das
    out 0xE9, al
    pop eax
    loop .digit
    popad
line:
    push eax
    mov al, 10
    out 0xE9, al
    pop eax
    ret
end:
stack equ end + 64
stack_end equ stack + 256
bss_end equ stack_end
`;

/** As Linux's: a boot sector with the header, the setup code behind it, the kernel at 1 MB; prints the command line and some bytes. */
const LINUX = `
    bits 16
    org 0
    times 0x1F1 db 0
    db 1                        ; sectors of setup code
    times 0x1FE - ($ - $$) db 0
    dw 0xAA55
    jmp short setup
    db 'HdrS'
    dw 0x0206
    times 0x211 - ($ - $$) db 0
    db 1                        ; loaded high
    times 0x22C - ($ - $$) db 0
    dd 0x37FFFFFF
    times 0x238 - ($ - $$) db 0
    dd 255
setup:
    cld
    mov si, 0x228               ; the command line, by its linear address
    lodsd
    shr eax, 4
    push ds
    mov ds, ax
    xor si, si
.next:
    lodsb
    out 0xE9, al
    or al, al
    jnz .next
    pop ds
    mov al, [0x210]
    out 0xE9, al
    mov esi, [0x218]            ; the last byte of the initrd, by INT 15h
    add esi, [0x21C]
    dec esi
    mov [gdt.source], esi
    mov byte [gdt.source + 3], 0x93
    ror esi, 24
    mov [gdt.source + 5], si
    mov ax, ds
    mov es, ax
    movzx eax, ax
    shl eax, 4
    add eax, byte_read
    mov [gdt.target], eax
    mov byte [gdt.target + 3], 0x93
    mov si, gdt
    mov cx, 1
    mov ah, 0x87
    int 0x15
    mov al, [byte_read]
    out 0xE9, al
    mov al, 3
    out 0xF4, al
    hlt
byte_read: dw 0
gdt: times 16 db 0
    dw 0xFFFF
.source: dd 0
    dw 0
    dw 0xFFFF
.target: dd 0
    dw 0
    times 16 db 0
    times 1024 - ($ - $$) db 0
    db 'kernel'
    times 1024 db 0
`;

async function boot(options: Parameters<typeof Machine.open>[0]): Promise<{ code: number; output: string }> {
  const bytes: number[] = [];
  const machine = Machine.open({
    memory: '16M', timeout: 30, ...options,
    debugConsole: { receive: null, write: (byte) => bytes.push(byte) }, debugExit: { iobase: 0xf4, iosize: 1 },
  });
  try {
    const result = await machine.run();
    return { code: result.reason === 'exit' ? result.code : -1, output: String.fromCharCode(...bytes) };
  } finally {
    machine.close();
  }
}

describe('a multiboot kernel', () => {
  const kernel = write('multiboot.bin', build(MULTIBOOT));
  it('gets its command line, modules and the memory map', async () => {
    const one = write('one', 'abcd'), two = write('two', 'efgh');
    const { code, output } = await boot({ kernel, append: 'a b=c', initrd: `${one} x y,${two}` });
    expect(output.split('\n')).toEqual([
      '2BADB002', '0000024F', '0000027F', '00003C00', `${kernel} a b=c`, `${one} x y`, '64636261', two, '68676665',
      '00000000', '0009FC00', '0009FC00', '00000400', '000E0000', '00020000', '00100000', '00F00000', 'FFFC0000', '00040000', '00000000', '',
    ]);
    expect(code).toBe(43);
  });
});

describe('a Linux kernel', () => {
  it('is entered in its setup code, with command line and initrd', async () => {
    const kernel = write('linux.bin', build(LINUX)), initrd = write('initrd', 'initrd: z');
    const { code, output } = await boot({ kernel, append: 'console=ttyS0 quiet', initrd });
    expect(output).toBe('console=ttyS0 quiet\0\xffz');
    expect(code).toBe(7);
  });
});

describe('layouts', () => {
  const linux = build(LINUX);
  it('Linux: high and low kernels, initrd below its limits', () => {
    const high = layOutLinux(linux, new Uint8Array(5000), 'x vga=ask', 64 << 20);
    expect([high.setupAddress, high.kernelAddress, high.commandLineAddress, high.initrdAddress]).toEqual([0x10000, 0x100000, 0x20000, (64 << 20) - 0x20000 - 0x2000]);
    expect([high.setup.length, new DataView(high.setup.buffer).getUint16(0x1fa, true)]).toEqual([1024, 0xfffd]);
    expect(layOutLinux(linux, new Uint8Array(5000), '', 2047 * 2 ** 20).initrdAddress).toBe(0x37ffe000);
    const low = linux.slice();
    low[0x211] = 0;
    expect(layOutLinux(low, new Uint8Array(0), '0123456789abcde', 64 << 20)).toMatchObject({ setupAddress: 0x90000, kernelAddress: 0x10000, commandLineAddress: 0x99ff0 });
    const old = low.fill(0, 0x202, 0x300);
    expect(new DataView(layOutLinux(old, new Uint8Array(0), 'x', 64 << 20).setup.buffer).getUint32(0x20, true)).toBe(0x9ff0a33f);
    expect(() => layOutLinux(old, new Uint8Array(1), '', 64 << 20)).toThrow('this kernel is too old for an initrd');
    expect(() => layOutLinux(linux, new Uint8Array(0), 'x'.repeat(256), 64 << 20)).toThrow('the command line has 256 bytes, this kernel takes 255');
    expect(() => layOutLinux(linux, new Uint8Array(15 << 20), '', 16 << 20)).toThrow(/the initrd has 15728640 bytes: memory is too small/);
  });

  it('multiboot: list and strings lie between the kernel and its modules', () => {
    const kernel = build(MULTIBOOT);
    const module = (size: number): { name: string; bytes: Uint8Array } => ({ name: 'm', bytes: new Uint8Array(size).fill(0x55) });
    const { address, bytes, info } = layOutMultiboot(kernel, 0, [module(5000), module(3)], 'k x', 16 << 20);
    const words = new DataView(info.buffer), list = words.getUint32(24, true), image = new DataView(bytes.buffer);
    const places = [0, 1].map((i) => [image.getUint32(list - address + 16 * i, true), image.getUint32(list - address + 16 * i + 4, true)]);
    expect(list % 4096).toBe(0);
    expect(places).toEqual([[list + 4096, list + 4096 + 5000], [list + 3 * 4096, list + 3 * 4096 + 3]]);
    for (const text of [words.getUint32(16, true), words.getUint32(64, true)]) expect([text > list, text < places[0]![0]!]).toEqual([true, true]);
    expect(address + bytes.length).toBe(places[1]![1]);
  });

  it('multiboot: what it refuses', () => {
    const kernel = build(MULTIBOOT);
    expect(findMultiboot(kernel)).toBe(0);
    expect(() => layOutMultiboot(kernel.subarray(0, 100), 0, [], '', 16 << 20)).toThrow('ends too early');
    expect(() => layOutMultiboot(kernel, 0, [{ name: 'm', bytes: new Uint8Array(16 << 20) }], '', 16 << 20)).toThrow(/^kernel and modules end at \d+ bytes, and there are 16777216$/);
    const demanding = build('dd 0x1BADB002, 0x00000100, -(0x1BADB002 + 0x00000100)');
    expect(() => layOutMultiboot(demanding, 0, [], '', 16 << 20)).toThrow('unknown requirements (flags 100h)');
  });

  it('ELF: segments by physical address, zeros behind them', () => {
    const file = build(`
      bits 32
      org 0
      db 0x7F, 'ELF', 1, 1, 1
      times 16 - ($ - $$) db 0
      dw 2, 3
      dd 1, 0x100008, 52, 0, 0
      dw 52, 32, 2, 0, 0, 0
      dd 1, data, 0xC0100000, 0x100000, 4, 8, 7, 16
      dd 1, data, 0xC0100010, 0x100010, 2, 2, 7, 16
data: db 1, 2, 3, 4`);
    const { entry, address, bytes } = readElf(file, 1 << 20);
    expect([entry, address, ...bytes]).toEqual([0x100008, 0x100000, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
    expect(() => readElf(file, 8)).toThrow('takes 18 bytes of memory');
    expect(() => readElf(file.subarray(0, file.length - 1), 1 << 20)).toThrow('ends too early');
    const view = new DataView(file.buffer, file.byteOffset), physical = [52, 84].map((header) => header + 12);
    view.setUint32(physical[1]!, 0xc0100010, true);
    expect(readElf(file, 1 << 20)).toMatchObject({ entry: 0x100008, address: 0x100000, bytes: Uint8Array.of(1, 2, 3, 4, 0, 0, 0, 0) });
    view.setUint32(physical[0]!, 0xc0100000, true);
    expect(() => readElf(file, 1 << 20)).toThrow('nothing to load');
    file[4] = 2;
    expect(() => readElf(file, 1 << 20)).toThrow('64-bit');
  });

  it('modules are told apart by commas', () => {
    expect(parseModules('a b,c,,d')).toEqual([{ file: 'a', name: 'a b' }, { file: 'c,d', name: 'c,d' }]);
  });
});
