/**
 * PCI BIOS by INT 1Ah, and from protected mode by the entry that the BIOS32 service directory tells of.
 * PCI BIOS Specification 2.1; Standard BIOS 32-bit Service Directory Proposal 0.4.
 */
import { describe, expect, it } from 'vitest';
import type { PcOptions } from '../../src/index.ts';
import { inProtectedMode, sayWords, startGuest } from './guest.ts';

const TABLE = 0x8000, BUFFER = 0x7e00, SLOTS = 0x7e10;

/** What the guest asks (AL, BX, ECX, DX, SI, DI) and gets (AX, BX, CX, carry). */
const CALLS: readonly (readonly [what: string, al: number, bx: number, ecx: number, dx: number, si: number, di: number, answer: string])[] = [
  ['is there', 0x01, 0, 0x1234, 0, 0, 0, '0001 0210 1200.'],
  ['a device', 0x02, 0xffff, 0x7113, 0x8086, 0, 0, '0002 000B 7113.'],
  ['no second one', 0x02, 0xffff, 0x7113, 0x8086, 1, 0, '8602 FFFF 7113!'],
  ['no vendor', 0x02, 0xffff, 0x7113, 0xffff, 0, 0, '8302 FFFF 7113!'],
  ['a class', 0x03, 0xffff, 0x60100, 0, 0, 0, '0003 0008 0100.'],
  ['no such class', 0x83, 0xffff, 0x60200, 0, 0, 0, '8683 FFFF 0200!'],
  ['reads a byte', 0x08, 0x000b, 0x1234, 0, 0, 0x01, '0008 000B 1280.'],
  ['reads a word', 0x09, 0x000b, 0x1234, 0, 0, 0x02, '0009 000B 7113.'],
  ['reads a dword', 0x0a, 0x000b, 0, 0, 0, 0x00, '000A 000B 8086.'],
  ['writes a byte', 0x0b, 0x000b, 0x1205, 0, 0, 0x3c, '000B 000B 1205.'],
  ['which is there', 0x09, 0x000b, 0, 0, 0, 0x3c, '0009 000B 0105.'],
  ['writes a word', 0x0c, 0x000b, 0x1206, 0, 0, 0x3c, '000C 000B 1206.'],
  ['which is there', 0x08, 0x000b, 0, 0, 0, 0x3c, '0008 000B 0006.'],
  ['writes a dword', 0x0d, 0x000b, 0xffffff09, 0, 0, 0x3c, '000D 000B FF09.'],
  ['which is there', 0x89, 0x000b, 0, 0, 0, 0x3c, '0089 000B 0109.'],
  ['a word at an odd place', 0x09, 0x000b, 0x1234, 0, 0, 0x01, '8709 000B 1234!'],
  ['a dword at half of one', 0x0d, 0x000b, 0x1234, 0, 0, 0x02, '870D 000B 1234!'],
  ['behind the registers', 0x08, 0x000b, 0x1234, 0, 0, 0x100, '8708 000B 1234!'],
  ['special cycles', 0x06, 0, 0x1234, 0, 0, 0, '8106 0000 1234!'],
  ['slots, without room', 0x0e, 0xffff, 0x1234, 0, 0, BUFFER, '890E FFFF 1234!'],
  ['slots', 0x0e, 0xffff, 0x1234, 0, 0, BUFFER, '000E 0000 1234.'],
];
const ANSWERS = CALLS.map(([what, , , , , , , answer]) => `${what}: ${answer}`);
const answersOf = (text: string): string[] => (text.match(/.{13}/g) ?? []).map((answer, i) => `${CALLS[i % CALLS.length]![0]}: ${answer.replace(/(....)(....)/, '$1 $2 ')}`);

function table(): Uint8Array {
  const bytes = Buffer.alloc(13 * CALLS.length);
  CALLS.forEach(([, al, bx, ecx, dx, si, di], i) => {
    bytes.writeUInt8(al, 13 * i);
    bytes.writeUInt32LE(ecx, 13 * i + 1);
    [bx, dx, si, di].forEach((value, word) => bytes.writeUInt16LE(value, 13 * i + 5 + 2 * word));
  });
  return bytes;
}

