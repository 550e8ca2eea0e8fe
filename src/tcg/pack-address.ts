/** Takes the address of a load or store apart into base + (index << shift) + displacement, through the ops that were left out. */
import { CONST, type Block } from './ir.ts';
import { SHL } from './ops.ts';
import type { PackPlan } from './pack-plan.ts';

export class AddressParts {
  /** Values, or -1. */
  base = -1;
  index = -1;
  shift = 0;
  displacement = 0;

  find(block: Block, plan: PackPlan, value: number): void {
    this.base = this.index = -1;
    this.shift = this.displacement = 0;
    this.add(block, plan, value, 0);
  }

  private add(block: Block, plan: PackPlan, value: number, shift: number): void {
    const at = plan.alias[value]! >= 0 ? 0 : plan.leftOut[value]!;
    if (at > 0) {
      const { def, args } = block.ops[at - 1]!;
      if (def === SHL) return this.add(block, plan, args[1]!, block.numbers[args[2]!]!);
      this.add(block, plan, args[1]!, 0);
      this.add(block, plan, args[2]!, 0);
    } else if (block.kinds[value] === CONST) {
      this.displacement = this.displacement + block.numbers[value]! | 0;
    } else if (this.base < 0 && shift === 0) {
      this.base = value;
    } else {
      this.index = value;
      this.shift = shift;
    }
  }
}
