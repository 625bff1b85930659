ok Cục lập biên bản bàn giao | device handover {dev} --dir {dir} --as {cuc} --to agency:{agency-code} --taker {head}
take rec record
ok Bên giao ký số | device sign {rec} --dir {dir} --as {cuc} {cuc-key}
ok Bên nhận ký số | device sign {rec} --dir {dir} --as {head} {head-key}
