/** Options for virtio devices. */
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/cli/options.ts';

describe('virtio on the command line', () => {
  it('drives by if=virtio, and by -device, which may come first', () => {
    const { drives } = parseArguments(['-drive', 'file=a,if=virtio', '-device', 'virtio-blk-pci,drive=d', '-drive', 'file=b,if=none,id=d,readonly=on', '-drive', 'file=c,if=virtio,index=5']);
    expect(drives.map(({ file, interface: kind, index }) => [file, kind, index])).toEqual([['a', 'virtio', 0], ['c', 'virtio', 5], ['b', 'virtio', 1]]);
  });

  it('ports of a serial card', () => {
    const config = parseArguments(['-device', 'virtio-serial-pci', '-chardev', 'file,id=c,path=x', '-chardev', 'null,id=n', '-device', 'virtconsole,chardev=c', '-device', 'virtserialport,chardev=n,name=org.a']);
    expect(config.virtioPorts).toMatchObject([{ console: true, chardev: 'c' }, { console: false, chardev: 'n', name: 'org.a' }]);
    expect(config.chardevs).toMatchObject([{ id: 'c', end: { kind: 'file', path: 'x' } }, { id: 'n', end: { kind: 'null' } }]);
  });

  it('folders', () => {
    const { fsdevs, shares } = parseArguments(['-virtfs', 'local,path=a,,b,mount_tag=host0,security_model=none,readonly=on', '-device', 'virtio-9p-pci,fsdev=f,mount_tag=t', '-fsdev', 'local,id=f,path=c,security_model=passthrough']);
    expect(shares.map(({ fsdev, tag }) => [tag, fsdevs.find(({ id }) => id === fsdev)])).toMatchObject([
      ['host0', { path: 'a,b', security: 'none', readOnly: true }], ['t', { path: 'c', security: 'passthrough', readOnly: false }],
    ]);
  });

  it.each([
    ['security_model= is missing', ['-virtfs', 'local,path=a,mount_tag=t']],
    ['security_model=mapped-xattr is not supported', ['-virtfs', 'local,path=a,mount_tag=t,security_model=mapped-xattr']],
    ["'proxy' is no fsdriver here", ['-virtfs', 'proxy,mount_tag=t,path=x']],
    ['path= is missing', ['-fsdev', 'local,id=f,security_model=none']],
    ['mount_tag= is missing', ['-virtfs', 'local,path=a,security_model=none']],
    ['is not 1 to 32 ASCII', ['-virtfs', 'local,path=a,security_model=none,mount_tag=012345678901234567890123456789012']],
    ["couldn't find fsdev with the id = f", ['-device', 'virtio-9p-pci,fsdev=f,mount_tag=t']],
    ["mount tag 't' is in use", ['-virtfs', 'local,path=a,security_model=none,mount_tag=t', '-virtfs', 'local,path=b,security_model=none,mount_tag=t']],
    ["can't find value 'x'", ['-device', 'virtio-blk-pci,drive=x']],
    ['drive property not set', ['-device', 'virtio-blk-pci']],
    ['no -device has drive=y', ['-drive', 'file=a,if=none,id=y']],
    ["Duplicate ID 'z'", ['-drive', 'file=a,if=none,id=z', '-drive', 'file=b,id=z']],
    ["No 'virtio-serial-bus' bus found", ['-chardev', 'null,id=c', '-device', 'virtconsole,chardev=c']],
    ["can't find value 'q'", ['-device', 'virtio-serial-pci', '-device', 'virtconsole,chardev=q']],
    ["it's in use", ['-device', 'virtio-serial-pci', '-chardev', 'null,id=c', '-device', 'virtconsole,chardev=c', '-device', 'virtserialport,chardev=c']],
    ['cannot use stdio by multiple', ['-serial', 'stdio', '-chardev', 'stdio,id=c']],
    ['path=PATH is missing', ['-chardev', 'file,id=c']],
  ])('says: %s', (message, args) => {
    expect(() => parseArguments(args)).toThrow(message);
  });
});
