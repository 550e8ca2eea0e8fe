/** The VMware port against what QEMU 7.2 answers, register by register, on every tier; where QEMU is installed it is asked again. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseArguments } from '../../../src/cli/options.ts';
import { VmMouse } from '../../../src/devices/vm-mouse.ts';
import { VM_PORT, VmPort } from '../../../src/devices/vm-port.ts';
import { EAX, ECX, EDI, EDX, EFLAGS, ESI, IOPL, REGION_ENTRIES, TR_BASE } from '../../../src/cpu/state.ts';
import { Machine } from '../../../src/index.ts';
import type { PcOptions } from '../../../src/index.ts';
import { hasQemu } from '../../boot/qemu.ts';
import { KERNEL_DATA, STACK, TSS, protectedGuest } from '../../cpu/guest/guest.ts';
import type { Guest, ProtectedOptions } from '../../cpu/guest/guest.ts';
import { MAGIC, answers, firmware, show } from './guest.ts';
import type { Question } from './guest.ts';

const UUID = '00112233-4455-6677-0100-0000ccddeeff', MEMORY = 64;
const READ_ID = 0x45414552, ABSOLUTE = 0x53424152, RELATIVE = 0x4c455252, OFF = 0xf5;

/** A command in CX; the rest of ECX is CCCC0000h. */
const ask = (command: number, more: Question = {}): Question => ({ ecx: 0xcccc_0000 + command, ...more });
const pointer = (command: number, more: Question = {}): Question => ask(0x29, { ebx: command, ...more });
const status = ask(0x28);
const data = (words: number, more: Question = {}): Question => ask(0x27, { ebx: words, ...more });

