/**
 * Structured control flow for any graph: JavaScript has no goto, so forward jumps leave labelled blocks, jumps back
 * continue a labelled loop, and what has several ways in (irreducible loops, several entries) goes through a small switch.
 *
 * The components of the graph (maximal loops and single nodes) stand in topological order; a jump forward to the i-th
 * leaves the block `B<i>` that ends just before it:
 *
 *     B2: { B1: { first } second } third
 *
 * A loop is structured the same way inside, with the edges to its header taken out. A loop with several ways in gets a
 * header of its own, which switches on `go`.
 */

/** Where a node goes when its code is done. Targets are node numbers. */
export type Terminator =
  | { readonly kind: 'goto'; readonly to: number }
  /** JavaScript condition. */
  | { readonly kind: 'if'; readonly condition: string; readonly then: number; readonly else: number }
  /** By value of a JavaScript expression; otherwise the code, which does not come back. */
  | { readonly kind: 'switch'; readonly on: string; readonly cases: readonly (readonly [value: number, to: number])[]; readonly otherwise: string }
  /** The node's code does not come to its end. */
  | { readonly kind: 'none' };

export interface FlowNode {
  readonly code: string;
  readonly next: Terminator;
}

const targetsOf = (next: Terminator): readonly number[] => {
  switch (next.kind) {
    case 'goto': return [next.to];
    case 'if': return [next.then, next.else];
    case 'switch': return next.cases.map(([, to]) => to);
    case 'none': return [];
  }
};

/** Variable that says where a dispatching header goes. */
export const DISPATCH = 'go';

/** How an enclosing construct is reached from inside. */
interface Scope {
  /** Text that goes to a node of the component, or undefined if it is not here. */
  jump(node: number): string | undefined;
}

/** The text that runs `nodes` from `entry` on. Every way through must end in code that leaves the whole text. */
export function structure(nodes: readonly FlowNode[], entry: number): string {
  return new Structurer(nodes).sequence(reachable(nodes, entry), entry, new Set(), []);
}

function reachable(nodes: readonly FlowNode[], entry: number): Set<number> {
  const seen = new Set([entry]);
  const work = [entry];
  for (let node = work.pop(); node !== undefined; node = work.pop()) {
    for (const to of targetsOf(nodes[node]!.next)) {
      if (seen.has(to)) continue;
      seen.add(to);
      work.push(to);
    }
  }
  return seen;
}

class Structurer {
  private readonly nodes: readonly FlowNode[];
  private labels = 0;

  constructor(nodes: readonly FlowNode[]) {
    this.nodes = nodes;
  }

  /** `members` from `entry` on; edges to `headers` belong to enclosing loops. `prologue` stands before the first component. */
  sequence(members: ReadonlySet<number>, entry: number, headers: ReadonlySet<number>, scopes: readonly Scope[], prologue?: (jump: (to: number, last: boolean) => string) => string): string {
    const components = this.components(members, entry, headers);
    const position = new Map<number, number>();
    components.forEach((component, index) => component.forEach((node) => position.set(node, index)));
    const names = components.map(() => `B${this.labels++}`);
    const used = new Set<number>();
    const entries = components.map((component, index) => this.entriesOf(component, index, position, members, entry, headers));

    /** Goes from component `from` (-1: the prologue) to a node; empty if it is what comes next anyway. */
    const jumpFrom = (from: number) => (to: number, last: boolean): string => {
      const at = headers.has(to) ? undefined : position.get(to);
      if (at === undefined) {
        for (let i = scopes.length - 1; i >= 0; i--) {
          const text = scopes[i]!.jump(to);
          if (text !== undefined) return text;
        }
        throw new Error(`no way to node ${to}`);
      }
      const select = entries[at]!.length > 1 ? `${DISPATCH} = ${entries[at]!.indexOf(to)}; ` : '';
      if (at === from + 1 && last) return select;
      used.add(at);
      return `${select}break ${names[at]};`;
    };

    let text = prologue === undefined ? '' : prologue(jumpFrom(-1));
    components.forEach((component, index) => {
      const own = this.component(component, entries[index]!, headers, scopes, jumpFrom(index));
      text = index === 0 && prologue === undefined ? own : `${used.has(index) ? `${names[index]}: {\n${text}}\n` : text}${own}`;
    });
    return text;
  }

