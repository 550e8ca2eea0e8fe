/** The argument of `-initrd`: one file, or the modules of a multiboot kernel as `FILE ARGUMENTS,FILE ARGUMENTS`, `,,` being a comma. */

/** Each module's file, and its file with arguments, which the kernel is told. */
export function parseModules(text: string): { file: string; name: string }[] {
  return text.replaceAll(',,', '\0').split(',').map((part) => part.replaceAll('\0', ',')).map((name) => ({ file: name.split(' ', 1)[0]!, name }));
}