/** What is asked, and EAX, EBX, ECX, EDX, ESI, EDI after it. */
const FACTS: readonly (readonly [Question, string])[] = [
  // Commands of the port itself, and what is none.
  [ask(0x0a), '00000006 564d5868 00000002 dddd5658 55555555 d1d1d1d1'],
  [ask(0x10a), '00000006 564d5868 00000002 dddd5658 55555555 d1d1d1d1'],
  [ask(0x14), '04000000 00001177 cccc0014 dddd5658 55555555 d1d1d1d1'],
  [ask(0x13), '33221100 77665544 00000001 ffeeddcc 55555555 d1d1d1d1'],
  [ask(0x2d), '564d5868 ffffffff cccc002d dddd5658 55555555 d1d1d1d1'],
  [ask(0x44), '00000000 bbbbbbbb cccc0044 dddd5658 55555555 d1d1d1d1'],
  ...[0, 1, 2, 0x11, 0x17, 0x26, 0x2a, 0x2c, 0x2e, 0x45, 0xff, 0x117].map((command): [Question, string] => (
    [ask(command), `ffffffff bbbbbbbb cccc${command.toString(16).padStart(4, '0')} dddd5658 55555555 d1d1d1d1`])),
  [ask(0x0a, { eax: MAGIC + 1 }), 'ffffffff bbbbbbbb cccc000a dddd5658 55555555 d1d1d1d1'],
  // EAX as a whole is written, by accesses of any size and direction.
  [ask(0x0a, { by: 'in ax, dx' }), '00000006 564d5868 00000002 dddd5658 55555555 d1d1d1d1'],
  [ask(0x0a, { by: 'in al, dx' }), '00000006 564d5868 00000002 dddd5658 55555555 d1d1d1d1'],
  [ask(0x01, { by: 'in al, dx' }), 'ffffffff bbbbbbbb cccc0001 dddd5658 55555555 d1d1d1d1'],
  [ask(0x0a, { eax: 0, by: 'in al, dx' }), 'ffffffff bbbbbbbb cccc000a dddd5658 55555555 d1d1d1d1'],
  [ask(0x0a, { by: 'out dx, eax' }), '00000006 564d5868 00000002 dddd5658 55555555 d1d1d1d1'],
  [ask(0x0a, { by: 'out dx, ax' }), '00000006 564d5868 00000002 dddd5658 55555555 d1d1d1d1'],
  [ask(0x0a, { by: 'out dx, al' }), '00000006 564d5868 00000002 dddd5658 55555555 d1d1d1d1'],
  [ask(0x0a, { eax: 0, by: 'out dx, al' }), 'ffffffff bbbbbbbb cccc000a dddd5658 55555555 d1d1d1d1'],
  // String instructions count and go on with what the registers are then.
  [ask(0x0a, { edi: 0x2000, by: 'insd' }), '00000006 564d5868 00000002 dddd5658 55555555 00002004'],
  [ask(0x0a, { edi: 0x2000, by: 'insb' }), '00000006 564d5868 00000002 dddd5658 55555555 00002001'],
  [ask(0x0a, { esi: 0x100, by: 'outsd' }), '00000006 564d5868 00000002 dddd5658 00000104 d1d1d1d1'],
  [{ ecx: 0x0a, edi: 0x2000, by: 'rep insd' }, 'ffffffff 564d5868 00000000 dddd5658 55555555 00002008'],
  [{ ecx: 0x0a, edi: 0x2000, by: 'rep insd\nmov esi, [es:0x2000]\nmov ebx, [es:0x2004]' }, 'ffffffff ffffffff 00000000 dddd5658 00000006 00002008'],
  [{ ecx: 0x0a, edi: 0x2000, by: 'a32 rep insd' }, 'ffffffff 564d5868 00000000 dddd5658 55555555 00002008'],
  [{ ecx: 0x0a, esi: 0x100, by: 'rep outsd' }, 'ffffffff 564d5868 00000000 dddd5658 00000108 d1d1d1d1'],
  [{ ecx: 0x13, edi: 0x2000, by: 'rep insd' }, '33221100 77665544 00000000 ffeeddcc 55555555 00002004'],
  // The pointer is off until its ID is read, and after a driver wanted too much.
  [status, 'ffff0000 bbbbbbbb cccc0028 dddd5658 55555555 d1d1d1d1'],
  [pointer(READ_ID), '564d5868 45414552 cccc0029 dddd5658 55555555 d1d1d1d1'],
  [status, '00000001 bbbbbbbb cccc0028 dddd5658 55555555 d1d1d1d1'],
  [data(1), '3442554a 00000001 cccc0027 dddd5658 55555555 d1d1d1d1'],
  [status, '00000000 bbbbbbbb cccc0028 dddd5658 55555555 d1d1d1d1'],
  [data(1), '564d5868 00000001 cccc0027 dddd5658 55555555 d1d1d1d1'],
  [status, 'ffff0000 bbbbbbbb cccc0028 dddd5658 55555555 d1d1d1d1'],
  [pointer(READ_ID), '564d5868 45414552 cccc0029 dddd5658 55555555 d1d1d1d1'],
  [pointer(READ_ID), '564d5868 45414552 cccc0029 dddd5658 55555555 d1d1d1d1'],
  [data(2), '3442554a 3442554a cccc0027 dddd5658 55555555 d1d1d1d1'],
  [pointer(0x12), '564d5868 00000012 cccc0029 dddd5658 55555555 d1d1d1d1'],
  [status, '00000000 bbbbbbbb cccc0028 dddd5658 55555555 d1d1d1d1'],
  // Its commands have 16 bits.
  [ask(0x128), '564d5868 bbbbbbbb cccc0128 dddd5658 55555555 d1d1d1d1'],
  [ask(0x127, { ebx: 9 }), '564d5868 00000009 cccc0127 dddd5658 55555555 d1d1d1d1'],
  [status, '00000000 bbbbbbbb cccc0028 dddd5658 55555555 d1d1d1d1'],
  [pointer(READ_ID), '564d5868 45414552 cccc0029 dddd5658 55555555 d1d1d1d1'],
  [data(0), '564d5868 00000000 cccc0027 dddd5658 55555555 d1d1d1d1'],
  [status, 'ffff0001 bbbbbbbb cccc0028 dddd5658 55555555 d1d1d1d1'],
  [pointer(ABSOLUTE), '564d5868 53424152 cccc0029 dddd5658 55555555 d1d1d1d1'],
  [status, 'ffff0001 bbbbbbbb cccc0028 dddd5658 55555555 d1d1d1d1'],
  [pointer(READ_ID), '564d5868 45414552 cccc0029 dddd5658 55555555 d1d1d1d1'],
  [pointer(ABSOLUTE), '564d5868 53424152 cccc0029 dddd5658 55555555 d1d1d1d1'],
  [pointer(RELATIVE), '564d5868 4c455252 cccc0029 dddd5658 55555555 d1d1d1d1'],
  [status, '00000002 bbbbbbbb cccc0028 dddd5658 55555555 d1d1d1d1'],
  [pointer(OFF, { by: 'in ax, dx' }), '564d5868 000000f5 cccc0029 dddd5658 55555555 d1d1d1d1'],
  [status, 'ffff0002 bbbbbbbb cccc0028 dddd5658 55555555 d1d1d1d1'],
  // Six words at once: every register.
  ...Array<[Question, string]>(5).fill([pointer(READ_ID), '564d5868 45414552 cccc0029 dddd5658 55555555 d1d1d1d1']),
  [data(6), '3442554a 3442554a 3442554a 3442554a 3442554a 3442554a'],
  [data(1, { by: 'in al, dx' }), '3442554a 00000001 cccc0027 dddd5658 55555555 d1d1d1d1'],
  [data(7), '564d5868 00000007 cccc0027 dddd5658 55555555 d1d1d1d1'],
  [status, 'ffff0000 bbbbbbbb cccc0028 dddd5658 55555555 d1d1d1d1'],
];

