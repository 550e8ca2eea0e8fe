; struc, istruc, at, iend
struc point
.x: resw 1
.y: resw 1
.tag: resb 1
  alignb 4
.next: resd 1
endstruc
struc frame, 4
.ip resw 1
.cs resw 1
endstruc
  db point_size, point.y, point.next, frame.ip, frame.cs, frame_size
p: istruc point
  at point.y, dw 5
  at point.tag, db 'z'
iend
  mov ax, [bx + point.y]
  mov ax, [bp + frame.cs]
;= 0c0208040604000005007a000000000000008b47028b4606
