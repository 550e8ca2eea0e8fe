/**
 * Keyboard layouts: which key types a character, for a guest that has this layout. Pure table; names as QEMU's -k has them.
 * Source: the national layouts as ISO/IEC 9995 places them on the 102 keys, in the variants that PC keyboards are printed with.
 *
 * A layout lists what the keys type, row by row from the top left, without and with Shift; a blank types nothing:
 *     grave_accent 1 2 3 4 5 6 7 8 9 0 minus equal      q w e r t y u i o p bracket_left bracket_right
 *     a s d f g h j k l semicolon apostrophe backslash  less z x c v b n m comma dot slash
 * AltGr (and Shift with it) is given by pairs: the character that the key types alone, and the one with AltGr. Dead keys wait for
 * the letter that they go onto, and type their own character with a space; `dead` holds their characters.
 */

export interface LayoutRow {
  readonly names: readonly string[];
  readonly plain: string;
  readonly shift: string;
  readonly altGr?: string;
  readonly shiftAltGr?: string;
  readonly dead?: string;
}

/** The keys of a layout's characters, by QEMU's names. */
export const LAYOUT_KEYS: readonly string[] = [
  'grave_accent', ...'1234567890', 'minus', 'equal', ...'qwertyuiop', 'bracket_left', 'bracket_right',
  ...'asdfghjkl', 'semicolon', 'apostrophe', 'backslash', 'less', ...'zxcvbnm', 'comma', 'dot', 'slash',
];

const US = { plain: '`1234567890-=qwertyuiop[]asdfghjkl;\'\\ zxcvbnm,./', shift: '~!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:"| ZXCVBNM<>?' };
const NORDIC = '2@3£4$5€7{8[9]0}e€mµ';

export const LAYOUTS: readonly LayoutRow[] = [
  { names: ['en-us', 'us'], ...US },
  {
    names: ['en-gb', 'uk', 'gb'],
    plain: '`1234567890-=qwertyuiop[]asdfghjkl;\'#\\zxcvbnm,./',
    shift: '¬!"£$%^&*()_+QWERTYUIOP{}ASDFGHJKL:@~|ZXCVBNM<>?',
    altGr: '`¦4€aáeéiíoóuú', shiftAltGr: 'aÁeÉiÍoÓuÚ',
  },
  {
    names: ['da', 'dk'],
    plain: '½1234567890+´qwertyuiopå¨asdfghjklæø\'<zxcvbnm,.-',
    shift: '§!"#¤%&/()=?`QWERTYUIOPÅ^ASDFGHJKLÆØ*>ZXCVBNM;:_',
    altGr: `${NORDIC}´|¨~<\\`, dead: '´`¨^~',
  },
  {
    names: ['de'],
    plain: '^1234567890ß´qwertzuiopü+asdfghjklöä#<yxcvbnm,.-',
    shift: '°!"§$%&/()=?`QWERTZUIOPÜ*ASDFGHJKLÖÄ\'>YXCVBNM;:_',
    altGr: '2²3³7{8[9]0}ß\\q@e€+~<|mµ', dead: '^´`',
  },
  {
    names: ['de-ch'],
    plain: '§1234567890\'^qwertzuiopü¨asdfghjklöä$<yxcvbnm,.-',
    shift: '°+"*ç%&/()=?`QWERTZUIOPè!ASDFGHJKLéà£>YXCVBNM;:_',
    altGr: '1¦2@3#6¬7|8¢\'´^~e€ü[¨]ä{$}<\\', dead: '^`´~¨',
  },
  {
    names: ['es'],
    plain: 'º1234567890\'¡qwertyuiop`+asdfghjklñ´ç<zxcvbnm,.-',
    shift: 'ª!"·$%&/()=?¿QWERTYUIOP^*ASDFGHJKLÑ¨Ç>ZXCVBNM;:_',
    altGr: 'º\\1|2@3#4~5€6¬e€`[+]´{ç}', dead: '`^´¨',
  },
  {
    names: ['fi'],
    plain: '§1234567890+´qwertyuiopå¨asdfghjklöä\'<zxcvbnm,.-',
    shift: '½!"#¤%&/()=?`QWERTYUIOPÅ^ASDFGHJKLÖÄ*>ZXCVBNM;:_',
    altGr: `${NORDIC}+\\¨~<|`, dead: '´`¨^~',
  },
  {
    names: ['fr'],
    plain: '²&é"\'(-è_çà)=azertyuiop^$qsdfghjklmù*<wxcvbn,;:!',
    shift: ' 1234567890°+AZERTYUIOP¨£QSDFGHJKLM%µ>WXCVBN?./§',
    altGr: 'é~"#\'{([-|è`_\\ç^à@)]=}e€$¤', dead: '^¨',
  },
  {
    names: ['fr-be', 'be'],
    plain: '²&é"\'(§è!çà)-azertyuiop^$qsdfghjklmùµ<wxcvbn,;:=',
    shift: '³1234567890°_AZERTYUIOP¨*QSDFGHJKLM%£>WXCVBN?./+',
    altGr: '&|é@"#§^ç{à}e€^[$]ù´µ`<\\=~', dead: '^¨´`~',
  },
  {
    names: ['fr-ch'],
    plain: '§1234567890\'^qwertzuiopè¨asdfghjkléà$<yxcvbnm,.-',
    shift: '°+"*ç%&/()=?`QWERTZUIOPü!ASDFGHJKLöä£>YXCVBNM;:_',
    altGr: '1¦2@3#6¬7|8¢\'´^~e€è[¨]à{$}<\\', dead: '^`´~¨',
  },
  {
    names: ['it'],
    plain: '\\1234567890\'ìqwertyuiopè+asdfghjklòàù<zxcvbnm,.-',
    shift: '|!"£$%&/()=?^QWERTYUIOPé*ASDFGHJKLç°§>ZXCVBNM;:_',
    altGr: 'e€è[+]ò@à#', shiftAltGr: 'è{+}',
  },
  {
    names: ['no'],
    plain: '|1234567890+\\qwertyuiopå¨asdfghjkløæ\'<zxcvbnm,.-',
    shift: '§!"#¤%&/()=?`QWERTYUIOPÅ^ASDFGHJKLØÆ*>ZXCVBNM;:_',
    altGr: `${NORDIC}\\´¨~`, dead: '´`¨^~',
  },
  { names: ['pl'], ...US, altGr: 'aącćeęlłnńoósśxźzż', shiftAltGr: 'aĄcĆeĘlŁnŃoÓsŚxŹzŻ' },
  {
    names: ['pt'],
    plain: '\\1234567890\'«qwertyuiop+´asdfghjklçº~<zxcvbnm,.-',
    shift: '|!"#$%&/()=?»QWERTYUIOP*`ASDFGHJKLÇª^>ZXCVBNM;:_',
    altGr: '2@3£4§5€7{8[9]0}e€+¨', dead: '´`~^¨',
  },
  {
    names: ['sv'],
    plain: '§1234567890+´qwertyuiopå¨asdfghjklöä\'<zxcvbnm,.-',
    shift: '½!"#¤%&/()=?`QWERTYUIOPÅ^ASDFGHJKLÖÄ*>ZXCVBNM;:_',
    altGr: `${NORDIC}+\\¨~<|`, dead: '´`¨^~',
  },
];
