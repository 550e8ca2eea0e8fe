/** What follows when the guest resets, switches itself off, or panics: QEMU's -action. Source: qemu(1). */

/** Each event with what can be done; the first is the default. */
export const ACTIONS = {
  reboot: ['reset', 'shutdown'],
  shutdown: ['poweroff', 'pause'],
  panic: ['shutdown', 'pause', 'exit-failure', 'none'],
} as const;

export type Actions = { readonly [E in keyof typeof ACTIONS]: (typeof ACTIONS)[E][number] };

export const DEFAULT_ACTIONS: Actions = { reboot: ACTIONS.reboot[0], shutdown: ACTIONS.shutdown[0], panic: ACTIONS.panic[0] };