  /** One component: a node, or a loop. */
  private component(component: readonly number[], entries: readonly number[], headers: ReadonlySet<number>, scopes: readonly Scope[], jumpOut: (to: number, last: boolean) => string): string {
    const [only] = component;
    if (component.length === 1 && !targetsOf(this.nodes[only!]!.next).includes(only!)) return this.node(only!, jumpOut);
    const label = `L${this.labels++}`;
    const members = new Set(component);
    // From inside a loop nothing comes next but what is in it.
    const outside: Scope = { jump: (to) => (members.has(to) ? undefined : jumpOut(to, false)) };
    const inner = new Set([...headers, ...entries]);
    if (entries.length === 1) {
      const header = entries[0]!;
      const scope: Scope = { jump: (to) => (to === header ? `continue ${label};` : undefined) };
      // The header is entered at the top: it is a member of the sequence, but edges to it continue the loop.
      return `${label}: for (;;) {\n${this.loopBody(members, header, inner, [...scopes, outside, scope])}}\n`;
    }
    const scope: Scope = { jump: (to) => {
      const at = entries.indexOf(to);
      return at < 0 ? undefined : `${DISPATCH} = ${at}; continue ${label};`;
    } };
    return `${label}: for (;;) {\n${this.dispatchBody(members, entries, inner, [...scopes, outside, scope])}}\n`;
  }

  private loopBody(members: ReadonlySet<number>, header: number, headers: ReadonlySet<number>, scopes: readonly Scope[]): string {
    const rest = new Set([...members].filter((node) => node !== header));
    return this.sequence(rest, header, headers, scopes, (jump) => this.node(header, jump));
  }

  private dispatchBody(members: ReadonlySet<number>, entries: readonly number[], headers: ReadonlySet<number>, scopes: readonly Scope[]): string {
    // Inside the loop the entries are plain nodes again for the switch, and for nobody else: others go round by it.
    const inside = new Map(entries.map((node) => [node, node]));
    const text = this.sequenceWithSwitch(members, entries, headers, scopes, inside);
    return text;
  }

  /** The body of a dispatching loop: a switch to the entries, which stand in topological order with the others. */
  private sequenceWithSwitch(members: ReadonlySet<number>, entries: readonly number[], headers: ReadonlySet<number>, scopes: readonly Scope[], _inside: ReadonlyMap<number, number>): string {
    const order = this.topological(members, headers, entries);
    const names = new Map(order.map((group) => [group, `B${this.labels++}`]));
    const groupOf = new Map(order.flatMap((group) => group.map((node) => [node, group] as const)));
    const used = new Set<readonly number[]>();
    const fromSwitch = (to: number): string => {
      const group = groupOf.get(to)!;
      used.add(group);
      return `break ${names.get(group)!};`;
    };
    const last = entries.length - 1;
    let text = `switch (${DISPATCH}) {\n${entries.map((node, at) => `${at === last ? 'default' : `case ${at}`}: ${fromSwitch(node)}\n`).join('')}}\n`;
    order.forEach((group, index) => {
      const next = order[index + 1];
      const jump = (to: number, isLast: boolean): string => {
        const target = headers.has(to) ? undefined : groupOf.get(to);
        if (target === undefined) {
          for (let i = scopes.length - 1; i >= 0; i--) {
            const found = scopes[i]!.jump(to);
            if (found !== undefined) return found;
          }
          throw new Error(`no way to node ${to}`);
        }
        const ways = this.waysInto(target, members, headers, entries);
        const select = ways.length > 1 ? `${DISPATCH} = ${ways.indexOf(to)}; ` : '';
        if (target === next && isLast) return select;
        used.add(target);
        return `${select}break ${names.get(target)!};`;
      };
      const own = this.component(group, this.waysInto(group, members, headers, entries), headers, scopes, jump);
      text = `${used.has(group) ? `${names.get(group)!}: {\n${text}}\n` : text}${own}`;
    });
    return text;
  }

