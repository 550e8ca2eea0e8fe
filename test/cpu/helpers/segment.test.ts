import { describe, expect, it } from 'vitest';
import { load_seg, setSegmentReal } from '../../../src/cpu/helpers/segment.ts';
import { CR0, CR0_PE, CS, DS, EFLAGS, ES, FS, GDT_LIMIT, LDT_ATTR, LDT_BASE, LDT_LIMIT, SEG_ATTR, SEG_BASE, SEG_LIMIT, SEG_RHI, SEG_RLO, SEG_WHI, SEG_WLO, SS, VM } from '../../../src/cpu/state.ts';
import {
  BIG, CODE, CODE_CONFORMING, CODE_EXECUTE_ONLY, DATA, DATA_DOWN, DATA_READ_ONLY, FakeCpu, FREE, GDT_AT, K_CODE, K_DATA, LDT_AT, PAGES, protectedCpu, TSS,
  U_CODE, U_DATA,
} from './fake-cpu.ts';

const INDEX = FREE >> 3;
/** What loading selector FREE | rpl into a register does, for a descriptor of this kind. */
function loadFault(cpl: 0 | 3, seg: number, access: number, dpl: number, rpl: number): string {
  const cpu = protectedCpu(cpl);
  cpu.describe(GDT_AT, INDEX, 0x12345, 0x5678, access, dpl, BIG);
  return cpu.cleanFault(() => load_seg(cpu, seg, FREE | rpl));
}

describe('loading data segments in protected mode', () => {
  it('takes base, limit and attributes from the descriptor and sets its accessed bit', () => {
    const cpu = protectedCpu();
    cpu.describe(GDT_AT, INDEX, 0x81234567, 0x54321, DATA, 0, BIG | PAGES);
    load_seg(cpu, DS, FREE);
    expect(cpu.selector(DS)).toBe(FREE);
    expect(cpu.R[SEG_BASE + DS]).toBe(0x81234567 | 0);
    expect(cpu.R[SEG_LIMIT + DS]).toBe(0x54321fff);
    expect(cpu.R[SEG_ATTR + DS]).toBe(0xc09300);
    expect(cpu.access(GDT_AT, INDEX)).toBe(DATA | 1);
  });

  it.each<[string, 0 | 3, number, number, number, string]>([
    ['writable data', 0, DATA, 0, 0, 'none'],
    ['read-only data', 0, DATA_READ_ONLY, 0, 0, 'none'],
    ['readable code', 0, CODE, 0, 0, 'none'],
    ['execute-only code', 0, CODE_EXECUTE_ONLY, 0, 0, 'd:40'],
    ['a system segment', 0, 0x82, 0, 0, 'd:40'],
    ['RPL above DPL', 0, DATA, 0, 3, 'd:40'],
    ['CPL above DPL', 3, DATA, 0, 0, 'd:40'],
    ['user data', 3, DATA, 3, 3, 'none'],
    ['conforming code of ring 0 from ring 3', 3, CODE_CONFORMING, 0, 3, 'none'],
    ['code of ring 0 from ring 3', 3, CODE, 0, 3, 'd:40'],
    ['absent data', 0, DATA & 0x7f, 0, 0, 'b:40'],
    ['absent and forbidden: #GP first', 3, DATA & 0x7f, 0, 0, 'd:40'],
  ])('%s', (_, cpl, access, dpl, rpl, fault) => {
    expect(loadFault2(cpl, access, dpl, rpl)).toBe(fault);
  });
  const loadFault2 = (cpl: 0 | 3, access: number, dpl: number, rpl: number): string => {
    const cpu = protectedCpu(cpl);
    cpu.describe(GDT_AT, INDEX, 0, 0xffff, access, dpl);
    return cpu.fault(() => load_seg(cpu, ES, FREE | rpl));
  };

  it('accepts null selectors, which then allow no access', () => {
    const cpu = protectedCpu();
    load_seg(cpu, FS, 3);
    expect(cpu.selector(FS)).toBe(3);
    expect(cpu.R[SEG_ATTR + FS]).toBe(0);
    expect(cpu.fault(() => cpu.segCheck(FS, 0, 1, false))).toBe('d:0');
  });

  it('refuses selectors beyond the table, and changes nothing', () => {
    const cpu = protectedCpu();
    cpu.R[GDT_LIMIT] = 0x46;
    expect(cpu.cleanFault(() => load_seg(cpu, DS, FREE))).toBe('d:40');
    expect(cpu.cleanFault(() => load_seg(cpu, DS, FREE | 4))).toBe('d:44'); // no LDT
    cpu.R[GDT_LIMIT] = 0x47;
    cpu.describe(GDT_AT, INDEX, 0, 1, DATA);
    expect(cpu.fault(() => load_seg(cpu, DS, FREE))).toBe('none');
  });

  it('finds descriptors in the LDT', () => {
    const cpu = protectedCpu(3);
    cpu.R[LDT_BASE] = LDT_AT;
    cpu.R[LDT_LIMIT] = 0x0f;
    cpu.R[LDT_ATTR] = 0x8200;
    cpu.describe(LDT_AT, 1, 0x777, 0xfff, DATA, 3);
    load_seg(cpu, DS, 0x0f);
    expect([cpu.selector(DS), cpu.R[SEG_BASE + DS]]).toEqual([0x0f, 0x777]);
    expect(cpu.cleanFault(() => load_seg(cpu, DS, 0x17))).toBe('d:14');
  });

  it('passes page faults of the descriptor table on', () => {
    const cpu = protectedCpu();
    cpu.absent.add(GDT_AT >> 12);
    expect(cpu.cleanFault(() => load_seg(cpu, DS, K_DATA))).toBe('e:0');
  });
});