const folder = mkdtempSync(join(tmpdir(), 'tcg86-test-')), bios = join(folder, 'bios.bin'), said = join(folder, 'said.bin');
beforeAll(() => writeFileSync(bios, firmware(FACTS.map(([question]) => question))));
afterAll(() => rmSync(folder, { recursive: true }));

const told = (bytes: Uint8Array): string[] => answers(bytes).map(show);
async function run(options: PcOptions): Promise<string[]> {
  const bytes: number[] = [];
  const machine = Machine.open({
    bios, memory: MEMORY, smbios: { 1: { uuid: UUID } }, debugConsole: { receive: null, write: (byte) => { bytes.push(byte); } }, debugExit: { iobase: 0x501, iosize: 1 }, timeout: 30, ...options,
  });
  try {
    expect(await machine.run()).toEqual({ reason: 'exit', code: 1 });
  } finally {
    machine.close();
  }
  return told(Uint8Array.from(bytes));
}

describe('the VMware port', () => {
  it.each<[string, PcOptions]>([
    ['interpreted', { jit: false }], ['compiled', { jitThreshold: 0 }], ['in lockstep', { jitThreshold: 0, lockstep: true }], ['one instruction at a time', { oneInsnPerTb: true }],
    ['without passes', { disabledPasses: ['dead-globals', 'copy-propagation', 'merge-moves'] }], ['on an ISA PC', { machine: 'isapc' }],
  ])('answers as QEMU: %s', async (_name, options) => {
    expect(await run(options)).toEqual(FACTS.map(([, fact]) => fact));
  });

  it.runIf(hasQemu)('answers as QEMU does today', () => {
    const { status: code } = spawnSync('qemu-system-i386', ['-bios', bios, '-m', `${MEMORY}`, '-uuid', UUID, '-display', 'none', '-nic', 'none', '-debugcon', `file:${said}`, '-device', 'isa-debug-exit'], { timeout: 30_000 });
    expect(code).toBe(1);
    expect(told(readFileSync(said))).toEqual(FACTS.map(([, fact]) => fact));
  });

  it('is not there with vmport=off', async () => {
    const [first] = await run({ vmport: false });
    expect(first).toBe('ffffffff bbbbbbbb cccc000a dddd5658 55555555 d1d1d1d1');
  });

  it('is an option of the machine', () => {
    const of = (machine: string): boolean => parseArguments(['-M', machine]).vmport;
    expect([of('pc'), of('pc,vmport=auto'), of('pc,vmport=on'), of('isapc,vmport=off'), of('pc,vmport=off')]).toEqual([true, true, true, false, false]);
    expect(() => of('pc,vmport=maybe')).toThrow("'vmport' expects");
    expect(() => parseArguments(['-device', 'vmmouse'])).toThrow('vmmouse');
  });
});

