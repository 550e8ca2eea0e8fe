/**
 * The translation blocks of a machine: their packed code in one buffer, the hashed table that finds them by key, and the
 * jump cache. Memory: code buffer of tb-size, written from the start; when it is full, or dropped blocks fill
 * half of what is used, everything is dropped.
 *
 * A block's key is (linear pc, csBase, csLimit, flags, MA page of its first byte and, if it crosses, of its second page):
 * the code contains virtual addresses, so the same bytes at another address are another block, though often a copy (twins.ts).
 * What lies where in guest memory is tracked elsewhere; `onDrop` tells who tracks it.
 */
import { Counters } from './counters.ts';
import type { EnvLayout } from './env.ts';
import type { Block } from './ir.ts';
import { JUMP_CACHE_SIZE, jumpHash } from './jump-cache.ts';
import { HEAD_CS_BASE, HEAD_CS_LIMIT, HEAD_EXEC_COUNT, HEAD_FLAGS, HEAD_ICOUNT, HEAD_JUMP_HITS, HEAD_PC, HEAD_TB, HEAD_WORDS, Packer } from './pack.ts';
import { canLink, link, unlink } from './tb-chain.ts';
import type { Jump } from './tb-chain.ts';
import { Twins } from './twins.ts';
import type { Relocations } from './twins.ts';

/** What a block was translated for, and from which bytes. */
export interface TbKey {
  /** Linear address of the first instruction. */
  readonly pc: number;
  readonly csBase: number;
  readonly csLimit: number;
  readonly flags: number;
  /** MA of the first byte, and the number of bytes up to the end of the block or of the page. */
  readonly ma: number;
  readonly length: number;
  /** For a block that crosses into a second page: MA of that page's start, and the number of bytes there; else -1 and 0. */
  readonly ma1: number;
  readonly length1: number;
}

export class TranslationBlock implements TbKey {
  /** Changes when the block is moved. */
  pc: number;
  readonly csBase: number;
  readonly csLimit: number;
  readonly flags: number;
  readonly ma: number;
  readonly length: number;
  readonly ma1: number;
  readonly length1: number;
  /** MA page numbers; page1 is -1 if the block lies within one page. */
  readonly page0: number;
  readonly page1: number;
  /** Guest instructions. */
  readonly icount: number;
  /** Positions in the code buffer: head, table of instruction starts, end. */
  readonly position: number;
  readonly starts: number;
  readonly end: number;
  /** Positions of the words for goto_tb 0 and 1 (0 = none), where they lead, and who leads here. */
  readonly word0: number;
  readonly word1: number;
  jump0: Jump | undefined = undefined;
  jump1: Jump | undefined = undefined;
  incoming: Jump | undefined = undefined;
  /** False once dropped; its code may still be running. */
  valid = true;
  /** Next block in the same bucket. */
  next: TranslationBlock | undefined = undefined;
  /** What collect() has counted so far, modulo 2^32. */
  countedExecutions = 0;
  countedJumpHits = 0;
  /** Executions that collect() has counted, until somebody takes them. */
  executions = 0;
  /** Where the execution counter of its head started: at 0 the block is hot. */
  counterStart = 0;
  /** EIP that a call at its end returns to, or -1. */
  returnEip = -1;
  /** EIPs, known when it was translated, at which it goes on. */
  successors: readonly number[] = [];
  /** See twins.ts: what depends on the address, if that is known; the next older block of the same first byte; executions when they were last asked for. */
  relocations: Relocations | null = null;
  older: TranslationBlock | undefined = undefined;
  seen = 0;

  constructor(key: TbKey, packed: { icount: number; start: number; starts: number; end: number; links: readonly [number, number] }) {
    this.pc = key.pc;
    this.csBase = key.csBase;
    this.csLimit = key.csLimit;
    this.flags = key.flags;
    this.ma = key.ma;
    this.length = key.length;
    this.ma1 = key.ma1;
    this.length1 = key.length1;
    this.page0 = key.ma >>> 12;
    this.page1 = key.length1 > 0 ? key.ma1 >>> 12 : -1;
    this.icount = packed.icount;
    this.position = packed.start;
    this.starts = packed.starts;
    this.end = packed.end;
    [this.word0, this.word1] = packed.links;
  }
}

/** An instruction within a block. */
export interface InsnState {
  /** EIP of the instruction; cc_op before it if the translator knew it, else 0: then the state's is right. */
  eip: number;
  ccOp: number;
  /** How many instructions of the block come before it. */
  index: number;
}

/** Executions after which a block is hot if nobody says otherwise: as good as never. */
const COLD = 2 ** 31;
const BUCKETS = 1 << 17;
const FIRST_POSITION = 128;
/** Smallest code buffer, in words. */
const MIN_WORDS = 1 << 16;

