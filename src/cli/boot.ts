/** `-boot`: what the firmware boots from, and how it asks. */
import type { Config } from './config.ts';
import { UsageError } from './errors.ts';
import { checkProperties, parseNumber, parseOnOff, parseProperties } from './properties.ts';

const LETTERS = 'abcdn';
const MOST_DEVICES = 3, MOST_MILLISECONDS = 0xffff;

function checkOrder(option: string, order: string): string {
  const wrong = [...order].find((letter) => !LETTERS.includes(letter));
  if (wrong !== undefined) throw new UsageError(`${option}: invalid boot device '${wrong}' (a floppy, c disk, d CD-ROM, n network)`);
  if (new Set(order).size !== order.length) throw new UsageError(`${option}: a boot device is given twice in '${order}'`);
  if (order.length > MOST_DEVICES) throw new UsageError(`${option}: too many boot devices in '${order}': a PC has room for ${MOST_DEVICES}`);
  return order;
}

/** `[order=]acd[,once=d][,menu=on][,splash-time=MS][,reboot-timeout=MS][,strict=on]` */
export function setBoot(config: Config, value: string, option: string): void {
  const properties = parseProperties(option, value, 'order');
  checkProperties(option, properties, ['order', 'once', 'menu', 'splash-time', 'reboot-timeout', 'strict']);
  const milliseconds = (key: string): number | null => {
    const text = properties.get(key);
    return text === undefined ? null : parseNumber(`${option} ${key}`, text, 0, MOST_MILLISECONDS);
  };
  const order = properties.get('order'), once = properties.get('once');
  if (order !== undefined) config.bootOrder = checkOrder(option, order);
  if (once !== undefined) config.boot.once = checkOrder(option, once);
  config.boot.menu = parseOnOff(option, 'menu', properties.get('menu'), config.boot.menu);
  config.boot.strict = parseOnOff(option, 'strict', properties.get('strict'), config.boot.strict);
  config.boot.splashTime = milliseconds('splash-time') ?? config.boot.splashTime;
  // QEMU's -1 is "never", which is what it is without the property.
  config.boot.rebootTimeout = properties.get('reboot-timeout') === '-1' ? null : milliseconds('reboot-timeout') ?? config.boot.rebootTimeout;
}
