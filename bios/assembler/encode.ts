/** One instruction to bytes: prefixes, template steps, operands (Intel SDM vol. 2, 2.1). Prefix order is nasm's: wait, rep, lock, segment, 66, 67. */
import { addressBits, encodeAddress } from './address.ts';
import type { EncodedAddress } from './address.ts';
import { LineError } from './errors.ts';
import type { Template } from './instructions/template.ts';
import { matchTemplate } from './match.ts';
import type { Operand } from './operands.ts';
import type { Register } from './registers.ts';
import type { Section } from './sections.ts';
import { isUnknown } from './value.ts';
import type { Value } from './value.ts';

/** Prefixes as written. Bytes, or 0. */
export interface Prefixes {
  wait: boolean;
  rep: number;
  lock: boolean;
  segment: Register | null;
  /** 0, 16 or 32. */
  operandSize: number;
  addressSize: number;
}

/** Where an instruction stands. */
export interface EncodeContext {
  /** 16 or 32. */
  readonly bits: number;
  /** Directive cpu: 286 means 286 and older. */
  readonly processor: 286 | 386;
  /** The section being assembled, null in an absolute part. */
  readonly section: Section | null;
  /** Position in it (or the absolute address). */
  readonly offset: number;
  /** Positions are final: what does not reach is an error. */
  readonly final: boolean;
  /** The value as a number, section bases filled in. */
  resolve(value: Value): bigint;
  /** A value did not fit its field. */
  truncated(what: string): void;
}

const SEGMENT_PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];

function pushLittleEndian(out: number[], value: bigint, bytes: number): void {
  let rest = Number(BigInt.asUintN(32, value));
  for (let i = 0; i < bytes; i++) {
    out.push(rest & 255);
    rest >>>= 8;
  }
}

/** True if a field of that many bytes holds the value, signed or unsigned. */
export const fitsField = (value: bigint, bytes: number): boolean => {
  const bits = BigInt(bytes * 8);
  return value >= -(1n << (bits - 1n)) && value < 1n << bits;
};

/** The value is a label of the section being assembled. */
const isLocal = (target: Value, section: Section | null): boolean =>
  section === null ? target.terms.length === 0 : target.terms.length === 1 && target.terms[0]!.of === section && target.terms[0]!.factor === 1n;

class Encoder {
  readonly #operands: readonly Operand[];
  readonly #prefixes: Prefixes;
  readonly #context: EncodeContext;
  readonly #out: number[];

  constructor(operands: readonly Operand[], prefixes: Prefixes, context: EncodeContext, out: number[]) {
    this.#operands = operands;
    this.#prefixes = prefixes;
    this.#context = context;
    this.#out = out;
  }

  /** Address size in force: prefix, template or mode. */
  #addressSize(template: Template): number {
    const memory = this.#operands.find((operand) => operand.form === 'memory');
    const prefix = this.#prefixes.addressSize;
    if (memory !== undefined) return addressBits(memory, prefix, this.#context.bits);
    if (prefix !== 0 && template.addressSize !== 0 && prefix !== template.addressSize) throw new LineError(`a${prefix} contradicts the instruction`);
    return template.addressSize || prefix || this.#context.bits;
  }

