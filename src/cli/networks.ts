/** Opens the networks that -netdev, -nic and -net name, and joins cards to them. */
import { DumpedNetwork } from '../backends/net/dump.ts';
import { DatagramNetwork } from '../backends/net/datagrams.ts';
import { Hub } from '../backends/net/hub.ts';
import { SocketNetwork } from '../backends/net/socket.ts';
import { openUserNetwork } from '../backends/net/user.ts';
import type { OpenNetwork } from '../backends/net/user.ts';
import type { PcOptions } from '../index.ts';
import { reasonOf } from '../backends/output-file.ts';
import type { Config } from './config.ts';
import { defaultModel } from './network.ts';
import type { NetdevOption } from './network.ts';
import { UsageError } from './errors.ts';
import type { Output } from './output.ts';

export interface Networks {
  readonly nics: NonNullable<PcOptions['nics']>;
  close(): void;
}

function openNetwork(network: NetdevOption['network'], hubOf: (number: number) => Hub): OpenNetwork | Promise<OpenNetwork> {
  switch (network.kind) {
    case 'user': return openUserNetwork(network.user);
    case 'socket': return 'target' in network.socket ? DatagramNetwork.open(network.socket) : SocketNetwork.open(network.socket);
    case 'hubport': return hubOf(network.hub).port();
  }
}

/** Says of what nobody will hear, in QEMU's words. */
function warn({ netdevs, nics }: Config, output: Output): void {
  const taken = new Set([...nics.map(({ netdev }) => netdev), ...netdevs.map(({ network }) => (network.kind === 'hubport' ? network.netdev : null))]);
  const ports = netdevs.flatMap(({ id, network }) => (network.kind === 'hubport' ? [{ id, ...network }] : []));
  for (const hub of new Set(ports.map(({ hub }) => hub))) {
    const own = ports.filter((port) => port.hub === hub), cards = own.some(({ id }) => taken.has(id)), networks = own.some(({ netdev }) => netdev !== null);
    if (networks && !cards) output.note(`hub ${hub} with no nics`);
    if (cards && !networks) output.note(`hub ${hub} is not connected to host network`);
  }
  for (const { id, network } of netdevs) {
    if (!taken.has(id) && !(network.kind === 'hubport' && network.netdev !== null)) output.note(`netdev ${id} has no peer`);
  }
}

/** @throws UsageError for what cannot be opened, with the others closed again */
export async function openNetworks(config: Config, output: Output): Promise<Networks> {
  const { netdevs, nics, dumps } = config, open = new Map<string, OpenNetwork>(), hubs = new Map<number, Hub>();
  const hubOf = (number: number): Hub => {
    const hub = hubs.get(number) ?? new Hub();
    hubs.set(number, hub);
    return hub;
  };
  const close = (): void => {
    for (const network of open.values()) network.close();
  };
  warn(config, output);
  for (const { id, network, option } of netdevs) {
    if (network.kind === 'hubport' && network.netdev !== null) continue;
    try {
      open.set(id, await openNetwork(network, hubOf));
    } catch (error) {
      close();
      throw new UsageError(`${option}: ${(error as Error).message}`);
    }
  }
  for (const { netdev, file, maxLength, option } of dumps) {
    // What passes a hub's port passes the network behind it.
    const { network } = netdevs.find(({ id }) => id === netdev)!, id = network.kind === 'hubport' ? network.netdev ?? netdev : netdev;
    try {
      open.set(id, new DumpedNetwork(open.get(id)!, { file, maxLength, failed: (reason) => output.complain(`${option} ${file}: ${reason}`) }));
    } catch (error) {
      close();
      throw new UsageError(`${option} ${file}: ${reasonOf(error)}`);
    }
  }
  for (const { network } of netdevs) {
    if (network.kind === 'hubport' && network.netdev !== null) hubOf(network.hub).connect(open.get(network.netdev)!);
  }
  return {
    nics: nics.map(({ model, mac, netdev, iobase, irq, bootIndex }) => ({
      model: model ?? defaultModel(config), network: netdev === null ? null : open.get(netdev)!, ...(mac === null ? {} : { mac }), ...(iobase === undefined ? {} : { iobase }), ...(irq === undefined ? {} : { irq }), ...(bootIndex === undefined ? {} : { bootIndex }),
    })),
    close,
  };
}
