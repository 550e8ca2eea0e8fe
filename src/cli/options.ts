/**
 * The command line: QEMU's options (qemu(1)) and the headless steps. One row an option; help is printed from the rows.
 * util.parseArgs knows no single-dash words, so the few lines of scanning are our own.
 */
import { LOG_ITEMS, parseLogFilter } from '../cpu/log.ts';
import { CPU_HELP, DEFAULT_MODEL, parseCpuModel } from '../cpu/models.ts';
import { isKeyName } from '../devices/ps2-keys.ts';
import { removableDrive } from '../machine/media.ts';
import { parseMouse, parsePlace } from '../machine/pointer.ts';
import { KeyboardLayout, LAYOUT_NAMES, parseChord, parseTyping } from '../machine/typing.ts';
import { checkAudio, setAudiodev } from './audio.ts';
import { checkAccelerator, setAccelerator } from './accelerator.ts';
import { ACTION_HELP, setAction } from './action.ts';
import { setBoot } from './boot.ts';
import { NAMED_MACHINES } from './catalogue.ts';
import type { CatalogueFile, NamedMachine } from './catalogue.ts';
import { LINE_ARGUMENT, checkChardevs, parseLine, setChardev } from './chardevs.ts';
import { defaultConfig } from './config.ts';
import type { Config } from './config.ts';
import { checkBuses, setDevice } from './devices.ts';
import { checkFormat, setCdrom, setDrive, setImage } from './drives.ts';
import { attachDrives } from './drive-devices.ts';
import { Information, UsageError } from './errors.ts';
import { setMachine } from './machine-type.ts';
import { checkNics, setNet, setNetdev, setNic, setObject } from './network.ts';
import { checkProperties, parseMemory, parseNumber, parseOnOff, parseProperties, parseSeconds } from './properties.ts';
import { checkShares, setFsdev, setVirtfs } from './sharing.ts';
import { setSmbios } from './smbios.ts';
import { setIcount, setRtc } from './time.ts';
import { checkPorts } from './virtio.ts';

/** Least and most guest memory in bytes, in steps of the least: the firmware needs 1 MiB, the MA space ends below 2 GiB. */
const MEMORY_MIN = 2 ** 20, MEMORY_MAX = 2047 * 2 ** 20;

/** COM1 to COM4, LPT1 and LPT2. */
const SERIAL_PORTS = 4, PARALLEL_PORTS = 2;

interface Option {
  readonly names: readonly string[];
  /** How its argument is shown in help; none: a switch. */
  readonly argument?: string;
  readonly help: string;
  readonly set: (config: Config, value: string, option: string) => void;
}

/** What a machine's name stands for. Its images never change; drives that other options add do, as always. */
function setNamed(config: Config, { name, drives, memory }: NamedMachine): void {
  const add = (image: CatalogueFile | undefined, kind: 'ide' | 'floppy', index: number): void => {
    if (image !== undefined) config.drives.push({ file: '', interface: kind, index, readOnly: false, snapshot: true, format: 'raw', option: name, image });
  };
  add(drives.fda, 'floppy', 0);
  add(drives.fdb, 'floppy', 1);
  add(drives.hda, 'ide', 0);
  if (memory !== undefined) config.memory = memory;
  config.name = name;
  config.bootOrder = 'a';
}

/** `fda=FILE[,readonly=on]...`: a step that changes the medium. */
function addChange(config: Config, value: string, option: string): void {
  const equals = value.indexOf('=');
  if (equals < 0) throw new UsageError(`${option} ${value}: expected DRIVE=FILE, e.g. fda=root.img; an empty FILE takes the medium out`);
  const drive = rewrap(option, () => removableDrive(value.slice(0, equals)));
  const properties = parseProperties(option, `file=${value.slice(equals + 1)}`);
  checkProperties(option, properties, ['file', 'format', 'readonly', 'snapshot']);
  const format = properties.get('format');
  checkFormat(option, format);
  config.steps.push({
    kind: 'change', drive, file: properties.get('file') || null, ...(format === undefined ? {} : { format }),
    readOnly: parseOnOff(option, 'readonly', properties.get('readonly'), false),
    snapshot: parseOnOff(option, 'snapshot', properties.get('snapshot'), false),
  });
}