  /** Size prefixes wanted beside the one in the template contradict each other where both are given. */
  #operandSize(template: Template): number {
    const prefix = this.#prefixes.operandSize;
    if (prefix !== 0 && template.operandSize !== 0 && prefix !== template.operandSize) throw new LineError(`o${prefix} contradicts the instruction`);
    return template.operandSize || prefix || this.#context.bits;
  }

  #emitPrefixes(template: Template): void {
    const { wait, rep, lock, segment } = this.#prefixes;
    const inner = this.#operands.find((operand) => operand.syntax.segment !== null)?.syntax.segment ?? null;
    if (inner !== null && segment !== null) throw new LineError('two segment overrides');
    const override = inner ?? segment;
    if (wait || template.wait) this.#out.push(0x9b);
    if (rep !== 0) this.#out.push(rep);
    if (lock) this.#out.push(0xf0);
    if (override !== null) {
      const byte = SEGMENT_PREFIXES[override.number];
      if (override.class !== 'sreg' || byte === undefined) throw new LineError(`${override.name} is no segment register`);
      this.#out.push(byte);
    }
    if (this.#operandSize(template) !== this.#context.bits) this.#out.push(0x66);
    if (this.#addressSize(template) !== this.#context.bits) this.#out.push(0x67);
  }

  /** Length of the short form of a jump, for the decision whether it reaches. */
  shortLength(template: Template): number {
    const before = this.#out.length;
    this.#emitPrefixes(template);
    const length = this.#out.length - before + template.steps.length;
    this.#out.length = before;
    return length;
  }

  encode(template: Template): void {
    this.#emitPrefixes(template);
    let next = 0;
    const nextImmediate = (role: 'immediate' | 'relative'): Operand => {
      while (template.operands[next]!.role !== role) next++;
      return this.#operands[next++]!;
    };
    for (const step of template.steps) {
      switch (step.op) {
        case 'byte':
          this.#out.push(step.value);
          break;
        case 'plusRegister':
          this.#out[this.#out.length - 1]! |= this.#registerField(template);
          break;
        case 'modrm':
          this.#modrm(template, this.#registerField(template));
          break;
        case 'same': {
          const { number } = this.#operands[0]!.register!;
          this.#out.push(0xc0 | (number << 3) | number);
          break;
        }
        case 'digit':
          this.#modrm(template, step.value);
          break;
        case 'moff':
          this.#displacement(this.#memory(template), this.#addressSize(template) / 8);
          break;
        case 'far':
          this.#far(template);
          break;
        case 'immediate':
          this.#immediate(nextImmediate('immediate'), step.value);
          break;
        case 'relative':
          this.#relative(nextImmediate('relative').value, step.value);
          break;
      }
    }
  }

  #registerField(template: Template): number {
    return this.#operands[template.operands.findIndex((kind) => kind.role === 'reg')]!.register!.number;
  }

  #memory(template: Template): Operand {
    return this.#operands[template.operands.findIndex((kind) => kind.role === 'rm' || kind.role === 'moff')]!;
  }

  #modrm(template: Template, reg: number): void {
    const operand = this.#operands[template.operands.findIndex((kind) => kind.role === 'rm')]!;
    if (operand.form === 'register') {
      this.#out.push(0xc0 | (reg << 3) | operand.register!.number);
      return;
    }
    const bits = this.#addressSize(template);
    const address: EncodedAddress = encodeAddress(operand, bits);
    this.#out.push((address.mod << 6) | (reg << 3) | address.rm);
    if (address.sib >= 0) this.#out.push(address.sib);
    if (address.displacementSize > 0) this.#displacement(operand, address.displacementSize);
  }

  #displacement(operand: Operand, bytes: number): void {
    const value = this.#context.resolve(operand.value);
    const holds = bytes === 1 ? BigInt.asIntN(8, value) === BigInt.asIntN(this.#wrap(operand), value) : fitsField(value, bytes);
    if (!holds) this.#context.truncated(`displacement ${value}`);
    pushLittleEndian(this.#out, value, bytes);
  }

  #wrap(operand: Operand): number {
    return addressBits(operand, this.#prefixes.addressSize, this.#context.bits);
  }

  #immediate(operand: Operand, bytes: number): void {
    const value = this.#context.resolve(operand.value);
    const isWrappedByte = bytes === 1 && (fitsField(BigInt.asIntN(32, value), 1) || fitsField(BigInt.asIntN(16, value), 1));
    if (!fitsField(value, bytes) && !isWrappedByte) this.#context.truncated(`immediate ${value}`);
    pushLittleEndian(this.#out, value, bytes);
  }

  #far(template: Template): void {
    const operand = this.#operands[0]!;
    pushLittleEndian(this.#out, this.#context.resolve(operand.value), template.operandSize / 8);
    pushLittleEndian(this.#out, this.#context.resolve(operand.selector!), 2);
  }

  #relative(target: Value, bytes: number): void {
    const context = this.#context;
    const end = BigInt(context.offset + this.#out.length + bytes);
    let distance: bigint;
    if (isUnknown(target)) distance = 0n;
    else if (isLocal(target, context.section)) distance = target.number - end;
    else distance = context.resolve(target) - end - BigInt(context.section?.base ?? 0);
    const wrapped = bytes === 1 ? distance : BigInt.asIntN(bytes * 8, distance);
    if (context.final && bytes === 1 && (wrapped < -128n || wrapped > 127n)) throw new LineError(`short jump is out of range (${wrapped} bytes)`);
    pushLittleEndian(this.#out, wrapped, bytes);
  }
}

/** Appends the bytes of an instruction to `out`, which is empty at first. Throws LineError. */
export function encodeInstruction(
  candidates: readonly Template[], operands: readonly Operand[], prefixes: Prefixes, context: EncodeContext, out: number[],
): void {
  const encoder = new Encoder(operands, prefixes, context, out);
  const template = matchTemplate(candidates, operands, {
    bits: context.bits,
    processor: context.processor,
    operandBits: prefixes.operandSize || context.bits,
    reachesShort: (short, target) => {
      if (isUnknown(target)) return true;
      if (!isLocal(target, context.section)) return false;
      const distance = target.number - BigInt(context.offset + encoder.shortLength(short));
      return distance >= -128n && distance <= 127n;
    },
  });
  encoder.encode(template);
}
