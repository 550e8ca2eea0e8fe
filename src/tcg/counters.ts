/** What a TB cache counts; shown by `info jit` and --stats. Plain numbers, exact up to 2^53. */
export class Counters {
  /** Blocks translated, and what went in and came out: guest instructions and bytes, ops before and after the passes, packed words. */
  blocks = 0;
  guestInsns = 0;
  guestBytes = 0;
  opsIn = 0;
  opsOut = 0;
  words = 0;
  /** Blocks that were copied or moved to another address instead (twins.ts). */
  relocated = 0;
  /** Lookups in the hashed table, and how many found a block. */
  lookups = 0;
  hits = 0;
  /** goto_tb slots linked. */
  links = 0;
  /** Blocks dropped because their code was written to; flushes of the whole cache. */
  invalidations = 0;
  flushes = 0;
  /** Times that the run loop entered the op code and a block ran; counted by the run loop. */
  entries = 0;
  /** Executions of blocks, and those that came by way of the jump cache; brought up to date by TbCache.collect(). */
  executions = 0;
  jumpCacheHits = 0;

  /** Transitions by goto_tb: every execution of a block was entered by the run loop, by the jump cache, or by a link. */
  get chained(): number {
    return Math.max(0, this.executions - this.entries - this.jumpCacheHits);
  }
}
