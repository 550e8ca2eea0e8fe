/** Framing of the gdb protocol: what is sent, and what arrives in pieces. */
import { expect, it } from 'vitest';
import { PacketReader, encodePacket, hexOfText, textOfHex } from '../../src/gdb/packet.ts';
import { parseTarget, wordsOf } from '../../src/gdb/target.ts';

it('adds up and escapes', () => {
  expect(encodePacket('g')).toBe('$g#67');
  expect(encodePacket('')).toBe('$#00');
  expect(encodePacket('a#$}*')).toBe(`$a}\x03}\x04}]}\n#${((0x61 + 4 * 0x7d + 3 + 4 + 0x5d + 10) & 0xff).toString(16)}`);
});

it('reads back what it sends, byte by byte', () => {
  const reader = new PacketReader(), data = 'X#$}*\x80\xff', arrivals = [...`+${encodePacket(data)}-\x03`].flatMap((byte) => reader.push(byte));
  expect(arrivals).toEqual([{ kind: 'ack' }, { kind: 'packet', data }, { kind: 'nack' }, { kind: 'interrupt' }]);
});

it('writes repetitions out', () => {
  // A space is 32: three more.
  expect(new PacketReader().push('$0* #7a')).toEqual([{ kind: 'packet', data: '0000' }]);
});

it('tells a wrong sum, and drops what is no packet', () => {
  const reader = new PacketReader();
  expect(reader.push('noise$OK#9b')).toEqual([{ kind: 'damaged' }]);
  expect(reader.push('$OK#9a')).toEqual([{ kind: 'packet', data: 'OK' }]);
});

it('text as hex digits', () => {
  expect(hexOfText('info\n')).toBe('696e666f0a');
  expect(textOfHex('696e666f0a')).toBe('info\n');
});

it('reads the description of registers and their values', async () => {
  const files: Record<string, string> = {
    'core.xml': '<feature><!-- <reg name="no" bitsize="32"/> --><reg name="eax" bitsize="32" type="int"/>\n<reg bitsize=\'80\' name="st0"/></feature>',
  };
  const registers = await parseTarget('<target><xi:include href="core.xml"/><reg name="cs" bitsize="32"/></target>', async (file) => files[file]!);
  expect(registers).toEqual([{ name: 'eax', bits: 32, at: 0 }, { name: 'st0', bits: 80, at: 8 }, { name: 'cs', bits: 32, at: 28 }]);
  const data = '78563412' + '0102030405060708ff3f' + 'xxxxxxxx';
  expect(registers.map((register) => wordsOf(register, data))).toEqual([[0x12345678], [0x04030201, 0x08070605, 0x3fff], null]);
  await expect(parseTarget('<reg name="a" bitsize="7"/>', async () => '')).rejects.toThrow('no name or size');
});