/** Entries of the jump cache that are listed; with more of them it is emptied whole. */
const PASSING_MOST = 4096;

export interface TbCacheOptions {
  readonly layout: EnvLayout;
  /** Size of the code buffer in bytes. */
  readonly bytes: number;
  /** Called for each block that is dropped, by invalidation or flush. */
  readonly onDrop?: (block: TranslationBlock) => void;
}

export class TbCache {
  readonly code: Int32Array;
  readonly jumpCache = new Int32Array(JUMP_CACHE_SIZE);
  /** Entries of the jump cache that go when the address space changes; how many, which may be more than are listed. */
  private readonly passing = new Int32Array(PASSING_MOST);
  private passingCount = 0;
  readonly counters = new Counters();
  readonly twins: Twins;
  private readonly packer: Packer;
  private readonly onDrop: (block: TranslationBlock) => void;
  private readonly buckets: (TranslationBlock | undefined)[] = new Array<TranslationBlock | undefined>(BUCKETS).fill(undefined);
  /** In the order of their positions; dropped ones stay until the next flush. */
  private blocks: TranslationBlock[] = [];
  private end = FIRST_POSITION;
  /** Words of dropped blocks below `end`. */
  private dead = 0;
  private readonly insn: InsnState = { eip: 0, ccOp: 0, index: 0 };

  constructor(options: TbCacheOptions) {
    this.code = new Int32Array(Math.max(MIN_WORDS, options.bytes >>> 2));
    this.packer = new Packer(options.layout, this.code);
    this.twins = new Twins(this.code);
    this.onDrop = options.onDrop ?? (() => undefined);
  }

  /** Number of valid blocks. */
  get size(): number {
    let size = 0;
    for (const block of this.blocks) if (block.valid) size++;
    return size;
  }

  /** Bytes of the code buffer in use. */
  get bytesUsed(): number {
    return this.end * 4;
  }

  private bucket(pc: number, page: number, flags: number): number {
    return (Math.imul(pc ^ page << 7, 0x9e3779b1) ^ Math.imul(flags, 0x85ebca6b)) >>> 15;
  }

  /**
   * The block for a state, or undefined. `ma` is that of pc; `nextPage` gives the MA of the following virtual page (negative
   * if that cannot be executed) and is asked only if a block that crosses might match. A block found enters the jump cache.
   * @param lasting pc's page stays where it is when the address space changes
   */
  lookup(pc: number, csBase: number, csLimit: number, flags: number, ma: number, nextPage: () => number, lasting = false): TranslationBlock | undefined {
    this.counters.lookups++;
    const page = ma >>> 12;
    let block = this.buckets[this.bucket(pc, page, flags)];
    for (; block !== undefined; block = block.next) {
      if (block.pc !== pc || block.page0 !== page || block.flags !== flags || block.csBase !== csBase || block.csLimit !== csLimit) continue;
      if (block.page1 >= 0) {
        const second = nextPage();
        if (second < 0 || second >>> 12 !== block.page1) continue;
      }
      this.counters.hits++;
      this.remember(block, lasting && block.page1 < 0);
      return block;
    }
    return undefined;
  }

  /** Packs optimized ops and enters the block. If there is no room, everything else is dropped first. Throws if it can never fit. */
  add(key: TbKey, ops: Block): TranslationBlock {
    this.reclaim();
    // A guest that writes new code for ever leaves dropped blocks behind; no more than live ones, unless they are few.
    if (this.dead >= this.code.length >>> 5 && this.dead >= this.end >>> 1) this.flush();
    let packed = this.packer.pack(ops, this.end);
    if (packed === undefined) {
      this.flush();
      packed = this.packer.pack(ops, this.end);
      if (packed === undefined) throw new Error('block too large for the code buffer');
    }
    const block = new TranslationBlock(key, packed), { counters } = this;
    this.append(block);
    counters.blocks++;
    counters.guestInsns += block.icount;
    counters.guestBytes += block.length + block.length1;
    counters.opsOut += ops.ops.length;
    counters.words += block.end - block.position;
    return block;
  }

  /** Enters a block whose code stands at the end of the buffer. */
  private append(block: TranslationBlock): void {
    const { code } = this, { position } = block;
    code[position + HEAD_CS_BASE] = block.csBase;
    code[position + HEAD_CS_LIMIT] = block.csLimit;
    code[position + HEAD_FLAGS] = block.flags;
    code[position + HEAD_TB] = this.blocks.length;
    this.startCounter(block, COLD);
    this.end = block.end;
    this.blocks.push(block);
    this.enter(block);
  }

  /** Lets a block be found by its address. */
  private enter(block: TranslationBlock): void {
    const { pc, position } = block, bucket = this.bucket(pc, block.page0, block.flags);
    this.code[position + HEAD_PC] = pc;
    block.next = this.buckets[bucket];
    this.buckets[bucket] = block;
    this.remember(block, false);
  }

