# One agency under one regulation, from its first certificate to the retirement of its people. Names are invented (MẪU).
say Bản cài đặt và sổ đăng ký (MẪU)
ok Tạo bản cài đặt | init {dir} --name "Tổ chức chứng thực MẪU" --regulation {regulation} --database {database} --hierarchy {hierarchy}
append antin.yaml request:\n  bodies:\n    cuc: G11.07.05\n    so-khcn: {so-code}\n    trung-tam: {tt-code}\n    nguoi-quan-ly-thue-bao: {so-code}
ok Ghi Cục | agency add --dir {dir} --as system --name "Cục Chứng thực số (MẪU)" --code G11.07.05 --province "Hà Nội" --email ca@bcy.gov.vn --address "Hòa Lạc" --hierarchy {hierarchy}
ok Ghi cơ quan cấp trên | agency add --dir {dir} --as system --name "{top-name}" --code {top-code} --province "{province}" --regulation {regulation} --hierarchy {hierarchy} --address "Số 1, đường Mẫu" --email vanphong@mau.gov.vn
ok Ghi cơ quan được ủy quyền | agency add --dir {dir} --as system --name "{so-name}" --code {so-code} --superior {top-code} --province "{province}" --email so@mau.gov.vn --address "Số 2, đường Mẫu" --hierarchy {hierarchy}
ok Ghi Trung tâm | agency add --dir {dir} --as system --name "Trung tâm Công nghệ thông tin và Truyền thông (MẪU)" --code {tt-code} --superior {so-code} --province "{province}" --email trungtam@mau.gov.vn --hierarchy {hierarchy}
ok Ghi cơ quan quản lý trực tiếp | agency add --dir {dir} --as system --name "{agency-name}" --code {agency-code} --superior {top-code} --province "{province}" --email xamau@mau.gov.vn --address "Số 3, đường Mẫu" --tax-code 1400000001 --budget-code 1000001 --hierarchy {hierarchy}
ok Ghi cán bộ Cục | person add --dir {dir} --as system --name "Lê Cục Mẫu" --agency G11.07.05 --email cuc@bcy.gov.vn --identity 001080000001 --identity-issued 2016-05-04 --identity-place "Cục Cảnh sát QLHC" --born 1980-02-03 --phone 0912000001
take cuc number
ok Ghi cán bộ được ủy quyền | person add --dir {dir} --as system --name "Phạm Sở Mẫu" --agency {so-code} --email phamso@mau.gov.vn --identity 001080000002 --identity-issued 2016-05-04 --identity-place "Cục Cảnh sát QLHC" --born 1980-02-03 --phone 0912000002
take so number
ok Ghi người đứng đầu | person add --dir {dir} --as system --name "Trần Văn Mẫu" --agency {agency-code} --email tranvm@mau.gov.vn --identity 001080000003 --identity-issued 2016-05-04 --identity-place "Cục Cảnh sát QLHC" --born 1975-02-03 --phone 0912000003
take head number
ok Ghi người thứ nhất | person add --dir {dir} --as system --name "Nguyễn Thị Ưởng" --agency {agency-code} --email uongnt@mau.gov.vn --identity 001080000004 --identity-issued 2016-05-04 --identity-place "Cục Cảnh sát QLHC" --born 1985-02-03 --phone 0912000004
take p1 number
ok Ghi người thứ hai | person add --dir {dir} --as system --name "Đặng Văn Thư" --agency {agency-code} --email thudv@mau.gov.vn --identity 001080000005 --identity-issued 2016-05-04 --identity-place "Cục Cảnh sát QLHC" --born 1986-02-03 --phone 0912000005
take p2 number
ok Ghi người thứ ba | person add --dir {dir} --as system --name "Võ Khóa Mẫu" --agency {agency-code} --email vokhoa@mau.gov.vn --identity 001080000006 --identity-issued 2016-05-04 --identity-place "Cục Cảnh sát QLHC" --born 1987-02-03 --phone 0912000006
take p3 number
ok Ghi người thứ tư | person add --dir {dir} --as system --name "Bùi Mất Mẫu" --agency {agency-code} --email buimat@mau.gov.vn --identity 001080000007 --identity-issued 2016-05-04 --identity-place "Cục Cảnh sát QLHC" --born 1988-02-03 --phone 0912000007
take p4 number
ok Ghi người thứ năm | person add --dir {dir} --as system --name "Hồ Hưu Mẫu" --agency {agency-code} --email hohuu@mau.gov.vn --identity 001080000008 --identity-issued 2016-05-04 --identity-place "Cục Cảnh sát QLHC" --born 1964-02-03 --phone 0912000008
take p5 number
no nd-68-2024/mau-01 Địa chỉ gmail.com không vào được sổ | person add --dir {dir} --as system --name "Sai Thư Mẫu" --agency {agency-code} --email saithu@gmail.com
ok Chức vụ cán bộ Cục | person post {cuc} --dir {dir} --as system --agency G11.07.05 --title "Cục trưởng" --head --since {since}
[tay-ninh-2025,gia-lai-2026,dong-thap-2025,bac-ninh-2023] ok Ghi giám đốc cơ quan được ủy quyền | person add --dir {dir} --as system --name "Ngô Giám Đốc Mẫu" --agency {so-code} --email ngogd@mau.gov.vn --identity 001080000009 --identity-issued 2016-05-04 --identity-place "Cục Cảnh sát QLHC" --born 1972-02-03 --phone 0912000009
[tay-ninh-2025,gia-lai-2026,dong-thap-2025,bac-ninh-2023] take boss number
[tay-ninh-2025,gia-lai-2026,dong-thap-2025,bac-ninh-2023] ok Chức vụ giám đốc | person post {boss} --dir {dir} --as system --agency {so-code} --title "Giám đốc" --head --since {since}
[tay-ninh-2025,gia-lai-2026,dong-thap-2025,bac-ninh-2023] ok Chức vụ cán bộ được ủy quyền, ký thay | person post {so} --dir {dir} --as system --agency {so-code} --title "Phó Giám đốc" --authority KT --since {since}
[binh-thuan-2017] ok Chức vụ Người quản lý thuê bao | person post {so} --dir {dir} --as system --agency {so-code} --title "Chánh Văn phòng" --head --since {since}
ok Chức vụ người đứng đầu | person post {head} --dir {dir} --as system --agency {agency-code} --title "{head-title}" --authority TM --head --since {since}
ok Chức vụ người thứ nhất | person post {p1} --dir {dir} --as system --agency {agency-code} --title "Phó Chủ tịch" --since {since}
ok Chức vụ người thứ hai | person post {p2} --dir {dir} --as system --agency {agency-code} --title "Văn thư" --since {since}
ok Chức vụ người thứ ba, đến ngày chuyển công tác | person post {p3} --dir {dir} --as system --agency {agency-code} --title "Chuyên viên" --since {since} --until {leave}
ok Chức vụ người thứ tư | person post {p4} --dir {dir} --as system --agency {agency-code} --title "Chuyên viên" --since {since}
ok Chức vụ người thứ năm | person post {p5} --dir {dir} --as system --agency {agency-code} --title "Chuyên viên chính" --since {since}
ok Vai trò Cục | person role {cuc} --dir {dir} --as system --role cuc --agency G11.07.05 --since {since}
ok Vai trò cơ quan được ủy quyền | person role {so} --dir {dir} --as {cuc} --role {so-role} --agency {so-code} --since {since}
ok Vai trò quản lý trực tiếp | person role {head} --dir {dir} --as {cuc} --role qltt --agency {agency-code} --since {since}
ok Vai trò văn thư | person role {p2} --dir {dir} --as {head} --role van-thu --agency {agency-code} --document 05/QĐ --since {since}
ok Thuê bao: người đứng đầu | subscriber add --dir {dir} --as {head} --person {head}
take s0 number
ok Thuê bao 1 | subscriber add --dir {dir} --as {head} --person {p1}
take s1 number
ok Thuê bao 2 | subscriber add --dir {dir} --as {head} --person {p2}
take s2 number
ok Thuê bao 3 | subscriber add --dir {dir} --as {head} --person {p3}
take s3 number
ok Thuê bao 4 | subscriber add --dir {dir} --as {head} --person {p4}
take s4 number
ok Thuê bao 5 | subscriber add --dir {dir} --as {head} --person {p5}
take s5 number
ok Thuê bao: cơ quan | subscriber add --dir {dir} --as {head} --kind agency --agency {agency-code} --manager {p2}
take sa number
append pins/can-bo.pin 73914682
append pins/can-bo-so.pin 85206193
ok Thiết bị của cán bộ Cục | token init pkcs11:?module-path={module} --label can-bo-cuc --so-pin-file {dir}/pins/can-bo-so.pin --pin-file {dir}/pins/can-bo.pin
ok Chứng thư của cán bộ Cục | ca issue --dir {dir} --generate --token "pkcs11:token=can-bo-cuc?module-path={module}" --pin-file {dir}/pins/can-bo.pin --profile ca-nhan --subject "C=VN, O=Cục Chứng thực số (MẪU), CN=Lê Cục Mẫu" --email cuc@bcy.gov.vn --as system --output {dir}/can-bo-cuc.crt
ok Cán bộ Cục được phê duyệt | ca officer add {cuc} --dir {dir} --cert {dir}/can-bo-cuc.crt --role cuc
ok Thiết bị của cán bộ được ủy quyền | token init pkcs11:?module-path={module} --label can-bo-so --so-pin-file {dir}/pins/can-bo-so.pin --pin-file {dir}/pins/can-bo.pin
ok Chứng thư của cán bộ được ủy quyền | ca issue --dir {dir} --generate --token "pkcs11:token=can-bo-so?module-path={module}" --pin-file {dir}/pins/can-bo.pin --profile ca-nhan --subject "C=VN, O={so-name}, CN=Phạm Sở Mẫu" --email phamso@mau.gov.vn --as system --output {dir}/can-bo-so.crt
ok Cán bộ được ủy quyền được phê duyệt | ca officer add {so} --dir {dir} --cert {dir}/can-bo-so.crt --role {so-role}
picture ky-{cuc}.png Lê Cục Mẫu
picture ky-{so}.png Phạm Sở Mẫu
let cuc-key --key pkcs11:token=can-bo-cuc?module-path={module} --cert {dir}/can-bo-cuc.crt --pin-file {dir}/pins/can-bo.pin --image {dir}/ky-{cuc}.png
let so-key --key pkcs11:token=can-bo-so?module-path={module} --cert {dir}/can-bo-so.crt --pin-file {dir}/pins/can-bo.pin --image {dir}/ky-{so}.png
[binh-thuan-2017] include co-yeu.story
ok Chuẩn bị thiết bị | device prepare pkcs11:?module-path={module} --dir {dir} --as {cuc} --model softhsm-v2
take d0 number
picture ky-{head}.png Trần Văn Mẫu
let head-key --key pkcs11:serial={d0}?module-path={module} --pin-file {dir}/pins/user-{d0}.pin --image {dir}/ky-{head}.png