function setLogItems(config: Config, value: string, option: string): void {
  if (value === 'help' || value === '?') {
    throw new Information(`Log items (comma separated):\n${LOG_ITEMS.map(({ name, help }) => `${name.padEnd(12)} ${help}`).join('\n')}`);
  }
  for (const item of value.split(',')) {
    if (!LOG_ITEMS.some(({ name }) => name === item)) throw new UsageError(`${option}: no log item '${item}' (see -d help)`);
    config.logItems.push(item);
  }
}

function pattern(option: string, source: string): RegExp {
  try {
    return new RegExp(source, 'm');
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`);
  }
}

/** Puts the option's name before what a parser says. */
function rewrap<T>(option: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`);
  }
}

export const OPTIONS: readonly Option[] = [
  { names: ['m', 'memory'], argument: 'SIZE', help: 'guest memory, in MiB or with K, M, G (default 128M)', set: (config, value, option) => {
    const properties = parseProperties(option, value, 'size');
    checkProperties(option, properties, ['size']);
    const size = parseMemory(option, properties.get('size')!);
    if (size < MEMORY_MIN || size > MEMORY_MAX || size % MEMORY_MIN !== 0) throw new UsageError(`${option} ${value}: guest memory must be 1M to 2047M, in whole M`);
    config.memory = size;
  } },
  { names: ['fda'], argument: 'FILE', help: 'floppy image in drive A', set: setImage('floppy', 0) },
  { names: ['fdb'], argument: 'FILE', help: 'floppy image in drive B', set: setImage('floppy', 1) },
  { names: ['hda'], argument: 'FILE', help: 'hard disk 0 (also: a bare argument)', set: setImage('ide', 0) },
  { names: ['hdb'], argument: 'FILE', help: 'hard disk 1', set: setImage('ide', 1) },
  { names: ['hdc'], argument: 'FILE', help: 'hard disk 2', set: setImage('ide', 2) },
  { names: ['hdd'], argument: 'FILE', help: 'hard disk 3', set: setImage('ide', 3) },
  { names: ['drive'], argument: 'file=FILE[,if=ide|floppy|virtio|none][,index=N | ,bus=N,unit=N][,format=F][,readonly=on][,snapshot=on][,cache=MODE][,discard=unmap][,detect-zeroes=on|unmap][,media=disk|cdrom][,id=ID]', help: 'a drive', set: setDrive },
  { names: ['cdrom'], argument: 'FILE', help: 'CD or DVD image in the CD-ROM drive, which is drive hdc', set: setCdrom },
  { names: ['boot'], argument: '[order=]acd[,once=acd][,menu=on][,splash-time=MS][,reboot-timeout=MS]',
    help: 'boot order: a floppy, c disk, d CD-ROM; for the first start; a menu to choose from; start again if nothing boots', set: setBoot },
  { names: ['nodefaults'], help: 'only what the options name: no network card, VGA adapter, CD-ROM or floppy drive, serial or parallel port by itself', set: (config) => { config.defaults = false; } },
  { names: ['snapshot'], help: 'keep all disk writes in memory, never in the images', set: (config) => { config.snapshot = true; } },
  { names: ['action'], argument: 'EVENT=ACTION[,...]', help: `what follows when the guest does something (default first): ${ACTION_HELP}`, set: setAction },
  { names: ['no-reboot'], help: 'end instead of resetting: -action reboot=shutdown', set: (config) => setAction(config, 'reboot=shutdown', '-no-reboot') },
  { names: ['no-shutdown'], help: 'stand still instead of ending: -action shutdown=pause', set: (config) => setAction(config, 'shutdown=pause', '-no-shutdown') },
  { names: ['no-hpet'], help: 'no high precision event timer', set: (config) => { config.hpet = false; } },
  { names: ['bios'], argument: 'FILE', help: 'another firmware', set: (config, value) => { config.bios = value; } },
  { names: ['cpu'], argument: 'MODEL[,+FEATURE][,-FEATURE]', help: `the processor (-cpu help lists models; default ${DEFAULT_MODEL})`, set: (config, value, option) => {
    if (value === 'help' || value === '?') throw new Information(CPU_HELP);
    rewrap(option, () => parseCpuModel(value));
    config.cpu = value;
  } },
  { names: ['smp'], argument: '1', help: 'how many processors: one', set: (_config, value, option) => {
    const properties = parseProperties(option, value, 'cpus');
    checkProperties(option, properties, ['cpus', 'maxcpus', 'sockets', 'dies', 'cores', 'threads']);
    for (const [key, count] of properties) if (parseNumber(`${option} ${key}`, count, 0, 2 ** 32) !== 1) throw new UsageError(`${option} ${value}: the PC has one processor`);
  } },
  { names: ['monitor'], argument: 'none', help: 'there is no monitor; steps do its work', set: (_config, value, option) => {
    if (value !== 'none' && value !== 'null') throw new UsageError(`${option} ${value}: there is no monitor; steps do its work (see Automation in README.md)`);
  } },
  { names: ['kernel'], argument: 'FILE', help: 'start this kernel: Linux (bzImage, zImage) or multiboot', set: (config, value) => { config.kernel = value; } },
  { names: ['initrd'], argument: 'FILE', help: 'its initrd, or multiboot modules: "FILE ARGUMENTS,FILE"', set: (config, value) => { config.initrd = value; } },
  { names: ['append'], argument: 'TEXT', help: 'its command line', set: (config, value) => { config.append = value; } },
  { names: ['accel'], argument: 'tcg[,jit=on|off][,jit-threshold=N][,lockstep=on][,one-insn-per-tb=on][,tb-size=MIB][,passes-off=A+B][,speed=MIPS]',
    help: 'the translator: JavaScript for hot code (0: at once), checked against the interpreter; cache; passes to leave out; a slow processor', set: setAccelerator },
  { names: ['M', 'machine'], argument: 'pc|isapc[,hpet=off][,pcspk-audiodev=ID]', help: 'the machine: i440FX + PIIX3, or a PC without PCI and ACPI; its speaker plays to an -audiodev (-M help, -M pc,help)', set: setMachine },
  { names: ['smbios'], argument: 'type=0|1|2|3|4|8|11|17|41,FIELD=TEXT,... | file=FILE', help: 'what SMBIOS says of firmware (0), system (1), board (2), chassis (3), processor (4), memory (17), with more texts (11: value=TEXT or path=FILE), connectors (8) and devices (41); file: a whole structure', set: setSmbios },
  { names: ['uuid'], argument: 'UUID', help: "the system's UUID in SMBIOS and behind the VMware port", set: (config, value, option) => setSmbios(config, `type=1,uuid=${value}`, option) },
  { names: ['icount'], argument: '[shift=]N|auto[,align=on][,sleep=off]',
    help: 'virtual time is made of instructions, 2^N ns each, and runs repeat; auto follows the host', set: setIcount },
  { names: ['rtc'], argument: 'base=utc|localtime|DATE[,clock=host|rt|vm]', help: "the guest's date at start, e.g. 2026-01-01T12:00:00; vm: it goes by virtual time", set: setRtc },
  { names: ['display'], argument: 'term|none', help: 'draw the screen in this terminal, or not at all', set: (config, value, option) => {
    if (value === 'help') throw new Information('Available display backend types:\nnone\nterm');
    if (value !== 'term' && value !== 'none') throw new UsageError(`${option} ${value}: unknown display (term, none)`);
    config.display = value;
  } },
  { names: ['vga'], argument: 'std|none', help: 'the VGA adapter: QEMU\'s standard VGA (default), or none', set: (config, value, option) => {
    if (value === 'help') throw new Information('none                 no graphic card\nstd                  standard VGA (default)');
    if (value !== 'std' && value !== 'none') throw new UsageError(`${option} ${value}: unknown vga type (std, none)`);
    config.vga = value;
  } },
  { names: ['nographic'], help: 'no display; COM1 is on stdio, unless -serial says otherwise', set: (config) => {
    config.display = 'none';
    config.noGraphic = true;
  } },
  { names: ['serial'], argument: LINE_ARGUMENT, help: 'where COM1 (then COM2, 3, 4) goes; none: there is no such port', set: (config, value, option) => {
    if (config.serial.length === SERIAL_PORTS) throw new UsageError(`${option} ${value}: a PC has ${SERIAL_PORTS} serial ports`);
    config.serial.push(parseLine(option, value));
  } },
  { names: ['parallel'], argument: LINE_ARGUMENT, help: 'where LPT1 (then LPT2) prints to; none: there is no such port', set: (config, value, option) => {
    if (config.parallel.length === PARALLEL_PORTS) throw new UsageError(`${option} ${value}: a PC has ${PARALLEL_PORTS} parallel ports`);
    config.parallel.push(parseLine(option, value));
  } },
  { names: ['debugcon'], argument: LINE_ARGUMENT, help: 'where bytes written to port E9h go', set: (config, value, option) => {
    if (config.debugcon !== null) throw new UsageError(`${option} ${value}: the board takes one debug console`);
    config.debugcon = parseLine(option, value);
  } },
  { names: ['netdev'], argument: 'user,id=ID[,net=ADDR/BITS][,host=ADDR][,dns=ADDR][,dhcpstart=ADDR][,hostname=NAME][,restrict=on][,hostfwd=tcp|udp:[ADDR]:PORT-[ADDR]:PORT] | socket,id=ID,listen=[ADDR]:PORT|connect=ADDR:PORT|udp=ADDR:PORT,localaddr=[ADDR]:PORT|mcast=GROUP:PORT[,localaddr=ADDR] | hubport,id=ID,hubid=N[,netdev=ID]',
    help: "a network for a card of -device MODEL,netdev=ID: the host's, behind a router of its own; hostfwd: a port of the host leads to the guest; socket: the cards of other machines; hubport: a port of hub N, for a card or the -netdev behind it", set: setNetdev },
  { names: ['nic'], argument: 'user|socket|hubport[,model=MODEL][,mac=ADDR][,...] | none', help: 'a network card with its -netdev (model=help lists cards) in place of the default one, or none', set: setNic },
  { names: ['object'], argument: 'filter-dump,id=ID,netdev=ID,file=FILE.pcap[,maxlen=N]', help: 'write all frames of a network to a file that tcpdump and Wireshark read', set: setObject },
  { names: ['net'], argument: 'nic[,model=MODEL][,macaddr=ADDR][,netdev=ID] | user[,...] | socket,... | none', help: "QEMU's old way: cards and networks that hub 0 joins, or no card", set: setNet },
  { names: ['device'], argument: 'isa-debug-exit[,iobase=0x501][,iosize=2] | isa-debugcon,chardev=ID[,iobase=0xe9][,readback=0xe9] | pvpanic[,ioport=0x505] | pc-testdev | ide-hd,drive=ID[,bus=ide.0|ide.1][,unit=0|1][,serial=TEXT] | ide-cd[,drive=ID] | floppy[,drive=ID][,unit=0|1][,drive-type=144|288|120|auto] | VGA[,romfile=FILE][,vgamem_mb=16] | virtio-blk-pci,drive=ID[,serial=TEXT] | virtio-9p-pci,fsdev=ID,mount_tag=TAG | virtio-keyboard-pci | virtio-mouse-pci | virtio-tablet-pci | virtio-balloon-pci[,deflate-on-oom=on] | virtio-rng-pci | NIC[,netdev=ID][,mac=ADDR]',
    help: 'lets the guest end the emulator; the VGA adapter, with another BIOS or more memory; network cards; -device help lists all, -device NAME,help their properties', set: setDevice },
  { names: ['chardev'], argument: 'stdio|null|file,path=FILE[,append=on]|pipe,path=PATH|socket,path=PATH|socket,[host=ADDR,]port=PORT[,server=on][,wait=off][,telnet=on][,reconnect=SECONDS]|udp,[host=ADDR,]port=PORT[,localaddr=ADDR][,localport=PORT],id=ID[,logfile=FILE][,logappend=on]', help: 'what is at the other end of a virtconsole, a virtserialport, or a -serial chardev:ID', set: setChardev },
  { names: ['virtfs'], argument: 'local,path=FOLDER,mount_tag=TAG,security_model=none|passthrough[,readonly=on][,id=ID]', help: 'a folder of the host that the guest mounts by 9P, and cannot leave', set: setVirtfs },
  { names: ['fsdev'], argument: 'local,id=ID,path=FOLDER,security_model=none|passthrough[,readonly=on]', help: 'the same, for a -device virtio-9p-pci,fsdev=ID,mount_tag=TAG', set: setFsdev },
  { names: ['audiodev'], argument: 'none,id=ID | wav,id=ID[,path=FILE.wav][,out.frequency=44100]', help: 'where sound goes', set: setAudiodev },
  { names: ['d'], argument: 'ITEM,...', help: 'log these items (-d help lists them)', set: setLogItems },
  { names: ['D'], argument: 'FILE', help: 'write the log to a file instead of stderr', set: (config, value) => { config.logFile = value; } },
  { names: ['dfilter'], argument: 'START..END|START+LEN,...', help: 'log only code at these addresses', set: (config, value, option) => {
    rewrap(option, () => parseLogFilter(value));
    config.logFilter = value;
  } },
  { names: ['k'], argument: 'LAYOUT', help: "the guest's keyboard layout, e.g. de (-k help lists them)", set: (config, value, option) => {
    if (value === 'help' || value === '?') throw new Information(`Keyboard layouts:\n${LAYOUT_NAMES.join('\n')}`);
    config.keyboardLayout = rewrap(option, () => new KeyboardLayout(value)).name;
  } },
  { names: ['name'], argument: 'NAME', help: "the guest's name, shown by the display", set: (config, value, option) => {
    const properties = parseProperties(option, value, 'guest');
    checkProperties(option, properties, ['guest']);
    config.name = properties.get('guest') ?? '';
  } },
  { names: ['expect'], argument: 'REGEX', help: 'step: wait for new text on the screen or the serial line', set: (config, value, option) => {
    config.steps.push({ kind: 'expect', pattern: pattern(option, value) });
  } },
  { names: ['type'], argument: 'TEXT', help: 'step: type text (\\n Enter, {f1}, {ctrl-d})', set: (config, value) => {
    // The keys for it depend on -k, which may come later: see pressKeys().
    config.steps.push({ kind: 'type', chords: [], text: value });
  } },
  { names: ['key'], argument: 'NAME', help: 'step: press a key or combination (f1, ctrl-alt-delete)', set: (config, value, option) => {
    config.steps.push({ kind: 'key', chords: [rewrap(option, () => parseChord(value, isKeyName))], text: value });
  } },
  { names: ['mouse'], argument: 'RIGHT,DOWN[,BUTTONS[,WHEEL]]', help: 'step: move the mouse by counts, hold buttons (left+right, or 1, 2, 4 as in QEMU)', set: (config, value, option) => {
    config.steps.push({ kind: 'mouse', ...rewrap(option, () => parseMouse(value)), text: value });
  } },
  { names: ['point'], argument: 'X,Y[,BUTTONS[,WHEEL]]', help: 'step: point at a place on the screen, from 0,0 to 1,1, with a tablet', set: (config, value, option) => {
    config.steps.push({ kind: 'point', ...rewrap(option, () => parsePlace(value)), text: value });
  } },
  { names: ['wait'], argument: 'SECONDS', help: 'step: let time pass', set: (config, value, option) => {
    config.steps.push({ kind: 'wait', seconds: parseSeconds(option, value) });
  } },
  { names: ['change'], argument: 'fda|fdb|cdrom=[FILE][,readonly=on][,snapshot=on]', help: 'step: change the floppy in A or B, or the CD; no FILE: take it out', set: addChange },
  { names: ['screen'], help: 'step: print the text screen', set: (config) => { config.steps.push({ kind: 'screen' }); } },
  { names: ['screenshot'], argument: 'FILE.png', help: 'step: write a picture of the screen', set: (config, value) => {
    config.steps.push({ kind: 'screenshot', file: value });
  } },
  { names: ['timeout'], argument: 'SECONDS', help: 'end the whole run with code 3 after this long', set: (config, value, option) => {
    config.timeout = parseSeconds(option, value);
  } },
  { names: ['stats'], argument: 'FILE', help: 'write all counters as JSON at the end', set: (config, value) => { config.stats = value; } },
  { names: ['images'], help: 'list the named machines and where their images are', set: () => { throw new Information('images'); } },
  { names: ['profile'], argument: 'FILE', help: 'write the hottest regions and blocks, and why code was left, at the end', set: (config, value) => { config.profile = value; } },
  { names: ['symbols'], argument: 'FILE[,offset=N]', help: 'names in --profile: a System.map or an ELF32 file (more than one may be given)', set: (config, value, option) => {
    const properties = parseProperties(option, value, 'file');
    checkProperties(option, properties, ['file', 'offset']);
    config.symbols.push({ file: properties.get('file') ?? '', offset: parseNumber(`${option} offset`, properties.get('offset') ?? '0', 0, 0xffffffff) });
  } },
  { names: ['version'], help: 'print the version', set: () => { throw new Information('version'); } },
  { names: ['h', 'help'], help: 'print this help', set: () => { throw new Information(helpText()); } },
];

