/** Opens the networks that -netdev and -nic name, and joins cards to them. */
import { openUserNetwork } from '../backends/net/user.ts';
import type { OpenNetwork } from '../backends/net/user.ts';
import type { PcOptions } from '../index.ts';
import type { Config } from './config.ts';
import { UsageError } from './errors.ts';
import type { Output } from './output.ts';

export interface Networks {
  readonly nics: NonNullable<PcOptions['nics']>;
  close(): void;
}

/** @throws UsageError for what cannot be opened, with the others closed again */
export async function openNetworks({ netdevs, nics }: Config, output: Output): Promise<Networks> {
  const open = new Map<string, OpenNetwork>();
  const close = (): void => {
    for (const network of open.values()) network.close();
  };
  for (const { id, user, option } of netdevs) {
    if (!nics.some(({ netdev }) => netdev === id)) output.note(`netdev ${id} has no peer`);
    try {
      open.set(id, await openUserNetwork(user));
    } catch (error) {
      close();
      throw new UsageError(`${option}: ${(error as Error).message}`);
    }
  }
  return {
    nics: nics.map(({ model, mac, netdev, iobase, irq }) => ({
      model, network: netdev === null ? null : open.get(netdev)!, ...(mac === null ? {} : { mac }), ...(iobase === undefined ? {} : { iobase }), ...(irq === undefined ? {} : { irq }),
    })),
    close,
  };
}
