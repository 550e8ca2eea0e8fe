/** Macros that every program has: alignment and structures (NASM manual, 5.10 and 4.11), in the macro language itself. */

/** File name of these lines; errors in them are reported at the call. */
export const STANDARD_FILE = '(standard macros)';

export const STANDARD_MACROS = `
%define __SECT__ [section .text]
%imacro section 1+.nolist
  %xdefine __SECT__ [section %1]
  [section %1]
%endmacro
%imacro segment 1+.nolist
  %xdefine __SECT__ [section %1]
  [section %1]
%endmacro
%imacro absolute 1+.nolist
  %xdefine __SECT__ [absolute %1]
  [absolute %1]
%endmacro

%imacro align 1-2+.nolist nop
  [sectalign %1]
  times (((%1) - (($-$$) % (%1))) % (%1)) %2
%endmacro
%imacro alignb 1-2+.nolist resb 1
  [sectalign %1]
  times (((%1) - (($-$$) % (%1))) % (%1)) %2
%endmacro

%imacro struc 1-2.nolist 0
  %xdefine ?struc_name %1
  [absolute %2]
%1:
%endmacro
%imacro endstruc 0.nolist
  ?struc_name %+ _size equ $ - ?struc_name
  __SECT__
%endmacro
%imacro istruc 1.nolist
  %xdefine ?istruc_name %1
  %xdefine ?istruc_start %%start
%%start:
%endmacro
%imacro at 1-2+.nolist
  times ((%1) - ?istruc_name) - ($ - ?istruc_start) db 0
  %2
%endmacro
%imacro iend 0.nolist
  times (?istruc_name %+ _size) - ($ - ?istruc_start) db 0
%endmacro
`;