say Lần đầu: văn bản giấy ký, đóng dấu
append quet.txt Không phải bản quét
ok Lập hồ sơ cấp mới | request new --dir {dir} --as {head} --subject {s0} --filing-key lan-dau --number 01/ĐN-MẪU
take r0 id
ok Cùng mã gửi là cùng hồ sơ | request new --dir {dir} --as {head} --subject {s0} --filing-key lan-dau --number 01/ĐN-MẪU
no {cite-new} Văn thư không gửi hồ sơ thay cơ quan | request new --dir {dir} --as {p2} --subject {s2}
ok In văn bản đề nghị theo mẫu để ký tay, đóng dấu | request paper {r0} {dir}/quet.pdf --dir {dir} --as {head}
no AN_E_PDF_HEADER Tệp không phải bản quét PDF thì không nhận | request sign {r0} --dir {dir} --as {head} --paper {dir}/quet.txt
ok Đã ký trên giấy: nộp bản quét | request sign {r0} --dir {dir} --as {head} --paper {dir}/quet.pdf
include gui.story
let dev {d0}
include giao-co-quan.story
ok Ghi nhận đã bàn giao | request handover {r0} --dir {dir} --as {cuc} --record {rec}

at {day-new}
say Năm người và cơ quan: văn bản ký số
ok Chuẩn bị thiết bị | device prepare pkcs11:?module-path={module} --dir {dir} --as {cuc} --model softhsm-v2
ok Chuẩn bị thiết bị | device prepare pkcs11:?module-path={module} --dir {dir} --as {cuc} --model softhsm-v2
ok Chuẩn bị thiết bị | device prepare pkcs11:?module-path={module} --dir {dir} --as {cuc} --model softhsm-v2
ok Chuẩn bị thiết bị | device prepare pkcs11:?module-path={module} --dir {dir} --as {cuc} --model softhsm-v2
ok Chuẩn bị thiết bị | device prepare pkcs11:?module-path={module} --dir {dir} --as {cuc} --model softhsm-v2
ok Chuẩn bị thiết bị | device prepare pkcs11:?module-path={module} --dir {dir} --as {cuc} --model softhsm-v2
append ds.csv subject\n{s1}\n{s2}\n{s3}\n{s4}\n{s5}
ok Lập danh sách cấp mới | request new --dir {dir} --as {head} --list {dir}/ds.csv --number 02/ĐN-MẪU
take r1 id
no nd-68-2024/4 Lần sau không nộp bản giấy | request sign {r1} --dir {dir} --as {head} --paper {dir}/quet.pdf
no AN_E_REQUEST_STATE Chưa ký thì chưa gửi được | request send {r1} --dir {dir} --as {head}
no nd-68-2024/39 Không ký bằng chứng thư của người khác | request sign {r1} --dir {dir} --as {head} {cuc-key}
ok Người đứng đầu ký số | request sign {r1} --dir {dir} --as {head} {head-key}
[tay-ninh-2025,gia-lai-2026,dong-thap-2025,bac-ninh-2023] no AN_E_REQUEST_STATE Chưa gửi thì Cục chưa chấp nhận được | request accept {r1} --dir {dir} --as {cuc}
let r0 {r1}
ok Gửi | request send {r1} --dir {dir} --as {head}
[tay-ninh-2025,gia-lai-2026,dong-thap-2025,bac-ninh-2023] no {cite-not-so} Cơ quan ở tỉnh không quyết định cấp mới thay Cục | request accept {r1} --dir {dir} --as {so}
[binh-thuan-2017] no binh-thuan-2017/3/9 Cục chưa chấp nhận được khi danh sách chưa được phê duyệt | request accept {r1} --dir {dir} --as {cuc}
include cuc-quyet.story
ok Xem hồ sơ | request show {r1} --dir {dir} --as {cuc}
take d1 items.0.device
take d2 items.1.device
take d3 items.2.device
take d4 items.3.device
take d5 items.4.device
take c1 items.0.result
take c2 items.1.result
take c3 items.2.result
take c4 items.3.result
take c5 items.4.result
ok Thực hiện lần nữa không làm thêm gì | request list --dir {dir} --as {cuc} --state awaiting
ok Lập hồ sơ cho cơ quan | request new --dir {dir} --as {head} --subject {sa} --number 03/ĐN-MẪU
take r2 id
ok Người đứng đầu ký số | request sign {r2} --dir {dir} --as {head} {head-key}
let r0 {r2}
include gui.story
ok Xem hồ sơ của cơ quan | request show {r2} --dir {dir} --as {cuc}
take da items.0.device
let dev {d1} {d2} {d3} {d4} {d5} {da}
include giao-co-quan.story
ok Ghi nhận đã bàn giao thiết bị của năm người | request handover {r1} --dir {dir} --as {cuc} --record {rec}
ok Ghi nhận đã bàn giao thiết bị của cơ quan | request handover {r2} --dir {dir} --as {cuc} --record {rec}
picture ky-{p1}.png Nguyễn Thị Ưởng
let dev {d1}
let to {p1}
let to-key --key pkcs11:serial={d1}?module-path={module} --pin-file {dir}/pins/user-{d1}.pin --image {dir}/ky-{p1}.png
include giao.story
picture ky-{p2}.png Đặng Văn Thư
let dev {d2}
let to {p2}
let to-key --key pkcs11:serial={d2}?module-path={module} --pin-file {dir}/pins/user-{d2}.pin --image {dir}/ky-{p2}.png
include giao.story
picture ky-{p3}.png Võ Khóa Mẫu
let dev {d3}
let to {p3}
let to-key --key pkcs11:serial={d3}?module-path={module} --pin-file {dir}/pins/user-{d3}.pin --image {dir}/ky-{p3}.png
include giao.story
picture ky-{p4}.png Bùi Mất Mẫu
let dev {d4}
let to {p4}
let to-key --key pkcs11:serial={d4}?module-path={module} --pin-file {dir}/pins/user-{d4}.pin --image {dir}/ky-{p4}.png
include giao.story
picture ky-{p5}.png Hồ Hưu Mẫu
let dev {d5}
let to {p5}
let to-key --key pkcs11:serial={d5}?module-path={module} --pin-file {dir}/pins/user-{d5}.pin --image {dir}/ky-{p5}.png
include giao.story
let to {p2}
let dev {da}
let to-key --key pkcs11:serial={d2}?module-path={module} --pin-file {dir}/pins/user-{d2}.pin --image {dir}/ky-{p2}.png
include giao.story

