/** Opens the networks that -netdev and -nic name, and joins cards to them. */
import { DumpedNetwork } from '../backends/net/dump.ts';
import { DatagramNetwork } from '../backends/net/datagrams.ts';
import { SocketNetwork } from '../backends/net/socket.ts';
import { openUserNetwork } from '../backends/net/user.ts';
import type { OpenNetwork } from '../backends/net/user.ts';
import type { PcOptions } from '../index.ts';
import { reasonOf } from '../backends/output-file.ts';
import type { Config } from './config.ts';
import type { NetdevOption } from './network.ts';
import { UsageError } from './errors.ts';
import type { Output } from './output.ts';

export interface Networks {
  readonly nics: NonNullable<PcOptions['nics']>;
  close(): void;
}

function openNetwork(network: NetdevOption['network']): Promise<OpenNetwork> {
  if (network.kind === 'user') return openUserNetwork(network.user);
  return 'target' in network.socket ? DatagramNetwork.open(network.socket) : SocketNetwork.open(network.socket);
}

/** @throws UsageError for what cannot be opened, with the others closed again */
export async function openNetworks({ netdevs, nics, dumps }: Config, output: Output): Promise<Networks> {
  const open = new Map<string, OpenNetwork>();
  const close = (): void => {
    for (const network of open.values()) network.close();
  };
  for (const { id, network, option } of netdevs) {
    if (!nics.some(({ netdev }) => netdev === id)) output.note(`netdev ${id} has no peer`);
    try {
      open.set(id, await openNetwork(network));
    } catch (error) {
      close();
      throw new UsageError(`${option}: ${(error as Error).message}`);
    }
  }
  for (const { netdev, file, maxLength, option } of dumps) {
    try {
      open.set(netdev, new DumpedNetwork(open.get(netdev)!, { file, maxLength, failed: (reason) => output.complain(`${option} ${file}: ${reason}`) }));
    } catch (error) {
      close();
      throw new UsageError(`${option} ${file}: ${reasonOf(error)}`);
    }
  }
  return {
    nics: nics.map(({ model, mac, netdev, iobase, irq }) => ({
      model, network: netdev === null ? null : open.get(netdev)!, ...(mac === null ? {} : { mac }), ...(iobase === undefined ? {} : { iobase }), ...(irq === undefined ? {} : { irq }),
    })),
    close,
  };
}
