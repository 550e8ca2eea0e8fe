/** State slots of a block's temporaries: taken when a value is first needed, free again behind the op that reads it last. */
import { MAX_SLOTS, SINK } from './forms.ts';
import type { Block } from './ir.ts';
import type { PackPlan } from './pack-plan.ts';

export class Slots {
  private block!: Block;
  private plan!: PackPlan;
  /** Slot of each value, or -1. */
  private slots = new Int32Array(1024);
  private readonly free: number[] = [];
  private next = 0;

  /** Globals are their own slots; temporaries start at `first`. */
  begin(block: Block, plan: PackPlan, first: number): void {
    this.block = block;
    this.plan = plan;
    const { values, globals } = block;
    if (values > this.slots.length) this.slots = new Int32Array(values * 2);
    for (let v = 0; v < globals.length; v++) this.slots[v] = v;
    this.slots.set(plan.alias.subarray(globals.length, values), globals.length);
    this.free.length = 0;
    this.next = first;
  }

  /** A slot for anything; give it back. */
  take(): number {
    const slot = this.free.pop() ?? this.next++;
    if (slot >= MAX_SLOTS || slot === SINK) throw new Error('a block has too many temporaries');
    return slot;
  }

  give(slot: number): void {
    this.free.push(slot);
  }

  /** The slot of a value that is no constant. */
  of(value: number): number {
    let slot = this.slots[value]!;
    if (slot < 0) this.slots[value] = slot = this.take();
    return slot;
  }

  /** Op `i` has read or written a value: its slot is free if nothing reads it later. */
  release(value: number, i: number): void {
    if (this.plan.last[value]! > i || value < this.block.globals.length || this.plan.alias[value]! >= 0) return;
    const slot = this.slots[value]!;
    if (slot < 0) return;
    this.free.push(slot);
    this.slots[value] = -1;
  }
}