  /** Nodes of a component that are entered from other components, entries of the loop included. */
  private waysInto(group: readonly number[], members: ReadonlySet<number>, headers: ReadonlySet<number>, entries: readonly number[]): number[] {
    const set = new Set(group);
    return group.filter((node) => entries.includes(node) || (!headers.has(node) && [...members].some((from) => !set.has(from) && targetsOf(this.nodes[from]!.next).includes(node))));
  }

  private node(number: number, jump: (to: number, last: boolean) => string): string {
    const { code, next } = this.nodes[number]!;
    switch (next.kind) {
      case 'none': return code;
      case 'goto': return `${code}${line(jump(next.to, true))}`;
      case 'if': {
        const otherwise = jump(next.else, true);
        if (otherwise === '' || next.then === next.else) return `${code}${next.then === next.else ? '' : `if (${next.condition}) { ${jump(next.then, false)} }\n`}${line(otherwise)}`;
        const then = jump(next.then, true);
        if (then === '') return `${code}if (!(${next.condition})) { ${jump(next.else, false)} }\n`;
        return `${code}if (${next.condition}) { ${jump(next.then, false)} }\n${line(otherwise)}`;
      }
      case 'switch': {
        const cases = next.cases.map(([value, to]) => `case ${value}: ${jump(to, false)}\n`).join('');
        return `${code}switch (${next.on}) {\n${cases}}\n${next.otherwise}`;
      }
    }
  }

  private entriesOf(component: readonly number[], index: number, position: ReadonlyMap<number, number>, members: ReadonlySet<number>, entry: number, headers: ReadonlySet<number>): number[] {
    return component.filter((node) => {
      if (node === entry) return true;
      // A loop's header is not a member of its body: what it jumps to is entered from it.
      const from = [...members, ...(members.has(entry) ? [] : [entry])];
      return from.some((one) => position.get(one) !== index && !headers.has(node) && targetsOf(this.nodes[one]!.next).includes(node));
    });
  }

  private components(members: ReadonlySet<number>, entry: number, headers: ReadonlySet<number>): number[][] {
    const roots = members.has(entry) ? [entry] : targetsOf(this.nodes[entry]!.next).filter((to) => members.has(to) && !headers.has(to));
    return this.stronglyConnected(members, headers, roots);
  }

  private topological(members: ReadonlySet<number>, headers: ReadonlySet<number>, entries: readonly number[]): number[][] {
    return this.stronglyConnected(members, headers, entries);
  }

  /** Tarjan's algorithm from the roots on, over edges within `members` that do not lead to a header; in topological order. */
  private stronglyConnected(members: ReadonlySet<number>, headers: ReadonlySet<number>, roots: readonly number[]): number[][] {
    const index = new Map<number, number>(), low = new Map<number, number>();
    const stack: number[] = [], onStack = new Set<number>(), found: number[][] = [];
    const visit = (node: number): void => {
      index.set(node, index.size);
      low.set(node, index.get(node)!);
      stack.push(node);
      onStack.add(node);
      for (const to of targetsOf(this.nodes[node]!.next)) {
        if (!members.has(to) || headers.has(to)) continue;
        if (!index.has(to)) {
          visit(to);
          low.set(node, Math.min(low.get(node)!, low.get(to)!));
        } else if (onStack.has(to)) low.set(node, Math.min(low.get(node)!, index.get(to)!));
      }
      if (low.get(node) !== index.get(node)) return;
      const component: number[] = [];
      for (;;) {
        const member = stack.pop()!;
        onStack.delete(member);
        component.push(member);
        if (member === node) break;
      }
      found.push(component.reverse());
    };
    for (const root of roots) if (!index.has(root)) visit(root);
    return found.reverse();
  }
}

const line = (text: string): string => (text === '' ? '' : `${text}\n`);