  /** Enters the jump cache. @param lasting it stays there when the address space changes */
  private remember({ pc, position }: TranslationBlock, lasting: boolean): void {
    const at = jumpHash(pc);
    this.jumpCache[at] = position;
    if (lasting) return;
    if (this.passingCount < PASSING_MOST) this.passing[this.passingCount] = at;
    this.passingCount++;
  }

  /** Nobody goes to a block by its address or by a link any more. */
  private leave(block: TranslationBlock): void {
    unlink(this.code, block);
    const at = jumpHash(block.pc);
    if (this.jumpCache[at] === block.position) this.jumpCache[at] = 0;
    this.removeFromBucket(block);
  }

  /** A copy of a block that has relocations, for another address of the same bytes; undefined if there is no room. */
  copy(from: TranslationBlock, pc: number): TranslationBlock | undefined {
    this.reclaim();
    const { code, end: start } = this, apart = start - from.position;
    if (from.end + apart > code.length) return undefined;
    code.copyWithin(start, from.position, from.end);
    code.fill(0, start, start + HEAD_WORDS);
    code[start + HEAD_ICOUNT] = from.icount;
    const links = [from.word0 && from.word0 + apart, from.word1 && from.word1 + apart] as const;
    for (const word of links) if (word !== 0) code[word] = 0;
    for (const offset of from.relocations!.positions) code[start + offset] = code[start + offset]! + apart;
    const block = new TranslationBlock(from, { icount: from.icount, start, starts: from.starts + apart, end: from.end + apart, links });
    block.relocations = from.relocations;
    block.returnEip = from.returnEip;
    block.successors = from.successors;
    this.relocate(block, pc);
    this.append(block);
    this.twins.add(block);
    return block;
  }

  /** Moves a block that has relocations, and is not running, to another address of the same bytes. */
  move(block: TranslationBlock, pc: number): void {
    this.leave(block);
    this.setRegion(block, 0, 0);
    this.relocate(block, pc);
    this.startCounter(block, COLD);
    this.enter(block);
  }

  private relocate(block: TranslationBlock, pc: number): void {
    const { code } = this, distance = pc - block.pc | 0;
    for (const offset of block.relocations!.addresses) code[block.position + offset] = code[block.position + offset]! + distance;
    if (block.returnEip !== -1) block.returnEip = block.returnEip + distance | 0;
    block.successors = block.successors.map((eip) => eip + distance | 0);
    block.pc = pc;
    this.counters.relocated++;
  }

  /** Gives back the room of dropped blocks at the end of the buffer: a loop that patches itself would fill it with them. */
  private reclaim(): void {
    for (let last = this.blocks.at(-1); last !== undefined && !last.valid; last = this.blocks.at(-1)) {
      this.end = last.position;
      this.dead -= last.end - last.position;
      this.blocks.pop();
    }
  }

  /** Lets the block be hot after `executions` more (up to 2^31). */
  startCounter(block: TranslationBlock, executions: number): void {
    this.collectFrom(block);
    block.counterStart = block.countedExecutions = this.code[block.position + HEAD_EXEC_COUNT] = -executions | 0;
  }

  /** The block for a key, if there is one; not counted as a lookup. `nextPage` as in lookup(). */
  peek({ csBase, csLimit, flags }: TbKey, pc: number, page: number, nextPage: () => number): TranslationBlock | undefined {
    let block = this.buckets[this.bucket(pc, page, flags)];
    for (; block !== undefined; block = block.next) {
      if (block.pc !== pc || block.page0 !== page || block.flags !== flags || block.csBase !== csBase || block.csLimit !== csLimit) continue;
      if (block.page1 < 0 || block.page1 === nextPage() >> 12) return block;
    }
    return undefined;
  }

  /** Lets a block's head enter a region (0 = none: its own ops again). */
  setRegion(block: TranslationBlock, region: number, entry: number): void {
    this.code[block.position] = region === 0 ? 0 : region << 16 | entry << 10;
  }

  /** Whether a block is one of this cache. */
  owns(block: TranslationBlock): boolean {
    return this.blocks[this.code[block.position + HEAD_TB]!] === block;
  }

  /** The region that a block's head enters, or 0. */
  regionOf(block: TranslationBlock): number {
    return this.code[block.position]! >>> 16;
  }

  /** Links goto_tb `slot` of a block, if that is allowed. */
  link(from: TranslationBlock, slot: 0 | 1, to: TranslationBlock): boolean {
    if (!canLink(from, slot, to)) return false;
    link(this.code, from, slot, to);
    this.counters.links++;
    return true;
  }

