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
    expect(config.chardevs).toMatchObject([{ id: 'c', spec: 'file:x' }, { id: 'n', spec: 'null' }]);
  });

  it.each([
    ["can't find value 'x'", ['-device', 'virtio-blk-pci,drive=x']],
    ['drive property not set', ['-device', 'virtio-blk-pci']],
    ['no -device has drive=y', ['-drive', 'file=a,if=none,id=y']],
    ["Duplicate ID 'z'", ['-drive', 'file=a,if=none,id=z', '-drive', 'file=b,id=z']],
    ["No 'virtio-serial-bus' bus found", ['-chardev', 'null,id=c', '-device', 'virtconsole,chardev=c']],
    ["can't find value 'q'", ['-device', 'virtio-serial-pci', '-device', 'virtconsole,chardev=q']],
    ["it's in use", ['-device', 'virtio-serial-pci', '-chardev', 'null,id=c', '-device', 'virtconsole,chardev=c', '-device', 'virtserialport,chardev=c']],
    ['cannot use stdio by multiple', ['-serial', 'stdio', '-chardev', 'stdio,id=c']],
    ["'pipe' is not a valid char driver name", ['-chardev', 'pipe,id=c']],
    ['path=PATH is missing', ['-chardev', 'file,id=c']],
  ])('says: %s', (message, args) => {
    expect(() => parseArguments(args)).toThrow(message);
  });
});
