[binh-thuan-2017] ok Cục giao qua tổ chức cơ yếu | device handover {dev} --dir {dir} --as {cuc} --to co-yeu:{cy-code} --taker {cy} --way co-yeu
[binh-thuan-2017] take rec record
[binh-thuan-2017] ok Bên giao ký số | device sign {rec} --dir {dir} --as {cuc} {cuc-key}
[binh-thuan-2017] ok Cơ yếu ký nhận | device sign {rec} --dir {dir} --as {cy} {cy-key}
[binh-thuan-2017] ok Cơ yếu chuyển đến cơ quan | device handover {dev} --dir {dir} --as {cy} --to agency:{agency-code} --taker {head} --way co-yeu
[tay-ninh-2025,gia-lai-2026,dong-thap-2025,bac-ninh-2023] ok Cục lập biên bản bàn giao | device handover {dev} --dir {dir} --as {cuc} --to agency:{agency-code} --taker {head}
take rec record
[binh-thuan-2017] ok Cơ yếu ký số | device sign {rec} --dir {dir} --as {cy} {cy-key}
[tay-ninh-2025,gia-lai-2026,dong-thap-2025,bac-ninh-2023] ok Bên giao ký số | device sign {rec} --dir {dir} --as {cuc} {cuc-key}
ok Bên nhận ký số | device sign {rec} --dir {dir} --as {head} {head-key}
