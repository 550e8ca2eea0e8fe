/** -virtfs, and -fsdev with -device virtio-9p-pci: folders of the host for the guest. */
import { SECURITY_MODELS } from '../backends/shared-folder.ts';
import type { SecurityModel } from '../backends/shared-folder.ts';
import { LONGEST_TAG } from '../devices/virtio-9p.ts';
import type { ShareOptions } from '../index.ts';
import type { Config } from './config.ts';
import type { DeviceModels } from './device-model.ts';
import { UsageError } from './errors.ts';
import { checkProperties, parseOnOff, parseProperties } from './properties.ts';

export interface SharedFolderOption {
  readonly id: string;
  readonly path: string;
  readonly readOnly: boolean;
  readonly security: SecurityModel;
}

const FSDEV_KEYS = ['fsdriver', 'id', 'path', 'security_model', 'readonly'];

function required(option: string, properties: Map<string, string>, key: string): string {
  const value = properties.get(key);
  if (!value) throw new UsageError(`${option}: ${key}= is missing`);
  return value;
}

function addFsdev(config: Config, option: string, properties: Map<string, string>, id: string): void {
  const driver = properties.get('fsdriver') ?? '', model = properties.get('security_model');
  if (driver !== 'local') throw new UsageError(`${option}: '${driver}' is no fsdriver here (local)`);
  if (model === undefined) throw new UsageError(`${option}: security_model= is missing (${SECURITY_MODELS.join(', ')})`);
  const security = SECURITY_MODELS.find((name) => name === model);
  if (security === undefined) throw new UsageError(`${option}: security_model=${model} is not supported (${SECURITY_MODELS.join(', ')})`);
  if (config.fsdevs.some((one) => one.id === id)) throw new UsageError(`${option}: Duplicate ID '${id}' for fsdev`);
  config.fsdevs.push({ id, path: required(option, properties, 'path'), security, readOnly: parseOnOff(option, 'readonly', properties.get('readonly'), false) });
}

function addShare(config: Config, option: string, fsdev: string, tag: string): void {
  if (!/^[!-~]+$/.test(tag) || tag.length > LONGEST_TAG) throw new UsageError(`${option}: mount tag '${tag}' is not 1 to ${LONGEST_TAG} ASCII characters`);
  if (config.shares.some((one) => one.tag === tag)) throw new UsageError(`${option}: mount tag '${tag}' is in use`);
  config.shares.push({ fsdev, tag, option });
}

export function setFsdev(config: Config, value: string, option: string): void {
  const properties = parseProperties(option, value, 'fsdriver');
  checkProperties(option, properties, FSDEV_KEYS);
  addFsdev(config, option, properties, required(option, properties, 'id'));
}

export function setVirtfs(config: Config, value: string, option: string): void {
  const properties = parseProperties(option, value, 'fsdriver');
  checkProperties(option, properties, [...FSDEV_KEYS, 'mount_tag']);
  const tag = required(option, properties, 'mount_tag'), id = properties.get('id') ?? `#virtfs${config.fsdevs.length}`;
  addFsdev(config, option, properties, id);
  addShare(config, option, id, tag);
}

export const SHARING_DEVICES: DeviceModels = {
  'virtio-9p-pci': {
    category: 'Storage', bus: 'PCI', alias: 'virtio-9p', description: 'folder of the host',
    properties: { fsdev: { type: 'str', text: 'ID of a -fsdev' }, mount_tag: { type: 'str', text: "the guest's name for it" } },
    add: (config, values, option) => {
      const value = (key: string): string => {
        const text = values.text(key);
        if (!text) throw new UsageError(`${option}: ${key}= is missing`);
        return text;
      };
      addShare(config, option, value('fsdev'), value('mount_tag'));
    },
  },
};

/** Once all options are read: every card finds its folder. @throws UsageError */
export function checkShares(config: Config): void {
  for (const { fsdev, option } of config.shares) {
    if (!config.fsdevs.some(({ id }) => id === fsdev)) throw new UsageError(`${option}: virtio-9p device couldn't find fsdev with the id = ${fsdev}`);
  }
}

export const sharesOf = ({ fsdevs, shares }: Config): ShareOptions[] => shares.map(({ fsdev, tag }) => {
  const { path, readOnly, security } = fsdevs.find(({ id }) => id === fsdev)!;
  return { path, tag, readOnly, security };
});