  /** Drops a block: nothing reaches it any more. Where it is running, it runs to its end. */
  invalidate(block: TranslationBlock): void {
    if (!block.valid) return;
    this.collectFrom(block);
    block.valid = false;
    this.dead += block.end - block.position;
    this.leave(block);
    this.twins.remove(block);
    // No state has all flags set: a stale position matches nothing.
    this.code[block.position + HEAD_FLAGS] = -1;
    this.counters.invalidations++;
    this.onDrop(block);
  }

  private removeFromBucket(block: TranslationBlock): void {
    const bucket = this.bucket(block.pc, block.page0, block.flags);
    if (this.buckets[bucket] === block) {
      this.buckets[bucket] = block.next;
      return;
    }
    for (let other = this.buckets[bucket]; other !== undefined; other = other.next) {
      if (other.next === block) {
        other.next = block.next;
        return;
      }
    }
  }

  /** Drops everything. Only between runs: code that is running would be overwritten. */
  flush(): void {
    this.collect();
    for (const block of this.blocks) {
      if (!block.valid) continue;
      block.valid = false;
      this.onDrop(block);
    }
    this.blocks = [];
    this.buckets.fill(undefined);
    this.twins.clear();
    this.clearJumpCache();
    this.end = FIRST_POSITION;
    this.dead = 0;
    this.counters.flushes++;
  }

  /** Mappings have changed: the jump cache, which knows virtual addresses only, is emptied. @param keepLasting see lookup() */
  clearJumpCache(keepLasting = false): void {
    if (!keepLasting || this.passingCount > PASSING_MOST) this.jumpCache.fill(0);
    else for (let i = 0; i < this.passingCount; i++) this.jumpCache[this.passing[i]!] = 0;
    this.passingCount = 0;
  }

  /** The mapping of one virtual page has changed: blocks that begin in it, or cross into it, leave the jump cache. */
  clearJumpCachePage(va: number): void {
    const page = va & ~0xfff;
    // A block that crosses into the page begins in the one before.
    for (let pc = page - 4096; pc < page + 4096; pc++) this.jumpCache[jumpHash(pc | 0)] = 0;
  }

  /** The block (perhaps dropped) that a position in the code lies in. */
  blockAt(position: number): TranslationBlock | undefined {
    let low = 0, high = this.blocks.length - 1;
    while (low <= high) {
      const middle = low + high >>> 1, block = this.blocks[middle]!;
      if (position < block.position) high = middle - 1;
      else if (position >= block.end) low = middle + 1;
      else return block;
    }
    return undefined;
  }

  /** The instruction that the op at a position belongs to. The result is reused by the next call. */
  insnAt(block: TranslationBlock, position: number): InsnState {
    const { code, insn } = this;
    const offset = position - block.position;
    let index = 0;
    while (index + 1 < block.icount && (code[block.starts + index * 2 + 2]! & 0xffff) <= offset) index++;
    insn.ccOp = code[block.starts + index * 2]! >>> 16;
    insn.eip = code[block.starts + index * 2 + 1]!;
    insn.index = index;
    return insn;
  }

  /** Brings counters.executions and jumpCacheHits up to date. A block's own counts have 32 bits: call it at least every 20 s. */
  collect(): void {
    for (const block of this.blocks) if (block.valid) this.collectFrom(block);
  }

  private collectFrom(block: TranslationBlock): void {
    const { code, counters } = this;
    const executions = code[block.position + HEAD_EXEC_COUNT]!, hits = code[block.position + HEAD_JUMP_HITS]!;
    const more = executions - block.countedExecutions >>> 0;
    counters.executions += more;
    block.executions += more;
    counters.jumpCacheHits += hits - block.countedJumpHits >>> 0;
    block.countedExecutions = executions;
    block.countedJumpHits = hits;
  }

  /** All valid blocks, in no order that matters. */
  forEach(look: (block: TranslationBlock) => void): void {
    for (const block of this.blocks) if (block.valid) look(block);
  }

  /** The counts of all blocks, for executionsSince(). */
  executionCounts(): Int32Array {
    const counts = new Int32Array(this.blocks.length);
    for (let index = 0; index < counts.length; index++) counts[index] = this.code[this.blocks[index]!.position + HEAD_EXEC_COUNT]!;
    return counts;
  }

  /** The blocks that have run since executionCounts(), and how often. What a count says that was started anew meanwhile is something else. */
  executionsSince(counts: Int32Array): Map<TranslationBlock, number> {
    const found = new Map<TranslationBlock, number>();
    for (let index = 0; index < Math.min(counts.length, this.blocks.length); index++) {
      const block = this.blocks[index]!, executions = this.code[block.position + HEAD_EXEC_COUNT]! - counts[index]! | 0;
      if (executions > 0 && block.valid) found.set(block, executions);
    }
    return found;
  }

  /** How often a block has been started since its counter was, modulo 2^32. */
  executionsOf(block: TranslationBlock): number {
    return this.code[block.position + HEAD_EXEC_COUNT]! - block.counterStart >>> 0;
  }
}
