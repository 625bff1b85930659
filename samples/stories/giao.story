ok Giao cho thuê bao | device handover {dev} --dir {dir} --as {head} --to {to}
take rec2 record
ok Bên giao ký số | device sign {rec2} --dir {dir} --as {head} {head-key}
ok Thuê bao ký số | device sign {rec2} --dir {dir} --as {to} {to-key}
