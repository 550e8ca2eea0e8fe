/**
 * Structured control flow: JavaScript has no goto, so forward jumps leave labelled blocks, and jumps back continue a
 * labelled loop. The components of the graph (maximal loops and single nodes) stand in topological order; a jump to the
 * i-th leaves the block that ends just before it:
 *
 *     B2: { B1: { first } second } third
 *
 * A loop is written the same way inside, with the edges to its header taken out: they continue it.
 */
import { components, isLoop, makeReducible, waysIn } from './flow-graph.ts';
import type { Edge, FlowNode } from './flow-graph.ts';

/** The text that runs the graph from `entry` on. Every way through it must end in code that leaves the whole text. */
export function structure(given: readonly FlowNode[], first: number): string {
  const { nodes, entry, members } = makeReducible(given, first);
  return new Writer(nodes).sequence(members, entry, new Set(), () => { throw new Error('a jump leads nowhere'); });
}

/** Text that goes to a node outside of what is being written. */
type Jump = (to: number) => string;

class Writer {
  private readonly nodes: readonly FlowNode[];
  private labels = 0;

  constructor(nodes: readonly FlowNode[]) {
    this.nodes = nodes;
  }

  /** The part of the graph within `members` from `entry` on. `headers`: of the loops around it. */
  sequence(members: ReadonlySet<number>, entry: number, headers: ReadonlySet<number>, outside: Jump): string {
    const order = components(this.nodes, members, headers, entry);
    const place = new Map(order.flatMap((component, index) => component.map((node) => [node, index] as const)));
    const labels = order.map(() => `B${this.labels++}`);
    const used = new Set<number>();
    let text = '';
    order.forEach((component, index) => {
      if (used.has(index)) text = `${labels[index]}: {\n${text}}\n`;
      const jump: Jump = (to) => {
        const at = headers.has(to) ? undefined : place.get(to);
        if (at === undefined) return outside(to);
        used.add(at);
        return `break ${labels[at]!};`;
      };
      const next = order[index + 1];
      text += isLoop(this.nodes, component, headers)
        ? this.loop(component, waysIn(this.nodes, members, component, entry)[0]!, headers, jump)
        : this.node(component[0]!, jump, next === undefined ? -1 : waysIn(this.nodes, members, next, entry)[0]!);
    });
    return text;
  }

  private loop(component: readonly number[], header: number, headers: ReadonlySet<number>, outside: Jump): string {
    const label = `L${this.labels++}`;
    const jump: Jump = (to) => (to === header ? `continue ${label};` : outside(to));
    return `${label}: for (;;) {\n${this.sequence(new Set(component), header, new Set([...headers, header]), jump)}}\n`;
  }

  /** A node's code and its jumps; nothing is written for a jump to `following`, which stands behind it. */
  private node(number: number, jump: Jump, following: number): string {
    const { code, next } = this.nodes[number]!;
    const go = ({ to, before }: Edge): string => `${before}${jump(to)}`;
    const fall = (edge: Edge): string => (edge.to === following ? edge.before : go(edge));
    switch (next.kind) {
      case 'none': return code;
      case 'goto': return `${code}${line(fall(next.edge))}`;
      case 'if': {
        if (next.then.to === following && next.then.before === '') return `${code}if (!(${next.condition})) { ${go(next.else)} }\n`;
        return `${code}if (${next.condition}) { ${go(next.then)} }\n${line(fall(next.else))}`;
      }
      case 'switch': {
        const cases = next.cases.map(({ value, edge }) => `case ${value}: ${go(edge)}\n`).join('');
        return `${code}switch (${next.on}) {\n${cases}}\n${next.otherwise}`;
      }
    }
  }
}

const line = (text: string): string => (text === '' ? '' : `${text}\n`);
