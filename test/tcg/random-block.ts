/** Random blocks for differential tests: all ops, forward branches, memory, calls, several guest instructions. */
import { Builder } from '../../src/tcg/builder.ts';
import { CONDITIONS } from '../../src/tcg/conditions.ts';
import type { Helper } from '../../src/tcg/env.ts';
import { MEMOP_NAMES } from '../../src/tcg/ops.ts';
import { CC_OP, EIP, GLOBALS, WORD } from './machine.ts';
import { INTERESTING, type Random } from './oracle.ts';

const MEMOPS = MEMOP_NAMES.flatMap((name, memop) => (name === undefined ? [] : [memop]));

/**
 * Adds a block that obeys the verifier: in each instruction first computations into temporaries, loads and traps, then at most one
 * store, then register writes. Addresses stay within 64 KiB, mostly on pages that hit.
 */
export function randomBlock(random: Random, helpers: readonly Helper[]): Builder {
  const b = new Builder(GLOBALS, helpers);
  const temps: number[] = [];
  /** Outputs of the op being made: readable from the next one on. */
  const fresh: number[] = [];
  const done = (): void => { temps.push(...fresh.splice(0)); };
  let wide: number[] = [];
  const input = (): number => {
    const kind = random.below(10);
    if (kind < 2) return b.const(random.pick(INTERESTING));
    if (kind < 6 && temps.length > 0) return random.pick(temps.slice(-6));
    return random.below(8);
  };
  /** A fresh temporary, sometimes one that exists. */
  const output = (): number => {
    if (temps.length > 0 && random.below(4) === 0) return random.pick(temps);
    const temp = b.temp();
    fresh.push(temp);
    return temp;
  };
  const count = (): number => {
    if (random.below(2) === 0) return b.const(random.below(32));
    const temp = b.temp();
    b.andi(temp, input(), 31);
    return temp;
  };
  const condition = (): number => random.below(CONDITIONS.length);
  const field = (): [number, number] => {
    if (random.below(2) === 0) return random.pick([[0, 8], [8, 8], [0, 16], [16, 16], [0, 32]] as const) as [number, number];
    const position = random.below(32);
    return [position, 1 + random.below(32 - position)];
  };
  const address = (): number => {
    const base = b.temp();
    b.andi(base, input(), 0x7fff);
    if (random.below(2) === 0) return base;
    const sum = b.temp();
    if (random.below(3) === 0) {
      b.addi(sum, base, random.below(64));
    } else {
      const index = b.temp(), scaled = b.temp();
      b.andi(index, input(), 0xff);
      b.shli(scaled, index, random.below(4));
      if (random.below(2) === 0) b.add(sum, base, scaled);
      else b.add(sum, scaled, base);
    }
    if (random.below(2) === 0) return sum;
    const end = b.temp();
    b.addi(end, sum, random.below(256));
    return end;
  };

  /** Last byte of an access against a limit, which is a state word or a number. */
  const rangeCheck = (): void => {
    const last = b.temp(), limit = b.temp();
    b.addi(last, input(), random.below(8));
    if (random.below(2) === 0) b.ldEnv(limit, WORD + random.below(4));
    else b.movi(limit, random.pick(INTERESTING));
    b.trap(CONDITIONS.indexOf(random.pick(['gtu', 'ltu'] as const)), last, limit, 12);
  };

  const compute = (write: () => number): void => {
    switch (random.below(22)) {
      case 0: return b.add(write(), input(), input());
      case 1: return b.sub(write(), input(), input());
      case 2: return b.and(write(), input(), input());
      case 3: return b.or(write(), input(), input());
      case 4: return b.xor(write(), input(), input());
      case 5: return random.pick([b.not, b.neg, b.bswap, b.ext8s, b.ext8u, b.ext16s, b.ext16u, b.mov] as const).call(b, write(), input());
      case 6: return random.pick([b.mul, b.muluh, b.mulsh, b.andc] as const).call(b, write(), input(), input());
      case 7: return random.pick([b.shl, b.shr, b.sar, b.rotl, b.rotr] as const).call(b, write(), input(), count());
      case 8: return random.pick([b.clz, b.ctz] as const).call(b, write(), input(), input());
      case 9: return b.deposit(write(), input(), input(), ...field());
      case 10: return b.extract(write(), input(), ...field());
      case 11: return b.sextract(write(), input(), ...field());
      case 12: return b.setcond(condition(), write(), input(), input());
      case 13: return b.negsetcond(condition(), write(), input(), input());
      case 14: return b.movcond(condition(), write(), input(), input(), input(), input());
      case 15: return b.ldEnv(write(), WORD + random.below(4));
      case 16: return b.movi(write(), random.pick(INTERESTING));
      case 17: return b.mov(write(), input());
      case 18: return b.call(helpers[0]!, write(), input(), input(), input());
      case 19: {
        const low = input(), high = input();
        const a = b.temp64();
        wide.push(a);
        random.pick([b.concat, b.mulu64, b.muls64] as const).call(b, a, low, high);
        return random.pick([b.extrl, b.extrh] as const).call(b, write(), a);
      }
      case 20: {
        if (wide.length < 2) return;
        const a = random.pick(wide);
        random.pick([b.add64, b.sub64, b.and64, b.or64, b.xor64] as const).call(b, a, random.pick(wide), random.pick(wide));
        return random.pick([b.extrl, b.extrh] as const).call(b, write(), a);
      }
      default: return b.addi(write(), input(), random.pick(INTERESTING));
    }
  };

  const insns = 1 + random.below(6);
  for (let n = 0; n < insns; n++) {
    b.insnStart(0x1000 + n * 3, 0);
    for (let k = random.below(7); k > 0; k--) {
      if (random.below(6) === 0) b.load(output(), address(), random.pick(MEMOPS));
      else if (random.below(12) === 0) b.trapi(CONDITIONS.indexOf('eq'), input(), random.pick(INTERESTING), 13);
      else if (random.below(12) === 0) rangeCheck();
      else if (random.below(16) === 0) b.call(helpers[5]!, output(), input(), input(), input(), input(), input());
      else compute(output);
      done();
    }
    switch (random.below(8)) {
      case 0: case 1: b.store(input(), address(), random.below(3)); break;
      case 2: b.storeVec(WORD, address(), random.pick([8, 16])); break;
      case 3: b.loadVec(WORD, address(), random.pick([8, 16])); break;
    }
    // Both ways of a branch write; what is written on one only is not read later.
    if (random.below(4) === 0) {
      const label = b.label();
      const known = temps.length;
      const knownWide = wide;
      wide = [...wide];
      b.brcond(condition(), input(), input(), label);
      for (let k = random.below(3); k > 0; k--) {
        compute(() => (random.below(2) === 0 ? random.below(8) : output()));
        done();
      }
      b.setLabel(label);
      temps.length = known;
      wide = knownWide;
    }
    for (let k = random.below(4); k > 0; k--) {
      if (random.below(6) === 0) b.stEnv(input(), WORD + random.below(4));
      else if (random.below(10) === 0) b.movVec(WORD, WORD + 2, 8);
      else if (random.below(10) === 0) b.zeroVec(WORD, random.pick([8, 16]));
      else if (random.below(10) === 0) b.call(helpers[2]!, -1, input());
      else if (random.below(10) === 0) b.discard(temps.length > 0 ? temps.pop()! : b.temp());
      else compute(() => (random.below(3) === 0 ? output() : random.pick([0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11])));
      done();
    }
  }
  if (random.below(2) === 0) {
    b.movi(EIP, 0x2000);
    b.lookupAndGotoPtr();
  } else {
    // cc_op is written before the branch, on both ways, on one, or not at all.
    const label = b.label(), ccOp = random.below(4);
    if (ccOp === 0) b.movi(CC_OP, 5);
    b.brcond(condition(), random.below(4) === 0 ? CC_OP : input(), input(), label);
    if (ccOp > 1) b.movi(CC_OP, 6);
    b.gotoTb(0);
    b.movi(EIP, 0x1100);
    b.exitTb(0);
    b.setLabel(label);
    if (ccOp > 2) b.movi(CC_OP, 6);
    b.gotoTb(1);
    b.movi(EIP, 0x1200);
    b.exitTb(1);
  }
  return b;
}
