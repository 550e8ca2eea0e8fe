/**
 * How a helper leaves an instruction: the exception is written to the state (EXC_*), then this one object is thrown.
 * It is no Error and holds nothing: a stack trace would cost more than the fault.
 */
export const GUEST_FAULT: { readonly guestFault: true } = Object.freeze({ guestFault: true });
