; %rep, %exitrep, nested, and positions in %if and %assign
%assign i 0
%rep 5
  db i
  %assign i i + 1
  %if i == 3
    %exitrep
  %endif
%endrep
%rep 2
  %rep 3
    db 0xaa
  %endrep
  db 0xbb
%endrep
%rep 0
  db 0xff
%endrep
%assign here $ - $$
  db here
first: db 1, 2
second:
%if second - first == 2
  db 0x22
%endif
%if ($ - $$) > 200
  %error too long
%endif
%assign fib 1
%assign last 0
%rep 10
  db fib
  %assign next fib + last
  %assign last fib
  %assign fib next
%endrep
;= 000102aaaaaabbaaaaaabb0b0102220101020305080d152237