/** Steps and what concerns the whole run are not QEMU's: they are written with two dashes. */
const OWN = ['expect', 'type', 'key', 'mouse', 'point', 'wait', 'change', 'screen', 'screenshot', 'timeout', 'stats', 'profile', 'symbols', 'images'];

export function helpText(): string {
  const lines = OPTIONS.map(({ names, argument, help }) => {
    const left = `${OWN.includes(names[0]!) ? '--' : '-'}${names[0]}${argument === undefined ? '' : ` ${argument}`}`;
    return left.length < 28 ? `  ${left.padEnd(28)} ${help}` : `  ${left}\n${' '.repeat(31)}${help}`;
  });
  return [
    'usage: tcg86 [options] [disk_image | NAME]', '', 'Machines by name, found or downloaded when first used (--images):',
    ...NAMED_MACHINES.map(({ name, help }) => `  ${name.padEnd(28)} ${help}`), '', 'Options, which also change what a name stands for:', ...lines, '',
    'Steps are done in the order given; after the last one the machine stops, exit code 0. A step that fails, or the timeout,',
    'prints the screen: exit code 3. Without a drive the built-in demo disk boots. Without -display, the terminal shows the screen',
    'if standard output is one that nothing else uses; else the screen is printed at the end. In it: Ctrl-A x leaves, Ctrl-A h helps.',
  ].join('\n');
}

