// Loaded before the command: every compiled region adds 1 to EAX that the guest did not add, when it is left.
const { Function: Original } = globalThis;
const broken = (text) => (/^return \(function tb_/.test(text) ? text.replace(/ {0,1}R\[0\] = eax;(?![^]*R\[0\] = eax;)/, ' R[0] = eax ^ 1;') : text);
globalThis.Function = new Proxy(Original, { construct: (target, args) => Reflect.construct(target, [...args.slice(0, -1), broken(args.at(-1))]) });
