/** -action: what follows when the guest resets, switches itself off, or panics. */
import { ACTIONS } from '../machine/actions.ts';
import type { Config } from './config.ts';
import { UsageError } from './errors.ts';
import { checkProperties, parseProperties } from './properties.ts';

export const ACTION_HELP = Object.entries(ACTIONS).map(([event, actions]) => `${event}=${actions.join('|')}`).join(', ');

export function setAction(config: Config, value: string, option: string): void {
  const given = parseProperties(option, value);
  if (given.has('watchdog')) throw new UsageError(`${option} ${value}: there is no watchdog`);
  checkProperties(option, given, Object.keys(ACTIONS));
  for (const [event, action] of given) {
    const actions: readonly string[] = ACTIONS[event as keyof typeof ACTIONS];
    if (!actions.includes(action)) throw new UsageError(`${option} ${value}: parameter '${event}' does not accept value '${action}' (${actions.join(', ')})`);
    config.actions = { ...config.actions, [event]: action };
  }
}