interface Word {
  /** null: a bare argument. */
  readonly option: Option | null;
  readonly word: string;
  readonly value: string;
}

/** The arguments, each option with what belongs to it. @throws UsageError */
function scan(args: readonly string[]): Word[] {
  const words: Word[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    if (!word.startsWith('-') || word === '-') {
      words.push({ option: null, word: 'disk image', value: word });
      continue;
    }
    const name = word.replace(/^--?/, '');
    const option = OPTIONS.find(({ names }) => names.includes(name));
    if (option === undefined) throw new UsageError(`${word}: invalid option (tcg86 -h lists all)`);
    if (option.argument === undefined) {
      words.push({ option, word, value: '' });
      continue;
    }
    at++;
    if (at >= args.length) throw new UsageError(`${word}: requires an argument (${option.argument})`);
    words.push({ option, word, value: args[at]! });
  }
  return words;
}

const machineOf = ({ option, value }: Word): NamedMachine | undefined => (option === null ? NAMED_MACHINES.find(({ name }) => name === value) : undefined);

/** Finds the keys for each --type. */
function pressKeys(config: Config): void {
  const layout = new KeyboardLayout(config.keyboardLayout);
  config.steps = config.steps.map((step) => (
    step.kind === 'type' ? { ...step, chords: rewrap('--type', () => parseTyping(step.text, isKeyName, layout)) } : step));
}

