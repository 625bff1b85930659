append antin.yaml     co-yeu: {cy-code}
ok Ghi tổ chức cơ yếu | agency add --dir {dir} --as {cuc} --name "Phòng Cơ yếu, Văn phòng Tỉnh ủy (MẪU)" --code {cy-code} --superior {top-code} --province "{province}" --email coyeu@mau.gov.vn --hierarchy {hierarchy}
ok Ghi cán bộ cơ yếu | person add --dir {dir} --as {cuc} --name "Vũ Cơ Yếu Mẫu" --agency {cy-code} --email vucoyeu@mau.gov.vn --identity 001080000019 --identity-issued 2016-05-04 --identity-place "Cục Cảnh sát QLHC" --born 1981-02-03 --phone 0912000019
take cy number
ok Chức vụ cán bộ cơ yếu | person post {cy} --dir {dir} --as {cuc} --agency {cy-code} --title "Trưởng phòng" --head --since {since}
ok Vai trò cơ yếu | person role {cy} --dir {dir} --as {cuc} --role co-yeu --agency {cy-code} --since {since}
ok Thiết bị của cán bộ cơ yếu | token init pkcs11:?module-path={module} --label can-bo-co-yeu --so-pin-file {dir}/pins/can-bo-so.pin --pin-file {dir}/pins/can-bo.pin
ok Chứng thư của cán bộ cơ yếu | ca issue --dir {dir} --generate --token "pkcs11:token=can-bo-co-yeu?module-path={module}" --pin-file {dir}/pins/can-bo.pin --profile ca-nhan --subject "C=VN, O={top-name}, CN=Vũ Cơ Yếu Mẫu" --email vucoyeu@mau.gov.vn --as system --output {dir}/can-bo-co-yeu.crt
ok Cán bộ cơ yếu được ghi nhận | ca officer add {cy} --dir {dir} --cert {dir}/can-bo-co-yeu.crt --role co-yeu
let cy-key --key pkcs11:token=can-bo-co-yeu?module-path={module} --cert {dir}/can-bo-co-yeu.crt --pin-file {dir}/pins/can-bo.pin
