[binh-thuan-2017] ok Nộp thiết bị đã thu hồi qua tổ chức cơ yếu | device return {d5} --dir {dir} --as {head} --to co-yeu:{cy-code} --giver {head} --taker {cy} --way co-yeu --reason "nghỉ hưu"
[tay-ninh-2025,gia-lai-2026,dong-thap-2025,bac-ninh-2023] ok Nộp thiết bị đã thu hồi về Cục | device return {d5} --dir {dir} --as {head} --to cuc --giver {head} --taker {cuc} --reason "nghỉ hưu"
take rec record
ok Bên giao ký số | device sign {rec} --dir {dir} --as {head} {head-key}
[binh-thuan-2017] ok Cơ yếu ký nhận | device sign {rec} --dir {dir} --as {cy} {cy-key}
[tay-ninh-2025,gia-lai-2026,dong-thap-2025,bac-ninh-2023] ok Bên nhận ký số | device sign {rec} --dir {dir} --as {cuc} {cuc-key}
