/** The client against a stub that follows a script. */
import { expect, it } from 'vitest';
import { GdbClient } from '../../src/gdb/client.ts';
import type { Stream } from '../../src/gdb/client.ts';
import { PacketReader, encodePacket, hexOfText } from '../../src/gdb/packet.ts';

/** A stub: answers by request; what it was sent. */
function stub(answers: Record<string, readonly string[]>): { stream: Stream; heard: string[] } {
  const heard: string[] = [], reader = new PacketReader();
  const stream: Stream = {
    onData: () => {}, onEnd: () => {},
    write: (bytes) => {
      for (const arrival of reader.push(bytes)) {
        heard.push(arrival.kind === 'packet' ? arrival.data : arrival.kind);
        if (arrival.kind !== 'packet') continue;
        const text = `+${(answers[arrival.data] ?? ['']).map(encodePacket).join('')}`;
        // In two pieces, later.
        setImmediate(() => {
          stream.onData(text.slice(0, 3));
          stream.onData(text.slice(3));
        });
      }
    },
  };
  return { stream, heard };
}

it('steps, reads registers, sets breakpoints', async () => {
  const { stream, heard } = stub({ s: ['T05thread:01;'], c: ['W2a'], g: ['0011'], 'Z0,7c00,1': ['OK'], 'z0,7c00,1': ['E22'] });
  const gdb = new GdbClient(stream);
  expect(await gdb.step()).toEqual({ kind: 'signal', code: 5 });
  expect(await gdb.registers()).toBe('0011');
  await gdb.setBreakpoint(0x7c00);
  await expect(gdb.removeBreakpoint(0x7c00)).rejects.toThrow("'E22'");
  expect(await gdb.continue()).toEqual({ kind: 'exited', code: 42 });
  expect(heard.filter((word) => word !== 'ack')).toEqual(['s', 'g', 'Z0,7c00,1', 'z0,7c00,1', 'c']);
  expect(heard.filter((word) => word === 'ack')).toHaveLength(5);
});

it('runs monitor commands', async () => {
  const gdb = new GdbClient(stub({ [`qRcmd,${hexOfText('info pic')}`]: [`O${hexOfText('pic1\r\n')}`, `O${hexOfText('pic0\r\n')}`, 'OK'] }).stream);
  expect(await gdb.monitor('info pic')).toBe('pic1\npic0\n');
  await expect(gdb.monitor('other')).rejects.toThrow('not supported');
});

it('reads a description in pieces', async () => {
  const xml = '<reg name="eax" bitsize="32"/>';
  const gdb = new GdbClient(stub({ 'qXfer:features:read:target.xml:0,f00': [`m${xml.slice(0, 9)}`], 'qXfer:features:read:target.xml:9,f00': [`l${xml.slice(9)}`] }).stream);
  expect(await gdb.describe()).toEqual([{ name: 'eax', bits: 32, at: 0 }]);
});

it('sends again when asked, and asks again itself', async () => {
  const written: string[] = [];
  const stream: Stream = { onData: () => {}, onEnd: () => {}, write: (bytes) => void written.push(bytes) };
  const answer = new GdbClient(stream).request('?');
  stream.onData('-');
  stream.onData('+$S05#00');
  stream.onData(encodePacket('S05'));
  expect(await answer).toBe('S05');
  expect(written).toEqual(['$?#3f', '$?#3f', '-', '+']);
});

it('a stub that is gone is an error', async () => {
  const stream: Stream = { onData: () => {}, onEnd: () => {}, write: () => {} };
  const gdb = new GdbClient(stream), answer = gdb.step();
  stream.onEnd('the connection was closed');
  await expect(answer).rejects.toThrow('closed');
  await expect(gdb.step()).rejects.toThrow('closed');
});
