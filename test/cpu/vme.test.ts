/** Virtual-8086 mode extensions: VIF, and interrupts that stay with the program. Intel SDM vol. 3, 20.3.3. */
import { describe, expect, it } from 'vitest';
import { CR0, CR4, CS, EFLAGS, EIP, ESP, IF, IOPL, SEG_SEL, TR_ATTR, TR_BASE, TR_LIMIT, VIF, VIP, VM } from '../../src/cpu/state.ts';
import { cli, popf, sti } from '../../src/cpu/helpers/eflags.ts';
import { soft_int } from '../../src/cpu/helpers/interrupt.ts';
import { iret } from '../../src/cpu/helpers/iret.ts';
import { pushf_v86 } from '../../src/cpu/helpers/vme.ts';
import { FakeCpu } from './helpers/fake-cpu.ts';

const TSS_AT = 0x4000, VME = 1;

/** A virtual-8086 task with IOPL 0; the TSS redirects interrupts 0-7 but 5. */
function v86(cr4 = VME): FakeCpu {
  const cpu = new FakeCpu(), R = cpu.R;
  R[CR0] = 1;
  cpu.eflags = VM | IF | 2;
  cpu.setCpl(3);
  Object.assign(R, { [CR4]: cr4, [TR_BASE]: TSS_AT, [TR_LIMIT]: 0x200, [TR_ATTR]: 0x8b00, [ESP]: 0x100, [EIP]: 0x50 });
  for (let seg = 0; seg < 6; seg++) cpu.setSegment(seg, 0x1000, 0x10000, 0xffff, 0xf300);
  cpu.updateHflags();
  cpu.store16(TSS_AT + 102, 0x88);
  cpu.bytes.fill(0xff, TSS_AT + 0x68, TSS_AT + 0x88);
  cpu.bytes[TSS_AT + 0x68] = 1 << 5;
  cpu.store16(4 * 3, 0x1234);
  cpu.store16(4 * 3 + 2, 0x2000);
  return cpu;
}

describe('virtual-8086 mode extensions', () => {
  it('CLI and STI change VIF', () => {
    const cpu = v86();
    sti(cpu);
    expect(cpu.R[EFLAGS]! & (IF | VIF)).toBe(IF | VIF);
    expect(pushf_v86(cpu, 2) & (IF | IOPL)).toBe(IF | IOPL);
    cli(cpu);
    expect([cpu.R[EFLAGS]! & (IF | VIF), pushf_v86(cpu, 2) & IF]).toEqual([IF, 0]);
    cpu.R[EFLAGS] = cpu.R[EFLAGS]! | VIP;
    expect(cpu.cleanFault(() => sti(cpu))).toBe('d:0');
    expect(cpu.cleanFault(() => popf(cpu, IF, 2))).toBe('d:0');
  });

  it('without them an IOPL below 3 is #GP', () => {
    for (const run of [(cpu: FakeCpu) => cli(cpu), (cpu: FakeCpu) => popf(cpu, 0, 2), (cpu: FakeCpu) => void pushf_v86(cpu, 2), (cpu: FakeCpu) => soft_int(cpu, 3, 0), (cpu: FakeCpu) => iret(cpu, 2, 0)]) {
      const cpu = v86(0);
      expect(cpu.cleanFault(() => run(cpu))).toBe('d:0');
    }
    const cpu = v86();
    expect(cpu.cleanFault(() => popf(cpu, 0, 4))).toBe('d:0');
  });

  it('INT n goes to the vector table where the bitmap says 0, and IRET comes back', () => {
    const cpu = v86();
    sti(cpu);
    soft_int(cpu, 3, 0x52);
    expect([cpu.R[SEG_SEL + CS], cpu.R[EIP], cpu.R[ESP], cpu.R[EFLAGS]! & (IF | VIF | VM)]).toEqual([0x2000, 0x1234, 0xfa, IF | VM]);
    expect([cpu.load16(0x100fa), cpu.load16(0x100fc), cpu.load16(0x100fe) & (IF | IOPL)]).toEqual([0x52, 0x1000, IF | IOPL]);
    iret(cpu, 2, 0);
    expect([cpu.R[SEG_SEL + CS], cpu.R[EIP], cpu.R[ESP], cpu.R[EFLAGS]! & (IF | VIF | VM | IOPL)]).toEqual([0x1000, 0x52, 0x100, IF | VIF | VM]);
    expect(cpu.cleanFault(() => soft_int(cpu, 5, 0x52))).toBe('d:0');
  });
});
