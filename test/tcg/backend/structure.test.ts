import { describe, expect, it } from 'vitest';
import { edgeTo } from '../../../src/tcg/backend/flow-graph.ts';
import type { FlowNode } from '../../../src/tcg/backend/flow-graph.ts';
import { structure } from '../../../src/tcg/backend/structure.ts';

/** A graph by its successors: none = leaves, one = goto, two = a choice, more = a switch. */
function graph(successors: readonly (readonly number[])[]): FlowNode[] {
  return successors.map((targets, number) => {
    const code = `visit(${number});\nif (stop()) break X;\n`;
    if (targets.length === 0) return { code: `${code}break X;\n`, next: { kind: 'none' } };
    if (targets.length === 1) return { code, next: { kind: 'goto', edge: edgeTo(targets[0]!) } };
    if (targets.length === 2) return { code, next: { kind: 'if', condition: 'choose(2) === 0', then: edgeTo(targets[0]!), else: edgeTo(targets[1]!) } };
    return { code, next: { kind: 'switch', on: `choose(${targets.length})`, cases: targets.map((to, value) => ({ value, edge: edgeTo(to) })), otherwise: 'break X;\n' } };
  });
}

/** A small generator of choices that can be run twice. */
function choices(seed: number): (count: number) => number {
  let state = seed | 1;
  return (count) => {
    state = Math.imul(state, 1103515245) + 12345 | 0;
    return (state >>> 16) % count;
  };
}

const STEPS = 60;

/** The nodes visited by walking the graph itself. */
function walk(successors: readonly (readonly number[])[], entry: number, seed: number): number[] {
  const choose = choices(seed), path: number[] = [];
  for (let node = entry; ;) {
    path.push(node);
    const targets = successors[node]!;
    if (path.length === STEPS || targets.length === 0) return path;
    node = targets.length === 1 ? targets[0]! : targets[choose(targets.length)]!;
  }
}

function run(text: string, seed: number): number[] {
  const path: number[] = [];
  new Function('visit', 'stop', 'choose', `let go = 0; X: {\n${text}}`)((node: number) => path.push(node), () => path.length === STEPS, choices(seed));
  return path;
}

function check(successors: readonly (readonly number[])[], entry = 0): string {
  const text = structure(graph(successors), entry);
  for (let seed = 1; seed < 12; seed++) expect(run(text, seed * 7919)).toEqual(walk(successors, entry, seed * 7919));
  return text;
}

describe('structure', () => {
  it('writes a loop as a loop, without a dispatch', () => {
    const text = check([[1], [2, 3], [1], []]);
    expect(text).toMatch(/for \(;;\)/);
    expect(text).not.toMatch(/\bgo\b/);
  });
  it('writes a diamond without a loop', () => {
    expect(check([[1, 2], [3], [3], []])).not.toMatch(/for/);
  });
  it('nests loops', () => {
    const text = check([[1], [2], [3, 2], [1, 4], []]);
    expect(text.match(/for \(;;\)/g)).toHaveLength(2);
    expect(text).not.toMatch(/\bgo\b/);
  });
  it('jumps out of two loops at once', () => {
    check([[1], [2, 5], [3, 1], [2, 4], [], [0, 4]]);
  });
  it('dispatches where a loop has two ways in', () => {
    expect(check([[1, 2], [2, 3], [1], []])).toMatch(/go = /);
  });
  it('handles a node that follows itself, and both ways to the same node', () => {
    check([[0, 1], [2, 2], []]);
  });
  it('handles switches into a loop (returns)', () => {
    check([[1], [2, 3], [1, 4, 5], [0, 4, 5, 6], [2], [3], []]);
  });
  it('does what the graph does, for random graphs', () => {
    const random = choices(4711);
    for (let round = 0; round < 400; round++) {
      const size = 1 + random(12);
      const successors = Array.from({ length: size }, () => Array.from({ length: random(8) === 0 ? 0 : 1 + random(3) }, () => random(size)));
      check(successors, random(size));
    }
  });
  it('survives graphs of a thousand nodes', () => {
    const size = 1000;
    check(Array.from({ length: size }, (_, node) => (node === size - 1 ? [] : node % 7 === 0 && node > 0 ? [node + 1, node - 7] : [node + 1])));
  });
});