/** A processor with the port on its bus. */
function guestWithPort(source: string, options: ProtectedOptions = {}): Guest {
  const guest = protectedGuest(source, options), mouse = new VmMouse(() => {});
  guest.io.map(VM_PORT, new VmPort({ registers: guest.cpu, memory: 4 << 20, uuid: new Uint8Array(16), commands: mouse.commands }).io, 0, 1);
  return guest;
}

describe('in a program', () => {
  // Registers are live around the access, and the flags before it.
  const LOOP = `
        mov ebp, 3000
        xor edi, edi
again:  mov eax, ${MAGIC}
        mov ebx, ebp
        mov ecx, 0x0a
        mov dx, ${VM_PORT}
        lea esi, [edi + ebp]
        cmp ebp, 1500
        in eax, dx
        adc edi, eax
        add edi, ebx
        add edi, ecx
        xor edi, esi
        dec ebp
        jnz again
        hlt`;

  it.each<[string, ProtectedOptions]>([
    ['interpreted', { jit: false }], ['compiled', { jitThreshold: 100 }], ['in lockstep', { jitThreshold: 100, lockstep: true }],
  ])('registers hold what it answered: %s', (_name, options) => {
    let edi = 0;
    for (let ebp = 3000; ebp > 0; ebp--) {
      const esi = edi + ebp | 0;
      edi = (edi + 6 + Number(ebp < 1500) | 0) + MAGIC + 2 ^ esi;
    }
    const guest = guestWithPort(LOOP, options);
    expect(guest.run()).toBe('hlt');
    expect(guest.R[EDI]).toBe(edi);
    expect(guest.R[REGION_ENTRIES]! > 0).toBe(options.jit !== false);
  });

  it('user mode needs permission, as for any port', () => {
    const source = `mov eax, ${MAGIC}\nmov ecx, 0x0a\nmov dx, ${VM_PORT}\nin eax, dx\nud2`;
    const closed = guestWithPort(source, { cpl: 3 });
    closed.setWord(TSS + 0x66, 0x2100);
    expect([closed.run(), closed.R[EAX]]).toEqual(['#d', MAGIC]);
    const open = guestWithPort(source, { cpl: 3 });
    open.R[EFLAGS] = open.R[EFLAGS]! | IOPL;
    open.cpu.updateHflags();
    expect([open.run(), open.R[EAX]]).toEqual(['#6', 6]);
  });

  it('and again, where the answer makes another port of it', () => {
    // Permission for 5658h only. Six words are taken, into EDX too: then DX is 554Ah.
    const TASK = 0x20000, BITMAP = TASK + 0x68;
    const guest = guestWithPort(`mov edx, ${VM_PORT}
again:  mov eax, ${MAGIC}\nmov ebx, ${READ_ID}\nmov ecx, 0x29\nin eax, dx\ndec esi\njnz again
        mov eax, ${MAGIC}\nmov ebx, 6\nmov ecx, 0x27\nmov edi, 0x8000\nrep insd`, { cpl: 3 });
    guest.R[TR_BASE] = TASK;
    guest.setDword(TASK + 4, STACK);
    guest.setDword(TASK + 8, KERNEL_DATA);
    guest.setWord(TASK + 0x66, 0x68);
    for (let byte = 0; byte < 0x2000; byte++) guest.setByte(BITMAP + byte, byte === VM_PORT >> 3 ? 0xf0 : 0xff);
    guest.R[ESI] = 6;
    expect(guest.run()).toBe('#d');
    expect([EDX, ECX, EDI].map((register) => guest.R[register])).toEqual([0x3442554a, 0x34425549, 0x3442554e]);
    expect(guest.dword(0x8000)).toBe(0x3442554a);
  });
});