/** Asks all questions by `call [way]`. The buffer's description is right for 16 and for 32 bits: no size yet, then where the slots are to go. */
const ASK = `
ask:    mov dword [${BUFFER}], ${SLOTS} << 16
        mov dword [${BUFFER} + 4], 0x200000
        mov bp, ${TABLE}
.next:  mov al, [bp]
        mov ah, 0xb1
        mov ecx, [bp + 1]
        mov bx, [bp + 5]
        mov dx, [bp + 7]
        mov si, [bp + 9]
        movzx edi, word [bp + 11]
        call [way]
        pushf
        ${sayWords('ax', 'bx', 'cx')}
        popf
        mov al, '.'
        jnc .ok
        mov al, '!'
.ok:    call say
        add bp, 13
        cmp bp, ${TABLE + 13 * CALLS.length}
        jb .next
        ret
`;

const REAL = `
        call ask
        mov al, '#'
        call say
        hlt
way:    dw by_interrupt
by_interrupt:
        int 0x1a
        ret
`;

/** The directory's answers, then those of the entry: in flat segments, and in one that begins where the directory says. */
const PROTECTED = inProtectedMode(`
        mov esi, 0xe0000 - 16
.look:  add esi, 16
        cmp dword [esi], 0x5f32335f     ; _32_
        jne .look
        mov eax, [esi + 4]
        mov [entry], eax
        mov eax, 0x21212121
        xor ebx, ebx
        call by_far
        call say_hex
        mov eax, 0x49435024             ; $PCI
        inc ebx
        call by_far
        call say_hex
        mov eax, 0x49435024
        dec ebx
        call by_far
        call say_hex
        cmp al, 0
        jne .end
        push edx
        add edx, ebx
        mov [entry], edx
        shr ebx, 16
        shr ecx, 16
        ${sayWords('bx', 'cx')}
        call ask
        pop dword [entry]
        mov byte [entry + 4], 0x18
        call ask
.end:   mov al, '#'
        call say
        hlt
by_far: call far dword [entry]
        ret
way:    dw by_far
entry:  dd 0
        dw 0x28
`);

/** Boots a guest with the questions at hand. @returns what it says, and the slots that it was told of: device, and PIRQ registers of its pins */
async function ask(source: string, options: PcOptions = {}): Promise<{ text: string; slots: string[] }> {
  const load = `mov ax, 0x0201\nmov bx, ${TABLE}\nmov cx, 2\nmov dx, 0\nint 0x13\nmov al, '>'\ncall say\n`;
  const { machine, close } = startGuest(load + source + ASK, options, (floppy) => {
    floppy.set(table(), 512);
    return floppy;
  });
  await machine.expect(/>.*#/s);
  const slots = new Uint8Array(128), { text } = machine.transcript;
  machine.board.space.readBytes(SLOTS, slots);
  close();
  return {
    text: text.slice(text.indexOf('>') + 1, text.indexOf('#')),
    slots: Array.from({ length: 8 }, (_, i) => [1, 2, 5, 8, 11].map((at) => slots[16 * i + at]!.toString(16)).join(' ')),
  };
}

const PINS = ['60 61 62 63', '61 62 63 60', '62 63 60 61', '63 60 61 62'];
const ALL_SLOTS = Array.from({ length: 8 }, (_, i) => `${(8 * (i + 1)).toString(16)} ${PINS[i % 4]}`);

describe('PCI BIOS', () => {
  it('by INT 1Ah', async () => {
    const { text, slots } = await ask(REAL);
    expect(answersOf(text)).toEqual(ANSWERS);
    expect(slots).toEqual(ALL_SLOTS);
  });

  it('by its entry for protected mode, wherever that is mapped', async () => {
    const { text, slots } = await ask(PROTECTED);
    expect(text.slice(0, 14)).toBe('808100000F0001');
    expect(answersOf(text.slice(14))).toEqual([...ANSWERS, ...ANSWERS]);
    expect(slots).toEqual(ALL_SLOTS);
  });

  it('the directory knows none without a PCI bus', async () => {
    expect((await ask(PROTECTED, { machine: 'isapc' })).text).toBe('808180');
  });
});