/**
 * Reads the arguments (without node and script).
 * @throws UsageError with a one-line message; Information when -h, -version or a list was asked for.
 */
export function parseArguments(args: readonly string[]): Config {
  const config = defaultConfig();
  const words = scan(args);
  // A name comes first wherever it stands, so that every option can change what it means.
  const [named, second] = words.map(machineOf).filter((machine) => machine !== undefined);
  if (second !== undefined) throw new UsageError(`${second.name}: a machine has one name, and this one is ${named!.name}`);
  if (named !== undefined) setNamed(config, named);
  for (const item of words) {
    if (item.option !== null) item.option.set(config, item.value, item.word);
    else if (machineOf(item) === undefined) setImage('ide', 0)(config, item.value, item.word);
  }
  pressKeys(config);
  if (config.noGraphic && config.serial.length === 0 && config.defaults) {
    config.serial.push(parseLine('-nographic', 'stdio'));
  }
  checkAccelerator(config);
  checkBuses(config);
  checkNics(config);
  attachDrives(config);
  checkPorts(config);
  checkChardevs(config);
  checkAudio(config);
  checkShares(config);
  if (config.kernel === null && config.append !== null) throw new UsageError('-append only allowed with -kernel option');
  if (config.kernel === null && config.initrd !== null) throw new UsageError('-initrd only allowed with -kernel option');
  return config;
}
