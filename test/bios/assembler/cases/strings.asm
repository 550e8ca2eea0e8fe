; Strings of three kinds, in items of several sizes
  db 'abc', "it's", `tab\tnew\nquote\`\x41\101\0\e`, 'no\nescape', "", 'x'
  db `\u263a\\`
  dw 'abc', 'ab', "x"
  dd 'abcde', 'ab'
  dq 'hello, world'
  db 'a' + 1, 'z' - 'a'
;= 61626369742773746162096e65770a71756f7465604141001b6e6f5c6e65736361706578e298ba5c
;= 616263006162780061626364650000006162000068656c6c6f2c20776f726c64000000006219
