/** A stub that stands for QEMU: its registers and memory follow a script, one entry for each step. */
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCpuModel } from '../../src/cpu/models.ts';
import { GdbClient } from '../../src/gdb/client.ts';
import type { Stream } from '../../src/gdb/client.ts';
import { PacketReader, encodePacket, hexOfText, textOfHex } from '../../src/gdb/packet.ts';
import { Guest } from './guest.ts';
import { Pair } from './pair.ts';
import { Qemu } from './qemu.ts';
import { Comparison } from './registers.ts';
import type { Ignored } from './registers.ts';

export const START = 0x7c00, STACK = 0x7000;
const MEMORY = 1 << 20;
const NAMES = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'eip', 'eflags', 'cs', 'ss', 'ds', 'es', 'fs', 'gs'];
type Registers = Record<string, number>;

/** What a step makes of registers and memory. */
export interface Scripted {
  readonly registers: Registers;
  /** Bytes by address. */
  readonly memory?: Readonly<Record<number, readonly number[]>>;
}

const hex = (value: number, digits = 8): string => (value >>> 0).toString(16).padStart(digits, '0');
const littleEndian = (value: number): string => hex(value).match(/../g)!.reverse().join('');

function infoRegisters(registers: Registers): string {
  const value = (name: string): string => hex(registers[name]!);
  const segment = (name: string): string => `${name.toUpperCase()} =${hex(registers[name]!, 4)} ${hex(registers[name]! << 4)} 0000ffff ${name === 'cs' ? '00009b00' : '00009300'}`;
  return [
    `EAX=${value('eax')} EBX=${value('ebx')} ECX=${value('ecx')} EDX=${value('edx')}`, `ESI=${value('esi')} EDI=${value('edi')} EBP=${value('ebp')} ESP=${value('esp')}`,
    `EIP=${value('eip')} EFL=${value('eflags')} [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0`, ...['es', 'cs', 'ss', 'ds', 'fs', 'gs'].map(segment),
    'LDT=0000 00000000 0000ffff 00008200', 'TR =0000 00000000 0000ffff 00008b00', 'GDT=     00000000 0000ffff', 'IDT=     00000000 000003ff',
    'CR0=60000010 CR2=00000000 CR3=00000000 CR4=00000000', 'DR0=00000000 DR1=00000000 DR2=00000000 DR3=00000000 ', 'DR6=ffff0ff0 DR7=00000400', 'EFER=0000000000000000',
    'FCW=037f FSW=0000 [ST=0] FTW=00 MXCSR=00001f80', '',
  ].join('\r\n');
}

/**
 * A pair whose other side begins at 0:7C00 with these code bytes and plays the script.
 * @param infoPic what its monitor says of the interrupt controllers
 */
export async function fakePair(code: readonly number[], script: readonly Scripted[], { infoPic = '', ignored = { registers: new Set<string>(), flags: 0 }, start = {} }: { infoPic?: string; ignored?: Ignored; start?: Registers } = {}): Promise<{ pair: Pair; close: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'tcg86-fake-')), path = join(folder, 'ram');
  writeFileSync(path, '');
  truncateSync(path, MEMORY);
  const file = openSync(path, 'r+');
  writeSync(file, Uint8Array.from(code), 0, code.length, START);
  const registers: Registers = { ...Object.fromEntries(NAMES.map((name) => [name, 0])), eip: START, esp: STACK, eflags: 2, ...start };
  let step = 0;
  const answer = (request: string): string[] => {
    if (request === 's') {
      const { registers: changed, memory = {} } = script[step++]!;
      Object.assign(registers, changed);
      for (const [address, bytes] of Object.entries(memory)) writeSync(file, Uint8Array.from(bytes), 0, bytes.length, Number(address));
      return ['T05thread:01;'];
    }
    if (request === 'g') return [NAMES.map((name) => littleEndian(registers[name]!)).join('')];
    if (request.startsWith('qXfer')) return [`l${NAMES.map((name) => `<reg name="${name}" bitsize="32"/>`).join('')}`];
    if (!request.startsWith('qRcmd,')) return [''];
    const command = textOfHex(request.slice(6));
    const text = command === 'info registers' ? infoRegisters(registers) : command === 'info pic' ? infoPic : 'port = 0x00000000\r\n';
    return [...(text === '' ? [] : [`O${hexOfText(text)}`]), 'OK'];
  };
  const reader = new PacketReader();
  const stream: Stream = { onData: () => {}, onEnd: () => {}, write: (bytes) => {
    for (const arrival of reader.push(bytes)) if (arrival.kind === 'packet') setImmediate(() => stream.onData(answer(arrival.data).map(encodePacket).join('')));
  } };
  const qemu = new Qemu(new GdbClient(stream), file, () => Promise.resolve());
  const guest = new Guest({ memory: MEMORY, bios: new Uint8Array(0x10000).fill(0xf4), model: parseCpuModel('qemu32'), file });
  const pair = new Pair(guest, qemu, new Comparison(await qemu.gdb.describe(), ignored), 4);
  await pair.takeOver();
  return { pair, close: () => {
    closeSync(file);
    rmSync(folder, { recursive: true });
  } };
}
