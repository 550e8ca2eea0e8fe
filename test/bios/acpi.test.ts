/** The ACPI tables and $PIR that the firmware leaves in memory, read as an operating system does; and how a guest switches off. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { PcOptions } from '../../src/index.ts';
import { startGuest } from './guest.ts';

/** Finds ACPI on, as nobody has asked for it yet: no; then turns it on, and the machine off. */
const SWITCH_OFF = `
        mov dx, 0x604
        in ax, dx
        call say_word
        mov al, 0xf1
        out 0xb2, al
        in ax, dx
        call say_word
        mov ax, 0x2000
        out dx, ax
        hlt
`;

const boot = async (cpu: string, hpet = true, pvpanic: PcOptions['pvpanic'] = null): Promise<{ reason: string; said: string; read: (at: number, length: number) => Buffer }> => {
  const { machine, close } = startGuest(SWITCH_OFF, { cpu, hpet, pvpanic });
  const { reason } = await machine.run();
  const said = machine.transcript.text;
  const memory = Buffer.alloc(1 << 20);
  machine.board.space.readBytes(0, memory);
  close();
  return { reason, said, read: (at, length) => memory.subarray(at, at + length) };
};
const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => total + byte, 0) & 255;
const find = (read: (at: number, length: number) => Buffer, text: string): number => read(0, 1 << 20).indexOf(text, 0xe0000);

/** Checks that lengths of AML packages are those of their contents, as far down as tables like this one need; the named things in it. */
function names(aml: Buffer): string[] {
  const found: string[] = [];
  const packageEnd = (at: number): [from: number, end: number] => {
    const lead = aml[at]!, more = lead >> 6;
    let length = more === 0 ? lead : lead & 15;
    for (let i = 0; i < more; i++) length |= aml[at + 1 + i]! << (4 + 8 * i);
    return [at + 1 + more, at + length];
  };
  const name = (at: number): number => {
    expect(aml.toString('latin1', at, at + 4)).toMatch(/^[A-Z_][A-Z0-9_]{3}$/);
    found.push(aml.toString('latin1', at, at + 4));
    return at + 4;
  };
  const all = (at: number, end: number): number => {
    while (at < end) at = one(at);
    expect(at).toBe(end);
    return at;
  };
  const one = (at: number): number => {
    const opcode = aml[at]!;
    if (opcode >= 0x41 && opcode <= 0x5f && opcode !== 0x5b) return name(at);
    switch (opcode) {
      case 0x00: case 0x01: return at + 1;
      case 0x60: case 0x68: return at + 1;
      case 0x70: return one(one(at + 1));
      case 0xa4: return one(at + 1);
      case 0x0a: return at + 2;
      case 0x0b: return at + 3;
      case 0x0c: return at + 5;
      case 0x0d: return aml.indexOf(0, at) + 1;
      case 0x08: return one(name(at + 1));
      case 0x10: {
        const [from, end] = packageEnd(at + 1);
        return all(name(from), end);
      }
      case 0x11: {
        const [from, end] = packageEnd(at + 1), data = one(from);
        expect(end - data).toBe(aml[from] === 0x0a ? aml[from + 1] : aml.readUInt16LE(from + 1));
        return end;
      }
      case 0x12: {
        const [from, end] = packageEnd(at + 1);
        let element = from + 1;
        for (let i = 0; i < aml[from]!; i++) element = one(element);
        expect(element).toBe(end);
        return end;
      }
      case 0x14: {
        const [from, end] = packageEnd(at + 1);
        return all(name(from) + 1, end);
      }
      case 0x5b: {
        // OperationRegion: a space, its start and its length.
        if (aml[at + 1] === 0x80) return one(one(name(at + 2) + 1));
        // Field: flags, then names with their lengths in bits.
        if (aml[at + 1] === 0x81) {
          const [from, end] = packageEnd(at + 2);
          let field = name(from) + 1;
          while (field < end) field = name(field) + 1;
          return field;
        }
        const [from, end] = packageEnd(at + 2);
        return all(name(from) + (aml[at + 1] === 0x83 ? 6 : 0), end);
      }
      default: throw new Error(`opcode ${opcode.toString(16)} at ${at}`);
    }
  };
  all(0, aml.length);
  return found;
}

