/**
 * A guest that asks the VMware port, in firmware's place: for each question it loads the registers, does one access and writes what they are then to
 * port E9h (EDI, ESI, EBP, ESP, EBX, EDX, ECX, EAX, as PUSHAD leaves them). It ends by isa-debug-exit.
 */
import { assemble } from '../../../bios/assembler/assemble.ts';

export const MAGIC = 0x564d5868, PORT = 0x5658;

export interface Registers {
  readonly eax?: number;
  readonly ebx?: number;
  readonly ecx?: number;
  readonly edx?: number;
  readonly esi?: number;
  readonly edi?: number;
}

export interface Question extends Registers {
  /** The access; `in eax, dx` if left out. */
  readonly by?: string;
}

const SIZE = 0x10000;
/** What a question does not say. */
const DEFAULTS = { eax: MAGIC, ebx: 0xbbbb_bbbb, ecx: 0xcccc_0000, edx: 0xdddd_0000 | PORT, esi: 0x5555_5555, edi: 0xd1d1_d1d1 };
const NAMES = ['edi', 'esi', 'ebp', 'esp', 'ebx', 'edx', 'ecx', 'eax'] as const;
const FRAME = 4 * NAMES.length;

/** Firmware that asks these. */
export function firmware(questions: readonly Question[]): Uint8Array {
  const ask = ({ by = 'in eax, dx', ...registers }: Question): string => [
    ...Object.entries({ ...DEFAULTS, ...registers }).map(([name, value]) => `mov ${name}, ${value}`), by, 'call dump',
  ].join('\n');
  const source = `
cpu 386
bits 16
org 0
start:  mov ax, 0xf000
        mov ds, ax
        xor ax, ax
        mov es, ax
        mov ss, ax
        mov sp, 0x7000
        cld
${questions.map(ask).join('\n')}
        mov dx, 0x501
        mov al, 0
        out dx, al
        hlt
dump:   pushad
        mov bp, sp
        mov cx, ${FRAME}
.next:  mov al, [bp]
        out 0xe9, al
        inc bp
        loop .next
        popad
        ret
times 0xfff0 - ($ - $$) db 0
        jmp 0xf000:start
times ${SIZE} - ($ - $$) db 0
`;
  return assemble(source, { file: 'vmport-guest' }).bytes;
}

export type Answer = Readonly<Record<'eax' | 'ebx' | 'ecx' | 'edx' | 'esi' | 'edi', number>>;

/** What it wrote to port E9h. */
export function answers(bytes: Uint8Array): Answer[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength / FRAME }, (_, i) => {
    const all = Object.fromEntries(NAMES.map((name, at) => [name, view.getUint32(i * FRAME + 4 * at, true)]));
    return { eax: all['eax']!, ebx: all['ebx']!, ecx: all['ecx']!, edx: all['edx']!, esi: all['esi']!, edi: all['edi']! };
  });
}

export const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
/** An answer as a line. */
export const show = ({ eax, ebx, ecx, edx, esi, edi }: Answer): string => [eax, ebx, ecx, edx, esi, edi].map(hex).join(' ');
