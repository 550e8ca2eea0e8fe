/** The `-d` log: what each item writes, in QEMU's look, and the address filter. */
import { describe, expect, it } from 'vitest';
import { Log, parseLogFilter } from '../../src/cpu/log.ts';
import { protectedGuest, realGuest } from './guest/guest.ts';
import type { Guest } from './guest/guest.ts';

const PROGRAM = 'mov ecx,3\nl: add eax,ecx\nloop l\nint 0x40\nhlt\nhandler: iret';

function logged(items: string[], { filter = '', source = PROGRAM, make = protectedGuest, jitThreshold = 100_000 }: { filter?: string; source?: string; make?: typeof realGuest; jitThreshold?: number } = {}): { text: string; guest: Guest } {
  let text = '';
  const log = new Log(items, (part) => { text += part; }, filter === '' ? null : parseLogFilter(filter));
  const guest = make(source, { log, jitThreshold });
  if (make === protectedGuest && guest.symbols.has('handler')) guest.setGate(0x40, guest.label('handler'));
  guest.run();
  return { text, guest };
}

describe('-d in_asm', () => {
  it('shows each block that is translated', () => {
    const { text } = logged(['in_asm']);
    expect(text.split('----------------\n').slice(1)).toEqual([
      'IN: \n0x00010000:  b9 03 00 00 00           movl     $3, %ecx\n0x00010005:  01 c8                    addl     %ecx, %eax\n0x00010007:  e2 fc                    loop     0x10005\n\n',
      'IN: \n0x00010005:  01 c8                    addl     %ecx, %eax\n0x00010007:  e2 fc                    loop     0x10005\n\n',
      'IN: \n0x00010009:  cd 40                    int      $0x40\n\n',
      'IN: \n0x0001000c:  cf                       iretl    \n\n',
      'IN: \n0x0001000b:  f4                       hlt      \n\n',
    ]);
  });

  it('in real mode too, and (bad) where nothing decodes', () => {
    const { text } = logged(['in_asm'], { source: 'inc ax\ndb 0x0f,0x04', make: realGuest });
    expect(text).toContain('0x00001000:  40                       incw     %ax\n');
    expect(text).toContain('0x00001001:  0f                       (bad)    \n');
  });
});

describe('-d op and op_opt', () => {
  it('show the ops before and after the passes', () => {
    const { text } = logged(['op', 'op_opt'], { source: 'mov eax,5\nadd eax,6\nsub eax,ecx\nhlt' });
    expect(text).toMatch(/^OP:\n ---- 0+10000 /);
    const [before, after] = text.split('OP after optimization and liveness analysis:\n') as [string, string];
    expect(before).toContain(' mov_i32 eax,$0x5\n');
    expect(after).not.toContain(' mov_i32 eax,$0x5\n');
    expect(after.split('\n').length).toBeLessThan(before.split('\n').length);
  });
});

describe('-d out_asm', () => {
  it('shows the JavaScript of each region, by the address of any of its blocks', () => {
    const source = 'mov ecx,3000\nl: add eax,ecx\ntest al,1\njz m\ninc edx\nm: loop l\nhlt';
    const { text } = logged(['out_asm'], { source, jitThreshold: 1000 });
    expect(text).toMatch(/^OUT: \[size=\d+\] \d+ instructions of the blocks (0x000100[0-9a-f]{2} ?)+\nreturn \(function tb_000100[0-9a-f]{2}\(entry, TR, TW\) \{\n[^]*\n\}\)\n\n$/);
    expect(logged(['out_asm'], { source, jitThreshold: 1000, filter: '0x1000c+1' }).text).toBe(text);
    expect(logged(['out_asm'], { source, jitThreshold: 1000, filter: '0x20000+1' }).text).toBe('');
  });
});

describe('-d int', () => {
  it('numbers interrupts and exceptions, with the state', () => {
    const { text } = logged(['int'], { source: 'mov eax,0x1234\nint 0x40\nud2\nhandler: iret' });
    const lines = text.split('\n').filter((line) => / v=/.test(line));
    expect(lines).toEqual([
      '     0: v=40 e=0000 i=1 cpl=0 IP=0008:00010005 pc=00010005 SP=0010:00006000 env->regs[R_EAX]=00001234',
      '     1: v=06 e=0000 i=0 cpl=0 IP=0008:00010007 pc=00010007 SP=0010:00006000 env->regs[R_EAX]=00001234',
    ]);
    expect(text).toContain('EIP=00010005 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0\n');
    expect(text).toContain('CS =0008 00000000 ffffffff 00cf9b00 DPL=0 CS32 [-RA]\n');
  });

  it('tells the address of a page fault, double and triple faults', () => {
    const { text } = logged(['int'], { source: 'lidt [table]\nud2\ntable: dw 0\ndd 0' });
    expect(text.split('\n').filter((line) => / v=/.test(line)).map((line) => line.slice(0, 21))).toEqual(['     0: v=06 e=0000 i', '     1: v=0d e=0033 i', '     2: v=08 e=0000 i'].map((line) => expect.stringContaining(line.slice(0, 12))));
    expect(text.endsWith('Triple fault\n')).toBe(true);
  });
});

describe('-d exec and cpu', () => {
  it('show the blocks that the run loop enters; with nochain all of them', () => {
    const count = (text: string): number => text.split('\n').filter((line) => line.startsWith('Trace 0: ')).length;
    const chained = logged(['exec'], { source: 'mov ecx,50\nl: dec ecx\njnz l\nhlt' });
    expect(chained.text).toMatch(/^Trace 0: [0-9a-f]+ \[00000000\/00010000\/[0-9a-f]{8}\/00000003\] \n/);
    expect(count(chained.text)).toBeLessThan(8);
    const all = logged(['exec', 'nochain'], { source: 'mov ecx,50\nl: dec ecx\njnz l\nhlt' });
    expect(count(all.text)).toBe(51);
    expect(all.guest.cpu.exec.tbCounters.links).toBe(0);
  });

  it('cpu gives the registers before each', () => {
    const { text } = logged(['cpu', 'nochain'], { source: 'mov ecx,2\nl: inc eax\ndec ecx\njnz l\nhlt' });
    expect([...text.matchAll(/^EAX=(\w+) EBX=00000000 ECX=(\w+) /gm)].map(([, eax, ecx]) => [eax, ecx])).toEqual([
      ['00000000', '00000000'], ['00000001', '00000001'], ['00000002', '00000000'],
    ]);
  });
});

describe('-dfilter', () => {
  it('leaves out code elsewhere', () => {
    const { text } = logged(['in_asm', 'op', 'exec'], { filter: '0x1000b+1,0x10009..0x1000a' });
    expect([...text.matchAll(/^0x(\w+): /gm)].map(([, address]) => address)).toEqual(['00010009', '0001000b']);
    expect([...text.matchAll(/^Trace 0: \S+ \[\w+\/(\w+)/gm)].map(([, address]) => address)).toEqual(['00010009', '0001000b']);
    expect(text.match(/^OP:$/gm)).toHaveLength(2);
  });
});