at {day-change}
say Thay đổi địa chỉ thư điện tử công vụ
[tay-ninh-2025,gia-lai-2026,dong-thap-2025,bac-ninh-2023] include thay-doi.story
[binh-thuan-2017] no {cite-no-change} Quy định không có yêu cầu thay đổi thông tin | request change --dir {dir} --as {head} --subject {s2} --what email --to vanthu@mau.gov.vn --number 04/ĐN-MẪU

at {day-recover}
say Khóa thiết bị, khôi phục
ok Báo bị khóa | device state {d3} bi-khoa --dir {dir} --as {head} --reason "nhập sai mật khẩu quá số lần"
ok Lập đề nghị khôi phục | request recover --dir {dir} --as {head} --subject {s3} --number 05/ĐN-MẪU
take r4 id
[tay-ninh-2025,gia-lai-2026,dong-thap-2025] ok Lập một đề nghị gửi nhầm cơ quan | request recover --dir {dir} --as {head} --subject {s3} --to-body cuc --number 05b/ĐN-MẪU
[tay-ninh-2025,gia-lai-2026,dong-thap-2025] take rx id
[tay-ninh-2025,gia-lai-2026,dong-thap-2025] no {cite-recover} Gửi Cục trong khi Sở được ủy quyền: bị từ chối | request check {rx} --dir {dir} --as {head}
[bac-ninh-2023] ok Lập một đề nghị gửi nhầm cơ quan | request recover --dir {dir} --as {head} --subject {s3} --to-body so-khcn --number 05b/ĐN-MẪU
[bac-ninh-2023] take rx id
[bac-ninh-2023] no {cite-new} Gửi Sở trong khi Cục giải quyết: bị từ chối | request check {rx} --dir {dir} --as {head}
let decide {decide-renew}
ok Một đề nghị chưa có số | request recover --dir {dir} --as {head} --subject {s1}
take rw id
ok Người đứng đầu ký số | request sign {rw} --dir {dir} --as {head} {head-key}
no nd-30-2020/15/3 Chưa có số thì chưa gửi được | request send {rw} --dir {dir} --as {head}
ok Cho số, ký lại | request sign {rw} --dir {dir} --as {head} {head-key} --number 05c/ĐN-MẪU
ok Gửi | request send {rw} --dir {dir} --as {head}
no AN_E_REQUEST_REASON Rút hồ sơ đã gửi phải nêu lý do | request withdraw {rw} --dir {dir} --as {head}
ok Rút hồ sơ đã gửi | request withdraw {rw} --dir {dir} --as {head} --reason "thuê bao đã nhớ mật khẩu"
[tay-ninh-2025,gia-lai-2026,dong-thap-2025,bac-ninh-2023] no AN_E_REQUEST_STATE Đã rút thì không còn gì để chấp nhận | request accept {rw} --dir {dir} --as {{decide}}
ok Người đứng đầu ký số | request sign {r4} --dir {dir} --as {head} {head-key}
let r0 {r4}
let decide {decide-renew}
include quyet.story
tell Đã khôi phục trong thời hạn; thiết bị dùng lại với mật khẩu mới.
ok Đề nghị khôi phục một thiết bị không bị khóa | request recover --dir {dir} --as {head} --subject {s2} --number 05d/ĐN-MẪU
take rt id
ok Người đứng đầu ký số | request sign {rt} --dir {dir} --as {head} {head-key}
ok Gửi | request send {rt} --dir {dir} --as {head}
let decide {decide-first}
no AN_E_REQUEST_REASON Từ chối phải nêu lý do | request refuse {rt} --dir {dir} --as {{decide}} {{decide}-key}
ok Từ chối bằng văn bản ký số | request refuse {rt} --dir {dir} --as {{decide}} --number 12/TB-MẪU --reason "Thiết bị đang hoạt động bình thường, không thuộc trường hợp phải khôi phục" {{decide}-key}

