# Bình Thuận: Người quản lý thuê bao phê duyệt danh sách (Điều 17.1) rồi chuyển Cục; thiết bị đi qua tổ chức cơ yếu.
let hierarchy party
let agency-name ĐẢNG ỦY XÃ MẪU
let head-title Bí thư
let so-role nguoi-quan-ly-thue-bao
let province Bình Thuận
let top-code A11
let top-name TỈNH ỦY BÌNH THUẬN (MẪU)
let so-code A11.01
let so-name Văn phòng Tỉnh ủy (MẪU)
let tt-code A11.02
let cy-code A11.03
let agency-code A11.99
let since 2018-01-02
let leave 2023-03-12
let cite-new AN_E_NOT_PROVIDED
let cite-recover binh-thuan-2017/17/1
let cite-lost binh-thuan-2017/19/5/a
let cite-renew binh-thuan-2017/19/5/b
let cite-late binh-thuan-2017/19/5/b
let cite-no-change AN_E_NOT_PROVIDED
let decide-first so
let decide-renew cuc
let day-new 2018-03-06T08:00:00+07:00
let day-change 2018-04-02T08:00:00+07:00
let day-recover 2018-04-09T08:00:00+07:00
let day-lost 2018-05-07T08:00:00+07:00
let day-renew 2022-11-07T08:00:00+07:00
let day-late 2023-02-20T08:00:00+07:00
at 2018-03-05T08:00:00+07:00
include chung.story
