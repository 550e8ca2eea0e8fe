/**
 * The control flow of a region: nodes of straight JavaScript and what follows each. `makeReducible` gives every loop a
 * single way in, so that it can be written as a JavaScript loop.
 */

/** A way to another node; `before` is JavaScript that runs on the way. */
export interface Edge {
  readonly to: number;
  readonly before: string;
}

/** Where a node goes when its code is done. */
export type Terminator =
  | { readonly kind: 'goto'; readonly edge: Edge }
  /** JavaScript condition. */
  | { readonly kind: 'if'; readonly condition: string; readonly then: Edge; readonly else: Edge }
  /** By value of a JavaScript expression; otherwise the code, which does not come back. */
  | { readonly kind: 'switch'; readonly on: string; readonly cases: readonly { readonly value: number; readonly edge: Edge }[]; readonly otherwise: string }
  /** The node's code does not come to its end. */
  | { readonly kind: 'none' };

export interface FlowNode {
  readonly code: string;
  readonly next: Terminator;
}

export const edgeTo = (to: number, before = ''): Edge => ({ to, before });

export function edgesOf(next: Terminator): readonly Edge[] {
  switch (next.kind) {
    case 'goto': return [next.edge];
    case 'if': return [next.then, next.else];
    case 'switch': return next.cases.map(({ edge }) => edge);
    case 'none': return [];
  }
}

function mapEdges(next: Terminator, change: (edge: Edge) => Edge): Terminator {
  switch (next.kind) {
    case 'goto': return { ...next, edge: change(next.edge) };
    case 'if': return { ...next, then: change(next.then), else: change(next.else) };
    case 'switch': return { ...next, cases: next.cases.map(({ value, edge }) => ({ value, edge: change(edge) })) };
    case 'none': return next;
  }
}

/**
 * Strongly connected components of the part of the graph that is reached from `entry` over edges within `members` that do
 * not lead to one of `headers`; in topological order (Tarjan's algorithm, with a stack of its own: graphs may be deep).
 */
export function components(nodes: readonly FlowNode[], members: ReadonlySet<number>, headers: ReadonlySet<number>, entry: number): number[][] {
  const index = new Map<number, number>(), low = new Map<number, number>();
  const path: number[] = [], onPath = new Set<number>(), found: number[][] = [];
  const enter = (node: number): { node: number; targets: number[] } => {
    index.set(node, index.size);
    low.set(node, index.get(node)!);
    path.push(node);
    onPath.add(node);
    return { node, targets: edgesOf(nodes[node]!.next).map(({ to }) => to).filter((to) => members.has(to) && !headers.has(to)) };
  };
  const work = [enter(entry)];
  for (let frame = work.at(-1); frame !== undefined; frame = work.at(-1)) {
    const { node, targets } = frame;
    const to = targets.pop();
    if (to !== undefined) {
      if (!index.has(to)) work.push(enter(to));
      else if (onPath.has(to)) low.set(node, Math.min(low.get(node)!, index.get(to)!));
      continue;
    }
    work.pop();
    const parent = work.at(-1)?.node;
    if (parent !== undefined) low.set(parent, Math.min(low.get(parent)!, low.get(node)!));
    if (low.get(node) !== index.get(node)) continue;
    const component: number[] = path.splice(path.indexOf(node));
    for (const member of component) onPath.delete(member);
    found.push(component);
  }
  return found.reverse();
}

/** Whether a component goes round without passing one of `headers`. */
export const isLoop = (nodes: readonly FlowNode[], component: readonly number[], headers: ReadonlySet<number>): boolean =>
  component.length > 1 || (!headers.has(component[0]!) && edgesOf(nodes[component[0]!]!.next).some(({ to }) => to === component[0]));

/** The nodes of a component that are entered from outside of it. */
export function waysIn(nodes: readonly FlowNode[], members: Iterable<number>, component: readonly number[], entry: number): number[] {
  const inside = new Set(component);
  const found = new Set<number>(inside.has(entry) ? [entry] : []);
  for (const from of members) {
    if (inside.has(from)) continue;
    for (const { to } of edgesOf(nodes[from]!.next)) if (inside.has(to)) found.add(to);
  }
  return component.filter((node) => found.has(node));
}

/** Variable that says where a dispatching header goes. */
export const DISPATCH = 'go';

/**
 * The same flow in which every loop, at every depth, has one way in: where there were several, a node that switches to them.
 * Its entry is a node of its own, so that no loop begins there.
 */
export function makeReducible(given: readonly FlowNode[], first: number): { nodes: FlowNode[]; entry: number; members: Set<number> } {
  const nodes: FlowNode[] = [...given, { code: '', next: { kind: 'goto', edge: edgeTo(first) } }];
  const entry = given.length;
  const fix = (members: ReadonlySet<number>, from: number, headers: ReadonlySet<number>): void => {
    for (const component of components(nodes, members, headers, from)) {
      if (!isLoop(nodes, component, headers)) continue;
      const ways = waysIn(nodes, members, component, from);
      const inside = new Set(component);
      let header = ways[0]!;
      if (ways.length > 1) {
        header = nodes.length;
        const redirect = (edge: Edge): Edge => {
          const way = ways.indexOf(edge.to);
          return way < 0 ? edge : edgeTo(header, `${edge.before}${DISPATCH} = ${way}; `);
        };
        for (const node of members) nodes[node] = { ...nodes[node]!, next: mapEdges(nodes[node]!.next, redirect) };
        nodes.push({ code: '', next: ways.length === 2
          ? { kind: 'if', condition: `${DISPATCH} === 0`, then: edgeTo(ways[0]!), else: edgeTo(ways[1]!) }
          : { kind: 'switch', on: DISPATCH, cases: ways.map((to, value) => ({ value, edge: edgeTo(to) })), otherwise: '' } });
        inside.add(header);
      }
      fix(inside, header, new Set([...headers, header]));
    }
  };
  // Ways in from nodes that nobody reaches do not count.
  fix(new Set(components(nodes, new Set(nodes.keys()), new Set(), entry).flat()), entry, new Set());
  return { nodes, entry, members: new Set(components(nodes, new Set(nodes.keys()), new Set(), entry).flat()) };
}