at {day-lost}
say Mất thiết bị, thu hồi khẩn cấp
ok Báo mất: tạm dừng ngay, lập sẵn hồ sơ thu hồi | request emergency --dir {dir} --as {head} --certificate {c4} --ground that-lac
take r5 id
ok Người đứng đầu cho số, ký số | request sign {r5} --dir {dir} --as {head} {head-key} --number 05a/ĐN-MẪU
no {cite-lost} Thiếu biên bản xác nhận thất lạc | request send {r5} --dir {dir} --as {head}
ok Lập biên bản thất lạc, người giữ thiết bị ký tay | device lost {d4} --dir {dir} --as {head} --to agency:{agency-code} --giver {head} --taker {head} --paper TL-01 --reason "mất khi đi công tác"
let r0 {r5}
include gui.story

at {day-renew}
say Gia hạn
ok Lập đề nghị gia hạn | request renew --dir {dir} --as {head} --subject {s1} --number 06/ĐN-MẪU
take r6 id
ok Người đứng đầu ký số | request sign {r6} --dir {dir} --as {head} {head-key}
let r0 {r6}
let decide {decide-renew}
include quyet.story
ok Đề nghị gia hạn lần hai | request renew --dir {dir} --as {head} --subject {s1} --number 07/ĐN-MẪU
take r7 id
[tay-ninh-2025,gia-lai-2026,dong-thap-2025,bac-ninh-2023] no {cite-renew} Gia hạn lần thứ hai bị từ chối | request check {r7} --dir {dir} --as {head}
at {day-late}
ok Đề nghị gia hạn quá muộn | request renew --dir {dir} --as {head} --subject {s2} --number 08/ĐN-MẪU
take r8 id
no {cite-late} Gia hạn quá muộn bị từ chối | request check {r8} --dir {dir} --as {head}
say Nghỉ hưu
ok Người nghỉ hưu nộp lại thiết bị | device return {d5} --dir {dir} --as {head} --to agency:{agency-code} --giver {p5} --taker {head} --reason "nghỉ hưu"
take rec record
ok Người nghỉ hưu ký số | device sign {rec} --dir {dir} --as {p5} --key pkcs11:serial={d5}?module-path={module} --pin-file {dir}/pins/user-{d5}.pin --image {dir}/ky-{p5}.png
ok Người đứng đầu ký số | device sign {rec} --dir {dir} --as {head} {head-key}
ok Lập hồ sơ thu hồi | request revoke --dir {dir} --as {head} --subject {s5} --ground nghi-huu --number 09/ĐN-MẪU
take r9 id
ok Người đứng đầu ký số | request sign {r9} --dir {dir} --as {head} {head-key}
let r0 {r9}
include gui.story
include tra.story
ok Việc hằng ngày: nhắc hạn, chuyển công tác, quá hạn | notice run --dir {dir}
ok Thông báo | notice list --dir {dir} --as {head} --limit 200