describe('loading SS in protected mode', () => {
  it.each<[string, 0 | 3, number, number, number, string]>([
    ['execute-only code', 0, CODE_EXECUTE_ONLY, 0, 0, 'd:40'],
    ['readable code', 0, CODE, 0, 0, 'd:40'],
    ['read-only data', 0, DATA_READ_ONLY, 0, 0, 'd:40'],
    ['RPL other than CPL', 0, DATA, 0, 1, 'd:40'],
    ['DPL other than CPL', 0, DATA, 3, 0, 'd:40'],
    ['DPL other than CPL, outer', 3, DATA, 0, 3, 'd:40'],
    ['absent', 0, DATA & 0x7f, 0, 0, 'c:40'],
  ])('refuses %s', (_, cpl, access, dpl, rpl, fault) => {
    expect(loadFault(cpl, SS, access, dpl, rpl)).toBe(fault);
  });
  it('refuses null, accepts the right ones', () => {
    const cpu = protectedCpu(), user = protectedCpu(3);
    expect(cpu.cleanFault(() => load_seg(cpu, SS, 0))).toBe('d:0');
    expect(cpu.cleanFault(() => load_seg(cpu, SS, TSS))).toBe('d:28');
    expect(user.fault(() => load_seg(user, SS, U_DATA))).toBe('none');
    expect(user.cleanFault(() => load_seg(user, SS, U_CODE))).toBe('d:18');
    expect(cpu.cleanFault(() => load_seg(cpu, SS, K_CODE))).toBe('d:8');
  });
});

describe('segment ranges', () => {
  const range = (access: number, limit: number, flags: number): number[] => {
    const cpu = protectedCpu();
    cpu.describe(GDT_AT, INDEX, 0, limit, access, 0, flags);
    load_seg(cpu, DS, FREE);
    return [SEG_RLO, SEG_RHI, SEG_WLO, SEG_WHI].map((slot) => cpu.R[slot + DS]! >>> 0);
  };
  it('expand-up, byte and page granular', () => {
    expect(range(DATA, 0x1234, 0)).toEqual([0, 0x1234, 0, 0x1234]);
    expect(range(DATA_READ_ONLY, 0, PAGES)).toEqual([0, 0xfff, 1, 0]);
    expect(range(CODE, 0xfffff, PAGES | BIG)).toEqual([0, 0xffffffff, 1, 0]);
  });
  it('expand-down, 64 KB and 4 GB', () => {
    expect(range(DATA_DOWN, 0x1fff, 0)).toEqual([0x2000, 0xffff, 0x2000, 0xffff]);
    expect(range(DATA_DOWN, 1, PAGES | BIG)).toEqual([0x2000, 0xffffffff, 0x2000, 0xffffffff]);
    expect(range(DATA_DOWN, 0xfffff, PAGES | BIG)).toEqual([1, 0, 1, 0]);
  });
});

describe('real and V86 mode', () => {
  it('takes selector * 16 and keeps limit and attributes of data segments', () => {
    const cpu = new FakeCpu();
    cpu.setSegment(DS, 0, 0, -1, 0xc09300);
    load_seg(cpu, DS, 0x1234);
    expect([cpu.selector(DS), cpu.R[SEG_BASE + DS], cpu.R[SEG_LIMIT + DS]]).toEqual([0x1234, 0x12340, -1]);
  });
  it('makes a segment usable again that protected mode left null', () => {
    const cpu = protectedCpu();
    load_seg(cpu, ES, 0);
    cpu.R[CR0] = 0;
    load_seg(cpu, ES, 0xb800);
    expect(cpu.segCheck(ES, 0xffff, 1, true)).toBe(0xc7fff);
  });
  it('gives CS its fixed attributes in real mode', () => {
    const cpu = protectedCpu();
    cpu.R[CR0] = 0;
    setSegmentReal(cpu, CS, 0xf000);
    expect([cpu.R[SEG_BASE + CS], cpu.R[SEG_LIMIT + CS], cpu.R[SEG_ATTR + CS]]).toEqual([0xf0000, 0xffff, 0x9b00]);
  });
  it('fixes everything in V86 mode, for any selector', () => {
    const cpu = protectedCpu(3);
    cpu.R[CR0] = CR0_PE;
    cpu.R[EFLAGS] = VM | 2;
    cpu.updateHflags();
    load_seg(cpu, SS, 0x4321);
    expect([cpu.R[SEG_BASE + SS], cpu.R[SEG_LIMIT + SS], cpu.R[SEG_ATTR + SS]]).toEqual([0x43210, 0xffff, 0xf300]);
  });
});