describe('ACPI', () => {
  let guest: Awaited<ReturnType<typeof boot>>;
  let tables: Map<string, Buffer>;

  beforeAll(async () => {
    guest = await boot('qemu32');
    const { read } = guest, rsdp = find(read, 'RSD PTR ');
    const table = (at: number): Buffer => read(at, read(at, 8).readUInt32LE(4));
    expect(rsdp % 16).toBe(0);
    expect(sum(read(rsdp, 20))).toBe(0);
    const rsdt = table(read(rsdp, 20).readUInt32LE(16));
    const all = [rsdt, ...Array.from({ length: (rsdt.length - 36) / 4 }, (_, i) => table(rsdt.readUInt32LE(36 + 4 * i)))];
    const fadt = all.find((one) => one.toString('latin1', 0, 4) === 'FACP')!;
    tables = new Map([...all, table(fadt.readUInt32LE(40))].map((one) => [one.toString('latin1', 0, 4), one]));
  });

  it('tables add up and name each other', () => {
    expect([...tables.keys()]).toEqual(['RSDT', 'FACP', 'APIC', 'HPET', 'DSDT']);
    for (const table of tables.values()) expect(sum(table)).toBe(0);
    const fadt = tables.get('FACP')!, facs = guest.read(fadt.readUInt32LE(36), 64);
    expect(fadt.length).toBe(244);
    expect([fadt.readUInt16LE(46), fadt.readUInt32LE(48), fadt.readUInt32LE(76)]).toEqual([9, 0xb2, 0x608]);
    // The reset register: an I/O port of 8 bits, and what to write there.
    expect([fadt.readUInt32LE(112) >> 10 & 1, ...fadt.subarray(116, 118), fadt.readUInt32LE(120), fadt[128]]).toEqual([1, 1, 8, 0xcf9, 6]);
    expect([facs.toString('latin1', 0, 4), facs.readUInt32LE(4), fadt.readUInt32LE(36) % 64]).toEqual(['FACS', 64, 0]);
  });

  it('MADT: entries fill it', () => {
    const madt = tables.get('APIC')!, types: number[] = [];
    let at = 44;
    for (; at < madt.length; at += madt[at + 1]!) types.push(madt[at]!);
    expect([at, types]).toEqual([madt.length, [0, 1, 2, 2, 2, 2, 4]]);
  });

  it('HPET: what the device says of itself, and where it is', () => {
    const hpet = tables.get('HPET')!, dsdt = tables.get('DSDT')!;
    expect([hpet.length, hpet.readUInt32LE(36), hpet.readUInt32LE(44)]).toEqual([56, 0x8086a201, 0xfed00000]);
    expect(dsdt[dsdt.indexOf('_STA', dsdt.indexOf('HPET')) + 5]).toBe(0x0f);
  });

  it('without an HPET there is no table of it, and its device is not present', async () => {
    const { read } = await boot('qemu32', false), rsdp = find(read, 'RSD PTR '), rsdt = read(rsdp, 20).readUInt32LE(16);
    expect([read(rsdt, 8).readUInt32LE(4), sum(read(rsdt, 44))]).toEqual([44, 0]);
    const all = read(0, 1 << 20), at = all.indexOf('HPET\x08_HID', 0xe0000);
    expect(all[all.indexOf('_STA', at) + 5]).toBe(0);
  });

  it('DSDT: well-formed AML with a PCI root, its interrupts, and S5', () => {
    const found = names(tables.get('DSDT')!.subarray(36));
    expect(found).toEqual(expect.arrayContaining(['_S5_', 'PCI0', '_CRS', '_PRT', 'LNKA', 'LNKD']));
    // Slot 3, INTA#: line C.
    expect(tables.get('DSDT')!.includes(Buffer.from([0x0c, 0xff, 0xff, 3, 0, 0x0a, 0, ...Buffer.from('LNKC'), 0]))).toBe(true);
  });

  it('ISA devices: those that are there, their ports and interrupts', async () => {
    const aml = tables.get('DSDT')!, present = (from: Buffer, name: string): number => from[from.indexOf('_STA', from.indexOf(`${name}\x08_HID`)) + 5]!;
    const device = (name: string): [id: string, status: number, resources: string] => {
      const at = aml.indexOf(`${name}\x08_HID`), crs = aml.indexOf('_CRS', at);
      return [aml.toString('hex', at + 12, at + 14), present(aml, name), aml.toString('hex', crs + 8, crs + 8 + aml[crs + 7]!)];
    };
    expect(['KBD_', 'MOU_', 'FDC0', 'LPT1', 'COM1', 'COM2', 'RTC_'].map(device)).toEqual([
      ['0303', 15, '4701600060000101' + '4701640064000101' + '220200' + '7900'],
      ['0f13', 15, '220010' + '7900'],
      ['0700', 15, '4701f203f2030004' + '4701f703f7030001' + '2a0400' + '224000' + '7900'],
      ['0400', 15, '4701780378030808' + '228000' + '7900'],
      ['0501', 15, '4701f803f8030008' + '221000' + '7900'],
      ['0501', 0, '4701f802f8020008' + '220800' + '7900'],
      ['0b00', 15, '4701700070000108' + '220001' + '7900'],
    ]);
    const drives = aml.indexOf('_FDE') + 8;
    expect([...aml.subarray(drives, drives + 20)]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]);
    expect(aml.indexOf('ISA_')).toBeGreaterThan(aml.indexOf('PCI0'));
  });

  it('pvpanic: where the firmware configuration says, and absent without it', async () => {
    const device = (aml: Buffer): [status: number, ...ports: number[]] => {
      const at = aml.indexOf('PEVT\x08_HID'), ports = aml.indexOf(Buffer.of(0x47, 1), at) + 2, region = aml.indexOf('PEOR', at) + 6;
      return [aml[aml.indexOf('_STA', at) + 5]!, aml.readUInt16LE(ports), aml.readUInt16LE(ports + 2), aml.readUInt16LE(region)];
    };
    expect(device(tables.get('DSDT')!)[0]).toBe(0);
    const { read } = await boot('qemu32', true, { ioport: 0x321 });
    expect(device(read(0xe0000, 0x20000))).toEqual([0x0f, 0x321, 0x321, 0x321]);
  });

  it('the SMI command turns it on, S5 ends the machine', () => {
    expect(guest.said).toContain('00000001');
    expect(guest.reason).toBe('poweroff');
  });

  it('without a local APIC there is no MADT', async () => {
    const { read } = await boot('486'), rsdp = find(read, 'RSD PTR '), rsdt = read(rsdp, 20).readUInt32LE(16);
    expect([read(rsdt, 8).readUInt32LE(4), sum(read(rsdt, 44))]).toEqual([44, 0]);
    expect(read(read(rsdt, 44).readUInt32LE(40), 4).toString()).toBe('HPET');
  });
});

describe('$PIR', () => {
  let read: (at: number, length: number) => Buffer;
  beforeAll(async () => {
    ({ read } = await boot('qemu32'));
  });
  it('adds up, on a boundary of 16', () => {
    const at = find(read, '$PIR'), table = read(at, read(at, 8).readUInt16LE(6));
    expect([at % 16, sum(table), (table.length - 32) % 16]).toEqual([0, 0, 0]);
    // Slot 1: INTA# is line A, register 60h.
    expect([table[33], table[34], table.readUInt16LE(35)]).toEqual([8, 0x60, 0xdef8]);
  });
});
